//! How much memory a first sync takes, in a separate process. Pages are generated in the process instead of arriving
//! over a socket; one is in memory at a time, as when they arrive.

use crate::{
    Notes, Size,
    notes::OURS,
    peer_client::Done,
    peers::program,
    scene::Scene,
    subject::Subject,
    watch::{Watch, mebibytes, memory},
};
use anyhow::Result;
use std::process::Command;

pub(crate) fn run(size: Size, notes: &mut Notes) -> Result<()> {
    for messages in size.pick(vec![5_000], vec![10_000, 100_000], vec![100_000, 1_000_000]) {
        let done = Done::of(Command::new(program()?).args(["--hoard", &messages.to_string()]))?;
        let facts = ["over_idle_MiB", "idle_MiB"].map(|name| (name, done.fact(name)));
        notes.write(&format!("{messages} messages"), OURS, 0, done.reading, messages, facts)?;
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
    Done::new(reading, [("over_idle_MiB", mebibytes(over)), ("idle_MiB", mebibytes(idle))]).say()
}
