//! Loads a number of messages into an empty file until they can be read: compared with raw SQLite, and with PowerSync,
//! which gets the same rows from a stream in its own format.

use crate::{
    Notes, Reading, Size,
    peer_client::Done,
    project::{root, run as run_program},
    raw::{Raw, Way},
    scene::Scene,
    subject::Subject,
    watch::Watch,
};
use anyhow::{Result, bail};
use serde_json::Value;
use std::{fs, path::PathBuf, process::Command};

const CONVERSATIONS: u64 = 200;
const PAGE: u64 = 2_000;

pub(crate) fn run(size: Size, notes: &mut Notes) -> Result<()> {
    let powersync = powersync(size)?;
    for messages in size.pick(vec![2_000], vec![20_000], vec![20_000, 100_000]) {
        let case = format!("{messages} messages");
        for round in 0..size.pick(1, 2, 3) {
            ours(notes, &case, round, messages)?;
            raw(notes, &case, round, messages)?;
            if let Some(program) = &powersync {
                let done = run_program(Command::new(program).arg(messages.to_string()), &Value::Null)?;
                let done: Done = serde_json::from_value(done)?;
                let bytes = done.facts.get("file_bytes").copied().unwrap_or_default();
                let reading = Reading { seconds: done.seconds, cpu: done.cpu };
                notes.write(&case, "powersync 0.2.0", round, reading, messages, [("file_MiB", mebibytes(bytes))])?;
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

fn ours(notes: &mut Notes, case: &str, round: u32, messages: u64) -> Result<()> {
    let mut scene = Scene::new(CONVERSATIONS);
    let subject = Subject::new(&scene)?;
    let steps = (0..messages / PAGE).map(|_| scene.step(PAGE)).collect::<Result<Vec<_>, _>>()?;
    let watch = Watch::start();
    for step in steps {
        subject.apply(step)?;
    }
    let reading = watch.stop();
    subject.close()?;
    let bytes = fs::metadata(subject.file())?.len() as f64;
    notes.write(case, "fieldpost", round, reading, messages, [("file_MiB", mebibytes(bytes))])
}

fn raw(notes: &mut Notes, case: &str, round: u32, messages: u64) -> Result<()> {
    let mut scene = Scene::new(CONVERSATIONS);
    let subject = Subject::new(&scene)?;
    subject.close()?;
    let mut raw = Raw::open(&subject.file())?;
    let steps = (0..messages / PAGE).map(|_| scene.step(PAGE)).collect::<Result<Vec<_>, _>>()?;
    let watch = Watch::start();
    for step in &steps {
        raw.apply(&step.page, Way::InBatches)?;
    }
    let reading = watch.stop();
    drop(raw);
    let bytes = fs::metadata(subject.file())?.len() as f64;
    notes.write(case, Way::InBatches.name(), round, reading, messages, [("file_MiB", mebibytes(bytes))])
}

fn mebibytes(bytes: f64) -> f64 {
    bytes / f64::from(1 << 20)
}
