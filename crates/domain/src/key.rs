//! The key of an encrypted database.
//!
//! It never appears in a log or an error, and is wiped from memory when it is dropped. That covers what this type holds, not
//! the copies that SQLite keeps while the file is open.

use std::{fmt, str::FromStr};
use zeroize::{Zeroize, Zeroizing};

const KEY_BYTES: usize = 32;
const SALT_BYTES: usize = 16;

/// The key of an encrypted database: 32 random bytes, which the app keeps in the keychain of its platform.
///
/// Whoever loses it loses what is only in the file. It is no password: a word of a person has far fewer than 256 random bits.
/// From a passphrase, derive one with a function made for that, such as Argon2.
#[derive(Clone)]
pub struct Key {
    bytes: [u8; KEY_BYTES],
    salt: Option<[u8; SALT_BYTES]>,
}

/// Why this is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It has another length, or other characters than hexadecimal digits.
    #[error("a key is 32 bytes, written as 64 hexadecimal digits")]
    Malformed,
    /// All its bytes are the same, so they are not random: most likely an empty buffer.
    #[error("this key is not random: all its bytes are the same")]
    NotRandom,
}

impl Key {
    /// A key of these bytes.
    ///
    /// # Errors
    /// [`KeyError::NotRandom`]: a keychain that was asked wrongly answers with an empty buffer.
    pub fn new(bytes: [u8; KEY_BYTES]) -> Result<Self, KeyError> {
        let bytes = Zeroizing::new(bytes);
        let first = bytes[0];
        if bytes.iter().all(|byte| *byte == first) {
            return Err(KeyError::NotRandom);
        }
        Ok(Self { bytes: *bytes, salt: None })
    }

    /// The same key for a file in a container that several apps of iOS share. iOS ends an app that holds a lock on a file there
    /// while it is in the background, unless the file looks like a database of SQLite. So the first 32 bytes stay readable; they
    /// hold the format and no content. Where other files have their salt, this one has none: the app keeps these 16 random bytes
    /// beside the key, and the file cannot be read without them.
    #[must_use]
    pub const fn in_shared_container(mut self, salt: [u8; SALT_BYTES]) -> Self {
        self.salt = Some(salt);
        self
    }

    /// The bytes, for the code that opens the file.
    #[must_use]
    pub const fn reveal(&self) -> &[u8; KEY_BYTES] {
        &self.bytes
    }

    /// The salt of a file whose beginning is readable.
    #[must_use]
    pub const fn salt(&self) -> Option<&[u8; SALT_BYTES]> {
        self.salt.as_ref()
    }
}

impl FromStr for Key {
    type Err = KeyError;

    /// Reads 64 hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        let digits = text.as_bytes();
        if digits.len() != 2 * KEY_BYTES {
            return Err(KeyError::Malformed);
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Self::new(*bytes)
    }
}

fn digit(digit: u8) -> Result<u8, KeyError> {
    let value = char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    value.ok_or(KeyError::Malformed)
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.bytes.zeroize();
        self.salt.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, KeyError};

    const DIGITS: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";

    #[test]
    fn it_is_read_from_64_hexadecimal_digits_in_any_case() {
        let key: Key = DIGITS.parse().unwrap();
        assert_eq!(key.reveal()[..3], [0, 1, 2]);
        assert_eq!(key.reveal()[31], 0x1f);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let long = format!("{DIGITS}00");
        let sign = DIGITS.replace("00", "+0");
        let wide = "é".repeat(32);
        for text in ["", "0", &DIGITS[1..], &long, &sign, &wide, &"zz".repeat(32)] {
            assert_eq!(text.parse::<Key>().unwrap_err(), KeyError::Malformed, "{text}");
        }
        assert_eq!("00".repeat(32).parse::<Key>().unwrap_err(), KeyError::NotRandom);
        assert_eq!(Key::new([7; 32]).unwrap_err(), KeyError::NotRandom);
    }

    #[test]
    fn it_does_not_print_itself() {
        let key = DIGITS.parse::<Key>().unwrap().in_shared_container([0xab; 16]);
        assert_eq!(format!("{key:?} {key:#?}"), "Key(…) Key(…)");
    }
}
