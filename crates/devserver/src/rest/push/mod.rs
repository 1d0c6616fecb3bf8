//! `fieldpost_push`: parses the elements, writes the results.

mod element;
mod fields;
mod kinds;
mod result;

use super::{
    answer::{Answer, Refused},
    args::Args,
    error::RestError,
};
use crate::app::App;
use fieldpost_domain::AccessToken;
use serde_json::{Value, json};

pub(super) fn push(app: &App, token: &AccessToken, args: &Args) -> Answer {
    let mutations = args.list("p_mutations")?.ok_or_else(|| Refused::bad_request("p_mutations"))?;
    if mutations.iter().any(has_nul) {
        return Err(RestError::nul().into());
    }
    let bytes = mutations.iter().map(|element| element.to_string().len()).sum();
    let batch = mutations.iter().map(element::read).collect();
    let (results, quiet) = app.reference.submit_since(token, batch, bytes, args.text("p_cursor")?)?;
    let wire = results.iter().zip(mutations).map(|(result, mutation)| result::naming(result::wire(result), mutation));
    let results = wire.collect::<Vec<_>>();
    Ok(match quiet {
        Some(cursor) => json!({"results": results, "quiet": {"cursor": cursor.as_str()}}),
        None => json!({"results": results}),
    })
}

/// PostgreSQL cannot store U+0000, and refuses the whole call before it runs the function.
pub(super) fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}
