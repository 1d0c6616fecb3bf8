//! The target, and the folder beside it in which it is made.

use super::{
    copy::{Source, beside},
    error::{ImportError, Occupied},
};
use crate::leftovers::{IMPORTING, LOCK};
use std::{
    fs::{self, File, TryLockError},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// What an import needs at most, in sizes of the source: the copy, what is converted beside it, the journal of that, and
/// the new file. Measured at 100,000 messages it was 2.2.
const TIMES: u64 = 3;
/// The tables of an empty database.
const ROOM: u64 = 2 << 20;

/// A folder beside the target, locked. What is in it leaves with it.
#[derive(Debug)]
pub(super) struct Place {
    target: PathBuf,
    folder: PathBuf,
    /// Held as long as the import runs. The system gives it up with the process, however that ends.
    lock: Option<File>,
}

impl Place {
    /// Claims the place for a target that is not there.
    pub(super) fn claim(source: &Source, target: PathBuf) -> Result<Self, ImportError> {
        if fs::canonicalize(&target).is_ok_and(|target| target == source.real()) {
            return Err(ImportError::TargetIsSource(target));
        }
        let folder = beside(&target, IMPORTING);
        let occupied = occupied(&target);
        if let Some(by) = occupied {
            // An import that was killed after its last step.
            let _ = lock(&folder, &target).map(|lock| Self { target: target.clone(), folder, lock: Some(lock) });
            return Err(ImportError::TargetExists { target, by });
        }
        make_folder(&folder)?;
        let lock = lock(&folder, &target)?;
        let place = Self { target, folder, lock: Some(lock) };
        place.empty()?;
        place.check_room(source.size())?;
        Ok(place)
    }

    /// A file in the folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Removes what an earlier attempt left.
    fn empty(&self) -> Result<(), ImportError> {
        let entries = fs::read_dir(&self.folder).map_err(|error| ImportError::io("reading", &self.folder, error))?;
        for entry in entries.filter_map(Result::ok).filter(|entry| entry.file_name() != LOCK) {
            super::copy::remove(&entry.path())?;
        }
        Ok(())
    }

    fn check_room(&self, source: u64) -> Result<(), ImportError> {
        let needed = source.saturating_mul(TIMES).saturating_add(ROOM);
        match fs4::available_space(&self.folder) {
            Ok(free) if free < needed => Err(ImportError::NoSpace { needed, free }),
            // Where the system does not say, the writes will.
            _ => Ok(()),
        }
    }

    /// Gives the new file its name, if nobody has taken that meanwhile.
    pub(super) fn finish(self, new: &Path) -> Result<(), ImportError> {
        let io = |doing, path: &Path| {
            let path = path.to_owned();
            move |error| ImportError::io(doing, &path, error)
        };
        File::open(new).and_then(|file| file.sync_all()).map_err(io("writing", new))?;
        let new = tempfile::TempPath::try_from_path(new).map_err(io("finding", new))?;
        if let Err(refused) = new.persist_noclobber(&self.target) {
            return Err(match (occupied(&self.target), refused.error) {
                (Some(by), _) => ImportError::TargetExists { target: self.target.clone(), by },
                (None, error) => ImportError::io("renaming to", &self.target, error),
            });
        }
        // The name is in the folder, which is written out on its own. Not every system can open one.
        let folder = self.target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if let Ok(folder) = File::open(folder) {
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What is left is removed by the next attempt.
        let _ = fs::remove_dir_all(&self.folder);
        drop(self.lock.take());
    }
}

fn make_folder(folder: &Path) -> Result<(), ImportError> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(ImportError::io("making the folder", folder, error))
        }
        _ => Ok(()),
    }
}

fn lock(folder: &Path, target: &Path) -> Result<File, ImportError> {
    let path = folder.join(LOCK);
    let file = fs::OpenOptions::new().write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(|error| ImportError::io("opening", &path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ImportError::Running(target.to_owned())),
        // A file system without locks.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(file),
        Err(TryLockError::Error(error)) => Err(ImportError::io("locking", &path, error)),
    }
}

/// What is at the target.
fn occupied(target: &Path) -> Option<Occupied> {
    match fs::symlink_metadata(target) {
        Ok(_) if is_fieldpost(target) => Some(Occupied::Fieldpost),
        Ok(_) => Some(Occupied::Other),
        Err(_) if fs::symlink_metadata(beside(target, "-wal")).is_ok() => Some(Occupied::Log),
        Err(_) => None,
    }
}

/// Whether the header of a file has Fieldpost's mark.
fn is_fieldpost(path: &Path) -> bool {
    /// Where SQLite writes the application id.
    const MARK: std::ops::Range<usize> = 68..72;
    let mut header = [0; 72];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    read.is_ok() && header.get(MARK) == Some(&fieldpost_migrations::APPLICATION_ID.to_be_bytes())
}
