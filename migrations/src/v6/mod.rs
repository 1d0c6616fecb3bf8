//! Version 6: the engine's own tables, and the rows of version 5 under the ids they keep from now on.
//!
//! # Re-keying
//!
//! WatermelonDB gave every row an id of its own, 16 random characters, and kept the server's id beside it; which of the two a
//! reference held was mixed up twice (a conversation's messages may name it by either). From version 6 on a row has one id:
//!
//! * the server's, if it is a UUID;
//! * else, of a message, its idempotency key if it is a UUID: the server recognises it when an earlier attempt had arrived;
//! * else a new one.
//!
//! Two rows that come to the same id are one row; the one that the server has wins, since it was delivered.
//!
//! # What becomes of what
//!
//! * A conversation without a server id was opened on this device and never arrived: its opening is queued, ahead of all
//!   messages. Queued messages follow in the order in which they were written down, which is the order of their rows.
//! * A queued message that could never be sent (empty, too long) or whose conversation is not in the file becomes a dead
//!   letter, so that its author sees it. A message of the server whose conversation is not in the file is kept aside.
//! * Rows that the app had marked as deleted are left out: nobody could see them, and an unsent one must not be sent.
//! * Acknowledged rows have no seq in version 5. They stay readable as they are until the server's answer places them.
//! * Times become microseconds. What lies outside the years 1 to 9999 (a broken clock, a wrong unit) is moved to the edge.
//! * Ids of people, medics and orgs that are no UUIDs cannot come from a server; they are mapped to one by a hash, so that
//!   equal ones stay equal.
//!
//! `local_storage` and the clinical tables are not touched.

mod conversations;
mod messages;
mod source;
mod tables;

use crate::{APPLICATION_ID, upgrade::run};
use sea_orm_migration::{
    MigrationName, MigrationTrait, SchemaManager, SchemaManagerConnection, async_trait, sea_orm::DbErr,
};

pub(crate) const NAME: &str = "m0006_engine";

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        NAME
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait leaves the lifetime out, and an implementation must match")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        run(db, tables::SET_ASIDE).await?;
        run(db, tables::CREATE).await?;
        move_rows(db).await?;
        run(db, tables::DROP_OLD).await?;
        run(db, &format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 6;")).await
    }
}

async fn move_rows(db: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
    let ids = conversations::move_all(db).await?;
    messages::move_all(db, &ids).await?;
    run(db, NEWEST).await
}

/// What is queued is the newest of its conversation.
const NEWEST: &str = "
UPDATE conversations AS c SET (last_message_at, last_message_preview) = (
    SELECT m.created_at, substr(m.content, 1, 101) FROM messages AS m
    WHERE m.conversation_id = c.id AND m.position IS NOT NULL ORDER BY m.position DESC LIMIT 1)
WHERE EXISTS (SELECT 1 FROM messages AS m WHERE m.conversation_id = c.id AND m.position IS NOT NULL);";
