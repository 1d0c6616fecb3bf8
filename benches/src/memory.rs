//! How much memory a first sync takes, in a separate process. Pages are generated in the process instead of arriving
//! over a socket; one is in memory at a time, as when they arrive.

use crate::{
    Notes, Reading, Size,
    peer_client::Done,
    peers::program,
    project::run as run_program,
    scene::Scene,
    subject::Subject,
    watch::{Watch, memory},
};
use anyhow::Result;
use serde_json::Value;
use std::{collections::BTreeMap, io::Write as _, process::Command};

pub(crate) fn run(size: Size, notes: &mut Notes) -> Result<()> {
    for messages in size.pick(vec![5_000], vec![10_000, 100_000], vec![100_000, 1_000_000]) {
        let done = run_program(Command::new(program()?).args(["--hoard", &messages.to_string()]), &Value::Null)?;
        let done: Done = serde_json::from_value(done)?;
        let fact = |name: &'static str| (name, done.facts.get(name).copied().unwrap_or_default());
        let reading = Reading { seconds: done.seconds, cpu: done.cpu };
        let case = format!("{messages} messages");
        notes.write(&case, "fieldpost", 0, reading, messages, [fact("over_idle_MiB"), fact("idle_MiB")])?;
    }
    Ok(())
}

/// Loads a number of messages and reports the memory that took.
///
/// # Errors
/// If they cannot be loaded.
pub fn hoard(messages: u64) -> Result<()> {
    let mut scene = Scene::new(1_000);
    let subject = Subject::new(&scene)?;
    let idle = memory("VmRSS").unwrap_or(0);
    let watch = Watch::start();
    subject.fill(&mut scene, messages)?;
    let reading = watch.stop();
    let over = memory("VmHWM").unwrap_or(0).saturating_sub(idle);
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let facts = [("over_idle_MiB".to_owned(), mebibytes(over)), ("idle_MiB".to_owned(), mebibytes(idle))];
    let done = Done { seconds: reading.seconds, cpu: reading.cpu, facts: BTreeMap::from(facts) };
    Ok(writeln!(std::io::stdout(), "{}", serde_json::to_string(&done)?)?)
}
