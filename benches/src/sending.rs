//! Writes one message, as a person does: until it is durable, and until the thread on the screen shows it.

use crate::{
    Notes, Reading, Size,
    notes::percentile,
    raw::Raw,
    scene::{Scene, at, conversation_id, viewer},
    subject::Subject,
    watch::Watch,
};
use anyhow::{Result, bail, ensure};
use fieldpost::{Client, Fieldpost, ThreadMessage, VectorDiff, Window};
use fieldpost_domain::{Message, MessageId};
use uuid::Uuid;

/// The number of existing messages.
const HISTORY: u64 = 10_000;

pub(crate) fn run(size: Size, notes: &mut Notes) -> Result<()> {
    let (rounds, sends) = (size.pick(1, 4, 12), size.pick(3, 100, 200));
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
    for round in notes.rounds(rounds) {
        let mut timed = Timed::default();
        for _ in 0..sends {
            number += 1;
            timed.ours(&ours, &client, number)?;
            let message = composed(&scene, number);
            timed.raw.add(|| raw.send(&message, PAYLOAD))?;
            timed.one.add(|| one.insert_one(&message))?;
        }
        timed.ours.write(notes, CALL, "fieldpost", round)?;
        timed.raw.write(notes, CALL, "raw SQLite, the same rows", round)?;
        timed.one.write(notes, CALL, "raw SQLite, one row", round)?;
        let (mut seen, mut read) = (Times::default(), Times::default());
        for _ in 0..sends {
            number += 1;
            ours.runtime.block_on(seen_by_an_observer(&mut seen, &client, number))?;
            let message = composed(&scene, number);
            read.add(|| raw.send(&message, PAYLOAD).and_then(|()| read_again(&raw, &message)))?;
        }
        seen.write(notes, OBSERVED, "fieldpost", round)?;
        read.write(notes, OBSERVED, "raw SQLite, written and read again", round)?;
    }
    Ok(())
}

/// The case of all single calls.
pub(crate) const CALL: &str = "one at a time";
const OBSERVED: &str = "until an observer has it";

/// The messages of the displayed thread.
const SHOWN: u32 = 50;

/// The time from the call until the stream of a displayed thread has brought the message.
async fn seen_by_an_observer(times: &mut Times, client: &Client, number: u64) -> Result<()> {
    let conversation = client.conversation(conversation_id(number % 50));
    let (_, mut thread) = conversation.watch(Window::newest(SHOWN)).await?;
    let watch = Watch::start();
    let seen = async {
        while let Some(update) = thread.next().await {
            let is_it = |diff: &VectorDiff<ThreadMessage>| matches!(diff, VectorDiff::PushBack { value } if value.content.as_deref() == Some(&text(number)));
            if update?.diffs.iter().any(is_it) {
                return Ok(watch.stop());
            }
        }
        bail!("the stream has ended")
    };
    let text = text(number);
    let (sent, seen) = tokio::join!(conversation.send(&text), seen);
    sent?;
    times.note(seen?);
    Ok(())
}

fn text(number: u64) -> String {
    format!("{TEXT} ({number})")
}

/// Repeating the read after a write: SQLite itself offers an observer nothing else.
fn read_again(raw: &Raw, message: &Message) -> Result<()> {
    let rows = raw.window(message.conversation_id, SHOWN)?;
    ensure!(rows > 0, "a thread without messages");
    Ok(())
}

pub(crate) const PAYLOAD: &str = r#"{"id":"01980000-0000-7000-8000-000000000000","sender_id":"00000000-0000-0000-0000-000000000001","type":"text","content":"On my way to gate 3 with the stretcher, two minutes","composed_at":1700000000000000}"#;
pub(crate) const TEXT: &str = "On my way to gate 3 with the stretcher, two minutes";

#[derive(Default)]
struct Timed {
    ours: Times,
    raw: Times,
    one: Times,
}

impl Timed {
    fn ours(&mut self, subject: &Subject, client: &Client, number: u64) -> Result<()> {
        let conversation = conversation_id(number % 50);
        self.ours.add(|| Ok(subject.runtime.block_on(client.conversation(conversation).send(TEXT)).map(drop)?))
    }
}

/// The message number `number` that is written here.
pub(crate) fn composed(scene: &Scene, number: u64) -> Message {
    Message {
        id: MessageId::from_uuid(Uuid::from_u128((0x0199_u128 << 112) | (0x7 << 76) | u128::from(number))),
        conversation_id: conversation_id(number % 50),
        sender_id: viewer().id,
        content: Some(TEXT.to_owned()),
        created_at: at(number),
        ..scene.message(0)
    }
}

/// The durations of single calls.
#[derive(Debug, Default)]
pub(crate) struct Times {
    seconds: Vec<f64>,
    cpu: f64,
}

impl Times {
    pub(crate) fn add(&mut self, call: impl FnOnce() -> Result<()>) -> Result<()> {
        let watch = Watch::start();
        call()?;
        self.note(watch.stop());
        Ok(())
    }

    pub(crate) fn note(&mut self, reading: Reading) {
        self.seconds.push(reading.seconds);
        self.cpu += reading.cpu;
    }

    /// Writes one line for a round of calls, with the median and a high percentile.
    pub(crate) fn write(self, notes: &mut Notes, case: &str, subject: &str, round: u32) -> Result<()> {
        self.write_with(notes, case, subject, round, [])
    }

    /// The same, with more facts.
    pub(crate) fn write_with(
        mut self,
        notes: &mut Notes,
        case: &str,
        subject: &str,
        round: u32,
        more: impl IntoIterator<Item = (&'static str, f64)>,
    ) -> Result<()> {
        self.seconds.sort_by(f64::total_cmp);
        let calls = self.seconds.len() as u64;
        let reading = Reading { seconds: self.seconds.iter().sum(), cpu: self.cpu };
        let facts = [("p50", percentile(&self.seconds, 0.5)), ("p99", percentile(&self.seconds, 0.99))];
        notes.write(case, subject, round, reading, calls, facts.into_iter().chain(more))
    }
}
