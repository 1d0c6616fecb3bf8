//! Keys of encrypted files, and files of the older app.

use crate::{ErrorKind, FieldpostError, Result, listening::Latest, runtime};
use fieldpost::{ImportError, Key, KeyChange};
use zeroize::Zeroizing;

/// How far a change of key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct KeyProgress {
    /// The bytes of the new file so far.
    pub written: u64,
    /// About how many it will have.
    pub total: u64,
}

/// Is told how far a change of key is.
#[uniffi::export(callback_interface)]
pub trait KeyProgressListener: Send + Sync {
    /// It is this far. The thread of the listeners calls it, some times a second, and no more once the change has returned.
    ///
    /// # Errors
    /// Whatever is thrown is logged, and the change goes on.
    fn on_progress(&self, progress: KeyProgress) -> std::result::Result<(), crate::ListenerError>;
}

/// Makes a key of bytes, which are wiped.
pub(crate) fn key(bytes: Vec<u8>, salt: Option<Vec<u8>>) -> Result<Key> {
    let bytes = Zeroizing::new(bytes);
    let length = || FieldpostError::argument("a key is 32 bytes");
    let key = Key::new(bytes.as_slice().try_into().map_err(|_| length())?);
    let key = key.map_err(|error| FieldpostError::argument(error.to_string()))?;
    match salt {
        None => Ok(key),
        Some(salt) => {
            let salt = salt.try_into().map_err(|_| FieldpostError::argument("a salt is 16 bytes"))?;
            Ok(key.in_shared_container(salt))
        }
    }
}

/// Encrypts a file, decrypts it, or gives it another key ([`fieldpost::change_key`]). All clients on the file must be shut down.
///
/// # Errors
/// [`crate::ErrorKind::Busy`] if the file is open, [`crate::ErrorKind::WrongKey`], and those of opening a file. The file is unchanged then.
#[uniffi::export(default(old_key = None, new_key = None, progress = None))]
pub async fn change_key(
    database: String,
    old_key: Option<Vec<u8>>,
    new_key: Option<Vec<u8>>,
    progress: Option<Box<dyn KeyProgressListener>>,
) -> Result<()> {
    let old = old_key.map(|bytes| key(bytes, None)).transpose()?;
    let new = new_key.map(|bytes| key(bytes, None)).transpose()?;
    let change = match (old, new) {
        (None, Some(new)) => KeyChange::Encrypt(new),
        (Some(old), None) => KeyChange::Decrypt(old),
        (Some(old), Some(new)) => KeyChange::Replace { old, new },
        (None, None) => return Err(FieldpostError::argument("give the old key, the new one, or both")),
    };
    let told = Latest::new(progress);
    runtime::run(async move {
        let watch = |progress: fieldpost::KeyProgress| {
            let progress = KeyProgress { written: progress.written, total: progress.total };
            told.tell(progress, |listener, progress| listener.on_progress(progress));
        };
        let changed = fieldpost::change_key(database, change, watch).await;
        told.heard().await;
        Ok(changed?)
    })
    .await
}

/// Takes over a file of the app that Fieldpost replaces ([`fieldpost::import_watermelon`]): copies it to `target` and converts the
/// copy. Returns what became of its rows, as JSON.
///
/// # Errors
/// They say in words what is in the way, and what to do. [`crate::ErrorKind::NotFound`] without a source,
/// [`crate::ErrorKind::NotADatabase`] for a file that is none of the older app, [`crate::ErrorKind::NotPossible`] if there is something
/// at the target, [`crate::ErrorKind::Busy`], [`crate::ErrorKind::Damaged`], [`crate::ErrorKind::DiskFull`], and those of opening a file.
#[uniffi::export(default(key = None))]
pub async fn import_watermelon(source: String, target: String, key: Option<Vec<u8>>) -> Result<String> {
    let key = key.map(|bytes| self::key(bytes, None)).transpose()?;
    runtime::run(async move {
        let report = match key {
            None => fieldpost::import_watermelon(source, target, |_| {}).await,
            Some(key) => fieldpost::import_watermelon_encrypted(source, target, key, |_| {}).await,
        };
        serde_json::to_string(&report?).map_err(|error| FieldpostError::new(ErrorKind::Internal, error.to_string()))
    })
    .await
}

impl From<ImportError> for FieldpostError {
    fn from(error: ImportError) -> Self {
        let kind = match error {
            ImportError::Storage(error) => return error.into(),
            _ if error.is_full() => ErrorKind::DiskFull,
            ImportError::NoSource(_) => ErrorKind::NotFound,
            ImportError::NotADatabase(_)
            | ImportError::Loki(_)
            | ImportError::Version { .. }
            | ImportError::Foreign(_) => ErrorKind::NotADatabase,
            ImportError::AlreadyFieldpost(_) | ImportError::TargetExists { .. } | ImportError::TargetIsSource(_) => {
                ErrorKind::NotPossible
            }
            ImportError::SourceBusy(_) | ImportError::Running(_) => ErrorKind::Busy,
            ImportError::SourceDamaged { .. } => ErrorKind::Damaged,
            ImportError::Io { .. } => ErrorKind::FileNotAccessible,
            _ => ErrorKind::Storage,
        };
        Self::new(kind, error.to_string())
    }
}
