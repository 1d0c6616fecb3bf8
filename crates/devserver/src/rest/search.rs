//! `fieldpost_search`.

use super::{
    answer::{Answer, Refused},
    args::Args,
    error::RestError,
    rows,
};
use crate::app::App;
use fieldpost_domain::{AccessToken, Continuation, MessageKind, Time, search::Term};
use fieldpost_remote::{MessagingApi as _, SearchRequest};
use serde_json::{Value, json};

pub(super) async fn search(app: &App, token: &AccessToken, args: &Args) -> Answer {
    let terms = args.list("p_terms")?.unwrap_or_default().iter().map(term).collect::<Option<Vec<_>>>();
    let request = SearchRequest {
        terms: terms.ok_or_else(|| Refused::bad_request("p_terms"))?,
        conversation_id: args.uuid("p_conversation")?,
        sender_id: args.uuid("p_sender")?,
        kind: args.text("p_kind")?.map(MessageKind::from),
        since: time(args, "p_since")?,
        until: time(args, "p_until")?,
        after: args.text("p_after")?.map(Continuation::new),
        limit: args.limit("p_limit")?,
        bytes: args.bytes()?,
    };
    let page = app.reference.search(token, request).await?;
    let next_after = page.next_after.as_ref().map(Continuation::as_str);
    Ok(rows::page(&page.changes, json!({"next_after": next_after})))
}

fn term(value: &Value) -> Option<Term> {
    let words = value.get("words")?.as_array()?.iter().map(|word| word.as_str().map(str::to_owned));
    let open = value.get("open").map_or(Some(false), Value::as_bool)?;
    Some(Term { words: words.collect::<Option<_>>()?, open })
}

fn time(args: &Args, name: &str) -> Result<Option<Time>, RestError> {
    let wrong = |text: &str| RestError::bad_value("timestamp with time zone", text);
    args.text(name)?.map(|text| text.parse().map_err(|_| wrong(text))).transpose()
}
