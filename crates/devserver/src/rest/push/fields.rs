//! The fields of an element, parsed one by one.

use fieldpost_domain::{Mentions, Refusal, RefusalCode};
use serde_json::{Map, Value};
use std::str::FromStr;

/// The refusal that names a field.
pub(super) fn wrong(field: &str) -> Refusal {
    Refusal { code: RefusalCode::BadRequest, detail: Some(field.to_owned()) }
}

/// The fields of an element; null counts as absent.
pub(super) struct Fields<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Fields<'a> {
    pub(super) fn present(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn required(&self, name: &str) -> Result<&'a Value, Refusal> {
        self.present(name).ok_or_else(|| wrong(name))
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        self.present(name).map(|value| value.as_str().ok_or_else(|| wrong(name))).transpose()
    }

    pub(super) fn optional_id<T: FromStr>(&self, name: &str) -> Result<Option<T>, Refusal> {
        self.text(name)?.map(|text| text.parse().map_err(|_| wrong(name))).transpose()
    }

    /// The people that a message mentions.
    pub(super) fn mentions(&self) -> Result<Mentions, Refusal> {
        let Some(value) = self.present("mentions") else { return Ok(Mentions::new()) };
        let ids = value.as_array().ok_or_else(|| wrong("mentions"))?;
        let id = |value: &Value| value.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| wrong("mentions"));
        ids.iter().map(id).collect()
    }

    pub(super) fn id<T: FromStr>(&self, name: &str) -> Result<T, Refusal> {
        self.optional_id(name)?.ok_or_else(|| wrong(name))
    }
}
