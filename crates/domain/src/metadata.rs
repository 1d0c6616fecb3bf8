//! Free-form data that travels with a message or a row.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Fields of a row that this version has no place for, kept as they came from the server.
pub type Extra = Map<String, Value>;

/// The most bytes that metadata may have as JSON.
pub const METADATA_LIMIT: usize = 16 * 1024;

/// Why metadata cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// Larger than [`METADATA_LIMIT`].
    #[error("metadata has at most {METADATA_LIMIT} bytes of JSON, this has {bytes}")]
    TooLarge {
        /// Its size as JSON.
        bytes: usize,
    },
    /// PostgreSQL's `jsonb` cannot store U+0000.
    #[error("metadata cannot contain the character U+0000")]
    Nul,
}

/// A JSON object that an app attaches to a message, at most [`METADATA_LIMIT`] bytes. Fieldpost carries it and reads
/// nothing in it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Metadata(Map<String, Value>);

impl Metadata {
    /// Checks an object that an app wants to send.
    ///
    /// # Errors
    /// [`MetadataError`] says which rule is broken.
    pub fn new(object: Map<String, Value>) -> Result<Self, MetadataError> {
        // Writing a value that was parsed or built in memory cannot fail; an empty text would only pass the size check.
        let json = serde_json::to_string(&object).unwrap_or_default();
        if json.len() > METADATA_LIMIT {
            return Err(MetadataError::TooLarge { bytes: json.len() });
        }
        if json.contains("\\u0000") && has_nul(&Value::Object(object.clone())) {
            return Err(MetadataError::Nul);
        }
        Ok(Self(object))
    }

    /// Wraps an object that came from the server or from the store, whatever its size.
    #[must_use]
    pub const fn from_stored(object: Map<String, Value>) -> Self {
        Self(object)
    }

    /// The object.
    #[must_use]
    pub const fn as_object(&self) -> &Map<String, Value> {
        &self.0
    }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => fields.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn metadata_refuses_what_the_server_could_not_store() {
        assert!(Metadata::new(object(json!({"site": "A7", "note": "\\u0000 as text"}))).is_ok());
        assert_eq!(Metadata::new(object(json!({"a": ["b", {"c\0": 1}]}))), Err(MetadataError::Nul));
        assert!(matches!(
            Metadata::new(object(json!({"blob": "x".repeat(METADATA_LIMIT)}))),
            Err(MetadataError::TooLarge { .. })
        ));
    }
}
