//! Runs benches and prints one JSON line for each measurement: `fieldpost-bench apply send --size quick`.

use clap::Parser;
use fieldpost_benches::{BENCHES, Notes, Size};

/// Runs benches and prints one JSON line for each measurement
#[derive(Debug, Parser)]
struct Args {
    /// Which; all of them if none is named
    benches: Vec<String>,
    /// Do what standard input asks for, as one of the clients that are compared
    #[arg(long, hide = true)]
    phone: bool,
    /// Load so many messages and say how much memory that took
    #[arg(long, hide = true)]
    hoard: Option<u64>,
    /// How much work they do
    #[arg(long, value_enum, default_value_t = Size::Full)]
    size: Size,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    if let Some(messages) = args.hoard {
        return fieldpost_benches::hoard(messages);
    }
    if args.phone {
        return fieldpost_benches::answer_as_phone();
    }
    if let Some(unknown) = args.benches.iter().find(|name| BENCHES.iter().all(|bench| bench.name != name.as_str())) {
        let names: Vec<_> = BENCHES.iter().map(|bench| bench.name).collect();
        anyhow::bail!("there is no bench {unknown:?}; there are {}", names.join(", "));
    }
    let wanted = |name: &str| args.benches.is_empty() || args.benches.iter().any(|wanted| wanted == name);
    for bench in BENCHES.iter().filter(|bench| wanted(bench.name)) {
        bench.run(args.size, &mut Notes::printed(bench.name))?;
    }
    Ok(())
}
