//! Version 8: the file knows the name of the server's history that its rows are of, and finds dead letters at once.
//!
//! A cursor is tied to a history, but one that has expired for another reason is gone before the next is known; a restore
//! meanwhile went unseen.

use crate::upgrade::run;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm::DbErr};

pub(crate) const NAME: &str = "m0008_server_epoch";

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
        run(manager.get_connection(), SERVER_EPOCH).await
    }
}

const SERVER_EPOCH: &str = "
ALTER TABLE sync_state ADD COLUMN server_epoch TEXT;
CREATE INDEX outbox_failed ON outbox (position) WHERE failed_code IS NOT NULL;
PRAGMA user_version = 8;";
