//! What killed processes leave beside a file: a change of its key, an import.

use crate::file;
use fieldpost_domain::planted::{PlantedBug, planted};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The folder beside a target in which an import works.
pub(crate) const IMPORTING: &str = ".importing";
/// The file in it that an import holds a lock on, as long as it runs.
pub(crate) const LOCK: &str = "lock";

/// Removes all of it. The caller has the file open.
pub(crate) async fn sweep(path: PathBuf) {
    let path = file::real(path).await;
    file::remove_converting(path.clone()).await;
    if planted(PlantedBug::KilledImportStays) {
        return;
    }
    // The next one who opens it tries again.
    let _ = tokio::task::spawn_blocking(move || sweep_import(&path)).await;
}

/// Removes what a killed import to this target has left, a copy of the source. The target is there, so no import to it can begin;
/// one that runs has the lock, and keeps its folder. So does one on a file system that has no locks: the next import removes it there.
fn sweep_import(target: &Path) {
    let folder = file::beside(target, IMPORTING);
    let lock = fs::OpenOptions::new().write(true).open(folder.join(LOCK));
    let is_left = match &lock {
        Ok(lock) => lock.try_lock().is_ok(),
        // It was killed before it had made the lock, so nothing else is in there, or while it removed the folder.
        Err(_) => fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_none()),
    };
    if is_left && let Err(error) = fs::remove_dir_all(&folder) {
        tracing::warn!(folder = %folder.display(), %error, "what an import has left cannot be removed: a copy of its source");
    }
}
