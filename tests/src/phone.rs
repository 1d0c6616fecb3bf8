//! A phone: the SDK on a real file.

use crate::keys;
use fieldpost::{
    Builder, Client, ConversationId, Fieldpost, ImportError, ImportReport, Key, MessageId, ThreadMessage, Window,
    import_watermelon, import_watermelon_encrypted,
};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// One device: a file that outlives the app, and its server.
#[derive(Debug)]
pub struct Phone {
    folder: TempDir,
    url: String,
    key: String,
    /// That of the file, if it is encrypted.
    file_key: Option<Key>,
}

impl Phone {
    /// A new phone without data.
    #[must_use]
    pub fn new(url: &str, key: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { folder, url: url.to_owned(), key: key.to_owned(), file_key: keys::of_this_test() }
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("phone.db")
    }

    /// The same phone with a file that is not encrypted, for what looks at the file past the app.
    #[must_use]
    pub fn plain(self) -> Self {
        Self { file_key: None, ..self }
    }

    /// A builder with the file, its key and the server.
    pub fn builder(&self) -> Builder {
        let builder = Fieldpost::builder().url(&self.url).anon_key(&self.key).database(self.file());
        match &self.file_key {
            Some(key) => builder.key(key.clone()),
            None => builder,
        }
    }

    /// Imports a file of the older app.
    ///
    /// # Errors
    /// What the import says.
    pub async fn import(&self, source: &Path) -> Result<ImportReport, ImportError> {
        match &self.file_key {
            Some(key) => import_watermelon_encrypted(source, self.file(), key.clone(), |_| {}).await,
            None => import_watermelon(source, self.file(), |_| {}).await,
        }
    }

    /// Starts the app. Starting it again after a drop corresponds to a restart after a crash.
    pub async fn start(&self) -> Client {
        self.builder().open().await.expect("the app starts")
    }

    /// The same with the clinical tables.
    pub async fn start_with_records(&self) -> Client {
        self.builder().clinical().open().await.expect("the app starts")
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
