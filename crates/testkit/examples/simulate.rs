//! Runs many seeds; `cargo xtask simulate` builds and calls this.
#![expect(clippy::print_stdout, reason = "a command-line tool")]

use fieldpost_testkit::simulator::Simulation;

fn main() {
    let args: Vec<u64> = std::env::args().skip(1).filter_map(|arg| arg.parse().ok()).collect();
    let (from, to) = (args[0], args[1]);
    let start = std::time::Instant::now();
    let mut bad = std::collections::BTreeMap::<String, Vec<u64>>::new();
    for seed in from..to {
        let run = Simulation::new(seed).once();
        if let Some(breach) = run.breach {
            bad.entry(breach.invariant.to_string()).or_default().push(seed);
        }
    }
    println!("{} seeds in {:?}", to - from, start.elapsed());
    for (name, seeds) in bad {
        println!("{name}: {} {:?}", seeds.len(), &seeds[..seeds.len().min(8)]);
        if let Err(v) = Simulation::new(seeds[0]).run() {
            println!("{v}");
            for line in &v.trace {
                println!("      {line}");
            }
        }
    }
}
