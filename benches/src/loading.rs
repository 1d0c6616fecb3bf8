//! Loads a number of messages into an empty file until they can be read: compared with raw SQLite, and with PowerSync,
//! which gets the same rows from a stream in its own format.

use crate::{
    Notes, Size,
    notes::OURS,
    peer_client::Done,
    project::root,
    raw::{Raw, Way},
    scene::{Scene, Step},
    subject::Subject,
    watch::{Reading, Watch, mebibytes},
};
use anyhow::{Result, bail};
use std::{fs, path::PathBuf, process::Command};

const CONVERSATIONS: u64 = 200;
const PAGE: u64 = 2_000;

pub(crate) fn run(size: Size, notes: &mut Notes) -> Result<()> {
    let powersync = powersync(size)?;
    for messages in size.pick(vec![2_000], vec![20_000], vec![20_000, 100_000]) {
        for round in 0..size.pick(1, 2, 3) {
            let mut note = |subject, (reading, bytes)| {
                let facts = [("file_MiB", mebibytes(bytes))];
                notes.write(&format!("{messages} messages"), subject, round, reading, messages, facts)
            };
            note(OURS, ours(messages)?)?;
            note(Way::InBatches.name(), raw(messages)?)?;
            if let Some(program) = &powersync {
                let done = Done::of(Command::new(program).arg(messages.to_string()))?;
                note("powersync 0.2.0", (done.reading, done.fact("file_bytes") as u64))?;
            }
        }
    }
    Ok(())
}

fn powersync(size: Size) -> Result<Option<PathBuf>> {
    let program = root().join("benches/peers/powersync/target/release/fieldpost-peer-powersync");
    match program.is_file() {
        true => Ok(Some(program)),
        false if size == Size::Smoke => Ok(None),
        false => bail!("the peers are not installed: run `cargo xtask peers`"),
    }
}

fn steps(mut scene: Scene, messages: u64) -> Result<Vec<Step>> {
    (0..messages / PAGE).map(|_| Ok(scene.step(PAGE)?)).collect()
}

/// The time, and the size of the file.
fn ours(messages: u64) -> Result<(Reading, u64)> {
    let scene = Scene::new(CONVERSATIONS);
    let subject = Subject::new(&scene)?;
    let steps = steps(scene, messages)?;
    let watch = Watch::start();
    steps.into_iter().try_for_each(|step| subject.apply(step))?;
    let reading = watch.stop();
    subject.close()?;
    Ok((reading, fs::metadata(subject.file())?.len()))
}

fn raw(messages: u64) -> Result<(Reading, u64)> {
    let scene = Scene::new(CONVERSATIONS);
    let mut raw = Raw::following(&scene.bootstrap()?)?;
    let steps = steps(scene, messages)?;
    let watch = Watch::start();
    steps.iter().try_for_each(|step| raw.apply(&step.page, Way::InBatches))?;
    let reading = watch.stop();
    Ok((reading, raw.close()?))
}
