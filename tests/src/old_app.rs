//! A phone with the app that Fieldpost replaces: a file that the real WatermelonDB wrote.

use sea_orm::{ConnectOptions, ConnectionTrait, Database};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

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
