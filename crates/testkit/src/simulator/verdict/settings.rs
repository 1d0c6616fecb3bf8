//! convergence, no_loss: each device shows what its person has set on any of them, and drafts stay.

use super::unreadable;
use crate::simulator::{Breach, Invariant, World, network::Hub, world::Device};
use fieldpost_domain::{Archived, ConversationId, MutationKind, SettingsChange};
use fieldpost_storage::{ConversationSummary, EntryState, Store};
use fieldpost_sync::Clock;
use std::collections::BTreeSet;

/// The settings that a device shows are the server's; so is what follows from them: the archive and the badge.
pub(super) async fn same_settings(world: &World, device: &Device, store: &dyn Store) -> Result<(), Breach> {
    let now = device.clock.now();
    let mut calling = 0;
    for shown in store.conversations(u32::MAX).await.map_err(unreadable)? {
        if shown.on_server {
            same(&world.hub, device, &shown)?;
        }
        if !shown.is_muted(now) && !shown.is_archived(now) {
            calling += shown.unread;
        }
    }
    let badge = store.unread_for_badge(now).await.map_err(unreadable)?;
    if badge == calling {
        return Ok(());
    }
    let breach = Breach::new(Invariant::UnreadExact, format!("the badge of device {}", device.number));
    Err(breach.with_views(format!("{calling}, by the list"), badge.to_string()))
}

fn same(hub: &Hub, device: &Device, shown: &ConversationSummary) -> Result<(), Breach> {
    let owner = device.owner.id;
    let there = hub.server.settings_of(shown.id, owner);
    let what = format!("the settings of {} on device {}", shown.id, device.number);
    if shown.settings != there {
        let views = (format!("{there:?}"), format!("{:?}", shown.settings));
        return Err(Breach::new(Invariant::Convergence, what).with_views(views.0, views.1));
    }
    let revived = there.archived.is_some_and(|archived| {
        let mut messages = hub.messages_for(owner, shown.id).into_iter();
        messages.any(|message| message.seq > archived.seq && message.sender_id != owner)
    });
    if shown.revived != revived {
        let views = (format!("revived: {revived}"), format!("revived: {}", shown.revived));
        return Err(Breach::new(Invariant::Convergence, what).with_views(views.0, views.1));
    }
    Ok(())
}

/// What a person has set last on one of her devices counts: each device's changes arrive in the order of making, and of the
/// devices the last arrival wins, field by field (which is judged at each push).
pub(super) async fn the_last_wish_counts(world: &World, device: &Device) -> Result<(), Breach> {
    let (hub, owner) = (&world.hub, device.owner.id);
    let refused = refused_settings(world, device).await?;
    let is_undecided = |id| {
        let of_hers = |(person, of): &(_, _)| *person == owner && hub.server.canonical(*of) == id;
        hub.undecided().iter().any(of_hers) || refused.contains(&id)
    };
    let wished: BTreeSet<_> = device.wishes.iter().map(|(of, _)| hub.server.canonical(*of)).collect();
    for id in wished {
        if hub.server.conversation(id).is_none() || is_undecided(id) {
            continue;
        }
        let (there, accepted) = (hub.server.settings_of(id, owner), hub.accepted_settings(owner, id));
        let wishes = wishes_of(world, device, id);
        // The server lowers the place of an archive to the last message.
        let when = |archived: Option<Archived>| archived.map(|one| one.at);
        let kept = counts(&wishes, &accepted, there.pinned_at, |wish| wish.pinned_at)
            && counts(&wishes, &accepted, there.muted_until, |wish| wish.muted_until)
            && counts(&wishes, &accepted, when(there.archived), |wish| wish.archived.map(when))
            && (there.unread_from.is_none() || counts(&wishes, &accepted, there.unread_from, |wish| wish.unread_from));
        if !kept {
            let what = format!("what was set last for {id} on the devices of {owner} is not on the server");
            let views = (format!("of each field one of {wishes:?}"), format!("{there:?}"));
            return Err(Breach::new(Invariant::NoLoss, what).with_views(views.0, views.1));
        }
    }
    Ok(())
}

/// Whether a field is as one of the devices has set it last. Otherwise all of that has arrived, and then a copy of an
/// earlier request: the order of arrival counts, of repeated requests too.
fn counts<T: PartialEq>(
    wishes: &[SettingsChange],
    accepted: &[SettingsChange],
    there: T,
    field: impl Fn(&SettingsChange) -> Option<T>,
) -> bool {
    let last: Vec<T> = wishes.iter().filter_map(&field).collect();
    let arrived = |wish: &T| accepted.iter().any(|change| field(change).as_ref() == Some(wish));
    last.is_empty() || last.contains(&there) || last.iter().all(arrived)
}

/// What each device of the person has set for a conversation, by whatever id.
fn wishes_of(world: &World, device: &Device, id: ConversationId) -> Vec<SettingsChange> {
    let hers = world.devices.iter().filter(|other| other.owner.id == device.owner.id);
    let of_each = hers.map(|other| {
        let of_it = other.wishes.iter().filter(|(of, _)| world.hub.server.canonical(*of) == id);
        of_it.fold(SettingsChange::default(), |sum, (_, wish)| sum.then(*wish))
    });
    of_each.collect()
}

/// The conversations with a change that was refused, on any of her devices.
async fn refused_settings(world: &World, device: &Device) -> Result<Vec<ConversationId>, Breach> {
    let mut refused = Vec::new();
    for other in world.devices.iter().filter(|other| other.owner.id == device.owner.id) {
        let entries = other.look().await.map_err(unreadable)?.entries(u32::MAX).await.map_err(unreadable)?;
        let settings = entries.into_iter().filter(|entry| {
            entry.kind == MutationKind::SetConversation && matches!(entry.state, EntryState::Failed(_))
        });
        refused.extend(settings.map(|entry| world.hub.server.canonical(entry.conversation_id)));
    }
    Ok(refused)
}

/// A draft stays until its author sends it, replaces it, or wipes the device.
pub(super) async fn drafts_are_kept(device: &Device, store: &dyn Store) -> Result<(), Breach> {
    let drafts = store.drafts().await.map_err(unreadable)?;
    let is_here = |text: &&String| drafts.iter().any(|draft| draft.text.contains(text.as_str()));
    match device.drafts.iter().find(|text| !is_here(text)) {
        Some(text) => Err(Breach::new(Invariant::NoLoss, format!("\"{text}\" is gone from device {}", device.number))),
        None => Ok(()),
    }
}
