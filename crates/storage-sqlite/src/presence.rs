//! Which files this process has open.
//!
//! On POSIX systems a process loses all its locks on a file as soon as it closes any descriptor of it. SQLite takes care of its own
//! descriptors, and knows nothing of others. A connection without its lock is invisible: another process that closes its last connection
//! takes the log away, and what is committed then is gone. So while a store has a file open, nothing else in this process may open and
//! close that file. Whoever wants to look at its bytes asks here first.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A file, whatever its name.
type Identity = (u64, u64);

static OPEN: Mutex<BTreeMap<Identity, usize>> = Mutex::new(BTreeMap::new());

fn open() -> MutexGuard<'static, BTreeMap<Identity, usize>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A store of this process has a file open, as long as this lives.
#[derive(Debug)]
pub(crate) struct Presence(Option<Identity>);

impl Presence {
    pub(crate) fn of(identity: Option<Identity>) -> Self {
        if let Some(identity) = identity {
            *open().entry(identity).or_default() += 1;
        }
        Self(identity)
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let Some(identity) = self.0 else { return };
        let mut open = open();
        if let Some(count) = open.get_mut(&identity) {
            *count -= 1;
        }
        open.retain(|_, count| *count > 0);
    }
}

/// Looks at the bytes of a file, unless a store of this process has it open: none then. No store of this process opens it meanwhile.
pub(crate) fn unless_open<T>(path: &Path, look: impl FnOnce() -> T) -> Option<T> {
    let open = open();
    let is_open = identify(path).is_some_and(|identity| open.contains_key(&identity));
    (!is_open).then(look)
}

/// Whether a store of this process has the file open.
pub(crate) fn is_open_here(identity: Option<Identity>) -> bool {
    identity.is_some_and(|identity| open().contains_key(&identity))
}

/// Which file a name means. It does not open it.
#[cfg(unix)]
pub(crate) fn identify(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// Locks belong to a descriptor there, and a file that is open cannot lose its name.
#[cfg(not(unix))]
pub(crate) fn identify(_path: &Path) -> Option<Identity> {
    None
}
