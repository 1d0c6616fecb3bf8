//! Version 7: the outbox knows what is on its way.
//!
//! A mutation whose answer was lost may have been carried out; editing or cancelling it would be a guess. From this version on
//! each one counts its attempts of which nobody knows what became of them.

use crate::upgrade::run;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm::DbErr};

pub(crate) const NAME: &str = "m0007_unanswered";

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
        run(manager.get_connection(), UNANSWERED).await
    }
}

/// What waits when the file is upgraded may have been attempted by version 6, which did not note it.
const UNANSWERED: &str = "
ALTER TABLE outbox ADD COLUMN unanswered INTEGER NOT NULL DEFAULT 0;
UPDATE outbox SET unanswered = 1 WHERE failed_code IS NULL;
PRAGMA user_version = 7;";
