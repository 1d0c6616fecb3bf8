//! The file itself, before SQLite sees it.

use crate::{
    encryption::{Look, START},
    error::{Fault, Res},
    presence::{identify, unless_open},
};
use fieldpost_domain::Key;
use fieldpost_storage::StorageErrorKind;
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Looks at the file, or makes it, where blocking is allowed. Says whether it is new.
pub(crate) async fn prepare(path: PathBuf, key: Option<Key>) -> Res<bool> {
    blocking(move || make_or_check(&path, key.as_ref())).await
}

/// Makes the file if there is none, and says whether it did.
///
/// SQLite gives `-wal` and `-shm` the permissions of the file, so making it private makes all of them private.
fn make_or_check(path: &Path, key: Option<&Key>) -> Res<bool> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => check_start(path, key).map(|()| false),
        Err(error) => Err(cannot_open(path, &error)),
    }
}

/// A file that does not begin as a database with this key, or without one, is refused before SQLite sees it. One that a store of
/// this process has open was looked at then, and must not be opened and closed here ([`crate::presence`]).
fn check_start(path: &Path, key: Option<&Key>) -> Res<()> {
    let Some(start) = unless_open(path, || read_start(path)) else { return Ok(()) };
    let start = start?;
    if start.is_empty() && log_size(path) > 0 {
        // Beside an empty file SQLite would delete a log, and what is in it would be gone.
        let detail = format!("{} is empty, but the -wal file beside it is not", path.display());
        return Err(Fault::of(StorageErrorKind::Corrupt, Some(detail)));
    }
    // A new file that was never written to is empty.
    if start.is_empty() {
        return Ok(());
    }
    Look::at(&start).refuse(key).map_err(|kind| Fault::of(kind, Some(path.display().to_string())))
}

fn read_start(path: &Path) -> Res<Vec<u8>> {
    use io::Read as _;
    let file = fs::File::open(path).map_err(|error| cannot_open(path, &error))?;
    if !file.metadata().map_err(|error| cannot_open(path, &error))?.is_file() {
        return Err(Fault::of(StorageErrorKind::NotADatabase, Some(path.display().to_string())));
    }
    let mut start = Vec::with_capacity(START);
    file.take(START as u64).read_to_end(&mut start).map_err(|error| cannot_open(path, &error))?;
    Ok(start)
}

/// Refuses a file that does not begin as a database with this key, or without one.
pub(crate) async fn check(path: PathBuf, key: Option<Key>) -> Res<()> {
    blocking(move || check_start(&path, key.as_ref())).await
}

async fn blocking<T: Send + 'static>(what: impl FnOnce() -> Res<T> + Send + 'static) -> Res<T> {
    tokio::task::spawn_blocking(what).await.unwrap_or_else(|_| Err(Fault::kind(StorageErrorKind::Other)))
}

/// The bytes in the write-ahead log beside a file.
fn log_size(path: &Path) -> u64 {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    fs::metadata(beside(&real, "-wal")).map_or(0, |metadata| metadata.len())
}

/// The file of this name with something behind it.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
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
        let file = beside(&real, suffix);
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

/// Whether anybody but its owner may read a file, or what is kept beside it; none if that cannot be told.
pub(crate) async fn readable_by_others(path: PathBuf) -> Option<bool> {
    tokio::task::spawn_blocking(move || is_readable_by_others(&path)).await.ok().flatten()
}

#[cfg(unix)]
fn is_readable_by_others(path: &Path) -> Option<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    const READ: u32 = 0o044;
    let real = fs::canonicalize(path).ok()?;
    let readable = |suffix: &str| {
        fs::metadata(beside(&real, suffix)).is_ok_and(|metadata| metadata.permissions().mode() & READ != 0)
    };
    Some(["", "-wal", "-shm"].iter().any(|suffix| readable(suffix)))
}

#[cfg(not(unix))]
fn is_readable_by_others(_path: &Path) -> Option<bool> {
    None
}

/// Where a file with another key is made.
pub(crate) fn converting(path: &Path) -> PathBuf {
    beside(path, "-converting")
}

/// Removes what a killed change of key left beside a file. The caller has the file open, so nobody is writing it.
pub(crate) async fn remove_converting(path: PathBuf) {
    // One that cannot be removed is tried again by the next one.
    let _ = tokio::task::spawn_blocking(move || fs::remove_file(converting(&path))).await;
}

/// The bytes of a file and its log, if there is room for as many beside it, and a bit more for each page's signature.
pub(crate) async fn room_beside(path: PathBuf) -> Res<u64> {
    const ROOM: u64 = 1 << 20;
    blocking(move || {
        let total = fs::metadata(&path).map_err(|error| cannot_open(&path, &error))?.len();
        let needed = total + total / 10 + ROOM;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        match fs4::available_space(folder) {
            Ok(free) if free < needed => {
                let detail = format!("{} needs {needed} bytes beside it, and there are {free}", path.display());
                Err(Fault::of(StorageErrorKind::Full, Some(detail)))
            }
            // Where the system does not say, the writes will.
            _ => Ok(total),
        }
    })
    .await
}

/// Makes an empty file for its owner alone, in place of one that was left there.
pub(crate) async fn make_anew(path: PathBuf) -> Res<()> {
    blocking(move || {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&path).map(drop).map_err(|error| cannot_open(&path, &error))
    })
    .await
}

/// Gives a file that is whole the name of another one, whose beginning is overwritten, and all of it if it was plain.
pub(crate) async fn exchange(new: PathBuf, path: PathBuf, key: Option<Key>, was_plain: bool) -> Res<()> {
    blocking(move || {
        check_start(&new, key.as_ref())?;
        let failed = |error| cannot_open(&path, &error);
        fs::File::open(&new).and_then(|file| file.sync_all()).map_err(failed)?;
        let old = fs::OpenOptions::new().write(true).open(&path).map_err(failed)?;
        fs::rename(&new, &path).map_err(failed)?;
        // The name is in the folder, which is written out on its own. Not every system can open one.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
        overwrite(old, if was_plain { u64::MAX } else { START as u64 });
        Ok(())
    })
    .await
}

/// Overwrites the beginning of a file that has no name any more.
fn overwrite(mut file: fs::File, bytes: u64) {
    use io::Write as _;
    let length = file.metadata().map_or(0, |file| file.len()).min(bytes);
    let overwritten = io::copy(&mut io::Read::take(io::repeat(0), length), &mut file);
    if let Err(error) = overwritten.and_then(|_| file.flush()).and_then(|()| file.sync_data()) {
        tracing::warn!(%error, "what is left of the file with the former key could not be overwritten");
    }
}

/// Which file a name means: it is another one after an exchange.
pub(crate) async fn identity(path: PathBuf) -> Option<(u64, u64)> {
    tokio::task::spawn_blocking(move || identify(&path)).await.ok().flatten()
}

/// Which file a name means, told apart from one that is gone: systems give its number to the next one that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) file: (u64, u64),
    /// None where the file system does not know it.
    at: Option<SystemTime>,
}

pub(crate) async fn made(path: PathBuf) -> Option<Made> {
    let made = move || Some(Made { file: identify(&path)?, at: fs::metadata(&path).ok()?.created().ok() });
    tokio::task::spawn_blocking(made).await.ok().flatten()
}

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
    Fault::of(kind, Some(format!("{}: {error}", path.display())))
}
