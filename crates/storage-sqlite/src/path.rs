//! Paths of files, as they come in.

use crate::error::{Fault, Res};
use fieldpost_storage::StorageErrorKind;
use std::path::Path;

/// No system has longer ones: 32,767 units of UTF-16 on Windows, each of up to three bytes here.
const LONGEST: usize = 3 * 32_767;

/// Refuses what is no path of a file, and what SQLite takes for something else: a database in memory, which each connection would
/// have of its own, or a URI, whose parameters change how the file is opened. The detail leaves out the path: it can be huge.
pub(crate) fn check(path: &Path) -> Res<()> {
    let fault = match path.as_os_str().as_encoded_bytes() {
        b"" => "the path of the file is empty",
        path if path.contains(&0) => "the path of the file has a zero byte",
        path if path.len() > LONGEST => "the path of the file is too long",
        path if path == b":memory:" || path.starts_with(b"file:") => "the path must be one of a file, and no URI",
        _ => return Ok(()),
    };
    Err(Fault::of(StorageErrorKind::InvalidPath, Some(fault.to_owned())))
}

#[cfg(test)]
mod tests {
    use crate::{ImportError, KeyChange, SqliteStore, change_key, import_watermelon};
    use fieldpost_domain::Key;
    use fieldpost_storage::StorageErrorKind::InvalidPath;
    use std::{fs, path::Path};

    #[tokio::test]
    async fn what_is_no_path_is_refused_by_whoever_takes_one_and_nothing_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let (source, target) = (folder.path().join("watermelon.db"), folder.path().join("fieldpost.db"));
        let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/fixtures/v4.db");
        fs::copy(fixture, &source).unwrap();

        for wrong in ["", ":memory:", "file:fieldpost.db", "file::memory:?cache=shared", "a\0b", &"x/".repeat(50_000)] {
            let shown = wrong.get(..20).unwrap_or(wrong);
            let opened = SqliteStore::open(wrong).await.unwrap_err();
            assert_eq!(opened.kind(), InvalidPath, "{shown}");
            assert!(opened.to_string().len() < 200, "{opened}");
            let key = Key::new(std::array::from_fn(|n| u8::try_from(n).unwrap())).unwrap();
            let changed = change_key(wrong, KeyChange::Encrypt(key), |_| {}).await.unwrap_err();
            assert_eq!(changed.kind(), InvalidPath, "{shown}");
            for (source, target) in [(Path::new(wrong), target.as_path()), (source.as_path(), Path::new(wrong))] {
                let Err(ImportError::Storage(refused)) = import_watermelon(source, target, |_| {}).await else {
                    panic!("{shown} was not refused");
                };
                assert_eq!(refused.kind(), InvalidPath, "{shown}");
            }
        }

        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        for made in [":memory:", "fieldpost.db", "file:fieldpost.db"] {
            assert!(!Path::new(made).exists(), "{made}");
        }
    }
}
