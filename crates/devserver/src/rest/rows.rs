//! Rows in the format of docs/protocol.md: null fields left out, times with microseconds.

use chrono::SecondsFormat;
use fieldpost_domain::{
    AccessChange, Changes, Conversation, ConversationDigest, ConversationSettings, Covered, Fingerprint, Message,
    Person, ReactedBy, Reaction, ReadMarker, Settings, Time, Tombstone, TombstoneOf,
};
use serde_json::{Map, Value, json};

/// RFC 3339 in UTC with microseconds.
pub(super) fn time(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, false)
}

/// An object without its null fields.
pub(super) fn object(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(fields.into_iter().filter(|(_, value)| !value.is_null()).collect()),
        other => other,
    }
}

pub(super) fn person(row: &Person) -> Value {
    object(json!({
        "id": row.id, "org_id": row.org_id, "role": row.role, "first_name": row.first_name, "last_name": row.last_name,
        "medic_id": row.medic_id, "removed": row.removed.then_some(true), "version": row.version,
    }))
}

pub(super) fn conversation(row: &Conversation) -> Value {
    object(json!({
        "id": row.id, "org_id": row.org_id, "kind": row.kind, "subject": row.subject, "medic_id": row.medic_id,
        "medic_name": row.medic_name, "created_by": row.created_by, "created_at": time(row.created_at),
        "updated_at": time(row.updated_at), "last_seq": row.last_seq, "last_message_at": row.last_message_at.map(time),
        "last_message_preview": row.last_message_preview, "unread": row.unread,
        "unread_mentions": Some(row.unread_mentions).filter(|count| *count > 0), "omitted": row.omitted,
        "version": row.version,
    }))
}

pub(super) fn message(row: &Message) -> Value {
    object(json!({
        "id": row.id, "conversation_id": row.conversation_id, "sender_id": row.sender_id, "kind": row.kind,
        "content": row.content, "metadata": row.metadata, "reply_to": row.reply_to, "status": row.status,
        "seq": row.seq, "composed_at": row.composed_at.map(time), "created_at": time(row.created_at),
        "updated_at": time(row.updated_at), "edited_at": row.edited_at.map(time), "deleted_at": row.deleted_at.map(time),
        "mentions": (!row.mentions.is_empty()).then_some(&row.mentions), "omitted": row.omitted, "version": row.version,
    }))
}

pub(super) fn read_marker(row: &ReadMarker) -> Value {
    object(json!({
        "conversation_id": row.conversation_id, "person_id": row.person_id, "delivered_seq": row.delivered_seq,
        "delivered_at": row.delivered_at.map(time), "read_seq": row.read_seq, "read_at": row.read_at.map(time),
        "version": row.version,
    }))
}

pub(super) fn reaction(row: &Reaction) -> Value {
    let (removed, count) = match row.by {
        ReactedBy::Person { removed, .. } => (removed.then_some(true), None),
        ReactedBy::All { count } => (None, Some(count)),
    };
    object(json!({
        "message_id": row.message_id, "conversation_id": row.conversation_id, "person_id": row.by.person(),
        "emoji": row.emoji, "removed": removed, "count": count, "created_at": time(row.created_at),
        "version": row.version,
    }))
}

pub(super) fn settings(row: &ConversationSettings) -> Value {
    let Settings { muted_until, pinned_at, archived, unread_from } = row.settings;
    object(json!({
        "conversation_id": row.conversation_id, "muted_until": muted_until.map(time), "pinned_at": pinned_at.map(time),
        "archived_at": archived.map(|archived| time(archived.at)), "archived_seq": archived.map(|archived| archived.seq),
        "unread_from": unread_from, "version": row.version,
    }))
}

pub(super) fn tombstone(row: &Tombstone) -> Value {
    let (entity, id, seq) = match row.of {
        TombstoneOf::Message { id, seq } => ("message", id.to_string(), Some(seq)),
        TombstoneOf::Conversation => ("conversation", row.conversation_id.to_string(), None),
    };
    object(json!({
        "entity": entity, "id": id, "conversation_id": row.conversation_id, "seq": seq, "version": row.version,
    }))
}

pub(super) fn access(row: &AccessChange) -> Value {
    json!({"conversation_id": row.conversation_id, "access": row.access, "version": row.version})
}

fn range(row: &Covered) -> Value {
    json!({"conversation_id": row.conversation_id, "from_seq": row.range.from, "to_seq": row.range.to})
}

pub(super) fn digest(digest: &ConversationDigest) -> Value {
    match &digest.fingerprint {
        Fingerprint::Set(set) => json!({"count": digest.count, "set": set.to_hex()}),
        Fingerprint::Sorted(sha256) => json!({"count": digest.count, "sha256": sha256}),
    }
}

/// The lists of a page. Empty lists are left out, as the protocol allows, so that clients do not rely on them.
pub(super) fn changes(changes: &Changes) -> Map<String, Value> {
    let lists = [
        ("people", list(&changes.people, person)),
        ("conversations", list(&changes.conversations, conversation)),
        ("messages", list(&changes.messages, message)),
        ("read_markers", list(&changes.read_markers, read_marker)),
        ("reactions", list(&changes.reactions, reaction)),
        ("settings", list(&changes.settings, settings)),
        ("tombstones", list(&changes.tombstones, tombstone)),
        ("access", list(&changes.access, access)),
        ("ranges", list(&changes.covered, range)),
    ];
    lists.into_iter().filter_map(|(name, list)| Some((name.to_owned(), list?))).collect()
}

fn list<T>(rows: &[T], wire: fn(&T) -> Value) -> Option<Value> {
    (!rows.is_empty()).then(|| rows.iter().map(wire).collect())
}

/// A page's lists together with its other fields.
pub(super) fn page(lists: &Changes, fields: Value) -> Value {
    let mut page = changes(lists);
    if let Value::Object(fields) = object(fields) {
        page.extend(fields);
    }
    Value::Object(page)
}
