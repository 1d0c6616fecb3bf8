//! convergence, privacy: each message shows the reactions that the server has, each person counted once; and of others in a
//! broadcast a medic sees only how many there are.

use crate::simulator::{Breach, Invariant, World, world::Device};
use fieldpost_domain::{ConversationId, ConversationKind, Emoji, PersonId, Role};
use fieldpost_storage::{ThreadMessage, ThreadWindow};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn same(world: &World, device: &Device, id: ConversationId, window: &ThreadWindow) -> Result<(), Breach> {
    let server = &world.hub.server;
    let Some(row) = server.conversation(id) else { return Ok(()) };
    let admin = |member: &fieldpost_domain::Person| member.org_id == row.org_id && member.role == Role::OrgAdmin;
    let told_who = row.kind == ConversationKind::Direct || server.memberships(device.owner.id).iter().any(admin);
    for message in window.messages.iter().filter(|message| message.seq.is_some() && !message.deleted) {
        compare(device, message, &server.reactions_to(message.id), told_who)?;
    }
    Ok(())
}

fn compare(
    device: &Device,
    message: &ThreadMessage,
    there: &BTreeMap<Emoji, BTreeSet<PersonId>>,
    told_who: bool,
) -> Result<(), Breach> {
    let own = device.owner.id;
    let breach = |invariant, what: &str| {
        let what = format!("{} on device {}: {what}", message.id, device.number);
        Breach::new(invariant, what).with_views(format!("{there:?}"), format!("{:?}", message.reactions))
    };
    let counted = |emoji: &Emoji| there.get(emoji).map_or(0, |people| people.len() as u64);
    let given = |emoji: &Emoji| there.get(emoji).is_some_and(|people| people.contains(&own));
    let wrong = message.reactions.iter().any(|one| one.count != counted(&one.emoji) || one.mine != given(&one.emoji));
    if wrong || message.reactions.len() != there.len() {
        return Err(breach(Invariant::Convergence, "other reactions than the server's"));
    }
    for one in &message.reactions {
        let known: BTreeSet<_> = one.people.iter().copied().collect();
        if told_who && Some(&known) != there.get(&one.emoji) {
            return Err(breach(Invariant::Convergence, "other people have reacted than on the server"));
        }
        if !told_who && known.iter().any(|person| *person != own) {
            return Err(breach(Invariant::Privacy, "it says who has reacted in a broadcast"));
        }
    }
    Ok(())
}
