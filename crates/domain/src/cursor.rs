//! Positions in the server's feed. The server issues them and clients treat them as opaque; they depend on no device's
//! clock.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A text that no server of this protocol issues as a cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a cursor is 1 to {limit} printable ASCII characters", limit = Cursor::LIMIT)]
pub struct CursorError;

/// How far this device has pulled.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cursor(String);

impl Cursor {
    /// Maximum length of a cursor, in characters (docs/protocol.md).
    pub const LIMIT: usize = 1024;

    /// Checks the form of a cursor, not its meaning.
    ///
    /// # Errors
    /// [`CursorError`] when it is empty, too long, or not printable ASCII.
    pub fn new(text: impl Into<String>) -> Result<Self, CursorError> {
        let text = text.into();
        let printable = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        if text.is_empty() || text.len() > Self::LIMIT || !printable {
            return Err(CursorError);
        }
        Ok(Self(text))
    }

    /// The text to send back.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Cursor {
    type Error = CursorError;

    fn try_from(text: String) -> Result<Self, CursorError> {
        Self::new(text)
    }
}

impl From<Cursor> for String {
    fn from(cursor: Cursor) -> Self {
        cursor.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a bootstrap continues: `next_after` of its last page.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Continuation(String);

impl Continuation {
    /// Wraps what the server sent.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text to send back.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Names one history of a server's database; a restore or promotion begins another. It is only compared for equality.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ServerEpoch(String);

impl ServerEpoch {
    /// Wraps what the server sent.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_short_printable_ascii() {
        assert_eq!(Cursor::new("1.ab:cd,").unwrap().as_str(), "1.ab:cd,");
        for bad in [String::new(), "x".repeat(1025), "a\nb".to_owned(), "é".to_owned()] {
            assert_eq!(Cursor::new(bad), Err(CursorError));
        }
    }
}
