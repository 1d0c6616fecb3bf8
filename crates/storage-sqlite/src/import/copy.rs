//! Copies the source, and only ever reads from it.

use super::error::ImportError;
use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime},
};

/// What SQLite keeps beside a file, and needs: the log, and the journal of a transaction.
const BESIDE: [&str; 2] = ["-wal", "-journal"];
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(100);

/// A file of the older app.
#[derive(Debug)]
pub(super) struct Source {
    path: PathBuf,
    /// The file itself, if the path is a link: the log lies beside it.
    real: PathBuf,
}

/// What changes when somebody writes to a file. The beginning has SQLite's own counters.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    start: Vec<u8>,
}

impl Source {
    /// Looks whether it can be a database.
    pub(super) fn look(path: PathBuf) -> Result<Self, ImportError> {
        let real = match fs::canonicalize(&path) {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ImportError::NoSource(path)),
            Err(error) => return Err(ImportError::io("opening", &path, error)),
        };
        if !real.is_file() {
            return Err(ImportError::NotADatabase(path));
        }
        let start = start(&real, 4_096).map_err(|error| ImportError::io("reading", &path, error))?;
        if start.starts_with(b"SQLite format 3\0") {
            return Ok(Self { path, real });
        }
        let text = String::from_utf8_lossy(&start);
        let is_loki = text.trim_start().starts_with('{') && text.contains("\"collections\"");
        Err(if is_loki { ImportError::Loki(path) } else { ImportError::NotADatabase(path) })
    }

    pub(super) fn real(&self) -> &Path {
        &self.real
    }

    /// Its bytes, with those beside it.
    pub(super) fn size(&self) -> u64 {
        self.files().iter().map(|file| fs::metadata(file).map_or(0, |file| file.len())).sum()
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files = vec![self.real.clone()];
        files.extend(BESIDE.iter().map(|suffix| beside(&self.real, suffix)));
        files
    }

    /// Copies it as it was at one moment, with what lies beside it.
    pub(super) fn copy_to(&self, target: &Path) -> Result<(), ImportError> {
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                thread::sleep(PAUSE);
            }
            let before = self.stamps()?;
            self.copy_once(target, &before)?;
            if before == self.stamps()? {
                return Ok(());
            }
        }
        Err(ImportError::SourceBusy(self.path.clone()))
    }

    /// Not more than was there before: what somebody goes on writing to has no end.
    fn copy_once(&self, target: &Path, before: &[Option<Stamp>]) -> Result<(), ImportError> {
        let targets = std::iter::once(target.to_owned()).chain(BESIDE.iter().map(|suffix| beside(target, suffix)));
        for ((from, to), stamp) in self.files().iter().zip(targets).zip(before) {
            let copied = match stamp {
                Some(stamp) => copy(from, &to, stamp.length),
                None => Err(io::ErrorKind::NotFound.into()),
            };
            match copied {
                Ok(()) => {}
                // There was none, or it is gone again.
                Err(error) if error.kind() == io::ErrorKind::NotFound => remove(&to)?,
                Err(error) => return Err(ImportError::io("copying", from, error)),
            }
        }
        Ok(())
    }

    fn stamps(&self) -> Result<Vec<Option<Stamp>>, ImportError> {
        let stamp = |file: &PathBuf| match stamp(file) {
            Ok(stamp) => Ok(Some(stamp)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ImportError::io("reading", file, error)),
        };
        self.files().iter().map(stamp).collect()
    }
}

fn stamp(file: &Path) -> io::Result<Stamp> {
    let metadata = fs::metadata(file)?;
    Ok(Stamp { length: metadata.len(), modified: metadata.modified().ok(), start: start(file, 128)? })
}

fn start(file: &Path, bytes: u64) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    File::open(file)?.take(bytes).read_to_end(&mut start)?;
    Ok(start)
}

/// The copy can be read and written by its owner alone, whatever the rights of the original are.
fn copy(from: &Path, to: &Path, bytes: u64) -> io::Result<()> {
    let mut from = File::open(from)?.take(bytes);
    io::copy(&mut from, &mut create(to)?).map(drop)
}

/// An empty file for its owner alone.
pub(super) fn create(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

pub(super) fn remove(path: &Path) -> Result<(), ImportError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(ImportError::io("removing", path, error)),
        _ => Ok(()),
    }
}

/// The file of this name with something behind it.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
