//! One kind of call, repeated in a separate process, for counting instructions.

use crate::{
    notes::OURS,
    raw::{Raw, Way},
    scene::{Scene, Step, conversation_id},
    sending::{PAYLOAD, TEXT, composed},
    subject::runtime,
    wire,
};
use anyhow::{Context as _, Result, bail, ensure};
use fieldpost::{ConversationId, Fieldpost, Window};
use fieldpost_remote_supabase::fuzzing;
use fieldpost_storage::{Conversations, Messages, Replica, Store};
use fieldpost_storage_sqlite::SqliteStore;
use std::path::Path;

/// The conversations of the file.
pub(crate) const CONVERSATIONS: u64 = 200;

const SHOWN: u32 = 50;

/// The messages of a page.
const PAGE: u64 = 1_000;

/// One kind of call.
pub(crate) struct Call {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) subjects: &'static [&'static str],
    /// The number of calls that is enough for counting.
    pub(crate) times: u64,
    /// The number of calls before counting: enough for every statement to be prepared.
    pub(crate) before: u64,
    /// Makes a number of calls on a file, as a subject does.
    make: fn(subject: &str, file: &Path, times: u64) -> Result<()>,
}

const RAW: &str = "raw SQLite";
const ROW_BY_ROW: &str = Way::RowByRow.name();
const BOTH: &[&str] = &[OURS, RAW];

pub(crate) const CALLS: [Call; 5] = [
    Call { name: "send", title: "send one message", subjects: BOTH, times: 40, before: 4, make: send },
    Call { name: "list", title: "list 50 of 200 conversations", subjects: BOTH, times: 40, before: 4, make: list },
    Call { name: "window", title: "window of 50 messages", subjects: BOTH, times: 40, before: 4, make: window },
    Call {
        name: "apply",
        title: "apply a page of 1,000 messages",
        subjects: &[OURS, RAW, ROW_BY_ROW],
        times: 3,
        before: 1,
        make: apply,
    },
    Call {
        name: "decode",
        title: "decode a page of 1,000 messages",
        subjects: &[OURS, "serde alone"],
        times: 3,
        before: 1,
        make: decode,
    },
];

/// Makes calls: `<call> <subject> <times> <file>`.
///
/// # Errors
/// If a call fails, or does not do the work that is counted.
pub fn make(words: &[String]) -> Result<()> {
    let [call, subject, times, file] = words else { bail!("a call, a subject, how often, and a file") };
    let call = CALLS.iter().find(|known| known.name == call).context("no such call")?;
    ensure!(call.subjects.contains(&subject.as_str()), "no such subject");
    (call.make)(subject, Path::new(file), times.parse()?)
}

fn decode(subject: &str, _: &Path, times: u64) -> Result<()> {
    let body = wire::pull(&Scene::new(CONVERSATIONS).step(PAGE)?.page)?;
    for _ in 0..times {
        let messages =
            if subject == OURS { fuzzing::pull(&body)?.changes.messages.len() } else { wire::serde_alone(&body)? };
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

fn apply(subject: &str, file: &Path, times: u64) -> Result<()> {
    if subject == OURS {
        return runtime()?.block_on(async {
            let store = SqliteStore::open(file).await?;
            for step in steps(file)?.into_iter().take(times as usize) {
                store.apply_pull(&step.from, step.page).await?;
            }
            Ok(store.close().await?)
        });
    }
    let way = if subject == ROW_BY_ROW { Way::RowByRow } else { Way::InBatches };
    let mut raw = Raw::open(file)?;
    steps(file)?.iter().take(times as usize).try_for_each(|step| raw.apply(&step.page, way))
}

fn send(subject: &str, file: &Path, times: u64) -> Result<()> {
    if subject == OURS {
        return runtime()?.block_on(async {
            let client = Fieldpost::builder().database(file).local_only().open().await?;
            for number in 0..times {
                client.conversation(conversation_id(number % CONVERSATIONS)).send(TEXT).await?;
            }
            Ok(client.close().await?)
        });
    }
    let (mut raw, scene) = (Raw::open(file)?, Scene::new(CONVERSATIONS));
    raw.synchronous_full()?;
    (0..times).try_for_each(|number| raw.send(&composed(&scene, number), PAYLOAD))
}

fn list(subject: &str, file: &Path, times: u64) -> Result<()> {
    let ours = async |store: &SqliteStore, _| Ok(store.conversations(SHOWN).await?.len());
    read(subject, file, times, ours, |raw, _| raw.list(SHOWN))
}

fn window(subject: &str, file: &Path, times: u64) -> Result<()> {
    let ours = async |store: &SqliteStore, id| Ok(store.messages(id, Window::newest(SHOWN)).await?.messages.len());
    read(subject, file, times, ours, |raw, id| raw.window(id, SHOWN))
}

fn read(
    subject: &str,
    file: &Path,
    times: u64,
    ours: impl AsyncFn(&SqliteStore, ConversationId) -> Result<usize>,
    raw: impl Fn(&Raw, ConversationId) -> Result<usize>,
) -> Result<()> {
    let mut conversations = (0..times).map(|number| conversation_id(number % CONVERSATIONS));
    if subject == OURS {
        return runtime()?.block_on(async {
            let store = SqliteStore::open(file).await?;
            for conversation in conversations {
                ensure!(ours(&store, conversation).await? > 0, "no rows");
            }
            Ok(store.close().await?)
        });
    }
    let file = Raw::open(file)?;
    conversations.try_for_each(|conversation| {
        ensure!(raw(&file, conversation)? > 0, "no rows");
        Ok(())
    })
}
