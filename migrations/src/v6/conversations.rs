//! Conversations of version 5 under their new ids.

use super::source::{Source, blob, chunk, insert, new_id, note_deleted, note_odd, opt_blob};
use crate::adoption::{At, Outcome, came, note};
use sea_orm_migration::{
    SchemaManagerConnection,
    sea_orm::{DbErr, Value},
};
use std::collections::HashMap;
use uuid::Uuid;

/// Every id by which a message may reference its conversation: the local one and the server's.
pub(super) type Ids = HashMap<String, Uuid>;

const COLUMNS: [&str; 14] = [
    "id",
    "server_id",
    "org_id",
    "type",
    "subject",
    "medic_id",
    "created_by",
    "last_message_at",
    "last_message_preview",
    "participant_name",
    "unread_count",
    "last_read_at",
    "created_at",
    "updated_at",
];

const TABLE: &str = "conversations";
const TIMES: [&str; 4] = ["last_message_at", "last_read_at", "created_at", "updated_at"];
const REFERENCES: [&str; 4] = ["server_id", "org_id", "medic_id", "created_by"];

pub(super) async fn move_all(db: &SchemaManagerConnection<'_>) -> Result<Ids, DbErr> {
    let mut ids = Ids::new();
    let mut after = 0;
    note_deleted(db, TABLE).await?;
    loop {
        let rows = chunk(db, "conversations_v5", &COLUMNS, after).await?;
        let Some((last, _)) = rows.last() else { return Ok(ids) };
        after = *last;
        for (_, row) in &rows {
            move_one(db, row, &mut ids).await?;
        }
    }
}

async fn move_one(db: &SchemaManagerConnection<'_>, row: &Source, ids: &mut Ids) -> Result<(), DbErr> {
    let server_id = row.uuid("server_id")?;
    let created_at = created_at(row)?;
    let id = match server_id {
        Some(id) => id,
        None => new_id(db, created_at).await?,
    };
    for name in [row.text("id")?, row.text("server_id")?].into_iter().flatten() {
        ids.entry(name).or_insert(id);
    }
    let name = row.word("id", "")?;
    if insert(db, INSERT, values(row, id, server_id, created_at)?).await? == 0 {
        note(At::row(TABLE, &name), Outcome::Left, "another row is the same conversation of the server", None);
        return Ok(());
    }
    came(TABLE);
    note_odd(TABLE, row, &COLUMNS, &TIMES, &REFERENCES)?;
    if server_id.is_none() { queue_open(db, row, id, created_at).await } else { Ok(()) }
}

fn created_at(row: &Source) -> Result<i64, DbErr> {
    Ok(row.time("created_at")?.or(row.time("updated_at")?).unwrap_or(0))
}

fn values(row: &Source, id: Uuid, server_id: Option<Uuid>, created_at: i64) -> Result<Vec<Value>, DbErr> {
    let last_message_at = row.time("last_message_at")?;
    let preview = row.text("last_message_preview")?;
    let unread = row.count("unread_count")?;
    let empty = i64::from(server_id.is_none());
    Ok(vec![
        blob(id),
        opt_blob(server_id),
        opt_blob(row.reference("org_id")?.or(Some(Uuid::nil()))),
        row.word("type", "direct")?.into(),
        row.text("subject")?.into(),
        opt_blob(row.reference("medic_id")?),
        opt_blob(row.reference("created_by")?.or(Some(Uuid::nil()))),
        created_at.into(),
        row.time("updated_at")?.unwrap_or(created_at).into(),
        row.text("participant_name")?.into(),
        row.time("last_read_at")?.into(),
        last_message_at.into(),
        preview.clone().into(),
        unread.into(),
        last_message_at.into(),
        preview.into(),
        unread.into(),
        // A conversation that the server does not have has no history to fetch.
        empty.into(),
    ])
}

/// Version −1: every row from the server is newer.
const INSERT: &str = "
INSERT INTO conversations (id, server_id, org_id, type, subject, medic_id, created_by, created_at, updated_at,
    participant_name, last_read_at, told_at, told_preview, told_unread, last_message_at, last_message_preview,
    unread_count, range_from, version)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, -1)
ON CONFLICT DO NOTHING";

/// A conversation that was opened here and never reached the server.
async fn queue_open(db: &SchemaManagerConnection<'_>, row: &Source, id: Uuid, at: i64) -> Result<(), DbErr> {
    let org = row.reference("org_id")?;
    let broadcast = row.text("type")?.as_deref() == Some("broadcast");
    let (kind, payload) = if broadcast {
        let subject = row.text("subject")?;
        (
            "open_broadcast",
            object([("org_id", org.or(Some(Uuid::nil())).map(text)), ("subject", subject.map(Into::into))]),
        )
    } else {
        ("open_direct", object([("medic_id", row.reference("medic_id")?.map(text)), ("org_id", org.map(text))]))
    };
    let payload = payload.to_string();
    let mutation = new_id(db, at).await?;
    let size = 512 + payload.len() as i64;
    let values = vec![blob(mutation), kind.into(), blob(id), payload.into(), size.into(), at.into()];
    insert(db, QUEUE_OPEN, values).await.map(drop)
}

const QUEUE_OPEN: &str = "
INSERT INTO outbox (id, kind, conversation_id, payload, wire_size, recorded_at) VALUES (?, ?, ?, ?, ?, ?)";

fn text(id: Uuid) -> serde_json::Value {
    id.hyphenated().to_string().into()
}

/// A JSON object of the fields that have a value.
fn object<const N: usize>(fields: [(&str, Option<serde_json::Value>); N]) -> serde_json::Value {
    let fields = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    serde_json::Value::Object(fields.collect())
}
