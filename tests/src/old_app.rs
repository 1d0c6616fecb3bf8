//! A phone with the app that Fieldpost replaces: a file that the real WatermelonDB wrote.

use sea_orm::{ConnectOptions, ConnectionTrait, Database};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// The ids that the fixture has for its person and its conversation.
const ME: &str = "0198c0de-0000-7000-8000-000000000201";
const DIRECT: &str = "0198c0de-0000-7000-8000-0000000000c1";

/// The file of the older app, in a folder of its own.
#[derive(Debug)]
pub struct OldApp {
    folder: TempDir,
}

impl Default for OldApp {
    fn default() -> Self {
        Self::new()
    }
}

impl OldApp {
    /// A small file of version 5.
    #[must_use]
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/fixtures");
        let app = Self { folder };
        fs::copy(fixtures.join("v5-0.27.db"), app.file()).expect("the fixture");
        app
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("watermelon.db")
    }

    /// What the app does next.
    pub async fn run(&self, sql: &str) {
        let mut options = ConnectOptions::new(format!("sqlite://{}?mode=rw", self.file().display()));
        options.max_connections(1).sqlx_logging(false);
        let db = Database::connect(options).await.expect("the file");
        db.execute_unprepared(sql).await.expect("the app's statement");
        db.close().await.expect("closing");
    }

    /// Gives the rows of the fixture to a person of a server: its only conversation is theirs, with the messages that wait
    /// in it. Of the records there are one of each table, none of which the server has: a treatment that waits in the
    /// queue, and a worker, a near miss and a safety check whose items the app has lost.
    pub async fn belong_to(&self, org: &str, person: &str, conversation: &str) {
        // The ids of messages and records are the server's primary keys, and a project may have met the fixture before.
        let own: String = org.chars().filter(char::is_ascii_hexdigit).take(10).collect();
        let mut sql = format!(
            "UPDATE conversations SET org_id = '{org}', server_id = '{conversation}' WHERE server_id = '{DIRECT}';
             DELETE FROM conversations WHERE server_id IS NULL OR server_id <> '{conversation}';
             DELETE FROM messages WHERE conversation_id NOT IN ('convDirect000001', 'convDirectTwin01', '{DIRECT}');
             UPDATE messages SET conversation_id = '{conversation}' WHERE conversation_id = '{DIRECT}';
             UPDATE messages SET org_id = '{org}', sender_id = iif(sender_id = '{ME}', '{person}', sender_id);
             UPDATE messages SET idempotency_key = replace(idempotency_key, '-8000-0000000000', '-8000-{own}')
                 WHERE idempotency_key NOT IN (SELECT server_id FROM messages WHERE server_id IS NOT NULL);
             DELETE FROM audit_log;
             DELETE FROM treatments WHERE id <> 'treatment0000002';
             UPDATE sync_queue SET idempotency_key = replace(idempotency_key, '-8000-0000000000', '-8000-{own}'),
                 payload = (SELECT json_object('org_id', '{org}', 'worker_id', worker_id,
                 'medic_id', medic_id, 'reference_number', reference_number, 'status', status,
                 'injury_type', injury_type, 'severity', severity, 'is_riddor_reportable', json('true'))
                 FROM treatments);"
        );
        for table in ["treatments", "workers", "near_misses", "safety_checks"] {
            sql += &format!("UPDATE {table} SET org_id = '{org}';");
        }
        self.run(&sql).await;
    }

    /// Many messages that the server has, in one conversation.
    pub async fn receive(&self, messages: u32) {
        self.run(&format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {messages})
            INSERT INTO messages (id, _changed, _status, server_id, conversation_id, org_id, sender_id, sender_name,
                message_type, content, status, idempotency_key, created_at, updated_at)
            SELECT printf('m%015d', i), '', 'synced', printf('0198c0de-0001-7000-8000-%012x', i), 'convDirect000001',
                org_id, sender_id, 'Ada Moss', 'text', 'Message ' || i || ': gate ' || (i % 7) || ' is closed until noon',
                'read', NULL, created_at + i, created_at + i
            FROM n CROSS JOIN (SELECT org_id, sender_id, created_at FROM messages WHERE id = 'msgSent000000001')"
        ))
        .await;
    }
}
