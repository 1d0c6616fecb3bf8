//! The file itself, before SQLite sees it.

use crate::error::{Fault, Res};
use fieldpost_storage::StorageErrorKind;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Looks at the file, or makes it, where blocking is allowed. Says whether it is new.
pub(crate) async fn prepare(path: PathBuf) -> Res<bool> {
    let prepared = tokio::task::spawn_blocking(move || make_or_check(&path)).await;
    prepared.unwrap_or_else(|_| Err(Fault::kind(StorageErrorKind::Other)))
}

/// Makes the file if there is none, and says whether it did.
///
/// SQLite gives `-wal` and `-shm` the permissions of the file, so making it private makes all of them private.
fn make_or_check(path: &Path) -> Res<bool> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => check_header(path).map(|()| false),
        Err(error) => Err(cannot_open(path, &error)),
    }
}

/// A file that does not begin as every SQLite file does is refused before SQLite sees it.
fn check_header(path: &Path) -> Res<()> {
    use io::Read as _;
    const MAGIC: &[u8; 16] = b"SQLite format 3\0";
    let not_a_database = || Fault::Kind(StorageErrorKind::NotADatabase, Some(path.display().to_string()));
    let file = fs::File::open(path).map_err(|error| cannot_open(path, &error))?;
    if !file.metadata().map_err(|error| cannot_open(path, &error))?.is_file() {
        return Err(not_a_database());
    }
    let mut start = Vec::with_capacity(MAGIC.len());
    file.take(MAGIC.len() as u64).read_to_end(&mut start).map_err(|error| cannot_open(path, &error))?;
    // A new file that was never written to is empty.
    if start.is_empty() || start == MAGIC { Ok(()) } else { Err(not_a_database()) }
}

fn cannot_open(path: &Path, error: &io::Error) -> Fault {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StorageErrorKind::Full,
        io::ErrorKind::ReadOnlyFilesystem => StorageErrorKind::ReadOnly,
        _ => StorageErrorKind::CannotOpen,
    };
    Fault::Kind(kind, Some(format!("{}: {error}", path.display())))
}
