//! JSON of anybody's making inside a row: metadata, and fields without a place.
//!
//! Other clients may have written anything there that PostgreSQL can store, and that is more than a reader here can represent:
//! values nested thousands deep, the number 1e400. So it is first skipped as text, which nothing can make fail, and then read
//! by itself. What cannot be read costs the field, never the row or the page.

use fieldpost_domain::{MENTIONS_MAX, Mentions, Metadata, Omitted, OmittedReason, metadata::depth_of};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, value::RawValue};

/// How deep serde follows a value; one level deeper it gives up.
const READABLE_DEPTH: usize = 127;

/// A value that may be unreadable.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Free {
    /// One that could be read.
    Value(Value),
    /// One that could not.
    Unreadable(Omitted),
}

impl<'de> Deserialize<'de> for Free {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&'de RawValue>::deserialize(deserializer)?.get();
        Ok(serde_json::from_str(text).map_or_else(|_| Self::Unreadable(why(text)), Self::Value))
    }
}

fn why(text: &str) -> Omitted {
    let deep = depth_of(text) > READABLE_DEPTH;
    let reason = if deep { OmittedReason::MetadataTooDeep } else { OmittedReason::MetadataUnreadable };
    Omitted { reason, bytes: text.len() as u64 }
}

/// Whom a message mentions. What is no id costs that mention only.
pub(crate) fn mentions(free: Option<Free>) -> Mentions {
    let Some(Free::Value(Value::Array(ids))) = free else { return Mentions::new() };
    ids.iter().filter_map(Value::as_str).filter_map(|id| id.parse().ok()).take(MENTIONS_MAX).collect()
}

/// Metadata as a message carries it: the object, or what it says in its place, or something else that was written there.
pub(crate) fn metadata(free: Option<Free>) -> (Option<Metadata>, Option<Omitted>, Option<Value>) {
    match free {
        Some(Free::Value(Value::Object(object))) => (Some(Metadata::from_stored(object)), None, None),
        Some(Free::Value(other)) => (None, None, Some(other)),
        Some(Free::Unreadable(omitted)) => (None, Some(omitted), None),
        None => (None, None, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Free {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn what_cannot_be_represented_is_said_with_its_size() {
        for levels in [128, 300, 3_000, 16_345] {
            let text = format!("{}{}", "{\"a\":".repeat(levels), "1".to_owned() + &"}".repeat(levels));
            let Free::Unreadable(omitted) = read(&text) else { panic!("{levels}") };
            assert_eq!((omitted.reason, omitted.bytes), (OmittedReason::MetadataTooDeep, text.len() as u64));
        }
        let Free::Unreadable(omitted) = read("{\"n\":1e400}") else { panic!("no number here") };
        assert_eq!((omitted.reason, omitted.bytes), (OmittedReason::MetadataUnreadable, 11));
        assert!(matches!(read("{\"n\":18446744073709551615}"), Free::Value(_)));
        assert!(matches!(read(&format!("{}1{}", "[".repeat(127), "]".repeat(127))), Free::Value(_)));
    }
}
