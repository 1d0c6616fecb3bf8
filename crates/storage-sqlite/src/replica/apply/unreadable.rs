//! Rows that this version cannot read.

use super::Applied;
use crate::{
    error::Res,
    sql::{Insert, Tx, text},
};
use fieldpost_domain::UnreadableRow;
use sea_orm::Value;
use sha2::{Digest, Sha256};

/// Keeps rows for a version that can read them; each once, however often it comes.
pub(super) async fn keep(tx: &Tx, rows: Vec<UnreadableRow>, applied: &mut Applied) -> Res<()> {
    applied.report.unreadable += rows.len() as u64;
    let kept = KEEP.run(tx, &rows, |row, values| {
        values.extend([
            Value::Bytes(Some(digest(row))),
            text(row.list.as_str()),
            text(row.payload.as_str()),
            text(row.reason.as_str()),
        ]);
    });
    kept.await.map(drop)
}

const KEEP: Insert = Insert {
    head: "INSERT INTO unreadable_rows (digest, list, payload, reason) VALUES",
    columns: 4,
    tail: "ON CONFLICT DO NOTHING",
};

fn digest(row: &UnreadableRow) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(row.list.as_bytes());
    hash.update([0]);
    hash.update(row.payload.as_bytes());
    hash.finalize().to_vec()
}
