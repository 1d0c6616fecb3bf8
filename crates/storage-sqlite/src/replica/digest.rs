//! Whether the store has the conversations that the server says the person may see.
//!
//! A server that can keeps a fingerprint of a set, and so does this file: `known_count` and `known_set` of the sync state are of
//! the conversations that the server knows. Triggers note each that comes or goes (`known_changes`), and what has been noted is
//! taken in when somebody asks, so that a sync of nothing reads no conversation. What is not known yet is worked out once.
//!
//! An older server sends the hash of a sorted list, for which all ids have to be read each time.

use crate::{
    error::{Fault, Res},
    row::{Row, packed_rows},
    sql::{Tx, int, signed, unsigned},
};
use fieldpost_domain::{ConversationDigest, ConversationId, Fingerprint, SetFingerprint};
use sea_orm::Value;
use uuid::Uuid;

pub(super) async fn matches(tx: &Tx, digest: Option<&ConversationDigest>) -> Res<Option<bool>> {
    let Some(digest) = digest else { return Ok(None) };
    let here = match digest.fingerprint {
        Fingerprint::Set(_) => kept(tx).await?,
        Fingerprint::Sorted(_) => {
            let ids = known(tx).await?;
            // Nobody asks for what was noted; it must not pile up.
            keep(tx, &ConversationDigest::of(ids.iter().copied())).await?;
            ConversationDigest::sorted(ids)
        }
    };
    Ok(Some(here == *digest))
}

/// Whether what is kept is right; if it is not, it is from now on.
pub(super) async fn check(tx: &Tx) -> Res<bool> {
    let (kept, right) = (kept(tx).await?, ConversationDigest::of(known(tx).await?));
    if kept != right {
        keep(tx, &right).await?;
    }
    Ok(kept == right)
}

/// The digest of the conversations that the server knows, brought up to date.
async fn kept(tx: &Tx) -> Res<ConversationDigest> {
    let row = tx.only(&kept_sql(), vec![]).await?;
    let changes = row.rows(2)?;
    let Some((count, mut set)) = before(&row)? else {
        let digest = ConversationDigest::of(known(tx).await?);
        keep(tx, &digest).await?;
        return Ok(digest);
    };
    let mut count = signed(count);
    for change in &changes {
        set.toggle(ConversationId::from_uuid(change.id(0)?));
        count += change.get::<i64>(1)?;
    }
    let digest = ConversationDigest { count: unsigned(count), fingerprint: Fingerprint::Set(set) };
    if !changes.is_empty() {
        keep(tx, &digest).await?;
    }
    Ok(digest)
}

pub(crate) fn kept_sql() -> String {
    let changes = packed_rows("json_array(hex(k.id), k.step)", "FROM known_changes AS k");
    format!("SELECT s.known_count, s.known_set, {changes} FROM sync_state AS s WHERE s.only = 1")
}

/// As it was kept; none if it is not known.
fn before(row: &Row) -> Res<Option<(u64, SetFingerprint)>> {
    let set = row.get::<Option<Vec<u8>>>(1)?.and_then(|bytes| bytes.try_into().ok());
    let count = row.get::<Option<i64>>(0)?;
    Ok(count.zip(set).map(|(count, set)| (unsigned(count), SetFingerprint::from_bytes(set))))
}

async fn keep(tx: &Tx, digest: &ConversationDigest) -> Res<()> {
    let Fingerprint::Set(set) = digest.fingerprint else { return Ok(()) };
    let values = vec![int(signed(digest.count)), Value::Bytes(Some(set.as_bytes().to_vec()))];
    tx.run("UPDATE sync_state SET known_count = ?, known_set = ? WHERE only = 1", values).await?;
    tx.run("DELETE FROM known_changes", vec![]).await.map(drop)
}

/// All ids in one text, so that ten thousand of them are one row.
const IDS: &str = "SELECT group_concat(hex(id), '') FROM conversations WHERE server_id IS NOT NULL";

async fn known(tx: &Tx) -> Res<Vec<ConversationId>> {
    let hex: Option<String> = tx.value(IDS, vec![]).await?;
    let hex = hex.unwrap_or_default();
    let id = |digits: &[u8]| Uuid::try_parse_ascii(digits).map(ConversationId::from_uuid);
    let ids = hex.as_bytes().chunks(32).map(id).collect::<Result<Vec<_>, _>>();
    ids.map_err(|_| Fault::corrupt("an id does not have 16 bytes"))
}
