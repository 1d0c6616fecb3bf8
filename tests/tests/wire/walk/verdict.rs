//! What must hold once everything has healed.

use super::day::{Day, Phone};
use fieldpost::{ConversationId, EntryState, MessageId, MessageStatus, Older, ThreadWindow, Window};
use fieldpost_domain::{Conversation, Message};
use std::collections::{BTreeMap, BTreeSet};

type Fault = String;

pub(super) async fn judge(day: &Day) -> Result<(), Fault> {
    for (at, phone) in day.phones.iter().enumerate() {
        let say = |fault: Fault| format!("phone {at}: {fault}");
        nothing_waits(phone).await.map_err(say)?;
        nothing_is_lost_or_doubled(day, phone).await.map_err(say)?;
        order_is_kept(day, phone).await.map_err(say)?;
        the_view_is_the_servers(day, phone).await.map_err(say)?;
    }
    Ok(())
}

/// liveness: what was queued is on the server or with the person.
async fn nothing_waits(phone: &Phone) -> Result<(), Fault> {
    match phone.client.pending().await.unwrap().pending {
        0 => Ok(()),
        waiting => Err(format!("{waiting} mutations still wait: {:?}", phone.client.outbox(100).await.unwrap())),
    }
}

/// no_loss, no_duplicate: each message that was accepted is on the server once, or was erased there, or is a dead letter.
async fn nothing_is_lost_or_doubled(day: &Day, phone: &Phone) -> Result<(), Fault> {
    let outbox = phone.client.outbox(10_000).await.unwrap();
    let dead = outbox.iter().filter(|entry| matches!(entry.state, EntryState::Failed(_)));
    let dead: BTreeSet<MessageId> = dead.filter_map(|entry| entry.message_id).collect();
    for (conversation, id) in &phone.written {
        let stored = day.server.message(*id).is_some();
        if !stored && !dead.contains(id) && !day.erased.contains(id) {
            return Err(format!("no_loss: {id} of {conversation} is nowhere"));
        }
    }
    Ok(())
}

/// lane_order: what one phone wrote in one conversation has ascending seqs, in the order in which it was written.
async fn order_is_kept(day: &Day, phone: &Phone) -> Result<(), Fault> {
    let mut last: BTreeMap<ConversationId, u64> = BTreeMap::new();
    for (conversation, id) in &phone.written {
        let Some(message) = day.server.message(*id) else { continue };
        let before = last.insert(message.conversation_id, message.seq.get()).unwrap_or(0);
        if before >= message.seq.get() {
            return Err(format!("lane_order: {id} of {conversation} has seq {} after {before}", message.seq));
        }
    }
    Ok(())
}

/// convergence, privacy, unread_exact: the phone shows what its owner may see on the server, and nothing else.
async fn the_view_is_the_servers(day: &Day, phone: &Phone) -> Result<(), Fault> {
    let owner = day.server.person_with(phone.email).unwrap();
    let theirs = day.server.conversations_of(owner);
    let here = phone.client.conversations().await.unwrap();
    let left: BTreeSet<_> = here.iter().filter(|one| one.on_server).map(|one| one.id).collect();
    let right: BTreeSet<_> = theirs.iter().map(|one| one.id).collect();
    if left != right {
        return Err(format!("convergence: conversations {left:?} instead of {right:?}"));
    }
    for conversation in &theirs {
        same_thread(day, phone, conversation).await?;
        let shown = here.iter().find(|one| one.id == conversation.id).map(|one| one.unread);
        if shown != Some(conversation.unread) {
            return Err(format!("unread_exact: {shown:?} instead of {} in {}", conversation.unread, conversation.id));
        }
    }
    Ok(())
}

/// Scrolls up to the beginning.
async fn whole_thread(phone: &Phone, conversation: ConversationId) -> Result<ThreadWindow, Fault> {
    for _ in 0..100 {
        let window = phone
            .client
            .conversation(conversation)
            .load_older(Window::newest(u32::MAX))
            .await
            .map_err(|e| e.to_string())?;
        if window.older == Older::Nothing {
            return Ok(window);
        }
    }
    Err(format!("liveness: scrolling up in {conversation} never ends"))
}

async fn same_thread(day: &Day, phone: &Phone, conversation: &Conversation) -> Result<(), Fault> {
    let window = whole_thread(phone, conversation.id).await?;
    let here: Vec<_> = window.messages.iter().filter(|one| one.seq.is_some()).collect();
    let there: Vec<Message> = day.server.messages_of(conversation.id);
    let left: Vec<_> = here.iter().map(|one| (one.seq.map(|seq| seq.get()), one.id, one.content.clone())).collect();
    let right: Vec<_> = there.iter().map(|one| (Some(one.seq.get()), one.id, one.content.clone())).collect();
    if left != right {
        return Err(format!("convergence: {} shows\n    {left:?}\n  instead of\n    {right:?}", conversation.id));
    }
    let odd = window.messages.iter().find(|one| one.seq.is_none() && one.failure.is_none());
    match odd {
        Some(message) => Err(format!("a message neither sent nor failed stays in the thread: {message:?}")),
        None if here.iter().any(|one| one.status == MessageStatus::Queued) => {
            Err("a sent message shows as queued".into())
        }
        None => Ok(()),
    }
}
