//! Version 6: the engine's own tables, and the rows of version 5 with the ids that they keep from now on.
//!
//! # Re-keying
//!
//! WatermelonDB gave every row its own id, 16 random characters, and kept the server's id beside it. The old app mixed
//! the two up twice (a message may reference its conversation by either). From version 6 on a row has one id:
//!
//! * the server's, if it is a UUID;
//! * else, for a message, its idempotency key if it is a UUID: the server recognises it if an earlier attempt had
//!   arrived;
//! * else a new one.
//!
//! Two rows with the same new id are one row. The one that the server has wins, because it was delivered.
//!
//! # Conversion
//!
//! * A conversation without a server id was opened on this device and never arrived: its opening is queued before all
//!   messages. Queued messages follow in the order in which they were written, which is the order of their rows.
//! * A queued message that could never be sent (empty, too long) or whose conversation is not in the file becomes a
//!   dead letter, so its author sees it. A message of the server whose conversation is not in the file is kept aside.
//! * Rows that the app had marked as deleted are left out: they were not visible, and an unsent one must not be sent.
//! * Acknowledged rows have no seq in version 5. They stay readable until the server's rows give them one.
//! * Times become microseconds. Times outside the years 1 to 9999 (a broken clock, a wrong unit) are clamped.
//! * Ids of people, medics and orgs that are no UUIDs cannot come from a server. A hash maps them to UUIDs, so equal
//!   ids stay equal.
//!
//! `local_storage` and the clinical tables are not touched.

mod conversations;
mod messages;
pub(crate) mod source;
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

/// A queued message is the newest of its conversation.
const NEWEST: &str = "
UPDATE conversations AS c SET (last_message_at, last_message_preview) = (
    SELECT m.created_at, substr(m.content, 1, 101) FROM messages AS m
    WHERE m.conversation_id = c.id AND m.position IS NOT NULL ORDER BY m.position DESC LIMIT 1)
WHERE EXISTS (SELECT 1 FROM messages AS m WHERE m.conversation_id = c.id AND m.position IS NOT NULL);";
