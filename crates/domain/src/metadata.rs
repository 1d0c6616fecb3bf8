//! Free-form data that travels with a message or a row.
//!
//! The same rule holds on the device, on the wire and on the server: metadata is a JSON object of at most
//! [`METADATA_LIMIT`] bytes, nested at most [`METADATA_DEPTH`] deep. JSON parsers have a depth limit (serde's is 128),
//! so a deeper object could be stored and sent, but its recipients could not read it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Fields of a row that this version does not know, kept as the server sent them.
pub type Extra = Map<String, Value>;

/// Maximum size of metadata as JSON, in bytes.
pub const METADATA_LIMIT: usize = 16 * 1024;

/// Maximum nesting depth of metadata; the object itself is the first level.
pub const METADATA_DEPTH: usize = 64;

/// The deepest nesting of a value from the server that is kept; what is deeper counts as one that cannot be read. It lies
/// below what a parser reads (serde's limit is 128), because a value is stored and sent inside of other JSON.
pub const READABLE_DEPTH: usize = 120;

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
    /// Deeper than [`METADATA_DEPTH`].
    #[error("metadata is nested at most {METADATA_DEPTH} deep, this is deeper")]
    TooDeep,
    /// PostgreSQL's `jsonb` cannot store U+0000.
    #[error("metadata cannot contain the character U+0000")]
    Nul,
}

/// A JSON object that an app attaches to a message, within the limits. Fieldpost does not look inside.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Metadata(Map<String, Value>);

impl Metadata {
    /// Checks an object that an app wants to send.
    ///
    /// # Errors
    /// [`MetadataError`] says which rule is broken.
    pub fn new(object: Map<String, Value>) -> Result<Self, MetadataError> {
        let metadata = Self(object);
        metadata.check()?;
        Ok(metadata)
    }

    /// Checks that it may be sent, whatever its source.
    ///
    /// # Errors
    /// [`MetadataError`] says which rule is broken.
    pub fn check(&self) -> Result<(), MetadataError> {
        // The depth comes first, because the other checks recurse once per level.
        if self.0.values().any(|value| is_deeper(value, METADATA_DEPTH - 1)) {
            return Err(MetadataError::TooDeep);
        }
        // Serializing a value that was parsed or built in memory cannot fail; the default would only pass the size
        // check.
        let json = serde_json::to_string(&self.0).unwrap_or_default();
        if json.len() > METADATA_LIMIT {
            return Err(MetadataError::TooLarge { bytes: json.len() });
        }
        let has_nul = || self.0.iter().any(|(key, value)| key.contains('\0') || has_nul(value));
        if json.contains("\\u0000") && has_nul() {
            return Err(MetadataError::Nul);
        }
        Ok(())
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

/// The nesting depth of a JSON text. The result means nothing if the text is no JSON.
#[must_use]
pub fn depth_of(json: &str) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Whether a value has more than `levels` levels. It never recurses deeper than that.
#[must_use]
pub fn is_deeper(value: &Value, levels: usize) -> bool {
    let mut children: Box<dyn Iterator<Item = &Value> + '_> = match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(fields) => Box::new(fields.values()),
        _ => return false,
    };
    levels == 0 || children.any(|child| is_deeper(child, levels - 1))
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

    /// `{"a":{"a":…{}}}` with `levels` pairs of braces.
    fn nested(levels: usize) -> Map<String, Value> {
        (1..levels).fold(Map::new(), |inner, _| Map::from_iter([("a".to_owned(), Value::Object(inner))]))
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

    #[test]
    fn metadata_is_nested_at_most_64_deep() {
        assert!(Metadata::new(nested(64)).is_ok());
        for levels in [65, 126, 127, 128, 300, 3_000] {
            assert_eq!(Metadata::new(nested(levels)), Err(MetadataError::TooDeep), "{levels}");
        }
        assert!(Metadata::new(object(json!({"a": [[[1]], {"b": [2]}], "c": []}))).is_ok());
        assert_eq!(Metadata::from_stored(nested(65)).check(), Err(MetadataError::TooDeep), "wherever it came from");
    }

    #[test]
    fn metadata_of_exactly_the_limit_is_accepted() {
        let frame = r#"{"a":""}"#.len();
        assert!(Metadata::new(object(json!({"a": "x".repeat(METADATA_LIMIT - frame)}))).is_ok());
        let over = Metadata::new(object(json!({"a": "x".repeat(METADATA_LIMIT - frame + 1)})));
        assert_eq!(over, Err(MetadataError::TooLarge { bytes: METADATA_LIMIT + 1 }));
    }

    #[test]
    fn the_depth_of_a_text_does_not_count_what_is_quoted() {
        let texts =
            [("{}", 1), (r#"{"a":[{"b":1},[2]]}"#, 3), (r#"{"a":"[[[\"{{"}"#, 1), (r#"{"\\":[1]}"#, 2), ("1", 0)];
        for (json, depth) in texts {
            assert_eq!(depth_of(json), depth, "{json}");
        }
        assert_eq!(depth_of(&"[".repeat(16_345)), 16_345);
    }
}
