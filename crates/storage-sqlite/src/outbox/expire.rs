//! What has waited too long to be sent.
//!
//! SQL by hand: one rule, which a look and a change must share; every pass asks.

use crate::{
    error::Res,
    outbox::batch,
    sql::{Tx, text, time},
};
use fieldpost_domain::{RefusalCode, Time};
use sea_orm::Value;

/// What waits since before a moment, and the server certainly has not had.
const WAITED: &str = "failed_code IS NULL AND in_flight = 0 AND recorded_at < ?1";

const MESSAGE: &str = "expires
    AND NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.id = outbox.message_id AND m.seq IS NOT NULL)";

/// An open whose messages have all expired: one that still waits keeps it, and one without messages is no message.
const OPEN: &str = "opens
    AND EXISTS (SELECT 1 FROM conversations AS c WHERE c.id = outbox.conversation_id AND c.server_id IS NULL)
    AND EXISTS (SELECT 1 FROM outbox AS o WHERE o.conversation_id = outbox.conversation_id AND o.failed_code = ?2)
    AND NOT EXISTS (SELECT 1 FROM outbox AS o WHERE o.conversation_id = outbox.conversation_id
        AND o.expires AND o.failed_code IS NULL)";

/// Whether anything may expire. Most passes find nothing, and must not write to learn that.
pub(super) async fn any(tx: &Tx, before: Time) -> Res<bool> {
    let sql = format!("SELECT 1 FROM outbox WHERE {WAITED} AND (({MESSAGE}) OR ({OPEN})) LIMIT 1");
    Ok(tx.one(&sql, values(before)).await?.is_some())
}

pub(super) async fn expire(tx: &Tx, before: Time) -> Res<u64> {
    let mut expired = 0;
    for which in [MESSAGE, OPEN] {
        let sql = format!(
            "UPDATE outbox SET failed_code = ?2, failed_detail = NULL WHERE {WAITED} AND {which} RETURNING conversation_id"
        );
        let rows = tx.all(&sql, values(before)).await?;
        expired += rows.len() as u64;
        batch::touched(tx, &rows).await?;
    }
    Ok(expired)
}

fn values(before: Time) -> Vec<Value> {
    vec![time(before), text(RefusalCode::Expired.as_str())]
}
