//! Columns that hold JSON.

use crate::error::{Fault, Res};
use fieldpost_domain::{
    Extra, Mentions, Metadata, Omitted, OmittedReason,
    metadata::{METADATA_DEPTH, depth_of},
};
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

/// Metadata as it is shown. What an earlier version took although nobody can read it costs the message no more than that.
pub(crate) fn shown_metadata(text: Option<String>) -> Res<(Option<Metadata>, Option<Omitted>)> {
    let Some(text) = text else { return Ok((None, None)) };
    match parse(&text) {
        Ok(object) => Ok((Some(Metadata::from_stored(object)), None)),
        Err(_) if depth_of(&text) > METADATA_DEPTH => {
            Ok((None, Some(Omitted { reason: OmittedReason::MetadataTooDeep, bytes: text.len() as u64 })))
        }
        Err(fault) => Err(fault),
    }
}

/// Whom a message mentions; nothing is stored when it mentions nobody.
pub(crate) fn mentions(mentions: &Mentions) -> Value {
    Value::String((!mentions.is_empty()).then(|| serde_json::to_string(mentions).unwrap_or_default()))
}

pub(crate) fn read_mentions(text: Option<String>) -> Res<Mentions> {
    let read = |text: String| serde_json::from_str(&text).map_err(|_| Fault::corrupt("mentions cannot be read"));
    text.map_or_else(|| Ok(Mentions::new()), read)
}

/// What a row says in place of what was too much; nothing is stored when nothing was.
pub(crate) fn omitted(omitted: Option<&Omitted>) -> Value {
    Value::String(omitted.and_then(|omitted| serde_json::to_string(omitted).ok()))
}

pub(crate) fn read_omitted(text: Option<String>) -> Res<Option<Omitted>> {
    let read =
        |text: String| serde_json::from_str(&text).map_err(|_| Fault::corrupt("what was omitted cannot be read"));
    text.map(read).transpose()
}

/// A JSON object always has a text.
fn object(object: &Extra) -> String {
    serde_json::to_string(object).unwrap_or_else(|_| "{}".to_owned())
}

fn parse(text: &str) -> Res<Extra> {
    serde_json::from_str(text).map_err(|_| Fault::corrupt("a JSON column is no object"))
}
