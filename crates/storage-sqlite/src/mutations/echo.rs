//! The local echo of a message that waits to be sent.

use crate::{
    error::Res,
    rows::json,
    sql::{Bound, Tx, id, int, opt_id, text, time},
    version::UNTOLD,
};
use fieldpost_domain::{MessageStatus, NewMessage};
use sea_orm::Value;

/// The local echo of a message whose mutation is recorded: that gives it its place.
pub(crate) async fn insert_local(tx: &Tx, message: &NewMessage) -> Res<()> {
    local(ECHO, id(message.sender_id.as_uuid()), id(message.id.as_uuid()), message).run(tx).await.map(drop)
}

/// The statement that writes it: by this sender; if that is null, by whose file this is.
pub(crate) fn local(sql: &'static str, sender: Value, recorded: Value, message: &NewMessage) -> Bound {
    let at = || time(message.composed_at);
    let values = vec![
        sender,
        text(message.kind.as_str()),
        text(message.content.as_str()),
        json::metadata(message.metadata.as_ref()),
        opt_id(message.reply_to.map(|id| id.as_uuid())),
        json::mentions(&message.mentions),
        text(MessageStatus::Queued.as_str()),
        at(),
        at(),
        at(),
        int(UNTOLD),
        recorded,
    ];
    Bound::new(sql, values)
}

macro_rules! echo {
    ($of:literal) => {
        concat!(
            "
INSERT INTO messages (id, conversation_id, position, sender_id, message_type, content, metadata, reply_to, mentions, status,
    composed_at, created_at, updated_at, version)
SELECT o.message_id, o.conversation_id, o.position,
    coalesce(?, (SELECT person_id FROM account WHERE only = 1)), ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM outbox AS o WHERE ",
            $of
        )
    };
}

const ECHO: &str = echo!("o.message_id = ?");

pub(crate) const ECHO_OF_NEW: &str =
    echo!("o.id = ? AND NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.id = o.message_id)");
