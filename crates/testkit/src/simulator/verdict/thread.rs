//! convergence: each thread, scrolled up to its beginning, equals the server's.

use super::{reactions, unreadable};
use crate::simulator::{
    Breach, Invariant, World,
    world::{Device, Process},
};
use fieldpost_domain::{ConversationId, Message, MessageStatus};
use fieldpost_storage::{Older, ThreadMessage, ThreadWindow, Window};
use fieldpost_sync::SyncError;

/// More pages than any thread of a run has.
const PAGES: u32 = 200;

pub(super) async fn same_threads(world: &World, device: &Device) -> Result<(), Breach> {
    let Some(process) = device.running(0) else { return Ok(()) };
    for conversation in world.hub.server.conversations_of(device.owner.id) {
        let window = whole(device, process, conversation.id).await?;
        let there = world.hub.messages_for(device.owner.id, conversation.id);
        same(device, conversation.id, &window, &there)?;
        reactions::same(world, device, conversation.id, &window)?;
    }
    Ok(())
}

/// Scrolls up to the beginning.
async fn whole(device: &Device, process: &Process, conversation: ConversationId) -> Result<ThreadWindow, Breach> {
    for _ in 0..PAGES {
        let window = process.store.messages(conversation, Window::newest(u32::MAX)).await.map_err(unreadable)?;
        let Older::OnServer(before) = window.older else { return Ok(window) };
        let mut loaded = process.engine.load_older(conversation, before).await;
        if matches!(loaded, Err(SyncError::SignedOut)) {
            // Her session had ended without her noticing.
            drop(process.sign_in(&device.owner).await);
            loaded = process.engine.load_older(conversation, before).await;
        }
        loaded.map_err(|error| {
            Breach::new(Invariant::Liveness, format!("{} cannot look back in {conversation}: {error}", process.name))
        })?;
    }
    Err(Breach::new(Invariant::Liveness, format!("scrolling up in {conversation} never ends for {}", process.name)))
}

fn same(device: &Device, id: ConversationId, window: &ThreadWindow, there: &[Message]) -> Result<(), Breach> {
    let breach = |what: &str| Breach::new(Invariant::Convergence, format!("{id} on device {}: {what}", device.number));
    let here: Vec<_> = window.messages.iter().filter(|message| message.seq.is_some()).collect();
    let left: Vec<_> = here.iter().map(|one| (one.seq, one.id, one.sender_id, &one.content, one.deleted)).collect();
    let right: Vec<_> = there
        .iter()
        .map(|one| (Some(one.seq), one.id, one.sender_id, &one.content, one.deleted_at.is_some()))
        .collect();
    if left != right {
        return Err(breach("another thread than the server's").with_views(lines(&right), lines(&left)));
    }
    if here.iter().any(|message| message.status == MessageStatus::Queued) {
        return Err(breach("a message with a place shows as queued"));
    }
    let odd = |message: &&ThreadMessage| message.seq.is_none() && message.failure.is_none();
    match window.messages.iter().find(odd) {
        Some(message) => Err(breach(&format!("{} is neither sent nor failed", message.id))),
        None => Ok(()),
    }
}

fn lines(rows: &[impl std::fmt::Debug]) -> String {
    rows.iter().map(|row| format!("\n    {row:?}")).collect()
}
