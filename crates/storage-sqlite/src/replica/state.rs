//! What is known about syncing.

use crate::{
    error::Res,
    replica::{
        memory,
        position::{self, GENERATION, POSITION},
    },
    row::Row,
    rows::person::{self, PERSON},
    sql::{Tx, id, int, opt_time, text, unsigned},
};
use fieldpost_domain::{ConversationId, Seq, SeqRange, ServerInfo, Time};
use fieldpost_storage::{Checkable, MissingRange, SyncMemory, SyncState};
use sea_orm::Value;

pub(super) async fn read(tx: &Tx) -> Res<SyncState> {
    let sql = format!(
        "SELECT {POSITION}, {GENERATION}, s.run_open, s.last_success_at, (SELECT count(*) FROM unreadable_rows), s.sql_version, \
         s.capabilities, s.memory, {PERSON} \
         FROM sync_state AS s LEFT JOIN people AS p ON p.id = s.me_id AND p.org_id = \
            (SELECT q.org_id FROM people AS q WHERE q.id = s.me_id ORDER BY q.removed, q.org_id LIMIT 1) WHERE s.only = 1"
    );
    let row = tx.one(&sql, vec![]).await?.ok_or_else(position::missing)?;
    Ok(SyncState {
        position: position::from_row(&row)?,
        generation: row.count(5)?,
        run_open: row.get::<i64>(6)? != 0,
        last_success_at: row.opt_time(7)?,
        unreadable_rows: row.count(8)?,
        server: server(&row)?,
        memory: memory::decode(row.get::<Option<String>>(11)?.as_deref()),
        me: person::joined(&row, 12)?,
    })
}

fn server(row: &Row) -> Res<Option<ServerInfo>> {
    let Some(capabilities) = row.get::<Option<String>>(10)? else { return Ok(None) };
    let sql_version = row.get::<Option<i64>>(9)?.and_then(|version| u32::try_from(version).ok());
    // What is no list says nothing.
    Ok(Some(ServerInfo { sql_version, capabilities: serde_json::from_str(&capabilities).unwrap_or_default() }))
}

/// Newest activity first: that is where somebody looks first. The index is named because SQLite cannot know how few these
/// are, and would rather read all conversations in the order that is asked for.
pub(crate) const MISSING: &str = "
SELECT c.id, c.missing_before, c.last_seq FROM conversations AS c INDEXED BY conversations_missing WHERE c.missing_before IS NOT NULL
ORDER BY coalesce(c.last_message_at, c.created_at) DESC, c.id LIMIT 0 + ?";

pub(super) async fn missing_ranges(tx: &Tx, limit: u32) -> Res<Vec<MissingRange>> {
    tx.all(MISSING, vec![int(limit.into())]).await?.iter().map(missing).collect()
}

fn missing(row: &Row) -> Res<MissingRange> {
    let before = unsigned(row.get(1)?);
    Ok(MissingRange {
        conversation_id: ConversationId::from_uuid(row.id(0)?),
        before: (before > 0).then(|| Seq::new(before)),
        newest: if before > 0 { Seq::new(before).previous() } else { row.seq(2)? },
    })
}

/// By the key of the table; ids are compared byte by byte there as well.
pub(crate) const NEXT_CHECK: &str = "
SELECT id, range_from, range_to FROM conversations
WHERE id > ? AND server_id IS NOT NULL AND range_to >= range_from AND range_to > 0 AND range_from > 0 ORDER BY id LIMIT 1";

pub(super) async fn next_check(tx: &Tx, after: Option<ConversationId>) -> Res<Option<Checkable>> {
    let after = after.map_or_else(|| Value::Bytes(Some(Vec::new())), |after| id(after.as_uuid()));
    let row = tx.one(NEXT_CHECK, vec![after]).await?;
    let checkable = |row: Row| {
        let seq = |column| row.get::<i64>(column).map(|number| Seq::new(unsigned(number)));
        let range = SeqRange { from: seq(1)?, to: seq(2)? };
        Ok(Checkable { conversation_id: ConversationId::from_uuid(row.id(0)?), range })
    };
    row.map(checkable).transpose()
}

pub(super) async fn remember(tx: &Tx, memory: &SyncMemory, succeeded_at: Option<Time>) -> Res<()> {
    let sql = "UPDATE sync_state SET memory = ?, last_success_at = coalesce(?, last_success_at) WHERE only = 1";
    tx.run(sql, vec![text(memory::encode(memory)), opt_time(succeeded_at)]).await.map(drop)
}
