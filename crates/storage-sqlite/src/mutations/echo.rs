//! The local echo of a message that waits to be sent.
//!
//! SQL by hand: it is a part of a send's one trip (`send`).

use crate::{
    entity::messages::Column as M,
    error::Res,
    hot::{Hot, Plan, hot},
    rows::json,
    sql::{Bound, Tx, id, int, names, opt_id, text, time},
    version::UNKNOWN_TO_SERVER,
};
use fieldpost_domain::{MessageStatus, NewMessage};
use sea_orm::Value;

/// The local echo of a message whose mutation is recorded: that gives it its place.
pub(crate) async fn insert_local(tx: &Tx, message: &NewMessage) -> Res<()> {
    let sender = Some(id(message.sender_id.as_uuid()));
    local(&ECHO, sender, id(message.id.as_uuid()), message).run(tx).await.map(drop)
}

/// The statement that writes it: by this sender; if there is none, by whose file this is.
pub(crate) fn local(sql: &'static Hot, sender: Option<Value>, recorded: Value, message: &NewMessage) -> Bound {
    let mut values = vec![sender.unwrap_or(Value::Bytes(None))];
    values.extend(COMPOSED.iter().map(|(_, value)| value(message)));
    values.push(recorded);
    Bound::new(sql, values)
}

/// A column of the echo, and its value.
type Composed = (M, fn(&NewMessage) -> Value);

/// What a message has from its author.
const COMPOSED: [Composed; 10] = [
    (M::MessageType, |message| text(message.kind.as_str())),
    (M::Content, |message| text(message.content.as_str())),
    (M::Metadata, |message| json::metadata(message.metadata.as_ref())),
    (M::ReplyTo, |message| opt_id(message.reply_to.map(|id| id.as_uuid()))),
    (M::Mentions, |message| json::mentions(&message.mentions)),
    (M::Status, |_| text(MessageStatus::Queued.as_str())),
    (M::ComposedAt, |message| time(message.composed_at)),
    (M::CreatedAt, |message| time(message.composed_at)),
    (M::UpdatedAt, |message| time(message.composed_at)),
    (M::Version, |_| int(UNKNOWN_TO_SERVER)),
];

hot! {
    ECHO: "the echo of a message", Plan::Bounded, echo("o.message_id = ?");
    ECHO_OF_NEW: "the echo of a send", Plan::Bounded,
        echo("o.id = ? AND NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.id = o.message_id)");
}

fn echo(of: &str) -> String {
    let placed = names(&[M::Id, M::ConversationId, M::Position, M::SenderId]);
    let composed = names(&COMPOSED.map(|(column, _)| column));
    let values = vec!["?"; COMPOSED.len()].join(", ");
    format!(
        "INSERT INTO messages ({placed}, {composed})
        SELECT o.message_id, o.conversation_id, o.position, coalesce(?, (SELECT person_id FROM account WHERE only = 1)),
            {values} FROM outbox AS o WHERE {of}"
    )
}
