//! Version 6: the engine's own tables, and the rows of version 5 under the ids they keep from now on.

mod tables;

use crate::{APPLICATION_ID, upgrade::run};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm::DbErr};

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
        run(db, tables::DROP_OLD).await?;
        run(db, &format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 6;")).await
    }
}
