//! Messages of version 5 under their new ids, and the queued ones into the outbox.

use super::{
    conversations::Ids,
    source::{Source, blob, chunk, insert, new_id, note_deleted, note_odd, opt_blob},
};
use crate::adoption::{At, Outcome, came, note};
use sea_orm_migration::{
    SchemaManagerConnection,
    sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value},
};
use serde_json::json;
use uuid::Uuid;

const COLUMNS: [&str; 12] = [
    "id",
    "server_id",
    "conversation_id",
    "org_id",
    "sender_id",
    "sender_name",
    "message_type",
    "content",
    "status",
    "idempotency_key",
    "created_at",
    "updated_at",
];

const TABLE: &str = "messages";
const TIMES: [&str; 2] = ["created_at", "updated_at"];
const REFERENCES: [&str; 2] = ["server_id", "sender_id"];

/// Rows that the server has come first: a queued row with the same id was delivered.
pub(super) async fn move_all(db: &SchemaManagerConnection<'_>, ids: &Ids) -> Result<(), DbErr> {
    note_deleted(db, TABLE).await?;
    for queued in [false, true] {
        let mut after = 0;
        loop {
            let rows = chunk(db, "messages_v5", &COLUMNS, after).await?;
            let Some((last, _)) = rows.last() else { break };
            after = *last;
            for (_, row) in &rows {
                if is_queued(row)? == queued {
                    move_one(db, row, ids, queued).await?;
                }
            }
        }
    }
    Ok(())
}

/// Only on this device: marked as queued, and without a server id.
fn is_queued(row: &Source) -> Result<bool, DbErr> {
    Ok(row.text("status")?.as_deref() == Some("queued") && row.uuid("server_id")?.is_none())
}

async fn move_one(db: &SchemaManagerConnection<'_>, row: &Source, ids: &Ids, queued: bool) -> Result<(), DbErr> {
    let at = row.time("created_at")?.or(row.time("updated_at")?).unwrap_or(0);
    let id = match row.uuid("server_id")?.or(row.uuid("idempotency_key")?) {
        Some(id) => id,
        None => new_id(db, at).await?,
    };
    let named = row.word("conversation_id", "")?;
    match (ids.get(&named).copied(), queued) {
        (Some(conversation), false) => acknowledged(db, row, id, conversation, at).await,
        (None, false) => keep_aside(db, row, Uuid::try_parse(named.trim()).ok()).await,
        (Some(conversation), true) => queue(db, row, id, conversation, at, None).await,
        (None, true) => {
            let conversation = match Uuid::try_parse(&named) {
                Ok(id) => id,
                Err(_) => new_id(db, at).await?,
            };
            queue(db, row, id, conversation, at, Some("not_found")).await
        }
    }
}

async fn acknowledged(
    db: &SchemaManagerConnection<'_>,
    row: &Source,
    id: Uuid,
    conversation: Uuid,
    at: i64,
) -> Result<(), DbErr> {
    // Marked as queued, but with a server id: the app stored the response and did not update the mark.
    let status = row.word("status", "sent")?;
    let status = if status == "queued" { "sent".to_owned() } else { status };
    let name = row.word("id", "")?;
    let content = row.text("content")?;
    let values = values(row, id, Some(id), conversation, at, status, content.clone())?;
    if insert(db, INSERT, values).await? == 0 {
        twin(db, &name, id, content).await?;
        return Ok(());
    }
    came(TABLE);
    if row.uuid("server_id")?.is_none() {
        // The first load leaves it out unless the server has it.
        let kept = row.text("content")?;
        note(
            At::row(TABLE, &name),
            Outcome::Changed,
            "the app had marked it as sent, without an id of the server",
            kept,
        );
    }
    note_odd(TABLE, row, &COLUMNS, &TIMES, &REFERENCES)
}

/// Queues a message; one that could never be sent becomes a dead letter at once.
async fn queue(
    db: &SchemaManagerConnection<'_>,
    row: &Source,
    id: Uuid,
    conversation: Uuid,
    at: i64,
    failed: Option<&str>,
) -> Result<(), DbErr> {
    let content = row.text("content")?.unwrap_or_default().trim().to_owned();
    let failed = failed.or_else(|| refused(&content));
    let shown = Some(content.clone()).filter(|text| !text.is_empty());
    let name = row.word("id", "")?;
    let as_queued = |id| values(row, id, None, conversation, at, "queued".to_owned(), shown.clone());
    let mut id = id;
    if insert(db, INSERT, as_queued(id)?).await? == 0 {
        if is_there(db, id, shown.as_deref()).await? {
            note(At::row(TABLE, &name), Outcome::Left, "it had arrived, or is queued twice", None);
            return Ok(());
        }
        // The app gave one key to two messages.
        note(At::column(TABLE, &name, "idempotency_key"), Outcome::Changed, "another message has the same key", None);
        id = new_id(db, at).await?;
        insert(db, INSERT, as_queued(id)?).await?;
    }
    came(TABLE);
    note_odd(TABLE, row, &COLUMNS, &TIMES, &REFERENCES)?;
    if let Some(code) = failed {
        note(At::row(TABLE, &name), Outcome::Refused, why(code), None);
    }
    let payload = json!({
        "id": id.hyphenated().to_string(),
        "sender_id": row.reference("sender_id")?.unwrap_or_default().hyphenated().to_string(),
        "type": row.word("message_type", "text")?,
        "content": content,
        "composed_at": at,
    });
    let size = 512 + json!(content).to_string().len() as i64;
    let values = vec![
        blob(new_id(db, at).await?),
        blob(conversation),
        blob(id),
        payload.to_string().into(),
        size.into(),
        failed.map(str::to_owned).into(),
        at.into(),
    ];
    insert(db, QUEUE, values).await?;
    insert(db, PLACE, vec![blob(id)]).await.map(drop)
}

/// A row of the server that is another one once more. What differs in it is kept.
async fn twin(db: &SchemaManagerConnection<'_>, name: &str, id: Uuid, content: Option<String>) -> Result<(), DbErr> {
    let reason = "another row is the same message of the server";
    let (outcome, content) = match is_there(db, id, content.as_deref()).await? {
        true => (Outcome::Left, None),
        false => (Outcome::KeptAside, content),
    };
    note(At::row(TABLE, name), outcome, reason, content);
    Ok(())
}

/// Whether the message of this id has this content.
async fn is_there(db: &SchemaManagerConnection<'_>, id: Uuid, content: Option<&str>) -> Result<bool, DbErr> {
    let sql = "SELECT 1 FROM messages WHERE id = ? AND content IS ?";
    let values = [blob(id), content.map(str::to_owned).into()];
    Ok(db.query_one_raw(Statement::from_sql_and_values(DbBackend::Sqlite, sql, values)).await?.is_some())
}

/// Why a message waits for its author.
fn why(code: &str) -> &'static str {
    match code {
        "content_empty" => "it has no text, and could never be sent",
        "content_too_long" => "it is longer than 5,000 characters",
        "not_found" => "its conversation is not in the file",
        _ => "the server would refuse its text",
    }
}

/// The limits of version 6, by the code with which the server would refuse.
fn refused(content: &str) -> Option<&'static str> {
    match content.chars().count() {
        0 => Some("content_empty"),
        5_001.. => Some("content_too_long"),
        _ if content.contains('\0') => Some("bad_request"),
        _ => None,
    }
}

fn values(
    row: &Source,
    id: Uuid,
    server_id: Option<Uuid>,
    conversation: Uuid,
    at: i64,
    status: String,
    content: Option<String>,
) -> Result<Vec<Value>, DbErr> {
    let composed_at = server_id.is_none().then_some(at);
    Ok(vec![
        blob(id),
        opt_blob(server_id),
        blob(conversation),
        blob(row.reference("sender_id")?.unwrap_or_default()),
        row.text("sender_name")?.into(),
        row.word("message_type", "text")?.into(),
        content.into(),
        status.into(),
        composed_at.into(),
        at.into(),
        row.time("updated_at")?.unwrap_or(at).into(),
    ])
}

/// Version −1: every row from the server is newer.
const INSERT: &str = "
INSERT INTO messages (id, server_id, conversation_id, sender_id, sender_name, message_type, content, status, composed_at,
    created_at, updated_at, version)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, -1)
ON CONFLICT DO NOTHING";

const QUEUE: &str = "
INSERT INTO outbox (id, kind, conversation_id, message_id, payload, wire_size, failed_code, recorded_at)
VALUES (?, 'send_message', ?, ?, ?, ?, ?, ?)";

/// Its place at the end of the thread is the position of its mutation.
const PLACE: &str = "UPDATE messages SET position = last_insert_rowid() WHERE id = ?";

/// Kept aside: the server has it and will send it with its conversation.
async fn keep_aside(db: &SchemaManagerConnection<'_>, row: &Source, conversation: Option<Uuid>) -> Result<(), DbErr> {
    let mut fields = serde_json::Map::new();
    for column in COLUMNS {
        fields.insert(column.to_owned(), row.text(column)?.map_or(serde_json::Value::Null, Into::into));
    }
    let payload = serde_json::Value::Object(fields).to_string();
    insert(db, KEEP_ASIDE, vec![opt_blob(conversation), payload.into()]).await?;
    let reason = "its conversation is not in the file; the server sends it again with its conversation";
    note(At::row(TABLE, &row.word("id", "")?), Outcome::KeptAside, reason, None);
    Ok(())
}

const KEEP_ASIDE: &str = "
INSERT INTO unreadable_rows (digest, conversation_id, list, payload, reason)
VALUES (randomblob(32), ?, 'messages_v5', ?, 'its conversation is not here')";
