//! `fieldpost_history`.

use super::{
    answer::{Answer, Refused},
    args::Args,
    rows,
};
use crate::app::App;
use fieldpost_domain::{AccessToken, Seq};
use fieldpost_remote::{HistoryRequest, MessagingApi as _};
use serde_json::json;

pub(super) async fn history(app: &App, token: &AccessToken, args: &Args) -> Answer {
    let conversation_id = args.uuid("p_conversation")?.ok_or_else(|| Refused::bad_request("p_conversation"))?;
    let before = args.bigint("p_before_seq")?.map(|seq| Seq::new(u64::try_from(seq).unwrap_or(0)));
    let request = HistoryRequest { conversation_id, before, limit: args.limit("p_limit")?, bytes: args.bytes()? };
    let page = app.reference.history(token, request).await?;
    Ok(rows::page(
        &page.changes,
        json!({
            "conversation": page.conversation.as_ref().map(rows::conversation),
            "from_seq": page.range.from,
            "to_seq": page.range.to,
            "complete": page.complete,
        }),
    ))
}
