//! The functions for records: `fieldpost_records_push`, `fieldpost_records_pull`, `fieldpost_audit_push`.

mod change;
mod entry;
mod fields;
mod rows;

use super::{
    answer::{Answer, Refused},
    args::Args,
    error::RestError,
    push::has_nul,
    rows::object,
};
use crate::app::App;
use fieldpost_domain::{AccessToken, Cursor, ServerEpoch, records::TableName};
use fieldpost_remote::{RecordPullRequest, RecordsApi as _};
use serde_json::{Value, json};

pub(super) const PUSH: &str = "fieldpost_records_push";
pub(super) const PULL: &str = "fieldpost_records_pull";
pub(super) const AUDIT: &str = "fieldpost_audit_push";

/// The names of the functions.
pub(super) const ALL: [&str; 3] = [PUSH, PULL, AUDIT];

pub(super) fn push(app: &App, token: &AccessToken, args: &Args) -> Answer {
    let changes = elements(args, "p_changes")?;
    let bytes = changes.iter().map(|element| element.to_string().len()).sum();
    let batch: Vec<_> = changes.iter().map(change::read).collect();
    let results = app.reference.submit_records(token, &batch, bytes)?;
    Ok(json!({"results": results.iter().map(change::wire).collect::<Vec<_>>()}))
}

pub(super) async fn pull(app: &App, token: &AccessToken, args: &Args) -> Answer {
    let invalid = || Refused::Protocol { code: "cursor_expired", detail: Some("invalid".to_owned()) };
    let names = args.list("p_tables")?.ok_or_else(|| Refused::bad_request("p_tables"))?;
    let names: Option<Vec<&str>> = names.iter().map(Value::as_str).collect();
    let names = names.ok_or_else(|| Refused::bad_request("p_tables"))?;
    // What cannot name a table names none that is offered.
    let (tables, odd): (Vec<_>, Vec<_>) =
        names.into_iter().map(|name| TableName::new(name).map_err(|_| name)).partition(Result::is_ok);
    let request = RecordPullRequest {
        tables: tables.into_iter().flatten().collect(),
        cursor: args.text("p_cursor")?.map(Cursor::new).transpose().map_err(|_| invalid())?,
        limit: args.limit("p_limit")?,
        bytes: args.bytes()?,
    };
    let page = app.reference.pull_records(token, request).await?;
    let unknown = page.unknown_tables.iter().map(TableName::as_str).chain(odd.into_iter().filter_map(Result::err));
    Ok(object(json!({
        "records": list(page.rows.iter().map(rows::record)),
        "tombstones": list(page.tombstones.iter().map(rows::tombstone)),
        "cursor": page.cursor.as_str(),
        "more": page.more,
        "loading": page.loading,
        "unknown_tables": list(unknown.map(Value::from)),
        "epoch": page.epoch.as_ref().map(ServerEpoch::as_str),
    })))
}

pub(super) async fn audit(app: &App, token: &AccessToken, args: &Args) -> Answer {
    let elements = elements(args, "p_entries")?;
    let limit = app.reference.limits().push_rows as usize;
    if elements.len() > limit {
        return Err(Refused::Protocol { code: "too_large", detail: None });
    }
    let (entries, faults): (Vec<_>, Vec<_>) = elements.iter().map(entry::read).partition(Result::is_ok);
    let entries: Vec<_> = entries.into_iter().flatten().collect();
    let answer = app.reference.push_audit(token, &entries).await?;
    let refused = answer.refused.iter().map(|(id, detail)| json!({"id": id, "detail": detail}));
    let faults = faults.into_iter().filter_map(Result::err);
    Ok(object(json!({
        "stored": list(answer.stored.iter().map(|id| json!(id))),
        "refused": list(refused.chain(faults)),
    })))
}

/// The elements of a batch.
fn elements<'a>(args: &'a Args, name: &'static str) -> Result<&'a [Value], Refused> {
    let elements = args.list(name)?.ok_or_else(|| Refused::bad_request(name))?;
    if elements.iter().any(has_nul) { Err(RestError::nul().into()) } else { Ok(elements) }
}

/// A list. An empty one is left out, as the protocol allows, so that clients do not rely on it.
fn list(rows: impl Iterator<Item = Value>) -> Option<Value> {
    let rows: Vec<_> = rows.collect();
    (!rows.is_empty()).then(|| rows.into())
}
