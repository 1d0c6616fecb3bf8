//! convergence, unread_exact, privacy: the device shows what its owner may see, and nothing else.

use super::unreadable;
use crate::simulator::{Breach, Invariant, World, rules, world::Device};
use fieldpost_domain::{Conversation, ConversationId, Message};
use fieldpost_storage::{ConversationSummary, Store};
use std::collections::{BTreeMap, BTreeSet};

type Shown = BTreeMap<ConversationId, ConversationSummary>;

pub(super) async fn same_conversations(world: &World, device: &Device, store: &dyn Store) -> Result<(), Breach> {
    let here: Shown = shown(store).await?;
    let there = world.hub.server.conversations_of(device.owner.id);
    let left: BTreeSet<_> = here.keys().copied().collect();
    let right: BTreeSet<_> = there.iter().map(|row| row.id).collect();
    if left != right {
        let what = format!("device {} lists other conversations than the server", device.number);
        return Err(Breach::new(Invariant::Convergence, what).with_views(format!("{right:?}"), format!("{left:?}")));
    }
    there.iter().try_for_each(|row| {
        here.get(&row.id).map_or(Ok(()), |summary| same(&format!("device {}", device.number), row, summary))
    })
}

/// The conversations of the server, as the device shows them.
pub(super) async fn shown(store: &dyn Store) -> Result<Shown, Breach> {
    let all = store.conversations(u32::MAX).await.map_err(unreadable)?;
    Ok(all.into_iter().filter(|one| one.on_server).map(|one| (one.id, one)).collect())
}

/// Whether a row of the list equals the server's.
pub(super) fn same(device: &str, row: &Conversation, shown: &ConversationSummary) -> Result<(), Breach> {
    let what = format!("{} on {device}", row.id);
    if shown.unread != row.unread {
        let breach = Breach::new(Invariant::UnreadExact, what);
        return Err(breach.with_views(format!("{} unread", row.unread), format!("{} unread", shown.unread)));
    }
    let right = (&row.kind, &row.subject, row.medic_id, row.last_seq);
    let left = (&shown.kind, &shown.subject, shown.medic_id, shown.last_seq);
    if left != right {
        return Err(Breach::new(Invariant::Convergence, what).with_views(format!("{right:?}"), format!("{left:?}")));
    }
    Ok(())
}

/// The device holds nothing that its owner may not see, except her own messages.
pub(super) async fn nothing_hidden_is_left(world: &World, device: &Device, store: &dyn Store) -> Result<(), Breach> {
    let server = &world.hub.server;
    let owner = device.owner.id;
    let hidden: Vec<_> = {
        let mut places = world.hub.places();
        rules::note(&mut places, server);
        let all = server.conversation_ids().into_iter();
        let may_see = |id| rules::may_see(&places, server, owner, id);
        let withheld = |message: &Message| world.hub.policy.is_some_and(|policy| !policy.lets_see(message, owner));
        let messages = all.flat_map(|id| server.messages_of(id));
        messages.filter(|message| !may_see(message.conversation_id) || withheld(message)).collect()
    };
    for message in hidden {
        let here = store.message(message.id).await.map_err(unreadable)?;
        if here.is_some_and(|here| !here.mine) {
            let what = format!("{} of {} is still on device {}", message.id, message.conversation_id, device.number);
            return Err(Breach::new(Invariant::Privacy, what));
        }
    }
    Ok(())
}

/// Names equal the server's.
pub(super) async fn same_people(world: &World, device: &Device, store: &dyn Store) -> Result<(), Breach> {
    let people = world.hub.server.visible_to(device.owner.id).people;
    // A person who has moved to another org has a row in each; the active one counts.
    let moved = |id| people.iter().any(|other| other.id == id && !other.removed);
    for person in people.iter().filter(|person| !person.removed || !moved(person.id)).cloned() {
        let here = store.person(person.id).await.map_err(unreadable)?;
        let left = here.map(|here| (here.first_name, here.last_name, here.role, here.removed));
        // For a person who has left, it is enough to know that.
        let gone = person.removed && left.as_ref().is_none_or(|(.., removed)| *removed);
        let right = Some((person.first_name, person.last_name, person.role, person.removed));
        // Somebody of two orgs may have a role in each.
        let in_another = people.iter().any(|other| {
            let row = (other.first_name.clone(), other.last_name.clone(), other.role.clone(), other.removed);
            other.id == person.id && !other.removed && left.as_ref() == Some(&row)
        });
        if left != right && !gone && !in_another {
            let what = format!("{} on device {}", person.id, device.number);
            return Err(Breach::new(Invariant::Convergence, what).with_views(format!("{right:?}"), format!("{left:?}")));
        }
    }
    Ok(())
}
