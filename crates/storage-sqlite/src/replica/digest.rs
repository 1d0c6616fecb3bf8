//! Whether the store has the conversations that the server says the person may see.

use crate::{
    error::{Fault, Res},
    sql::Tx,
};
use fieldpost_domain::{ConversationDigest, ConversationId};
use uuid::Uuid;

/// All ids in one text, so that ten thousand of them are one row.
const IDS: &str = "SELECT group_concat(hex(id), '') FROM conversations WHERE server_id IS NOT NULL";

pub(super) async fn matches(tx: &Tx, digest: Option<&ConversationDigest>) -> Res<Option<bool>> {
    let Some(digest) = digest else { return Ok(None) };
    let hex: Option<String> = tx.value(IDS, vec![]).await?;
    let hex = hex.unwrap_or_default();
    let ids = hex.as_bytes().chunks(32).map(Uuid::try_parse_ascii).collect::<Result<Vec<_>, _>>();
    let ids = ids.map_err(|_| Fault::corrupt("an id does not have 16 bytes"))?;
    Ok(Some(ConversationDigest::like(digest, ids.into_iter().map(ConversationId::from_uuid)) == *digest))
}
