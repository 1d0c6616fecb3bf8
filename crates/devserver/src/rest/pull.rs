//! `fieldpost_pull`.

use super::{
    answer::{Answer, Refused},
    args::Args,
    rows,
};
use crate::app::App;
use fieldpost_domain::{AccessToken, Cursor};
use fieldpost_remote::PullRequest;
use serde_json::json;

pub(super) fn pull(app: &App, token: &AccessToken, args: &Args) -> Answer {
    let invalid = || Refused::Protocol { code: "cursor_expired", detail: Some("invalid".to_owned()) };
    let cursor = args.text("p_cursor")?.ok_or_else(|| Refused::bad_request("p_cursor"))?;
    let cursor = Cursor::new(cursor).map_err(|_| invalid())?;
    let request = PullRequest { cursor, limit: args.limit("p_limit")?, bytes: args.bytes()? };
    let page = app.reference.pull_for(token, &request, &args.capabilities())?;
    Ok(rows::page(
        &page.changes,
        json!({
            "cursor": page.cursor.as_str(),
            "more": page.more,
            "digest": page.digest.as_ref().map(rows::digest),
        }),
    ))
}
