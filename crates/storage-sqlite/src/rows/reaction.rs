//! The reactions to a message, as a thread shows them.
//!
//! The rows of the server stay as they are; what the person has done and the server has not answered is read from the outbox
//! with them, so there is nothing that could be out of date.
//!
//! SQL by hand: parts of what a window and each message are read from (`window`).

use crate::{
    entity::{outbox::Column as O, reactions::Column as R},
    error::Res,
    line::{Line, cells, packed},
    sql::{hex, of, unsigned},
};
use fieldpost_domain::{ConversationId, Emoji, Intent, MessageId, MutationKind, PersonId, ReactedBy};
use fieldpost_storage::{
    ThreadReaction,
    reactions::{self, StoredReaction},
};
use uuid::Uuid;

cells! {
    /// A row of the server: `r`.
    enum Stored() {
        Emoji = of("r", R::Emoji),
        Person = hex("r", R::PersonId),
        Count = of("r", R::Count),
        CreatedAt = of("r", R::CreatedAt),
    }
}

cells! {
    /// A change that waits: `q`.
    enum Waiting() {
        Kind = of("q", O::Kind),
        Payload = of("q", O::Payload),
    }
}

/// The rows of the server, of a message `m`.
pub(crate) fn stored() -> String {
    packed(&Stored::row(), "FROM reactions AS r WHERE r.message_id = m.id")
}

/// The changes that wait, of a message `m`.
pub(crate) fn waiting() -> String {
    let changes = "FROM outbox AS q WHERE q.target_id = m.id AND q.failed_code IS NULL ORDER BY q.position";
    packed(&Waiting::row(), changes)
}

/// What a thread shows of a message: of what is [`stored`] and [`waiting`].
pub(crate) fn shown(
    (lane, target): (ConversationId, MessageId),
    stored: &[Line],
    waiting: &[Line],
    viewer: Option<Uuid>,
) -> Res<Vec<ThreadReaction>> {
    if stored.is_empty() && waiting.is_empty() {
        return Ok(Vec::new());
    }
    let stored = stored.iter().map(read).collect::<Res<Vec<_>>>()?;
    let mut pending = Vec::new();
    for change in waiting {
        let kind = MutationKind::from(change.get::<String>(Waiting::Kind)?);
        // What cannot be read waits for a version that can.
        pending.extend(Intent::from_payload(&kind, lane, Some(target), &change.get::<String>(Waiting::Payload)?).ok());
    }
    Ok(reactions::shown(stored, &pending, viewer.map(PersonId::from_uuid)))
}

fn read(row: &Line) -> Res<StoredReaction> {
    let (person, count) = (PersonId::from_uuid(row.id(Stored::Person)?), unsigned(row.get(Stored::Count)?));
    Ok(StoredReaction {
        emoji: Emoji::told(&row.get::<String>(Stored::Emoji)?),
        by: if person.is_nobody() {
            ReactedBy::All { count }
        } else {
            ReactedBy::Person { id: person, removed: count == 0 }
        },
        created_at: row.time(Stored::CreatedAt)?,
    })
}
