//! Writing one message, as a person does: until it is on the disk for good.

use crate::{
    Notes, Reading, Size,
    notes::percentile,
    raw::Raw,
    scene::{Scene, at, conversation_id, viewer},
    subject::Subject,
    watch::Watch,
};
use anyhow::Result;
use fieldpost::{Client, Fieldpost};
use fieldpost_domain::{Message, MessageId};
use uuid::Uuid;

/// What is there before.
const HISTORY: u64 = 10_000;

pub(crate) fn run(size: Size, notes: &mut Notes) -> Result<()> {
    let (rounds, sends) = (size.pick(1, 4, 8), size.pick(3, 100, 250));
    let mut scene = Scene::new(50);
    let ours = Subject::new(&scene)?;
    ours.fill(&mut scene, size.pick(100, HISTORY, HISTORY))?;
    ours.close()?;
    let [raw_file, one_file] = ["raw.db", "one.db"].map(|name| ours.file().with_file_name(name));
    std::fs::copy(ours.file(), &raw_file)?;
    std::fs::copy(ours.file(), &one_file)?;
    let (mut raw, mut one) = (Raw::open(&raw_file)?, Raw::open(&one_file)?);
    raw.synchronous_full()?;
    one.synchronous_full()?;
    let builder = Fieldpost::builder().database(ours.file()).local_only();
    let client = ours.runtime.block_on(builder.open())?;
    let mut number = 0;
    for round in 0..rounds {
        let mut timed = Timed::default();
        for _ in 0..sends {
            number += 1;
            timed.ours(&ours, &client, number)?;
            let message = composed(&scene, number);
            timed.raw.add(|| raw.send(&message, PAYLOAD))?;
            timed.one.add(|| one.insert_one(&message))?;
        }
        timed.ours.write(notes, "fieldpost", round)?;
        timed.raw.write(notes, "raw SQLite, the same rows", round)?;
        timed.one.write(notes, "raw SQLite, one row", round)?;
    }
    Ok(())
}

const PAYLOAD: &str = r#"{"id":"01980000-0000-7000-8000-000000000000","sender_id":"00000000-0000-0000-0000-000000000001","type":"text","content":"On my way to gate 3 with the stretcher, two minutes","composed_at":1700000000000000}"#;
const TEXT: &str = "On my way to gate 3 with the stretcher, two minutes";

#[derive(Default)]
struct Timed {
    ours: Times,
    raw: Times,
    one: Times,
}

impl Timed {
    fn ours(&mut self, subject: &Subject, client: &Client, number: u64) -> Result<()> {
        let conversation = conversation_id(number % 50);
        self.ours.add(|| Ok(subject.runtime.block_on(client.send(conversation, TEXT)).map(drop)?))
    }
}

/// The message number `number` that is written here.
fn composed(scene: &Scene, number: u64) -> Message {
    Message {
        id: MessageId::from_uuid(Uuid::from_u128((0x0199_u128 << 112) | (0x7 << 76) | u128::from(number))),
        conversation_id: conversation_id(number % 50),
        sender_id: viewer().id,
        content: Some(TEXT.to_owned()),
        created_at: at(number),
        ..scene.message(0)
    }
}

/// Times of single calls.
#[derive(Debug, Default)]
pub(crate) struct Times {
    seconds: Vec<f64>,
    cpu: f64,
}

impl Times {
    pub(crate) fn add(&mut self, call: impl FnOnce() -> Result<()>) -> Result<()> {
        let watch = Watch::start();
        call()?;
        let Reading { seconds, cpu } = watch.stop();
        self.seconds.push(seconds);
        self.cpu += cpu;
        Ok(())
    }

    /// One line for a round of calls, with the median and the slow end of it.
    pub(crate) fn write(mut self, notes: &mut Notes, subject: &str, round: u32) -> Result<()> {
        self.seconds.sort_by(f64::total_cmp);
        let calls = self.seconds.len() as u64;
        let reading = Reading { seconds: self.seconds.iter().sum(), cpu: self.cpu };
        let facts = [("p50", percentile(&self.seconds, 0.5)), ("p99", percentile(&self.seconds, 0.99))];
        notes.write("one at a time", subject, round, reading, calls, facts)
    }
}
