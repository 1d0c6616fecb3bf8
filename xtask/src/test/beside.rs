//! Tests that bring clusters of their own, and those of the bindings: they share nothing with the others, so they run at the same
//! time. Their output is printed when they are over.

use super::{
    Rung, Table, enter,
    node::Run,
    runner::{Output, run_and_count},
};
use crate::{
    bindings::{Parts, Tally},
    process, supabase,
};
use anyhow::{Result, anyhow};
use std::{
    process::Command,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// The folders with such tests, and their rungs.
const FOLDERS: [(Rung, &str); 2] =
    [(Rung::Projects, "tests/supabase/projects"), (Rung::Supabase, "tests/supabase/clusters")];

/// Such tests, under way.
pub(super) struct Beside(JoinHandle<Result<Vec<Over>>>);

/// A folder whose tests are over.
struct Over {
    rung: Rung,
    run: Run,
    output: Output,
    took: Duration,
}

impl Beside {
    /// Starts those that are wanted, one after the other.
    pub(super) fn start(wanted: impl Fn(Rung) -> bool, with_supabase: bool, parts: Option<Parts>) -> Result<Self> {
        let folders: Vec<_> = FOLDERS.into_iter().filter(|(rung, _)| with_supabase && wanted(*rung)).collect();
        let with_bindings = wanted(Rung::Bindings);
        if !folders.is_empty() {
            supabase::install_packages(&process::root())?;
            println!("── beside the others: {}", folders.iter().map(|(_, name)| *name).collect::<Vec<_>>().join(", "));
        }
        Ok(Self(thread::spawn(move || {
            let folders = folders.into_iter().map(|(rung, name)| run(rung, name));
            folders.chain(with_bindings.then(|| run_bindings(parts.as_ref()))).collect()
        })))
    }

    /// Waits until they are over, and shows and counts them.
    pub(super) fn finish(self, table: &mut Table, claims: &mut Vec<String>, output: &mut Output) -> Result<()> {
        println!("── waiting for the tests that run beside the others");
        for over in self.0.join().map_err(|_| anyhow!("the thread of the tests beside the others has panicked"))?? {
            output.failures.extend(over.output.print());
            claims.extend(over.run.claims);
            enter(table, over.rung, over.run.counts, over.took);
        }
        Ok(())
    }
}

/// The scenario in the other languages, in a process of its own, whose output can be kept.
fn run_bindings(parts: Option<&Parts>) -> Result<Over> {
    let (mut output, started) = (Output::kept(), Instant::now());
    let mut command = Command::new(std::env::current_exe()?);
    output.begin("bindings");
    command.args(["bindings", "tally"]).args(parts.map(Parts::arguments).into_iter().flatten());
    let counts = run_and_count(&mut command, &mut output, Tally::read)?;
    Ok(Over { rung: Rung::Bindings, run: Run { counts, ..Run::default() }, output, took: started.elapsed() })
}

fn run(rung: Rung, name: &str) -> Result<Over> {
    let (mut run, mut output, started) = (Run::default(), Output::kept(), Instant::now());
    run.files_of(&process::root().join(name), &mut output)?;
    Ok(Over { rung, run, output, took: started.elapsed() })
}
