//! `fieldpost_reports` and `fieldpost_resolve_report`.

use super::{
    answer::{Answer, Refused},
    args::{Args, Signature},
    rows,
};
use crate::app::App;
use fieldpost_domain::{AccessToken, Continuation, MessageReport};
use fieldpost_remote::{MessagingApi as _, ReportsRequest};
use serde_json::{Value, json};

pub(super) const LIST: &str = "fieldpost_reports";
pub(super) const RESOLVE: &str = "fieldpost_resolve_report";
pub(super) const ALL: [&str; 2] = [LIST, RESOLVE];

pub(super) const FUNCTIONS: [Signature; 2] = [
    Signature { name: LIST, required: &[], optional: &["p_all", "p_after", "p_limit"] },
    Signature { name: RESOLVE, required: &["p_report"], optional: &[] },
];

pub(super) async fn list(app: &App, token: &AccessToken, args: &Args) -> Answer {
    let request = ReportsRequest {
        all: args.flag("p_all")?.unwrap_or(false),
        after: args.text("p_after")?.map(Continuation::new),
        limit: args.limit("p_limit")?,
    };
    let page = app.reference.reports(token, request).await?;
    Ok(rows::object(json!({
        "reports": page.reports.iter().map(report).collect::<Vec<_>>(),
        "people": page.people.iter().map(rows::person).collect::<Vec<_>>(),
        "next_after": page.next.as_ref().map(Continuation::as_str),
    })))
}

pub(super) async fn resolve(app: &App, token: &AccessToken, args: &Args) -> Answer {
    let id = args.uuid("p_report")?.ok_or_else(|| Refused::bad_request("p_report"))?;
    let resolved = app.reference.resolve_report(token, id).await?;
    Ok(json!({ "report": report(&resolved) }))
}

fn report(row: &MessageReport) -> Value {
    rows::object(json!({
        "id": row.id, "message_id": row.message_id, "conversation_id": row.conversation_id, "org_id": row.org_id,
        "sender_id": row.sender_id, "reporter_id": row.reporter_id, "reason": row.reason, "note": row.note,
        "content": row.content, "reported_at": rows::time(row.reported_at),
        "resolved_at": row.resolved_at.map(rows::time), "resolved_by": row.resolved_by,
    }))
}
