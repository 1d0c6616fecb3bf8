//! `fieldpost_bootstrap`.

use super::{answer::Answer, args::Args, rows};
use crate::app::App;
use fieldpost_domain::{AccessToken, Continuation, ServerEpoch};
use fieldpost_remote::BootstrapRequest;
use serde_json::json;

pub(super) fn bootstrap(app: &App, token: &AccessToken, args: &Args) -> Answer {
    let request = BootstrapRequest {
        after: args.text("p_after")?.map(Continuation::new),
        limit: args.limit("p_limit")?,
        messages: args.limit("p_messages")?,
        bytes: args.bytes()?,
    };
    let page = app.reference.bootstrap_for(token, &request, &args.capabilities())?;
    Ok(rows::page(
        &page.changes,
        json!({
            "me": page.me.as_ref().map(rows::person),
            "total_conversations": page.total_conversations,
            "cursor": page.cursor.as_str(),
            "next_after": page.next_after.as_ref().map(Continuation::as_str),
            "epoch": page.epoch.as_ref().map(ServerEpoch::as_str),
            "digest": page.digest.as_ref().map(rows::digest),
        }),
    ))
}
