//! `fieldpost_bootstrap`.

use super::{
    args::Args,
    rows,
    rpc::{Answer, Refused},
};
use crate::server::App;
use fieldpost_domain::{AccessToken, Continuation, ServerEpoch};
use fieldpost_remote::BootstrapRequest;
use serde_json::json;

pub(super) fn bootstrap(app: &App, token: &AccessToken, args: &Args) -> Answer {
    let request = BootstrapRequest {
        after: args.text("p_after")?.map(Continuation::new),
        limit: limit(args, "p_limit")?,
        messages: limit(args, "p_messages")?,
    };
    let page = app.reference.bootstrap_for(token, &request, args.speaks())?;
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

/// A number of rows; one below zero is of the wrong shape.
pub(super) fn limit(args: &Args, name: &str) -> Result<Option<u32>, Refused> {
    let number = args.int(name)?;
    number.map(|number| u32::try_from(number).map_err(|_| Refused::bad_request(name))).transpose()
}
