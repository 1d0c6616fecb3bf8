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
    match start.is_empty() {
        // Beside an empty file SQLite would delete a log, and what is in it would be gone.
        true if log_size(path) > 0 => {
            let detail = format!("{} is empty, but the -wal file beside it is not", path.display());
            Err(Fault::Kind(StorageErrorKind::Corrupt, Some(detail)))
        }
        // A new file that was never written to is empty.
        true => Ok(()),
        false if start == MAGIC => Ok(()),
        false => Err(not_a_database()),
    }
}

/// The bytes in the write-ahead log beside a file.
fn log_size(path: &Path) -> u64 {
    let mut log = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()).into_os_string();
    log.push("-wal");
    fs::metadata(log).map_or(0, |metadata| metadata.len())
}

/// Whether changes were left in the log beside a file.
pub(crate) async fn has_log(path: PathBuf) -> bool {
    tokio::task::spawn_blocking(move || log_size(&path) > 0).await.unwrap_or(false)
}

/// The bytes of a file and its log.
pub(crate) async fn size(path: PathBuf) -> u64 {
    let sizes = tokio::task::spawn_blocking(move || fs::metadata(&path).map_or(0, |file| file.len()) + log_size(&path));
    sizes.await.unwrap_or(u64::MAX)
}

/// See [`tighten`].
pub(crate) async fn make_private(path: PathBuf) {
    // Whether it ran or not, the file is used as it is.
    let _ = tokio::task::spawn_blocking(move || tighten(&path)).await;
}

/// Takes a file, and what SQLite and the turn keep beside it, from everybody but its owner. It may have come with a backup,
/// or from an app that was less careful. A file that cannot be changed is used as it is.
#[cfg(unix)]
fn tighten(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    const OTHERS: u32 = 0o077;
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    for suffix in ["", "-wal", "-shm", "-turn", "-records-turn"] {
        let mut file = real.as_os_str().to_owned();
        file.push(suffix);
        let Ok(mode) = fs::metadata(&file).map(|metadata| metadata.permissions().mode()) else { continue };
        if mode & OTHERS == 0 {
            continue;
        }
        match fs::set_permissions(&file, fs::Permissions::from_mode(mode & !OTHERS)) {
            Ok(()) => tracing::warn!(file = %file.display(), "others could read this file; now only its owner can"),
            Err(error) => tracing::warn!(file = %file.display(), %error, "others can read this file"),
        }
    }
}

#[cfg(not(unix))]
fn tighten(_path: &Path) {}

/// The file that a path leads to; the path itself if that cannot be told.
pub(crate) async fn real(path: PathBuf) -> PathBuf {
    let followed = path.clone();
    let real = tokio::task::spawn_blocking(move || fs::canonicalize(followed)).await;
    real.ok().and_then(Result::ok).unwrap_or(path)
}

fn cannot_open(path: &Path, error: &io::Error) -> Fault {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StorageErrorKind::Full,
        io::ErrorKind::ReadOnlyFilesystem => StorageErrorKind::ReadOnly,
        _ => StorageErrorKind::CannotOpen,
    };
    Fault::Kind(kind, Some(format!("{}: {error}", path.display())))
}
