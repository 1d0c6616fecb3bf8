//! Columns that hold JSON.

use crate::error::{Fault, Res};
use fieldpost_domain::{Extra, Metadata};
use sea_orm::Value;

/// Unknown fields of a row; nothing is stored when there are none.
pub(crate) fn extra(extra: &Extra) -> Value {
    Value::String((!extra.is_empty()).then(|| object(extra)))
}

pub(crate) fn metadata(metadata: Option<&Metadata>) -> Value {
    Value::String(metadata.map(|metadata| object(metadata.as_object())))
}

pub(crate) fn read_extra(text: Option<String>) -> Res<Extra> {
    text.map_or_else(|| Ok(Extra::new()), |text| parse(&text))
}

pub(crate) fn read_metadata(text: Option<String>) -> Res<Option<Metadata>> {
    text.map(|text| parse(&text).map(Metadata::from_stored)).transpose()
}

/// A JSON object always has a text.
fn object(object: &Extra) -> String {
    serde_json::to_string(object).unwrap_or_else(|_| "{}".to_owned())
}

fn parse(text: &str) -> Res<Extra> {
    serde_json::from_str(text).map_err(|_| Fault::corrupt("a JSON column is no object"))
}
