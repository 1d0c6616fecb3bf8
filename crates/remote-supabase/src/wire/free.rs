//! Free-form JSON inside a row: metadata, and unknown fields.
//!
//! Other clients may have written anything there that PostgreSQL can store. Some of it cannot be represented here:
//! values nested thousands of levels deep, the number 1e400. So it is first skipped as text, which cannot fail, and
//! then parsed on its own. If that fails, the field is lost, but never the row or the page.

use fieldpost_domain::{MENTIONS_MAX, Mentions, Metadata, Omitted, OmittedReason, metadata::depth_of};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, value::RawValue};

/// The deepest nesting that serde parses; it rejects one level more.
const READABLE_DEPTH: usize = 127;

/// A value, readable or not.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Free {
    /// A readable value.
    Value(Value),
    /// An unreadable one.
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

/// The people that a message mentions. An invalid id costs only that mention.
pub(crate) fn mentions(free: Option<Free>) -> Mentions {
    let Some(Free::Value(Value::Array(ids))) = free else { return Mentions::new() };
    ids.iter().filter_map(Value::as_str).filter_map(|id| id.parse().ok()).take(MENTIONS_MAX).collect()
}

/// A message's metadata: the object, the marker that replaces it, or other JSON that somebody wrote there.
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
