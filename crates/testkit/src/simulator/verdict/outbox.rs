//! no_loss, no_duplicate, lane_order, liveness.

use super::unreadable;
use crate::simulator::{
    Breach, Invariant, World,
    network::Hub,
    world::{Accepted, BY_OTHERS, Device},
};
use fieldpost_domain::{ConversationId, MessageId, Refusal, RefusalCode, Seq};
use fieldpost_storage::{EntryState, Store};
use std::collections::{BTreeMap, BTreeSet};

/// Every queued mutation has reached the server or waits for the person's decision.
pub(super) async fn nothing_waits(device: &Device, store: &dyn Store) -> Result<(), Breach> {
    let entries = store.entries(u32::MAX).await.map_err(unreadable)?;
    let waiting = entries.iter().find(|entry| !matches!(entry.state, EntryState::Failed(_)));
    waiting.map_or(Ok(()), |entry| {
        let what = format!("a {} of device {} still waits: {:?}", entry.kind, device.number, entry.state);
        Err(Breach::new(Invariant::Liveness, what))
    })
}

/// The device has given up only what the server refused.
pub(super) async fn nothing_is_given_up(world: &World, device: &Device, store: &dyn Store) -> Result<(), Breach> {
    let entries = store.entries(u32::MAX).await.map_err(unreadable)?;
    let refused = world.hub.refused();
    let given_up = entries.iter().find(|entry| match &entry.state {
        EntryState::Failed(Refusal { code: RefusalCode::Expired, .. }) => device.manner.send_ttl.is_none(),
        EntryState::Failed(refusal) => !is_local(&refusal.code) && !refused.contains(&entry.mutation_id),
        _ => false,
    });
    given_up.map_or(Ok(()), |entry| {
        let what = format!("device {} gave a {} up: {:?}", device.number, entry.kind, entry.state);
        Err(Breach::new(Invariant::NoLoss, what))
    })
}

/// A message is reported as lost only if the server had it and no longer does, not if its author merely cannot see it.
pub(super) async fn nothing_is_wrongly_lost(world: &World, device: &Device, store: &dyn Store) -> Result<(), Breach> {
    let entries = store.entries(u32::MAX).await.map_err(unreadable)?;
    let lost = entries.into_iter().filter(
        |entry| matches!(&entry.state, EntryState::Failed(refusal) if refusal.code == RefusalCode::LostByServer),
    );
    let mut messages = lost.filter_map(|entry| entry.message_id);
    let there = |id: &MessageId| world.hub.server.message(*id).is_some() && !world.rolled_back.contains(id);
    messages.find(there).map_or(Ok(()), |id| {
        let what = format!("device {} says that the server has lost {id}, which it has", device.number);
        Err(Breach::new(Invariant::NoLoss, what))
    })
}

/// Whether a device may reach this verdict without the server.
const fn is_local(code: &RefusalCode) -> bool {
    matches!(
        code,
        RefusalCode::AccessLost
            | RefusalCode::ConversationDeleted
            | RefusalCode::LostByServer
            | RefusalCode::OpenRefused
            | RefusalCode::ContentTooLong
    )
}

/// After a kill: every accepted message is in the outbox, or the server has had it.
pub(crate) async fn survives(hub: &Hub, device: &Device) -> Result<(), Breach> {
    let store = device.look().await.map_err(unreadable)?;
    for written in device.written.iter().filter(|written| !written.taken_back) {
        if hub.reached().contains(&written.id) || hub.server.message(written.id).is_some() {
            continue;
        }
        if store.entry_of(written.id).await.map_err(unreadable)?.is_none() {
            let what = format!("{} was accepted by device {} and is gone after a kill", written.id, device.number);
            return Err(Breach::new(Invariant::CrashSafe, what));
        }
    }
    Ok(())
}

/// Each accepted message is on the server, or was there, or is a dead letter of its author.
pub(super) async fn nothing_is_lost(world: &World, device: &Device) -> Result<(), Breach> {
    let dead = dead_letters(world, device).await?;
    let reached = world.hub.reached();
    let lost = device.written.iter().filter(|written| !written.taken_back).find(|written| {
        world.hub.server.message(written.id).is_none() && !reached.contains(&written.id) && !dead.contains(&written.id)
    });
    lost.map_or(Ok(()), |written| {
        let what = format!("{} of device {} in {} is nowhere", written.id, device.number, written.conversation);
        Err(Breach::new(Invariant::NoLoss, what))
    })
}

async fn dead_letters(world: &World, device: &Device) -> Result<BTreeSet<MessageId>, Breach> {
    let mut dead = BTreeSet::new();
    for other in world.devices.iter().filter(|other| other.owner.id == device.owner.id) {
        let entries = other.look().await.map_err(unreadable)?.entries(u32::MAX).await.map_err(unreadable)?;
        let failed = entries.into_iter().filter(|entry| matches!(entry.state, EntryState::Failed(_)));
        dead.extend(failed.filter_map(|entry| entry.message_id));
    }
    Ok(dead)
}

/// The server's text is the author's last one; of the changes of two devices of hers the last to arrive counts, of repeated
/// requests too. If they send
/// a message again that the server had lost, with two texts, the first to arrive counts.
pub(super) async fn words_are_kept(world: &World, device: &Device) -> Result<(), Breach> {
    let refused = refused_changes(world, device).await?;
    for written in &device.written {
        let Some(content) = world.hub.server.message(written.id).and_then(|message| message.content) else { continue };
        let of_the_other_device = written.sent_elsewhere && written.before.contains(&content);
        let may_be_another = refused.contains(&written.id) || written.sent_elsewhere;
        let last = Accepted { unsure: written.unsure || may_be_another, ..written.clone() };
        let mut words = last.last_words().into_iter();
        // If all of them have arrived, it was a copy of an earlier request that came last.
        let is_one =
            words.clone().any(|one| one == content) || words.all(|one| world.hub.has_accepted_text(written.id, one));
        let is_hers = is_one || of_the_other_device;
        if !is_hers && content != BY_OTHERS {
            let breach = Breach::new(Invariant::NoLoss, format!("{} says something else than its author", written.id));
            return Err(breach.with_views(format!("one of {:?}", last.last_words()), content));
        }
    }
    Ok(())
}

/// The messages with a change that was refused on a device of the same person.
async fn refused_changes(world: &World, device: &Device) -> Result<BTreeSet<MessageId>, Breach> {
    let mut refused = BTreeSet::new();
    for other in world.devices.iter().filter(|other| other.owner.id == device.owner.id) {
        let entries = other.look().await.map_err(unreadable)?.entries(u32::MAX).await.map_err(unreadable)?;
        refused.extend(entries.into_iter().filter_map(|entry| entry.target_id));
    }
    Ok(refused)
}

/// What its author has deleted has no content on the server, unless the deletion waits for a decision.
pub(super) async fn what_was_deleted_is_gone(world: &World) -> Result<(), Breach> {
    let mut undecided = BTreeSet::new();
    for device in &world.devices {
        let entries = device.look().await.map_err(unreadable)?.entries(u32::MAX).await.map_err(unreadable)?;
        undecided.extend(entries.into_iter().filter_map(|entry| entry.target_id));
    }
    let shown = |id: &MessageId| {
        let message = world.hub.server.message(*id);
        message.is_some_and(|message| message.content.is_some() || message.deleted_at.is_none())
    };
    world.deleted.iter().find(|id| !undecided.contains(*id) && shown(id)).map_or(Ok(()), |id| {
        Err(Breach::new(Invariant::NoLoss, format!("{id} was deleted by its author and is on the server as before")))
    })
}

/// The messages of a device have ascending seqs in each conversation, in the order in which they were written.
pub(super) fn order_is_kept(world: &World, device: &Device) -> Result<(), Breach> {
    let mut last: BTreeMap<ConversationId, Seq> = BTreeMap::new();
    for Accepted { id, .. } in device.written.iter().filter(|written| !written.sent_elsewhere) {
        let Some(message) = world.hub.server.message(*id) else { continue };
        let before = last.insert(message.conversation_id, message.seq).unwrap_or(Seq::ZERO);
        if before >= message.seq {
            let what = format!(
                "{id} of device {} in {} has seq {} after {before}",
                device.number, message.conversation_id, message.seq
            );
            return Err(Breach::new(Invariant::LaneOrder, what));
        }
    }
    Ok(())
}

/// Each message that was written once is on the server once.
pub(super) fn nothing_is_doubled(world: &World) -> Result<(), Breach> {
    let server = &world.hub.server;
    let messages = server.conversation_ids().into_iter().flat_map(|id| server.messages_of(id));
    let mut seen: BTreeMap<(_, String), MessageId> = BTreeMap::new();
    let written: BTreeSet<_> = world
        .devices
        .iter()
        .flat_map(|device| device.written.iter().map(|one| (device.owner.id, one.content.as_str())))
        .collect();
    for message in messages {
        let Some(content) = message.content else { continue };
        if !written.contains(&(message.sender_id, content.as_str())) {
            continue;
        }
        if let Some(other) = seen.insert((message.sender_id, content), message.id) {
            let what = format!("{} and {other} are the same message", message.id);
            return Err(Breach::new(Invariant::NoDuplicate, what));
        }
    }
    Ok(())
}
