//! Files that are encrypted with a key.
//!
//! SQLCipher takes the place of SQLite then (feature `encryption`): it encrypts each page of the file and of the log, and signs
//! it. An SQLite that does not know `PRAGMA key` ignores it without a word and writes plain text. That happens where a build
//! lacks the feature, and where an app links another SQLite first. So these rules must hold:
//!
//! * **It fails closed.** With a key nothing is written before the linked library has named the version of its cipher, and
//!   nothing but the header of a new file before that header was seen to be no plain one. Only
//!   `change_key` makes a plain file of an encrypted one.
//! * **Each mistake has its own error**: no key, another key, a key for a plain file, a build that cannot encrypt. None of them
//!   changes a byte.
//!
//! SQL by hand: pragmas.

use crate::error::{Fault, Res, is_no_page};
use fieldpost_domain::{
    Key,
    planted::{PlantedBug, planted},
};
use fieldpost_storage::StorageErrorKind;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement, sqlx::sqlite::SqliteConnectOptions};
use std::{fmt::Write as _, path::Path};

/// The beginning of every file of SQLite that is not encrypted.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// How much of a file has to be seen to tell what it is.
pub(crate) const START: usize = 4096;

/// How many bytes stay readable for a shared container of iOS.
const PLAIN_HEADER: usize = 32;

/// Where the header says how many bytes of each page are not SQLite's, and how many SQLCipher needs for the signature of a page.
const RESERVED: usize = 20;
const SIGNATURE: u8 = 80;

/// Moves the log into the file, as far as nobody reads what it would overwrite.
///
/// SQLCipher stands on an SQLite in which a checkpoint that does not hold the write lock can damage a file that another process
/// writes to (docs/adr/0009-encrypted-files.md). So it takes the lock there, and SQLite's own, which does not, is off.
pub(crate) const CHECKPOINT: &str =
    if cfg!(feature = "encryption") { "PRAGMA wal_checkpoint(FULL)" } else { "PRAGMA wal_checkpoint(PASSIVE)" };

/// After how many pages in the log SQLite makes a checkpoint by itself; never at 0.
pub(crate) const OWN_CHECKPOINT: &str = if cfg!(feature = "encryption") { "0" } else { "8000" };

/// How many KiB of pages a reading connection keeps, as SQLite counts them. What is not kept has to be decrypted again, which takes
/// several times as long as copying it from the system's cache; so encrypted builds keep the pages of a few threads and of a list.
pub(crate) const READER_CACHE: &str = if cfg!(feature = "encryption") { "-8192" } else { "-2000" };

/// What a file looks like from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// SQLite's header, and pages that are wholly SQLite's.
    Plain,
    /// SQLite's header, and pages with room for a signature: encrypted, for a shared container.
    EncryptedBehindHeader,
    /// Nothing but chance, as encrypted pages look.
    Encrypted,
    /// Something else.
    Other,
}

impl Look {
    pub(crate) fn at(start: &[u8]) -> Self {
        let (plain, is_page) = (start.starts_with(MAGIC), start.len() >= START);
        match start.get(PLAIN_HEADER..) {
            Some(rest) if plain && is_page && start.get(RESERVED) == Some(&SIGNATURE) && is_chance(rest) => {
                Self::EncryptedBehindHeader
            }
            _ if plain => Self::Plain,
            _ if is_page && is_chance(start) => Self::Encrypted,
            _ => Self::Other,
        }
    }

    /// Refuses a file that is not what the key, or its absence, says.
    pub(crate) fn refuse(self, key: Option<&Key>) -> Result<(), StorageErrorKind> {
        match (self, key) {
            (Self::Plain, None) | (Self::Encrypted | Self::EncryptedBehindHeader, Some(_)) => Ok(()),
            // Its first page may be damaged: the key tells.
            (Self::Other, Some(_)) => Ok(()),
            (Self::Other, None) => Err(StorageErrorKind::NotADatabase),
            (Self::Encrypted | Self::EncryptedBehindHeader, None) => Err(StorageErrorKind::KeyMissing),
            (Self::Plain, Some(_)) => Err(StorageErrorKind::NotEncrypted),
        }
    }
}

/// Whether bytes are as evenly spread as those of a cipher. Of 4,096 random bytes each value comes 16 times on average, and the
/// sum of squared differences, over 16, is 255 on average, with a standard deviation of 23. Text, zeros and tables are in the
/// thousands.
fn is_chance(bytes: &[u8]) -> bool {
    let mut counts = [0_u64; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let length = bytes.len() as u64;
    // 256 * sum(n²) - length² is the sum of squared differences from the mean, times 256 and the length over the mean.
    let squares: u64 = counts.iter().map(|count| count * count).sum();
    (256 * squares).saturating_sub(length * length) < 400 * length
}

/// The options of a connection that opens the file with its key, if it has one.
pub(crate) fn unlocked(sqlite: SqliteConnectOptions, key: Option<&Key>) -> SqliteConnectOptions {
    let Some(key) = key else { return sqlite };
    if planted(PlantedBug::KeyInLog) {
        tracing::debug!(key = literal(key), "unlocking");
    }
    // The driver executes these first, in this order.
    let sqlite = sqlite.pragma("key", literal(key)).pragma("cipher_plaintext_header_size", plain_header(key));
    // It would write to the app's standard error.
    sqlite.pragma("cipher_log_level", "NONE")
}

/// How many bytes of the file stay readable.
pub(crate) const fn plain_header(key: &Key) -> &'static str {
    if key.salt().is_some() { "32" } else { "0" }
}

/// The key as SQLCipher reads it without deriving anything from it: with the salt behind it, if it has one.
pub(crate) fn literal(key: &Key) -> String {
    let mut literal = String::with_capacity(2 * 48 + 6);
    literal.push_str("\"x'");
    for byte in key.reveal().iter().chain(key.salt().into_iter().flatten()) {
        // Writing to a string does not fail.
        let _ = write!(literal, "{byte:02x}");
    }
    literal.push_str("'\"");
    literal
}

/// Refuses a connection whose library cannot encrypt, or whose key does not fit. Nothing is read but the first page.
pub(crate) async fn refuse_unless_it_fits(connection: &DatabaseConnection) -> Res<()> {
    let pragma = |text| connection.query_one_raw(Statement::from_string(DbBackend::Sqlite, text));
    let version: Option<String> = match pragma("PRAGMA cipher_version").await? {
        Some(row) => row.try_get_by_index(0)?,
        None => None,
    };
    refuse_unless_named(version.as_deref())?;
    pragma("PRAGMA user_version").await?;
    Ok(())
}

/// A library that names no cipher cannot encrypt.
pub(crate) fn refuse_unless_named(version: Option<&str>) -> Res<()> {
    match version {
        Some(version) if !version.is_empty() => Ok(()),
        _ if planted(PlantedBug::UnnamedCipherTrusted) => Ok(()),
        _ => Err(Fault::kind(StorageErrorKind::NoEncryption)),
    }
}

/// What it means that the first page cannot be read, where there is a key.
pub(crate) fn explained(fault: Fault, path: &Path, key: &Key) -> Fault {
    if is_no_page(&fault) {
        let detail = if planted(PlantedBug::KeyInError) { literal(key) } else { path.display().to_string() };
        return Fault::of(StorageErrorKind::WrongKey, Some(detail));
    }
    fault
}

#[cfg(test)]
mod tests {
    use super::{Look, START, literal, refuse_unless_named};
    use fieldpost_domain::Key;

    fn bytes(seed: u64) -> Vec<u8> {
        // xorshift: chance enough, and the same in each run.
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_be_bytes()[3]
        };
        (0..START).map(|_| next()).collect()
    }

    #[test]
    fn a_library_that_names_no_cipher_is_refused() {
        assert!(refuse_unless_named(Some("4.10.0 community")).is_ok());
        assert!(refuse_unless_named(Some("")).is_err());
        assert!(refuse_unless_named(None).is_err());
    }

    #[test]
    fn chance_is_told_from_text_zeros_and_tables() {
        for seed in 1..500 {
            assert_eq!(Look::at(&bytes(seed)), Look::Encrypted, "{seed}");
        }
        let text = "The quick brown fox jumps over the lazy dog. ".repeat(100);
        assert_eq!(Look::at(&text.as_bytes()[..START]), Look::Other);
        assert_eq!(Look::at(&[0; START]), Look::Other);
        let mut half = bytes(1);
        half[..START / 4].fill(0);
        assert_eq!(Look::at(&half), Look::Other);
        assert_eq!(Look::at(&bytes(1)[..START - 1]), Look::Other, "no page is that short");
    }

    #[test]
    fn a_readable_header_alone_makes_no_encrypted_file() {
        let mut page = bytes(1);
        page[..16].copy_from_slice(b"SQLite format 3\0");
        page[20] = 80;
        assert_eq!(Look::at(&page), Look::EncryptedBehindHeader);
        page[20] = 0;
        assert_eq!(Look::at(&page), Look::Plain);
        page[20] = 80;
        page[100..].fill(0);
        assert_eq!(Look::at(&page), Look::Plain, "a plain one of somebody who reserves as much");
    }

    #[test]
    fn the_key_is_given_as_bytes_and_with_the_salt_behind_it() {
        let digits = "00ff".repeat(16);
        let key: Key = digits.parse().unwrap();
        assert_eq!(literal(&key), format!("\"x'{digits}'\""));
        assert_eq!(literal(&key.in_shared_container([0xab; 16])), format!("\"x'{digits}{}'\"", "ab".repeat(16)));
    }
}
