//! What waiting changes make of the messages that they change.
//!
//! A message row shows what its reader sees: lists, windows, search and counts read it and know nothing of changes. What the
//! server told of the fields that changes have replaced is kept beside, in `base`; null means that nothing is replaced. Whoever
//! writes a server's row to `messages` first takes the changes of it off ([`lift`]) and then puts them on again ([`lay`]); so
//! does whoever adds changes to the outbox, takes them out or makes them dead letters ([`rebuild`]), in the same transaction.
//!
//! What must stay true: `base` is not null exactly where an entry of the outbox that is no dead letter, and that this version
//! can read, names the message as its target.

use crate::{
    error::Res,
    outbox::record,
    row::Row,
    rows::json,
    sql::{IdSet, Tx, id, opt_text},
};
use fieldpost_domain::{Changeable, Intent};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Whether any change is in the outbox. Nearly always there is none, and then nothing else here is asked.
pub(crate) const ANY: &str = "(SELECT min(target_id) FROM outbox WHERE target_id IS NOT NULL) IS NOT NULL";

/// Takes the changes off these messages: their rows are as the server told them.
pub(crate) async fn lift(tx: &Tx, messages: &IdSet) -> Res<()> {
    tx.run(LIFT, vec![messages.bind()]).await.map(drop)
}

pub(crate) const LIFT: &str = "
UPDATE messages SET content = base ->> 'content', mentions = base -> 'mentions', base = NULL
WHERE base IS NOT NULL AND id IN (SELECT unhex(value) FROM json_each(?))";

/// Puts the changes that wait on these messages.
pub(crate) async fn lay(tx: &Tx, messages: &IdSet) -> Res<()> {
    let mut waiting: BTreeMap<Uuid, (Changeable, Vec<Intent>)> = BTreeMap::new();
    for row in tx.all(&waiting_sql(), vec![messages.bind()]).await? {
        if let Ok(intent) = record::intent(&row)? {
            let target = row.id(3)?;
            let (_, changes) = waiting.entry(target).or_insert((changeable(&row, 5)?, Vec::new()));
            changes.push(intent);
        }
    }
    for (message, (base, changes)) in waiting {
        let mut shown = base.clone();
        changes.iter().for_each(|change| change.change(&mut shown));
        let base = [opt_text(base.content.as_deref()), json::mentions(&base.mentions)];
        let shown = [opt_text(shown.content.as_deref()), json::mentions(&shown.mentions)];
        tx.run(LAY, base.into_iter().chain(shown).chain([id(message)]).collect()).await?;
    }
    Ok(())
}

pub(crate) fn waiting_sql() -> String {
    format!(
        "SELECT {}, m.content, m.mentions FROM json_each(?) AS j \
         CROSS JOIN outbox AS o ON o.target_id = unhex(j.value) JOIN messages AS m ON m.id = o.target_id \
         WHERE o.failed_code IS NULL AND o.target_id IS NOT NULL ORDER BY o.position",
        record::MUTATION_OF_O
    )
}

const LAY: &str = "
UPDATE messages SET base = json_patch('{}', json_object('content', ?, 'mentions', json(?))), content = ?, mentions = ?
WHERE id = ?";

/// The changes of these messages are others now.
pub(crate) async fn rebuild(tx: &Tx, messages: BTreeSet<Uuid>) -> Res<()> {
    if messages.is_empty() {
        return Ok(());
    }
    let messages = IdSet::of(messages);
    lift(tx, &messages).await?;
    lay(tx, &messages).await
}

/// The same of all messages that have changes, or had some.
pub(crate) async fn rebuild_all(tx: &Tx) -> Res<()> {
    let rows = tx.all(CHANGED, vec![]).await?;
    rebuild(tx, rows.iter().map(|row| row.id(0)).collect::<Res<_>>()?).await
}

pub(crate) const CHANGED: &str = "
SELECT target_id FROM outbox WHERE target_id IS NOT NULL
UNION SELECT id FROM messages WHERE base IS NOT NULL";

/// The messages that a lane's mutations change.
pub(crate) async fn targets_of_lane(tx: &Tx, lane: Uuid) -> Res<BTreeSet<Uuid>> {
    let sql = "SELECT target_id FROM outbox WHERE conversation_id = ? AND target_id IS NOT NULL";
    tx.all(sql, vec![id(lane)]).await?.iter().map(|row| row.id(0)).collect()
}

/// What changes may replace, from its columns on.
pub(crate) fn changeable(row: &Row, at: usize) -> Res<Changeable> {
    Ok(Changeable { content: row.get(at)?, mentions: json::read_mentions(row.get(at + 1)?)? })
}
