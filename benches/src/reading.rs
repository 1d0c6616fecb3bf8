//! The reads of a screen: the conversation list, and the end of a thread.

use crate::{
    Notes, Size,
    raw::Raw,
    scene::{Scene, conversation_id},
    sending::{CALL, Times},
    subject::Subject,
};
use anyhow::{Result, ensure};
use fieldpost_storage::{Conversations, Messages, Window};

const SHOWN: u32 = 50;

/// 50 of 10,000 conversations.
pub(crate) fn list(size: Size, notes: &mut Notes) -> Result<()> {
    let conversations = size.pick(100, 10_000, 10_000);
    let mut scene = Scene::new(conversations);
    let ours = Subject::new(&scene)?;
    ours.fill(&mut scene, 2 * conversations)?;
    let raw = Raw::open(&ours.file())?;
    rounds(size, notes, || Ok(ours.runtime.block_on(ours.store.conversations(SHOWN))?.len()), || raw.list(SHOWN))
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
