//! Words of what was erased leave the full-text index too.
//!
//! The index is a log of sorted parts. Deleting from it only adds a note, and the word itself stays in the file until the
//! parts happen to be merged. Its option `secure-delete` takes words out at once instead, which costs a millisecond or two
//! for each message: right for the one that somebody deletes, and far too much inside one transaction for a conversation of
//! ten thousand. There the option is switched off, and in the end all parts are merged into one, which leaves out what was
//! deleted and costs as much as the index is large, however much goes: a tenth of a second for 100,000 messages.
//!
//! SQL by hand: the index is commanded by inserts (`apply`), which no query builder has.
//!
//! SQLite then overwrites the pages that came free (`secure_delete`, see `open`).

use crate::{
    error::Res,
    hot::{Plan, hot},
    sql::{IdSet, Tx, int, text},
};
use fieldpost_domain::{Access, Changes, TombstoneOf};
use sea_orm::Value;

/// Above so many messages merging is cheaper.
const FEW: usize = 100;

/// Whether a page makes many messages leave.
pub(crate) async fn leave_many(tx: &Tx, changes: &Changes) -> Res<bool> {
    let of_messages =
        changes.tombstones.iter().filter(|tombstone| matches!(tombstone.of, TombstoneOf::Message { .. })).count();
    let softly = changes.messages.iter().filter(|message| message.deleted_at.is_some()).count();
    if of_messages + softly > FEW {
        return Ok(true);
    }
    let revoked = changes.access.iter().filter(|change| change.access == Access::Revoke);
    let revoked = revoked.map(|change| change.conversation_id);
    let deleted = changes.tombstones.iter().filter(|tombstone| tombstone.of == TombstoneOf::Conversation);
    let leaving: Vec<_> = revoked.chain(deleted.map(|tombstone| tombstone.conversation_id)).collect();
    if leaving.is_empty() {
        return Ok(false);
    }
    let ids = IdSet::of(leaving.iter().map(|id| id.as_uuid()));
    Ok(tx.one(&MANY, vec![ids.bind(), int(FEW as i64)]).await?.is_some())
}

hot! {
    MANY: "whether many messages leave", Plan::Bounded,
        "SELECT 1 FROM messages WHERE conversation_id IN (SELECT unhex(value) FROM json_each(?)) LIMIT 1 OFFSET 0 + ?";
}

/// From here on words are only noted as deleted. [`end_many`] or [`pause_many`] follows in the same transaction.
pub(crate) async fn begin_many(tx: &Tx) -> Res<()> {
    command(tx, "secure-delete", Some(0)).await
}

/// Takes everything out that was noted as deleted.
pub(crate) async fn end_many(tx: &Tx) -> Res<()> {
    command(tx, "optimize", None).await?;
    command(tx, "secure-delete", Some(1)).await
}

/// A later transaction will end it.
pub(crate) async fn pause_many(tx: &Tx) -> Res<()> {
    // What is still in memory would be taken out at once after all.
    command(tx, "flush", None).await?;
    command(tx, "secure-delete", Some(1)).await
}

/// Tells the index what to do, or sets an option of it.
async fn command(tx: &Tx, what: &str, value: Option<i64>) -> Res<()> {
    let command = "INSERT INTO messages_search (messages_search, rank) VALUES (?, ?)";
    tx.run(command, vec![text(what), Value::BigInt(value)]).await.map(drop)
}
