//! One kind of call, repeated in a separate process, for counting instructions.

use crate::{
    raw::{Raw, Way},
    scene::{Scene, Step, conversation_id},
    sending::{PAYLOAD, TEXT, composed},
    subject::runtime,
    wire,
};
use anyhow::{Context as _, Result, bail, ensure};
use fieldpost::{Fieldpost, Window};
use fieldpost_remote_supabase::fuzzing;
use fieldpost_storage::{Conversations, Messages, Replica, Store};
use fieldpost_storage_sqlite::SqliteStore;
use std::path::Path;

/// The conversations of the file.
pub(crate) const CONVERSATIONS: u64 = 200;

const SHOWN: u32 = 50;

/// The messages of a page.
const PAGE: u64 = 1_000;

/// The call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Send,
    List,
    Window,
    Apply,
    Decode,
}

/// The subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Ours,
    Raw,
    RowByRow,
    Serde,
}

impl Call {
    pub(crate) const ALL: [Self; 5] = [Self::Send, Self::List, Self::Window, Self::Apply, Self::Decode];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::List => "list",
            Self::Window => "window",
            Self::Apply => "apply",
            Self::Decode => "decode",
        }
    }

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Send => "send one message",
            Self::List => "list 50 of 200 conversations",
            Self::Window => "window of 50 messages",
            Self::Apply => "apply a page of 1,000 messages",
            Self::Decode => "decode a page of 1,000 messages",
        }
    }

    pub(crate) const fn subjects(self) -> &'static [Subject] {
        match self {
            Self::Send | Self::List | Self::Window => &[Subject::Ours, Subject::Raw],
            Self::Apply => &[Subject::Ours, Subject::Raw, Subject::RowByRow],
            Self::Decode => &[Subject::Ours, Subject::Serde],
        }
    }

    /// The number of calls that is enough for counting.
    pub(crate) const fn times(self) -> u64 {
        match self {
            Self::Send | Self::List | Self::Window => 40,
            Self::Apply | Self::Decode => 3,
        }
    }

    /// The number of calls before counting: enough for every statement to be prepared.
    pub(crate) const fn before(self) -> u64 {
        match self {
            Self::Send | Self::List | Self::Window => 4,
            Self::Apply | Self::Decode => 1,
        }
    }
}

impl Subject {
    const ALL: [Self; 4] = [Self::Ours, Self::Raw, Self::RowByRow, Self::Serde];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ours => "fieldpost",
            Self::Raw => "raw SQLite",
            Self::RowByRow => "raw SQLite, row by row",
            Self::Serde => "serde alone",
        }
    }
}

/// Makes calls: `<call> <subject> <times> <file>`.
///
/// # Errors
/// If a call fails, or does not do the work that is counted.
pub fn make(words: &[String]) -> Result<()> {
    let [call, subject, times, file] = words else { bail!("a call, a subject, how often, and a file") };
    let call = Call::ALL.into_iter().find(|known| known.name() == call).context("no such call")?;
    let subject = Subject::ALL.into_iter().find(|known| known.name() == subject).context("no such subject")?;
    let (times, file) = (times.parse()?, Path::new(file));
    match (call, subject) {
        (Call::Decode, _) => decode(subject, times),
        (Call::Apply, Subject::Ours) => runtime()?.block_on(apply(file, times)),
        (Call::Apply, _) => apply_raw(subject, file, times),
        (Call::Send, Subject::Ours) => runtime()?.block_on(send(file, times)),
        (_, Subject::Ours) => runtime()?.block_on(read(call, file, times)),
        _ => call_raw(call, file, times),
    }
}

fn decode(subject: Subject, times: u64) -> Result<()> {
    let body = wire::pull(&Scene::new(CONVERSATIONS).step(PAGE)?.page)?;
    for _ in 0..times {
        let messages = match subject {
            Subject::Ours => fuzzing::pull(&body)?.changes.messages.len(),
            _ => wire::serde_alone(&body)?,
        };
        ensure!(messages as u64 == PAGE, "{messages} messages");
    }
    Ok(())
}

/// The steps after the messages of the file; always the same number, so that generating them does not affect the
/// difference.
fn steps(file: &Path) -> Result<Vec<Step>> {
    const MOST: u64 = 4;
    let here: u64 = Raw::open(file)?.messages()?;
    let mut scene = Scene::new(CONVERSATIONS);
    scene.step(here)?;
    Ok((0..MOST).map(|_| scene.step(PAGE)).collect::<Result<_, _>>()?)
}

async fn apply(file: &Path, times: u64) -> Result<()> {
    let store = SqliteStore::open(file).await?;
    for step in steps(file)?.into_iter().take(times as usize) {
        store.apply_pull(&step.from, step.page).await?;
    }
    Ok(store.close().await?)
}

fn apply_raw(subject: Subject, file: &Path, times: u64) -> Result<()> {
    let way = if subject == Subject::RowByRow { Way::RowByRow } else { Way::InBatches };
    let mut raw = Raw::open(file)?;
    for step in steps(file)?.iter().take(times as usize) {
        raw.apply(&step.page, way)?;
    }
    Ok(())
}

async fn send(file: &Path, times: u64) -> Result<()> {
    let client = Fieldpost::builder().database(file).local_only().open().await?;
    for number in 0..times {
        client.conversation(conversation_id(number % CONVERSATIONS)).send(TEXT).await?;
    }
    Ok(client.close().await?)
}

async fn read(call: Call, file: &Path, times: u64) -> Result<()> {
    let store = SqliteStore::open(file).await?;
    for number in 0..times {
        let rows = match call {
            Call::List => store.conversations(SHOWN).await?.len(),
            _ => store.messages(conversation_id(number % CONVERSATIONS), Window::newest(SHOWN)).await?.messages.len(),
        };
        ensure!(rows > 0, "{}: no rows", call.name());
    }
    Ok(store.close().await?)
}

fn call_raw(call: Call, file: &Path, times: u64) -> Result<()> {
    let mut raw = Raw::open(file)?;
    raw.synchronous_full()?;
    let scene = Scene::new(CONVERSATIONS);
    for number in 0..times {
        let rows = match call {
            Call::List => raw.list(SHOWN)?,
            Call::Window => raw.window(conversation_id(number % CONVERSATIONS).as_uuid().as_bytes(), SHOWN)?,
            _ => raw.send(&composed(&scene, number), PAYLOAD).map(|()| 1)?,
        };
        ensure!(rows > 0, "{}: no rows", call.name());
    }
    Ok(())
}
