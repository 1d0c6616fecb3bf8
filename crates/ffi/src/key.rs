//! Keys of encrypted files, and files of the older app.

use crate::{FieldpostError, Result, runtime};
use fieldpost::{Key, KeyChange};
use zeroize::Zeroizing;

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
#[uniffi::export(default(old_key = None, new_key = None))]
pub async fn change_key(database: String, old_key: Option<Vec<u8>>, new_key: Option<Vec<u8>>) -> Result<()> {
    let old = old_key.map(|bytes| key(bytes, None)).transpose()?;
    let new = new_key.map(|bytes| key(bytes, None)).transpose()?;
    let change = match (old, new) {
        (None, Some(new)) => KeyChange::Encrypt(new),
        (Some(old), None) => KeyChange::Decrypt(old),
        (Some(old), Some(new)) => KeyChange::Replace { old, new },
        (None, None) => return Err(FieldpostError::argument("give the old key, the new one, or both")),
    };
    runtime::run(async move { Ok(fieldpost::change_key(database, change, |_| {}).await?) }).await
}

/// Takes over a file of the app that Fieldpost replaces ([`fieldpost::import_watermelon`]): copies it to `target` and converts the
/// copy. Returns what became of its rows, as JSON.
///
/// # Errors
/// [`crate::ErrorKind::Storage`] says in words what is in the way, and what to do.
#[uniffi::export(default(key = None))]
pub async fn import_watermelon(source: String, target: String, key: Option<Vec<u8>>) -> Result<String> {
    let key = key.map(|bytes| self::key(bytes, None)).transpose()?;
    runtime::run(async move {
        let report = match key {
            None => fieldpost::import_watermelon(source, target, |_| {}).await,
            Some(key) => fieldpost::import_watermelon_encrypted(source, target, key, |_| {}).await,
        };
        let report = report.map_err(|error| FieldpostError::new(crate::ErrorKind::Storage, error.to_string()))?;
        serde_json::to_string(&report)
            .map_err(|error| FieldpostError::new(crate::ErrorKind::Internal, error.to_string()))
    })
    .await
}
