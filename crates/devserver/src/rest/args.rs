//! Arguments of a function: PostgREST matches their names, PostgreSQL parses their types.

use super::{answer::Refused, error::RestError};
use crate::json::without_the_deepest;
use fieldpost_domain::{Capabilities, Capability};
use serde_json::{Map, Value};
use std::str::FromStr;

/// The named arguments of a call.
#[derive(Debug)]
pub(super) struct Args(Map<String, Value>);

/// A function's arguments: required and optional ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signature {
    pub(super) name: &'static str,
    pub(super) required: &'static [&'static str],
    pub(super) optional: &'static [&'static str],
}

/// Arguments of every call.
const ENVELOPE: [&str; 3] = ["p_protocol", "p_app", "p_capabilities"];

/// An argument of the functions that read, since [`Capability::PageBytes`].
const PAGE_BYTES: &str = "p_bytes";

impl Args {
    /// Parses a body and checks its argument names. An empty body is an empty object.
    pub(super) fn read(signature: Signature, body: &[u8]) -> Result<Self, RestError> {
        let body = if body.is_empty() { b"{}" } else { body };
        let Ok(Value::Object(arguments)) = serde_json::from_slice(&without_the_deepest(body)) else {
            return Err(RestError::bad_body());
        };
        let known = |name: &String| {
            let mut all = ENVELOPE.iter().chain(signature.required).chain(signature.optional);
            all.any(|known| known == name)
        };
        let complete = ENVELOPE.iter().chain(signature.required).all(|name| arguments.contains_key(*name));
        if !complete || !arguments.keys().all(known) {
            let names: Vec<_> = arguments.keys().cloned().collect();
            return Err(RestError::no_function(signature.name, &names));
        }
        Ok(Self(arguments))
    }

    /// A 32-bit integer.
    pub(super) fn int(&self, name: &str) -> Result<Option<i32>, RestError> {
        let wrong = |value: &Value| RestError::bad_value("integer", &value.to_string());
        self.present(name)
            .map(|value| value.as_i64().and_then(|number| i32::try_from(number).ok()).ok_or_else(|| wrong(value)))
            .transpose()
    }

    /// A 64-bit integer.
    pub(super) fn bigint(&self, name: &str) -> Result<Option<i64>, RestError> {
        let wrong = |value: &Value| RestError::bad_value("bigint", &value.to_string());
        self.present(name).map(|value| value.as_i64().ok_or_else(|| wrong(value))).transpose()
    }

    /// A number of rows; a negative one is a bad request.
    pub(super) fn limit(&self, name: &str) -> Result<Option<u32>, Refused> {
        let number = self.int(name)?;
        number.map(|number| u32::try_from(number).map_err(|_| Refused::bad_request(name))).transpose()
    }

    /// The most bytes of a page. Every page holds a row, so a number below one asks for that.
    pub(super) fn bytes(&self) -> Result<Option<u32>, RestError> {
        Ok(self.int(PAGE_BYTES)?.map(|bytes| u32::try_from(bytes).unwrap_or(0).max(1)))
    }

    /// The capability without which a function does not have an argument that the call names.
    pub(super) fn needs(&self, function: &str) -> Option<Capability> {
        if self.0.contains_key(PAGE_BYTES) {
            return Some(Capability::PageBytes);
        }
        (function == "fieldpost_push" && self.0.contains_key("p_cursor")).then_some(Capability::QuietPush)
    }

    /// A boolean.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, RestError> {
        let wrong = |value: &Value| RestError::bad_value("boolean", &value.to_string());
        self.present(name).map(|value| value.as_bool().ok_or_else(|| wrong(value))).transpose()
    }

    /// A text. PostgreSQL would convert a number to text; this server is stricter and refuses it.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, RestError> {
        let wrong = |value: &Value| RestError::bad_value("text", &value.to_string());
        self.present(name).map(|value| value.as_str().ok_or_else(|| wrong(value))).transpose()
    }

    /// An id.
    pub(super) fn uuid<T: FromStr>(&self, name: &str) -> Result<Option<T>, RestError> {
        let wrong = |text: &str| RestError::bad_value("uuid", text);
        self.text(name)?.map(|text| text.parse().map_err(|_| wrong(text))).transpose()
    }

    /// A list.
    pub(super) fn list(&self, name: &str) -> Result<Option<&[Value]>, RestError> {
        let wrong = || RestError::new(axum::http::StatusCode::BAD_REQUEST, "22P02", "expected JSON array");
        self.present(name).map(|value| value.as_array().map(Vec::as_slice).ok_or_else(wrong)).transpose()
    }

    /// The client's capabilities. The envelope check has already checked their names.
    pub(super) fn capabilities(&self) -> Capabilities {
        let names = self.0.get("p_capabilities").and_then(Value::as_array).into_iter().flatten();
        names.filter_map(Value::as_str).map(Capability::from).collect()
    }

    /// An argument that is present and not null.
    fn present(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }
}
