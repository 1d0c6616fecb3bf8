//! Why an import cannot be done.

use fieldpost_storage::{StorageError, StorageErrorKind};
use std::{
    io,
    path::{Path, PathBuf},
};

/// What is at the target already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occupied {
    /// A database of Fieldpost.
    Fieldpost,
    /// Another file.
    Other,
    /// No file, but the log of one.
    Log,
}

/// Why a file of the older app cannot be imported, and what to do. The source is unchanged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// There is no such file.
    #[error("there is no file {}", .0.display())]
    NoSource(PathBuf),
    /// The file is no SQLite database.
    #[error("{} is no SQLite database, or an encrypted one; Fieldpost reads neither", .0.display())]
    NotADatabase(PathBuf),
    /// The file was written by the adapter for the web.
    #[error(
        "{} was written by WatermelonDB's adapter for the web (LokiJS); only files of its SQLite adapter can be imported. \
         Let the app sync what it has, then start with a new database",
        .0.display()
    )]
    Loki(PathBuf),
    /// The file is a database of Fieldpost already.
    #[error("{} is a database of Fieldpost already; open it as it is", .0.display())]
    AlreadyFieldpost(PathBuf),
    /// The file has a version of the older app that Fieldpost does not know.
    #[error("{}", version_sentence(source_path, *version))]
    Version {
        /// The file.
        source_path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// The file is a database of another app.
    #[error("{} is a database of another app, not of the one that Fieldpost replaces", .0.display())]
    Foreign(PathBuf),
    /// Somebody writes to the file all the time.
    #[error("{} is being written to; close the app that has it open, then try again", .0.display())]
    SourceBusy(PathBuf),
    /// The file is damaged.
    #[error("{} is damaged ({detail}); a backup of it may not be", source_path.display())]
    SourceDamaged {
        /// The file.
        source_path: PathBuf,
        /// What SQLite says.
        detail: String,
    },
    /// There is something at the target already.
    #[error("{}", occupied_sentence(target, *by))]
    TargetExists {
        /// The target.
        target: PathBuf,
        /// What is there.
        by: Occupied,
    },
    /// The target is the source.
    #[error(
        "{} would become itself; name another file. (Opening it converts it in place, which cannot be taken back.)",
        .0.display()
    )]
    TargetIsSource(PathBuf),
    /// Another import to the same target is running.
    #[error("another import to {} is running; wait for it", .0.display())]
    Running(PathBuf),
    /// There is not enough room on the disk.
    #[error("the disk has {} MB left, and the import needs about {} MB; make room, then try again", mb(*free), mb(*needed))]
    NoSpace {
        /// Bytes that are needed, about.
        needed: u64,
        /// Bytes that are left.
        free: u64,
    },
    /// The system failed.
    #[error("{doing} {}: {error}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// The copy could not be converted.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl ImportError {
    pub(super) fn io(doing: &'static str, path: &Path, error: io::Error) -> Self {
        Self::Io { doing, path: path.to_owned(), error }
    }

    /// Whether the disk was full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self {
            Self::NoSpace { .. } => true,
            Self::Io { error, .. } => matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded),
            Self::Storage(error) => error.kind() == StorageErrorKind::Full,
            _ => false,
        }
    }
}

fn version_sentence(path: &Path, version: u32) -> String {
    let path = path.display();
    match version {
        0..4 => format!(
            "{path} has version {version} of the older app's schema; Fieldpost takes over versions 4 and 5. Open it once with a \
             newer version of that app"
        ),
        _ => format!(
            "{path} has version {version} of the older app's schema, or lacks its tables; Fieldpost takes over versions 4 and 5"
        ),
    }
}

fn occupied_sentence(target: &Path, by: Occupied) -> String {
    let target = target.display();
    match by {
        Occupied::Fieldpost => format!(
            "{target} is a database of Fieldpost already, and an import replaces nothing. If it has nothing that you need, move \
             it away; else import to another file"
        ),
        Occupied::Other => format!("{target} exists already, and an import replaces nothing; name another file"),
        Occupied::Log => format!("beside {target} lies the log of another database ({target}-wal); move it away first"),
    }
}

const fn mb(bytes: u64) -> u64 {
    bytes.div_ceil(1_000_000)
}
