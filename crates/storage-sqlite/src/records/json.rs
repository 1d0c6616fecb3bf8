//! JSON that the file has.

use fieldpost_domain::metadata::depth_of;
use serde::de::DeserializeOwned;

/// What an earlier version has stored may be deeper than a parser goes by default. This deep it is read; what is deeper could
/// use up the stack.
const DEEPEST: usize = 256;

/// Parses stored JSON. None if it is invalid or nested too deep.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    if depth_of(text) > DEEPEST {
        return None;
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.disable_recursion_limit();
    let value = T::deserialize(&mut reader).ok()?;
    reader.end().ok().map(|()| value)
}

/// Parses stored JSON. If that fails, it logs a warning and returns none, so that one bad value does not fail a query or a
/// pull. The server's next row replaces the value.
pub(super) fn read_or_nothing<T: DeserializeOwned>(text: Option<String>, what: &str) -> Option<T> {
    let text = text?;
    let value = read(&text);
    if value.is_none() {
        tracing::warn!(bytes = text.len(), "{what} cannot be read, and is left out");
    }
    value
}
