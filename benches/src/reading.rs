//! The reads of a screen: the conversation list, and the end of a thread.

use crate::{
    Notes, Size,
    raw::Raw,
    scene::{Scene, at, conversation_id, viewer},
    sending::{CALL, Times},
    subject::Subject,
};
use anyhow::{Result, ensure};
use fieldpost_domain::{Archived, ConversationSettings, ReadMarker, Seq, Settings, TextPart, Time, Version};
use fieldpost_storage::{ConversationFilter, Conversations, Messages, Window};

const SHOWN: u32 = 50;

/// Settings in a page.
const PAGE: u64 = 500;

/// 50 of 10,000 conversations.
pub(crate) fn list(size: Size, notes: &mut Notes) -> Result<()> {
    let conversations = size.pick(100, 10_000, 10_000);
    let mut scene = Scene::new(conversations);
    let ours = Subject::new(&scene)?;
    ours.fill(&mut scene, 2 * conversations)?;
    let raw = Raw::open(&ours.file())?;
    rounds(size, notes, || Ok(ours.runtime.block_on(ours.store.conversations(SHOWN))?.len()), || raw.list(SHOWN))?;
    filtered(size, notes)
}

/// 50 of 100,000 conversations, by filters, and the badge. Half of them are in the archive; one of a hundred is unread, one
/// of two hundred muted.
fn filtered(size: Size, notes: &mut Notes) -> Result<()> {
    let conversations = size.pick(1_000, 10_000, 100_000);
    let mut scene = Scene::new(conversations);
    // The conversations come with their messages: too many for one page.
    let mut first = scene.bootstrap()?;
    first.changes.conversations.clear();
    let ours = Subject::following(&first)?;
    ours.fill(&mut scene, conversations)?;
    for first in (0..conversations).step_by(PAGE as usize) {
        let mut step = scene.step(0)?;
        step.page.changes.settings = (first..first + PAGE).map(|number| settings(number, &scene)).collect();
        step.page.changes.read_markers =
            (first..first + PAGE).filter(|number| !number.is_multiple_of(100)).map(read).collect();
        ours.apply(step)?;
    }
    let now = at(0);
    let all = ConversationFilter { limit: SHOWN, ..ConversationFilter::all(now) };
    let cases = [
        ("50", all.clone()),
        ("50 that are not in the archive", ConversationFilter { archived: Some(false), ..all.clone() }),
        ("50 of the archive", ConversationFilter { archived: Some(true), ..all.clone() }),
        ("50 unread ones", ConversationFilter { unread: true, ..all.clone() }),
        ("50 muted ones", ConversationFilter { muted: Some(true), ..all.clone() }),
        ("50 by a part of a name", ConversationFilter { text: Some(TextPart::new("birk")?), ..all.clone() }),
        ("none, by a name that nobody has", ConversationFilter { text: Some(TextPart::new("qqqq")?), ..all }),
    ];
    for round in notes.rounds(size.pick(1, 3, 5)) {
        for (case, filter) in &cases {
            let mut times = Times::default();
            for _ in 0..size.pick(2, 10, 20) {
                times.add(|| {
                    let found = ours.runtime.block_on(ours.store.conversations_matching(filter))?.len();
                    let least = if case.starts_with("none") { 0 } else { size.pick(5, SHOWN, SHOWN) as usize };
                    ensure!(found >= least, "{found} conversations: {case}");
                    Ok(())
                })?;
            }
            times.write(notes, &format!("{case}, of {conversations}"), "fieldpost", round)?;
        }
        let mut times = Times::default();
        for _ in 0..size.pick(2, 10, 20) {
            times.add(|| {
                let badge = ours.runtime.block_on(ours.store.unread_for_badge(now))?;
                ensure!(badge > 0, "nothing is unread");
                Ok(())
            })?;
        }
        times.write(notes, &format!("the badge, of {conversations}"), "fieldpost", round)?;
    }
    Ok(())
}

fn settings(number: u64, scene: &Scene) -> ConversationSettings {
    let seq = scene.conversation(number).last_seq;
    ConversationSettings {
        conversation_id: conversation_id(number),
        settings: Settings {
            muted_until: number.is_multiple_of(200).then_some(Settings::FOREVER),
            archived: (!number.is_multiple_of(2)).then_some(Archived { at: at(0), seq }),
            ..Settings::default()
        },
        version: Version::new(1),
    }
}

fn read(number: u64) -> ReadMarker {
    ReadMarker {
        conversation_id: conversation_id(number),
        person_id: viewer().id,
        delivered_seq: Seq::new(1),
        read_seq: Seq::new(1),
        delivered_at: None::<Time>,
        read_at: None,
        version: Version::new(1),
    }
}

/// The last 50 messages of a thread, of a million in all.
pub(crate) fn window(size: Size, notes: &mut Notes) -> Result<()> {
    const THREADS: u64 = 200;
    let mut scene = Scene::new(THREADS);
    let ours = Subject::new(&scene)?;
    ours.fill(&mut scene, size.pick(20_000, 100_000, 1_000_000))?;
    let raw = Raw::open(&ours.file())?;
    let (mut left, mut right) = (0, 0);
    let next = |at: &mut u64| {
        *at = (*at + 37) % THREADS;
        conversation_id(*at)
    };
    let other = next;
    rounds(
        size,
        notes,
        || {
            let window = ours.store.messages(next(&mut left), Window::newest(SHOWN));
            Ok(ours.runtime.block_on(window)?.messages.len())
        },
        || raw.window(other(&mut right), SHOWN),
    )
}

fn rounds(
    size: Size,
    notes: &mut Notes,
    mut ours: impl FnMut() -> Result<usize>,
    mut raw: impl FnMut() -> Result<usize>,
) -> Result<()> {
    for round in 0..size.pick(1, 5, 15) {
        let (mut left, mut right) = (Times::default(), Times::default());
        for _ in 0..size.pick(3, 200, 500) {
            left.add(|| all(ours()?))?;
            right.add(|| all(raw()?))?;
        }
        left.write(notes, CALL, "fieldpost", round)?;
        right.write(notes, CALL, "raw SQLite", round)?;
    }
    Ok(())
}

fn all(rows: usize) -> Result<()> {
    ensure!(rows == SHOWN as usize, "{rows} rows instead of {SHOWN}");
    Ok(())
}
