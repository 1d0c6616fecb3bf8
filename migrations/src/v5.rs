//! Version 5: conversations and messages, as WatermelonDB made them. Times are milliseconds, ids are its own.

use crate::upgrade::run;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm::DbErr};

pub(crate) const NAME: &str = "m0005_messaging";

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
        run(manager.get_connection(), TABLES).await
    }
}

const TABLES: &str = r#"
CREATE TABLE "conversations" ("id" primary key, "_changed", "_status", "server_id", "org_id", "type", "subject", "medic_id",
    "created_by", "last_message_at", "last_message_preview", "participant_name", "unread_count", "last_read_at",
    "created_at", "updated_at");
CREATE INDEX "conversations_org_id" ON "conversations" ("org_id");
CREATE INDEX "conversations__status" ON "conversations" ("_status");

CREATE TABLE "messages" ("id" primary key, "_changed", "_status", "server_id", "conversation_id", "org_id", "sender_id",
    "sender_name", "message_type", "content", "status", "idempotency_key", "created_at", "updated_at");
CREATE INDEX "messages_conversation_id" ON "messages" ("conversation_id");
CREATE INDEX "messages_org_id" ON "messages" ("org_id");
CREATE INDEX "messages__status" ON "messages" ("_status");
"#;
