//! How to open a file.

use fieldpost_domain::Key;
use fieldpost_storage::{MutationIds, RandomIds};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// How to open a file.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    path: PathBuf,
    busy_timeout: Duration,
    readers: u32,
    max_pages: Option<u32>,
    frozen: bool,
    ids: Arc<dyn MutationIds>,
    key: Option<Key>,
}

impl SqliteOptions {
    /// The usual way: waits up to 5 s for another process, reads with up to 3 connections.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let (busy_timeout, ids) = (Duration::from_secs(5), Arc::new(RandomIds));
        Self { path: path.into(), busy_timeout, readers: 3, max_pages: None, frozen: false, ids, key: None }
    }

    pub(crate) fn most_readers(&self) -> u32 {
        self.readers.max(1)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) const fn timeout(&self) -> Duration {
        self.busy_timeout
    }

    pub(crate) fn ids(&self) -> Arc<dyn MutationIds> {
        Arc::clone(&self.ids)
    }

    /// The same for a disk that is full: what is in the file is read, and nothing is written beside it.
    pub(crate) fn frozen(&self) -> Self {
        Self { frozen: true, ..self.clone() }
    }

    /// The same without a key.
    pub(crate) fn without_key(&self) -> Self {
        Self { key: None, ..self.clone() }
    }

    pub(crate) const fn is_frozen(&self) -> bool {
        self.frozen
    }

    pub(crate) const fn most_pages(&self) -> Option<u32> {
        self.max_pages
    }

    pub(crate) const fn key_given(&self) -> Option<&Key> {
        self.key.as_ref()
    }

    /// The key of an encrypted file. A file that does not exist is made with it. Needs the feature `encryption`.
    #[must_use]
    pub fn key(mut self, key: Key) -> Self {
        self.key = Some(key);
        self
    }

    /// How long to wait for another process before a call fails as busy.
    #[must_use]
    pub const fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// How many connections read at the same time, at least one.
    #[must_use]
    pub const fn readers(mut self, readers: u32) -> Self {
        self.readers = readers;
        self
    }

    /// Where the ids of the mutations come from that the store records by itself.
    #[must_use]
    pub fn mutation_ids(mut self, ids: Arc<dyn MutationIds>) -> Self {
        self.ids = ids;
        self
    }

    /// The most pages of 4 KiB that the file may grow to; a write beyond fails as on a full disk.
    #[must_use]
    pub const fn max_pages(mut self, pages: u32) -> Self {
        self.max_pages = Some(pages);
        self
    }
}

impl<P: Into<PathBuf>> From<P> for SqliteOptions {
    fn from(path: P) -> Self {
        Self::new(path)
    }
}
