//! Version 5: conversations and messages, as WatermelonDB created them. Times are milliseconds, ids are WatermelonDB's.

use crate::script::Script;

pub(crate) const MIGRATION: Script = Script { name: "m0005_messaging", parts: &[TABLES] };

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
