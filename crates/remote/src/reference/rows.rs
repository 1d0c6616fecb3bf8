//! Rows as one reader gets them: the stored fields, and the fields derived for her.

use super::{
    limits,
    tables::{ConversationRow, PersonRow, Tables},
    viewer::Viewer,
};
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{Conversation, ConversationId, Extra, MedicId, Message, Person, Seq, preview};

/// A person's row on the wire.
pub(super) fn person(row: &PersonRow) -> Person {
    Person {
        id: row.id,
        org_id: row.org_id,
        role: row.role.clone(),
        first_name: row.first_name.clone(),
        last_name: row.last_name.clone(),
        medic_id: row.medic_id,
        removed: row.removed,
        version: row.version,
        extra: Extra::new(),
    }
}

/// A conversation's row on the wire, with its last message and the caller's unread count.
pub(super) fn conversation(tables: &Tables, viewer: &Viewer, row: &ConversationRow) -> Conversation {
    let newest = newest(tables, viewer, row.id);
    let omitted = limits::of_subject(row.subject.as_deref());
    Conversation {
        id: row.id,
        org_id: row.org_id,
        kind: row.kind.clone(),
        subject: row.subject.clone().filter(|_| omitted.is_none()),
        medic_id: row.medic_id,
        medic_name: row.medic_id.and_then(|medic| medic_name(tables, medic)),
        created_by: row.created_by,
        created_at: row.created_at,
        updated_at: row.updated_at,
        last_seq: row.last_seq,
        last_message_at: newest.map(|message| message.created_at),
        last_message_preview: newest.and_then(|message| message.content.as_deref()).map(preview),
        unread: unread(tables, viewer, row, |_| true),
        unread_mentions: unread(tables, viewer, row, |message| message.mentions.contains(&viewer.person_id)),
        omitted,
        version: row.version,
        extra: Extra::new(),
    }
}

/// How many messages a page examines to find one that the caller may see.
const LOOK_BACK: usize = 50;

/// The highest unread count when policies must be checked for each message.
const COUNTED: usize = 1000;

/// The newest message that the caller may see; none if all of the newest [`LOOK_BACK`] messages are hidden from her.
fn newest<'t>(tables: &'t Tables, viewer: &Viewer, conversation: ConversationId) -> Option<&'t Message> {
    tables.thread(conversation).rev().take(LOOK_BACK).find(|message| viewer.is_shown(tables, message))
}

/// The number of messages of others, not deleted, above the caller's marker, or from where on
/// the caller has marked them unread, among those that count.
fn unread(tables: &Tables, viewer: &Viewer, row: &ConversationRow, counts: impl Fn(&Message) -> bool) -> u64 {
    let above = tables.unread_above(row.id, viewer.person_id);
    let newer = tables.thread_between(row.id, above.next(), Seq::new(u64::MAX));
    let others = newer.filter(|message| message.sender_id != viewer.person_id && message.deleted_at.is_none());
    if !tables.project.0.hides() {
        return others.filter(|message| counts(message)).count() as u64;
    }
    let shown = |message: &&Message| planted(PlantedBug::HiddenIsCounted) || viewer.is_shown(tables, message);
    others.filter(shown).take(COUNTED).filter(|message| counts(message)).count() as u64
}

fn medic_name(tables: &Tables, medic: MedicId) -> Option<String> {
    let row = tables.medics.get(&medic)?;
    let name = format!("{} {}", row.first_name.trim(), row.last_name.trim());
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}
