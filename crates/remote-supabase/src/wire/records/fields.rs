//! The fields of a record: any JSON, by the names of columns.

use crate::wire::{
    free::Free,
    object::{Key, cannot_be_read},
};
use fieldpost_domain::records::Fields;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;
use std::{borrow::Cow, fmt};

/// Fields as they are read. Null is a value. What cannot be read is null too: the value of an earlier row is not that of
/// this one.
pub(crate) struct ReadFields(pub(super) Fields);

impl<'de> Deserialize<'de> for ReadFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = ReadFields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ReadFields, A::Error> {
                let mut fields = Fields::new();
                while let Some(Key(name)) = map.next_key::<Key<'de>>()? {
                    let value = match map.next_value::<Free>().map_err(|_| cannot_be_read("a field"))? {
                        Free::Value(value) => value,
                        Free::Unreadable(why) => {
                            tracing::warn!(field = %name, reason = ?why.reason, "a field cannot be read, and is empty here");
                            Value::Null
                        }
                    };
                    fields.set(name, value);
                }
                Ok(ReadFields(fields))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

/// Fields as they are sent: U+0000 anywhere would make PostgreSQL refuse the whole call.
pub(super) fn without_nul(fields: &Fields) -> Cow<'_, Fields> {
    if !fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value)) {
        return Cow::Borrowed(fields);
    }
    Cow::Owned(fields.iter().map(|(name, value)| (cleaned(name), clean(value))).collect())
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}

fn clean(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(cleaned(text)),
        Value::Array(items) => items.iter().map(clean).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (cleaned(name), clean(value))).collect(),
        other => other.clone(),
    }
}

fn cleaned(text: &str) -> String {
    crate::wire::text::without_nul(text).into_owned()
}
