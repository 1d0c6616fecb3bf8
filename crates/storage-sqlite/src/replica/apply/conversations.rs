//! Conversations of a page.
//!
//! A row has two parts. What carries its version replaces what is stored if it is newer. What the server derives when it
//! reads the row (the last seq, the newest message, the unread count, the medic's name) carries none: it is taken from the
//! answer that knew of the most messages, of equals from the later one unless its version is older, and `last_seq` never goes
//! back. Both rules at once are a comparison of the pairs (last seq, version). Of an answer that was asked for beside a pass
//! nobody knows whether it is the later one, so it has to be greater.

use super::{Applied, Barred};
use crate::{
    error::Res,
    rekey,
    replica::position::Standing,
    row::packed_rows,
    rows::json,
    sql::{IdSet, Insert, Tx, id, int, opt_id, opt_text, opt_time, seq, signed, text, time},
};
use fieldpost_domain::{Conversation, ConversationKind, Seq};
use fieldpost_storage::ChangeSet;
use sea_orm::Value;
use std::collections::HashMap;
use uuid::Uuid;

pub(super) async fn put(
    tx: &Tx,
    standing: &Standing,
    conversations: Vec<Conversation>,
    applied: &mut Applied,
) -> Res<()> {
    if conversations.is_empty() {
        return Ok(());
    }
    let all = conversations.len();
    let barred = Barred::among(tx, &ids(&conversations)).await?;
    let version = |row: &Conversation| standing.epoch.stored(row.version);
    let welcome: Vec<_> =
        conversations.into_iter().filter(|row| !barred.bars(row.id.as_uuid(), version(row))).collect();
    // What was merged into another one of the same medic, and then handed on to another, is itself.
    if tx.run(OWN_AGAIN, vec![ids(&welcome).bind()]).await? > 0 {
        // Its messages may be in the other one.
        tx.changed(ChangeSet::everything()).await;
    }
    merge_offline_twins(tx, &welcome, applied).await?;
    if standing.new_epoch {
        start_over(tx, standing, &welcome).await?;
    }
    let (retold, told): (Vec<_>, Vec<_>) = {
        let known = known(tx, &ids(&welcome)).await?;
        welcome.iter().partition(|row| known.get(&row.id.as_uuid()).is_some_and(|known| *known >= version(row)))
    };
    let changed = UPSERT.run(tx, &told, |row, values| bind(row, standing, values)).await?;
    applied.count(all, changed + retell(tx, standing, &retold).await?);
    if standing.bootstrapping {
        tx.run(CONFIRM, vec![int(standing.generation), ids(&welcome).bind()]).await?;
    }
    applied.touched.extend(welcome.iter().map(|row| row.id.as_uuid()));
    Ok(())
}

fn ids(conversations: &[Conversation]) -> IdSet {
    IdSet::of(conversations.iter().map(|row| row.id.as_uuid()))
}

/// A conversation that was opened here with the same medic, and that the server knows under another id.
async fn merge_offline_twins(tx: &Tx, rows: &[Conversation], applied: &mut Applied) -> Res<()> {
    let local = tx.all(LOCAL, vec![]).await?;
    if local.is_empty() {
        return Ok(());
    }
    let local = local.iter().map(|row| Ok(((row.id(1)?, row.id(2)?), row.id(0)?))).collect::<Res<HashMap<_, _>>>()?;
    for row in rows.iter().filter(|row| row.kind == ConversationKind::Direct) {
        let Some(medic) = row.medic_id else { continue };
        let twin: Option<&Uuid> = local.get(&(row.org_id.as_uuid(), medic.as_uuid()));
        // One that the page brings itself is known to the server under its own id.
        let by_itself = |twin: &Uuid| rows.iter().any(|row| row.id.as_uuid() == *twin);
        if let Some(twin) = twin.filter(|twin| !by_itself(twin)) {
            rekey::rekey(tx, *twin, row.id.as_uuid(), &mut applied.touched).await?;
        }
    }
    Ok(())
}

/// Those that wait in the outbox; nearly always none. SQLite would not guess that, so the index is named.
pub(crate) const LOCAL: &str = "
SELECT id, org_id, medic_id FROM conversations INDEXED BY conversations_local
WHERE server_id IS NULL AND medic_id IS NOT NULL AND type = 'direct' ORDER BY id DESC";

/// The first word of a new epoch about a conversation: nothing that was known of its seqs holds, and a marker above the last
/// one would swallow messages that are yet to be written.
async fn start_over(tx: &Tx, standing: &Standing, rows: &[Conversation]) -> Res<()> {
    for row in rows {
        let sql = "UPDATE conversations SET last_seq = 0, told_seq = 0, range_from = 0, range_to = 0
            WHERE id = ? AND confirmed < ?";
        let conversation = row.id.as_uuid();
        if tx.run(sql, vec![id(conversation), int(standing.generation)]).await? > 0 {
            lower_markers(tx, conversation, row.last_seq).await?;
        }
    }
    Ok(())
}

/// A server that was restored from an older state gives seqs again that had been read before.
pub(crate) async fn lower_markers(tx: &Tx, conversation: Uuid, last: Seq) -> Res<()> {
    let (conversation, last) = (id(conversation), seq(last));
    tx.run(CLAMP, vec![last.clone(), last.clone(), conversation.clone()]).await?;
    tx.run(CLAMP_QUEUED, vec![last, conversation]).await.map(drop)
}

const CLAMP: &str = "
UPDATE read_markers SET read_seq = min(read_seq, ?), delivered_seq = min(delivered_seq, ?) WHERE conversation_id = ?";

const CLAMP_QUEUED: &str = "
UPDATE outbox SET payload = json_set(payload, '$.read_seq', min(payload ->> '$.read_seq', ?))
WHERE conversation_id = ? AND slot = 'mark_read'";

fn bind(row: &&Conversation, standing: &Standing, values: &mut Vec<Value>) {
    values.extend([
        id(row.id.as_uuid()),
        id(row.id.as_uuid()),
        id(row.org_id.as_uuid()),
        text(row.kind.as_str()),
        opt_text(row.subject.as_deref()),
        opt_id(row.medic_id.map(|id| id.as_uuid())),
        opt_text(row.medic_name.as_deref()),
        id(row.created_by.as_uuid()),
        time(row.created_at),
        time(row.updated_at),
        seq(row.last_seq),
        seq(row.last_seq),
        opt_time(row.last_message_at),
        opt_text(row.last_message_preview.as_deref()),
        int(signed(row.unread)),
        standing.epoch.bind(row.version),
        json::omitted(row.omitted.as_ref()),
        json::extra(&row.extra),
    ]);
}

/// Of those the server has told of, in which version they are stored.
async fn known(tx: &Tx, ids: &IdSet) -> Res<HashMap<Uuid, i64>> {
    let row = tx.only(&known_sql(), vec![ids.bind()]).await?;
    row.rows(0)?.iter().map(|row| Ok((row.id(0)?, row.get(1)?))).collect()
}

pub(crate) fn known_sql() -> String {
    let stored =
        "FROM json_each(?) AS j JOIN conversations AS c ON c.id = unhex(j.value) WHERE c.server_id IS NOT NULL";
    format!("SELECT {}", packed_rows("json_array(hex(c.id), c.version)", stored))
}

/// What the server derives, of rows that are stored in this version already: the usual case, whenever somebody writes. It
/// touches no index, as replacing the row would.
async fn retell(tx: &Tx, standing: &Standing, rows: &[&Conversation]) -> Res<u64> {
    if rows.is_empty() {
        return Ok(0);
    }
    let told = |row: &&Conversation| {
        serde_json::json!([
            row.id.as_uuid().simple().to_string(),
            row.last_seq.get(),
            row.last_message_at.map(|at| at.timestamp_micros()),
            row.last_message_preview,
            row.unread,
            row.medic_name,
            standing.epoch.stored(row.version) - i64::from(standing.beside),
        ])
    };
    let told = serde_json::Value::Array(rows.iter().map(told).collect());
    tx.run(RETELL, vec![text(told.to_string())]).await
}

pub(crate) const RETELL: &str = "
WITH told AS (SELECT unhex(value ->> 0) AS id, value ->> 1 AS seq, value ->> 2 AS at, value ->> 3 AS preview,
    value ->> 4 AS unread, value ->> 5 AS medic, value ->> 6 AS version FROM json_each(?)),
a AS (
    SELECT told.*, (told.seq, told.version) >= (c.told_seq, c.version) AS newer
    FROM told CROSS JOIN conversations AS c
    WHERE c.id = told.id AND (told.seq > c.last_seq
        OR ((told.seq, told.version) >= (c.told_seq, c.version)
            AND (told.seq, told.at, told.preview, told.unread, told.medic)
                IS NOT (c.told_seq, c.told_at, c.told_preview, c.told_unread, c.medic_name))))
UPDATE conversations AS c
SET last_seq = max(c.last_seq, a.seq), medic_name = iif(a.newer, a.medic, c.medic_name),
    told_seq = iif(a.newer, a.seq, c.told_seq), told_at = iif(a.newer, a.at, c.told_at),
    told_preview = iif(a.newer, a.preview, c.told_preview), told_unread = iif(a.newer, a.unread, c.told_unread)
FROM a WHERE c.id = a.id";

const UPSERT: Insert = Insert {
    head: "INSERT INTO conversations (id, server_id, org_id, type, subject, medic_id, medic_name, created_by, created_at,
        updated_at, last_seq, told_seq, told_at, told_preview, told_unread, version, omitted, extra) VALUES",
    columns: 18,
    tail: "ON CONFLICT (id) DO UPDATE SET
            (server_id, version) = (excluded.id, max(excluded.version, version)),
            (org_id, type, subject, medic_id, created_by, created_at, updated_at, omitted, extra) =
                (SELECT excluded.org_id, excluded.type, excluded.subject, excluded.medic_id, excluded.created_by,
                    excluded.created_at, excluded.updated_at, excluded.omitted, excluded.extra WHERE excluded.version > version
                UNION ALL SELECT org_id, type, subject, medic_id, created_by, created_at, updated_at, omitted, extra
                    WHERE NOT excluded.version > version),
            (medic_name, told_seq, told_at, told_preview, told_unread) =
                (SELECT excluded.medic_name, excluded.told_seq, excluded.told_at, excluded.told_preview,
                    excluded.told_unread WHERE server_id IS NULL OR (excluded.told_seq, excluded.version) >= (told_seq, version)
                UNION ALL SELECT medic_name, told_seq, told_at, told_preview, told_unread
                    WHERE NOT (server_id IS NULL OR (excluded.told_seq, excluded.version) >= (told_seq, version))),
            last_seq = max(last_seq, excluded.last_seq)
        WHERE excluded.version > version OR server_id IS NULL OR excluded.last_seq > last_seq
            OR ((excluded.told_seq, excluded.version) >= (told_seq, version)
                AND (excluded.told_seq, excluded.told_at, excluded.told_preview, excluded.told_unread, excluded.medic_name)
                    IS NOT (told_seq, told_at, told_preview, told_unread, medic_name))",
};

pub(crate) const OWN_AGAIN: &str = "DELETE FROM aliases WHERE id IN (SELECT unhex(value) FROM json_each(?))";

pub(crate) const CONFIRM: &str =
    "UPDATE conversations SET confirmed = ? WHERE id IN (SELECT unhex(value) FROM json_each(?))";
