//! Makes a database of Fieldpost from a file of the app that it replaces, and leaves that file as it is.
//!
//! 1. The file is copied, with the log or journal beside it, into a folder beside the target. Nothing is opened that could
//!    write to the source: a log has to be replayed, and a transaction that was cut off has to be taken back, and both happen
//!    in the copy. If somebody writes to the source meanwhile, it is copied again.
//! 2. The copy is converted by the migrations, as a file that is opened in place.
//! 3. A compact file is made of it, written out to the disk, and renamed to the target, which is not there before that. So
//!    the target is there whole or not at all, whenever the process is killed.
//!
//! The folder has a lock. What a killed attempt left in it is removed by the next one, and by whoever opens a file at the target.

pub(crate) mod convert;
mod copy;
mod error;
mod place;
mod progress;

pub use error::{ImportError, Occupied};
pub use progress::ImportProgress;

use crate::{error::at_border, path};
use copy::Source;
use fieldpost_domain::Key;
use fieldpost_storage::ImportReport;
use place::Place;
use std::path::{Path, PathBuf};

/// Makes a database of Fieldpost at `target` from the WatermelonDB file `source`, and returns what came over.
///
/// The source is never changed. The target must not exist, and exists whole afterwards or not at all.
///
/// # Errors
/// [`ImportError`] says what is in the way, and what to do.
pub async fn import_watermelon(
    source: impl AsRef<Path>,
    target: impl AsRef<Path>,
    watch: impl Fn(ImportProgress) + Send + Sync + 'static,
) -> Result<ImportReport, ImportError> {
    import(source.as_ref(), target.as_ref(), None, watch).await
}

/// The same, and the target is encrypted with a key. The source is plain and stays so: remove it once you have looked at the
/// target. If the import is killed, a plain copy of the source may be left in the folder `….importing` beside the target, until
/// the next import there, or until somebody opens the target.
///
/// # Errors
/// [`ImportError`], also where this build cannot encrypt.
pub async fn import_watermelon_encrypted(
    source: impl AsRef<Path>,
    target: impl AsRef<Path>,
    key: Key,
    watch: impl Fn(ImportProgress) + Send + Sync + 'static,
) -> Result<ImportReport, ImportError> {
    import(source.as_ref(), target.as_ref(), Some(key), watch).await
}

async fn import(
    source: &Path,
    target: &Path,
    key: Option<Key>,
    watch: impl Fn(ImportProgress) + Send + Sync + 'static,
) -> Result<ImportReport, ImportError> {
    for path in [source, target] {
        path::check(path).map_err(|fault| at_border(fault, "import", path))?;
    }
    let (source, target) = (source.to_owned(), target.to_owned());
    watch(ImportProgress::Copying);
    let from = source.clone();
    let (place, copied) = blocking(move || prepare(from, target)).await?;
    let new = place.file("new.db");
    let report = convert::convert(&copied, &new, key.as_ref(), &source, watch).await?;
    blocking(move || place.finish(&new)).await?;
    Ok(report)
}

/// Looks whether it can be done, and copies the source.
fn prepare(source: PathBuf, target: PathBuf) -> Result<(Place, PathBuf), ImportError> {
    let source = Source::look(source)?;
    let place = Place::claim(&source, target)?;
    let copy = place.file("source.db");
    source.copy_to(&copy)?;
    Ok((place, copy))
}

async fn blocking<T: Send + 'static>(
    what: impl FnOnce() -> Result<T, ImportError> + Send + 'static,
) -> Result<T, ImportError> {
    match tokio::task::spawn_blocking(what).await {
        Ok(result) => result,
        Err(error) => Err(ImportError::io("running", Path::new(""), std::io::Error::other(error))),
    }
}
