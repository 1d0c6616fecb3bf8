//! Version 11: records. The clinical tables of the older app get types and the ids that they keep from now on, beside a
//! queue, the copy's position, and an audit log of Fieldpost's own.
//!
//! # Re-keying
//!
//! As in version 6 a row has one id from now on:
//!
//! * the server's, if it is a UUID;
//! * else the idempotency key of its queued create, if that is a UUID: the server recognises the record by it if an
//!   earlier attempt had arrived;
//! * else its own, if that is a UUID;
//! * else a new one.
//!
//! References to workers, queue items, audit entries and ids inside payloads follow. Two rows with the same new id are one
//! row; the first wins.
//!
//! # Conversion
//!
//! * Times become microseconds. A value that its column cannot hold (text in a number column, a broken list) is kept in
//!   `extra` under the column's name.
//! * A row that never reached the server and has no queue item lost it; its create is queued. A row that is marked as
//!   deleted becomes a queued delete, or leaves if the server never heard of it.
//! * A queue item of another table (a photo upload) is none of Fieldpost's business. It is carried, untouched but for ids.
//! * A create sends what the row has, and what only the payload has.
//! * What could not come over is listed in `import_report`, with its content.

mod audit;
mod clinical;
mod ids;
mod items;
mod queue;
mod report;
mod rows;
mod source;
mod tables;
mod values;

use crate::{upgrade::run, v6::source::new_id};
use sea_orm_migration::{
    MigrationName, MigrationTrait, SchemaManager, SchemaManagerConnection, async_trait, sea_orm::DbErr,
};

pub(crate) const NAME: &str = "m0011_records";

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
        source::set_aside(db).await?;
        run(db, tables::CREATE).await?;
        run(db, tables::COUNT).await?;
        run(db, &clinical::create()).await?;
        move_rows(db).await?;
        source::drop_old(db).await?;
        run(db, "PRAGMA user_version = 11;").await
    }
}

async fn move_rows(db: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
    let items = items::read(db).await?;
    let ids = ids::assign(db, &items).await?;
    // No clock of the older app is known; all its times are of one.
    let clock = new_id(db, 0).await?;
    let kept = rows::move_all(db, &items, &ids, clock).await?;
    queue::move_all(db, &ids, &kept, clock).await?;
    queue::delete_all(db, &kept, clock).await?;
    run(db, queue::FINISH).await?;
    audit::move_all(db, &ids, clock).await
}
