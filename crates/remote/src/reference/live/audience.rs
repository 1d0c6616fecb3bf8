//! Whom a commit concerns.

use crate::{
    Topic,
    reference::{
        feed::RowKey,
        tables::{Deleted, Tables},
    },
};
use fieldpost_domain::{ConversationId, ConversationKind, MedicId, MessageId, OrgId, PersonId, Role};
use std::collections::{BTreeSet, HashSet};

/// The markers that say that more was read.
type Readers = HashSet<(ConversationId, PersonId)>;

/// The topics of a transaction, each once, however many rows it has changed.
pub(in crate::reference) fn topics_of<'r>(
    tables: &Tables,
    rows: impl IntoIterator<Item = &'r RowKey>,
    readers: &Readers,
) -> BTreeSet<Topic> {
    let mut topics = BTreeSet::new();
    for row in rows {
        add(tables, row, readers, &mut topics);
    }
    topics
}

fn add(tables: &Tables, row: &RowKey, readers: &Readers, topics: &mut BTreeSet<Topic>) {
    match *row {
        RowKey::Person(org, person) => topics.extend([of_member(tables, org, person), Topic::Person(person)]),
        RowKey::Conversation(id) => topics.extend(of_conversation(tables, id)),
        RowKey::Reactions(id) => topics.extend(of_reactions(tables, id)),
        RowKey::Message(id) => {
            let message = tables.messages.get(&id);
            topics.extend(message.into_iter().flat_map(|row| of_conversation(tables, row.conversation_id)));
        }
        RowKey::ReadMarker(conversation, person) => topics.extend(of_marker(tables, conversation, person, readers)),
        RowKey::Settings(_, person) | RowKey::Access(person, _) => topics.extend([Topic::Person(person)]),
        RowKey::Tombstone(deleted) => topics.extend(of_deleted(tables, deleted)),
        #[cfg(feature = "records")]
        RowKey::Record(_) | RowKey::RecordTombstone(..) => {}
    }
}

/// Members see who the admins are, and admins everybody.
fn of_member(tables: &Tables, org: OrgId, person: PersonId) -> Topic {
    let is_admin = tables.people.get(&(org, person)).is_some_and(|row| row.role == Role::OrgAdmin);
    if is_admin { Topic::Org(org) } else { Topic::Admins(org) }
}

/// In a broadcast, each reaction would wake everybody for a number that comes with the next pull.
fn of_reactions(tables: &Tables, message: MessageId) -> Vec<Topic> {
    let Some(row) = tables.messages.get(&message).and_then(|row| tables.conversations.get(&row.conversation_id)) else {
        return Vec::new();
    };
    if row.kind != ConversationKind::Broadcast {
        return of_conversation(tables, row.id);
    }
    let people = tables.reactions_to(message).filter_map(|reaction| reaction.by.person()).map(Topic::Person);
    people.chain([Topic::Admins(row.org_id)]).collect()
}

fn of_conversation(tables: &Tables, id: ConversationId) -> Vec<Topic> {
    let row = tables.conversations.get(&id);
    row.map_or_else(Vec::new, |row| of_place(tables, row.org_id, &row.kind, row.medic_id))
}

fn of_place(tables: &Tables, org: OrgId, kind: &ConversationKind, medic: Option<MedicId>) -> Vec<Topic> {
    if *kind == ConversationKind::Broadcast {
        return vec![Topic::Org(org)];
    }
    let medic = medic.and_then(|medic| tables.person_of(medic)).map(Topic::Person);
    [Topic::Admins(org)].into_iter().chain(medic).collect()
}

/// In a broadcast, what has arrived at a thousand devices would hint a thousand times; it comes with the next pull. So does what has
/// arrived at an admin's device of a direct conversation for the other admins, or it would grow with the square of their number.
fn of_marker(tables: &Tables, conversation: ConversationId, person: PersonId, readers: &Readers) -> Vec<Topic> {
    let Some(row) = tables.conversations.get(&conversation) else { return Vec::new() };
    let has_read = readers.contains(&(conversation, person));
    if row.kind == ConversationKind::Broadcast {
        return if has_read { vec![Topic::Admins(row.org_id), Topic::Person(person)] } else { Vec::new() };
    }
    let mut topics = of_conversation(tables, conversation);
    if !has_read && !topics.contains(&Topic::Person(person)) {
        topics.retain(|topic| *topic != Topic::Admins(row.org_id));
    }
    topics
}

fn of_deleted(tables: &Tables, deleted: Deleted) -> Vec<Topic> {
    let row = tables.tombstones.get(&deleted);
    row.map_or_else(Vec::new, |row| of_place(tables, row.org_id, &row.kind, row.medic_id))
}
