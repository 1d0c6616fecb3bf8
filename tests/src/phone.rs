//! A phone: the SDK on a real file.

use fieldpost::{Client, ConversationId, Fieldpost, MessageId, ThreadMessage, Window};
use std::path::PathBuf;
use tempfile::TempDir;

/// One device: a file that outlives the app, and its server.
#[derive(Debug)]
pub struct Phone {
    folder: TempDir,
    url: String,
    key: String,
}

impl Phone {
    /// A new phone without data.
    #[must_use]
    pub fn new(url: &str, key: &str) -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder"), url: url.to_owned(), key: key.to_owned() }
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("phone.db")
    }

    /// Starts the app. Starting it again after a drop corresponds to a restart after a crash.
    pub async fn start(&self) -> Client {
        let builder = Fieldpost::builder().url(&self.url).anon_key(&self.key).database(self.file());
        builder.open().await.expect("the app starts")
    }

    /// The same with the clinical tables.
    pub async fn start_with_records(&self) -> Client {
        let builder = Fieldpost::builder().url(&self.url).anon_key(&self.key).database(self.file());
        builder.clinical().open().await.expect("the app starts")
    }

    /// Starts the app, signs in and syncs once.
    pub async fn first_start(&self, email: &str, password: &str) -> Client {
        let client = self.start().await;
        client.sign_in(email, password).await.expect("signing in");
        client.trigger_message_sync().await.expect("the first sync");
        client
    }
}

/// A whole thread: seq, id and text of each message.
pub async fn thread(client: &Client, conversation: ConversationId) -> Vec<(Option<u64>, MessageId, Option<String>)> {
    let window = client.conversation(conversation).messages(Window::newest(u32::MAX)).await.expect("the thread");
    let short = |message: ThreadMessage| (message.seq.map(|seq| seq.get()), message.id, message.content);
    window.messages.into_iter().map(short).collect()
}
