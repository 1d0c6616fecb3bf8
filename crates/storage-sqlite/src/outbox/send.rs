//! Sending a message: the local echo, its mutation and the conversation, in one transaction and one trip.
//!
//! Nothing is asked before, except about replies and mentions: what must hold (the file is somebody's, the message is not here yet, its conversation is)
//! are conditions of the first insert, and what follows builds on the row that it made. Where they do not hold nothing is
//! written, and the last statement, which reads the message, says why there is none. The sender is whose file this is at that
//! moment, so it is filled in by the statements too.
//!
//! SQL by hand: all of a send is one script (`send`).

use crate::{
    derived,
    entity::outbox::Column as O,
    error::{Fault, Res},
    hot::{Plan, hot},
    messages,
    mutations::{
        addressed, echo,
        record::{COLUMNS, Recording},
    },
    resolve::{self, OWNER},
    rows::message::joins,
    sql::{Bound, Tx, id, names},
};
use fieldpost_domain::{Intent, Mutation, MutationId, NewMessage, PersonId, RefusalCode};
use fieldpost_storage::{ChangeSet, NotPossible, OutgoingMessage, StorageErrorKind, ThreadMessage};

pub(super) async fn send(tx: &Tx, mutation: MutationId, message: OutgoingMessage) -> Res<ThreadMessage> {
    send_and(tx, mutation, message, None).await
}

/// Sends, and runs another statement, if there is one, in the same transaction.
pub(crate) async fn send_and(
    tx: &Tx,
    mutation: MutationId,
    message: OutgoingMessage,
    beside: Option<Bound>,
) -> Res<ThreadMessage> {
    check_addressed(tx, &message).await?;
    // The place of the sender, for the statements to fill.
    let message = message.by(PersonId::NOBODY);
    let conversation = id(message.conversation_id.as_uuid());
    let writes = [
        recording(mutation, &message)?,
        echo::local(&echo::ECHO_OF_NEW, None, id(mutation.as_uuid()), &message),
        Bound::new(&derived::NEWEST_OF_LANE, vec![id(mutation.as_uuid())]),
    ];
    let sent = Bound::new(&SENT, vec![conversation.clone(), conversation, id(message.id.as_uuid())]);
    let row = tx.last_row(writes.into_iter().chain(beside).chain([sent])).await?;
    if !row.is("owned")? {
        return Err(Fault::kind(StorageErrorKind::NoAccount));
    }
    if !row.is("here")? {
        // In a conversation that is here only what may not be written is not recorded.
        let read_only = StorageErrorKind::NotApplicable(NotPossible::ReadOnly);
        return Err(Fault::kind(if row.is("known")? { read_only } else { StorageErrorKind::NotFound }));
    }
    let sent = messages::one(&row)?;
    tx.changed(ChangeSet::of([sent.conversation_id]).and_outbox()).await;
    Ok(sent)
}

/// Most messages reply to nothing and mention nobody; then nothing is asked.
async fn check_addressed(tx: &Tx, message: &OutgoingMessage) -> Res<()> {
    if message.reply_to.is_none() && message.mentions.is_empty() {
        return Ok(());
    }
    let conversation = resolve::canonical(tx, message.conversation_id).await?;
    addressed::check_reply(tx, conversation, message.reply_to).await?;
    addressed::check_mentions(tx, conversation, message.mentions.iter()).await
}

/// Records a message that may be sent, in its conversation as that is called here. One that the server refused to open takes
/// no messages; they wait with it for a person.
fn recording(mutation: MutationId, message: &NewMessage) -> Res<Bound> {
    let conversation = id(message.conversation_id.as_uuid());
    let mutation = Mutation { id: mutation, intent: Intent::SendMessage(message.clone()) };
    let new = Recording::of(mutation, Some(RefusalCode::OpenRefused), message.composed_at)?;
    let given = COLUMNS.iter().filter(|(column, _)| !matches!(column, O::ConversationId));
    let mut values: Vec<_> = given.map(|(_, value)| value(&new, &())).collect();
    values.extend([conversation.clone(), conversation, id(message.id.as_uuid())]);
    Ok(Bound::new(&RECORD, values))
}

hot! {
    RECORD: "what a send records", Plan::Bounded, record();
    /// Whether the file is somebody's, whether the message and its conversation are here, and the message.
    SENT: "what was sent", Plan::Bounded, format!(
        "SELECT {OWNER} IS NOT NULL AS owned, m.id IS NOT NULL AS here, {message},
            EXISTS (SELECT 1 FROM conversations AS c
                WHERE c.id = coalesce((SELECT l.canonical_id FROM aliases AS l WHERE l.id = ?), ?)) AS known
        FROM (SELECT 1) LEFT JOIN messages AS m ON m.id = ? {joins}",
        message = messages::columns(),
        joins = joins(),
    );
}

fn record() -> String {
    let columns = COLUMNS.map(|(column, _)| column);
    let values = columns.map(|column| match column {
        // The one that the statement finds.
        O::ConversationId => "c.id",
        O::Payload => "json_set(?, '$.sender_id', lower(hex(a.person_id)))",
        O::FailedCode => {
            "CASE WHEN c.server_id IS NULL AND EXISTS (SELECT 1 FROM outbox AS o
                WHERE o.conversation_id = c.id AND o.opens AND o.failed_code IS NOT NULL) THEN ? END"
        }
        _ => "?",
    });
    format!(
        "INSERT INTO outbox ({columns}) SELECT {values}
        FROM account AS a CROSS JOIN conversations AS c
        WHERE a.only = 1 AND a.person_id IS NOT NULL
            AND c.id = coalesce((SELECT l.canonical_id FROM aliases AS l WHERE l.id = ?), ?)
            AND NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.id = ?)
            AND NOT (c.type = 'broadcast' AND c.server_id IS NOT NULL AND EXISTS (SELECT 1 FROM people AS q
                WHERE q.id = a.person_id AND q.org_id = c.org_id AND q.role = 'medic' AND NOT q.removed))",
        columns = names(&columns),
        values = values.join(", "),
    )
}
