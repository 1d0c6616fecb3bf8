//! What is checked about the outbox once: when a file is opened, and when it gets its owner.

use crate::{
    db::{Db, Durability},
    derived,
    error::Res,
    outbox::record::{MUTATION, intent, mutation},
    overlay,
    row::Row,
    sql::{Tx, id, int, opt_text, text},
};
use fieldpost_domain::{PersonId, RefusalCode, Undecodable};
use fieldpost_storage::StorageResult;

/// Parks what this version cannot read, and takes up again what an older version parked and this one can read. Nothing is
/// removed; a mutation that nobody can send is shown to the person instead of being passed over in silence.
pub(crate) async fn check_readable(db: &Db) -> StorageResult<()> {
    let read = db.read("open").await?;
    let changes = find(read.tx()).await;
    let changes = read.finish(changes).await?;
    if changes.is_empty() {
        return Ok(());
    }
    let write = db.write("open", Durability::PowerCut).await?;
    let changed = change(write.tx(), changes).await;
    write.finish(changed).await
}

/// A position, and why it is to be parked; none if it is to be taken up again.
type Change = (i64, Option<Undecodable>);

async fn find(tx: &Tx) -> Res<Vec<Change>> {
    let unreadable = RefusalCode::Unreadable;
    let sql = format!(
        "SELECT {MUTATION}, position, failed_code IS NOT NULL FROM outbox \
         WHERE (failed_code IS NULL OR failed_code = '{unreadable}') AND position > ? ORDER BY position LIMIT 500"
    );
    let mut changes = Vec::new();
    let mut after = 0;
    loop {
        let rows = tx.all(&sql, vec![int(after)]).await?;
        let Some(last) = rows.last() else { return Ok(changes) };
        after = last.get(5)?;
        for row in &rows {
            changes.extend(judge(row)?);
        }
    }
}

fn judge(row: &Row) -> Res<Option<Change>> {
    let (position, parked) = (row.get(5)?, row.get::<i64>(6)? != 0);
    if parked {
        return Ok(mutation(row)?.map(|_| (position, None)));
    }
    Ok(intent(row)?.err().map(|why| (position, Some(why))))
}

async fn change(tx: &Tx, changes: Vec<Change>) -> Res<()> {
    for (position, why) in changes {
        let sql = "UPDATE outbox SET failed_code = ?, failed_detail = ? WHERE position = ?";
        let (code, detail) = (why.map(|_| RefusalCode::Unreadable.to_string()), why.map(|why| why.to_string()));
        tx.run(sql, vec![opt_text(code), opt_text(detail), int(position)]).await?;
    }
    overlay::rebuild_all(tx).await
}

/// The file has got its owner. What somebody else had queued in it (it was upgraded from an app that let several people use
/// one file) must not be sent in the owner's name; it is kept as dead letters.
pub(crate) async fn claim(tx: &Tx, owner: PersonId) -> Res<()> {
    let sql = "UPDATE outbox SET failed_code = ?, failed_detail = 'written by another person' WHERE failed_code IS NULL
        AND message_id IN (SELECT m.id FROM messages AS m WHERE m.sender_id <> ? AND m.position IS NOT NULL)";
    tx.run(sql, vec![text(RefusalCode::Forbidden.as_str()), id(owner.as_uuid())]).await?;
    derived::refresh_all(tx).await
}
