//! The fields of a record: any JSON, by the names of columns.

use crate::wire::object::{Key, Rest};
use fieldpost_domain::{Extra, records::Fields};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;
use std::{borrow::Cow, fmt};

/// Fields as they are read. Null is a value; what cannot be read is left out.
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
                let mut fields = Extra::new();
                while let Some(key) = map.next_key::<Key<'de>>()? {
                    fields.take(key, &mut map)?;
                }
                Ok(ReadFields(fields.into_iter().collect()))
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
