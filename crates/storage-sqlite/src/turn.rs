//! Whose turn it is to sync: a lock on a file beside the database.
//!
//! It is the system's advisory lock on an open file, so it ends with the process that holds it, however that ends. It cannot
//! be on the database itself: SQLite has locks of its own there, and on some systems closing any handle of a file gives up all
//! of the process's locks on it. The file stays empty, and stays: whoever removed it while another opens it would make two
//! files of one name, and two turns.

use fieldpost_storage::Turn;
use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::Mutex;

/// The file beside a database.
#[derive(Debug)]
pub(crate) struct TurnFile {
    path: PathBuf,
    /// Held as long as this store has the turn, or tries to get it. So whoever gets it knows that no lock is held.
    here: Arc<Mutex<()>>,
}

impl TurnFile {
    /// `database` is the file itself and no link to it: whoever opens the one or the other shares a turn.
    pub(crate) fn beside(database: &Path, suffix: &str) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push(suffix);
        Self { path: path.into(), here: Arc::default() }
    }

    /// Waits until this store neither has the turn nor tries to get it.
    pub(crate) async fn until_free(&self) {
        drop(self.here.lock().await);
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Tries to get it; none if somebody else has it.
    pub(crate) async fn take(&self) -> io::Result<Option<Turn>> {
        let Ok(here) = Arc::clone(&self.here).try_lock_owned() else { return Ok(None) };
        let path = self.path.clone();
        // The closure runs to its end even if nobody waits for it any more; so it takes `here` along.
        let taken = tokio::task::spawn_blocking(move || Ok(lock(&path)?.map(|file| Turn::new((file, here))))).await;
        taken.unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

/// The file, locked; none if somebody else has locked it.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
            // A file system without locks: two processes are then kept apart by the keys of what they send alone.
            tracing::debug!("this file system has no locks");
            Ok(Some(file))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}
