//! Runs benches and prints one JSON line for each measurement: `fieldpost-bench apply send --size quick`.

use clap::Parser;
use fieldpost_benches::{BENCHES, Notes, Size};
use std::time::Duration;

/// Runs benches and prints one JSON line for each measurement
#[derive(Debug, Parser)]
struct Args {
    /// The benches; all of them if none is named
    benches: Vec<String>,
    /// Do the task given on standard input, as one of the compared clients
    #[arg(long, hide = true)]
    phone: bool,
    /// Be the devices of a crowd, and do what standard input says
    #[arg(long, hide = true)]
    devices: bool,
    /// Load this many messages and print the memory that took
    #[arg(long, hide = true)]
    hoard: Option<u64>,
    /// Import this file of the older app and print the time and the memory that took
    #[arg(long, hide = true)]
    import: Option<std::path::PathBuf>,
    /// Repeat one kind of call, for counting instructions: `<call> <subject> <times> <file>`
    #[arg(long, hide = true, num_args = 4)]
    call: Option<Vec<String>>,
    /// The amount of work
    #[arg(long, value_enum, default_value_t = Size::Full)]
    size: Size,
    /// The approximate time for each bench in seconds; after that no new round begins
    #[arg(long)]
    seconds: Option<u64>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    if let Some(messages) = args.hoard {
        return fieldpost_benches::hoard(messages);
    }
    if let Some(source) = args.import {
        return fieldpost_benches::import(&source);
    }
    if args.phone {
        return fieldpost_benches::answer_as_phone();
    }
    if args.devices {
        return fieldpost_benches::answer_as_devices();
    }
    if let Some(call) = args.call {
        return fieldpost_benches::make_calls(&call);
    }
    if let Some(unknown) = args.benches.iter().find(|name| BENCHES.iter().all(|bench| bench.name != name.as_str())) {
        let names: Vec<_> = BENCHES.iter().map(|bench| bench.name).collect();
        anyhow::bail!("there is no bench {unknown:?}; there are {}", names.join(", "));
    }
    let wanted = |name: &str| args.benches.is_empty() || args.benches.iter().any(|wanted| wanted == name);
    for bench in BENCHES.iter().filter(|bench| wanted(bench.name)) {
        let time = args.seconds.map(Duration::from_secs);
        bench.run(args.size, &mut Notes::printed(bench.name, time))?;
    }
    Ok(())
}
