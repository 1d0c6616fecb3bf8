//! The rows of the clinical tables.

use super::{
    clinical::{self, TABLES},
    ids::Ids,
    items::{Items, OfRecord},
    queue::{self, Change, Operation},
    report::{At, Outcome, report},
    source::{Row, Table},
    values::rfc3339,
};
use crate::adoption::{came, note};
use crate::v6::source::{Moment, blob, insert, opt_blob, reference};
use chrono::{DateTime, Utc};
use sea_orm_migration::{
    SchemaManagerConnection,
    sea_orm::{DbErr, Value as Stored},
};
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// What the queue needs to know of the rows.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Records with queue items: their org and fields.
    pub(super) records: HashMap<Uuid, (Uuid, Map<String, Value>)>,
    /// Records that have left before the server heard of them.
    pub(super) gone: HashSet<(&'static str, Uuid)>,
    /// Creates of records that were deleted before anybody knew whether the server has them.
    pub(super) given_up: HashSet<Uuid>,
    /// Records whose delete has no queue item.
    pub(super) deletes: Vec<(&'static str, Uuid, i64)>,
}

/// A row in its new form.
struct Moved {
    id: Uuid,
    server_id: Option<Uuid>,
    org: Uuid,
    created_at: i64,
    modified_at: i64,
    stored: Vec<Stored>,
    fields: Map<String, Value>,
    extra: Map<String, Value>,
    deleted: bool,
}

pub(super) async fn move_all(
    db: &SchemaManagerConnection<'_>,
    items: &Items,
    ids: &Ids,
    clock: Uuid,
) -> Result<Kept, DbErr> {
    let mut kept = Kept::default();
    for table in &TABLES {
        let own = table.columns.iter().map(|(column, _)| *column);
        let source = Table::open(db, table.name, COLUMNS.into_iter().chain(own)).await?;
        let mut after = 0;
        loop {
            let rows = source.chunk(db, after).await?;
            let Some(last) = rows.last() else { break };
            after = last.rowid;
            for row in &rows {
                move_one(db, table, row, items, ids, clock, &mut kept).await?;
            }
        }
    }
    Ok(kept)
}

const COLUMNS: [&str; 7] = ["id", "_status", "server_id", "org_id", "created_at", "updated_at", "last_modified_at"];

async fn move_one(
    db: &SchemaManagerConnection<'_>,
    table: &'static clinical::Table,
    row: &Row,
    items: &Items,
    ids: &Ids,
    clock: Uuid,
    kept: &mut Kept,
) -> Result<(), DbErr> {
    let name = row.word("id");
    let Some(id) = ids.known(table.name, &name) else { return Ok(()) };
    let queued = items.of(table.name, &name, row.text("server_id").as_deref()).copied();
    let server_id = row.uuid("server_id");
    if row.is_deleted() && server_id.is_none() && !queued.is_some_and(|queued| queued.tried) {
        kept.gone.insert((table.name, id));
        let reason = "it was deleted in the app before the server had it";
        note(At::row(table.name, &name), Outcome::Left, reason, None);
        return Ok(());
    }
    let moved = convert(db, table, row, ids, id, queued).await?;
    let at = At::row(table.name, &name);
    if insert(db, &insert_into(table), values(&moved, queued.is_some())).await? == 0 {
        let reason = "another row is the same record";
        return report(db, at, Outcome::KeptAside, reason, Some(row.content())).await;
    }
    came(table.name);
    queue_lost(db, table, row, &moved, queued, clock, kept).await?;
    if queued.is_some() {
        kept.records.insert(id, (moved.org, moved.fields));
    }
    Ok(())
}

/// Queues what the queue should have for a row and has not.
async fn queue_lost(
    db: &SchemaManagerConnection<'_>,
    table: &'static clinical::Table,
    row: &Row,
    moved: &Moved,
    queued: Option<OfRecord>,
    clock: Uuid,
    kept: &mut Kept,
) -> Result<(), DbErr> {
    let OfRecord { creates, deletes, .. } = queued.unwrap_or_default();
    let name = row.word("id");
    let at = At::row(table.name, &name);
    if row.is_deleted() {
        if !deletes {
            note(at, Outcome::Changed, "it was deleted, and the queue had no item for it; its delete is queued", None);
            kept.deletes.push((table.name, moved.id, moved.modified_at));
        }
        if moved.server_id.is_none() {
            kept.given_up.insert(moved.id);
        }
        return Ok(());
    }
    if moved.server_id.is_some() || creates {
        return Ok(());
    }
    note(
        at,
        Outcome::Changed,
        "the server does not have it, and the queue had no item for it; its create is queued",
        None,
    );
    let create = Change {
        table: table.name,
        record: moved.id,
        operation: Operation::Create,
        org: Some(moved.org),
        fields: moved.fields.clone(),
        priority: queue::priority(table, 1, &moved.fields, None),
        at: moved.created_at,
        failures: 0,
        next_at: None,
    };
    create.queue(db, clock).await
}

async fn convert(
    db: &SchemaManagerConnection<'_>,
    table: &'static clinical::Table,
    row: &Row,
    ids: &Ids,
    id: Uuid,
    queued: Option<OfRecord>,
) -> Result<Moved, DbErr> {
    let name = row.word("id");
    let created_at = row.time("created_at").or(row.time("updated_at")).unwrap_or(0);
    let modified_at = row.time("last_modified_at").or(row.time("updated_at")).unwrap_or(created_at);
    let mut moved = Moved {
        id,
        server_id: row.uuid("server_id"),
        org: org(db, table, row).await?,
        created_at,
        modified_at,
        stored: Vec::with_capacity(table.columns.len()),
        fields: Map::new(),
        extra: Map::new(),
        deleted: row.is_deleted() || queued.is_some_and(|queued| queued.deletes),
    };
    if let (None, Some(odd)) = (moved.server_id, row.text("server_id")) {
        let at = At::column(table.name, &name, "server_id");
        report(db, at, Outcome::Changed, "it is no UUID", Some(odd)).await?;
    }
    note_times(table, row, &name);
    for (column, kind) in table.columns {
        let raw = row.raw(column);
        if let Some(bytes) = raw.broken() {
            let at = At::column(table.name, &name, column);
            let reason = "it is no UTF-8; what cannot be read shows as \u{fffd}";
            report(db, at, Outcome::Changed, reason, Some(bytes)).await?;
        }
        let stored = match kind.convert(raw, ids) {
            Ok(None) => kind.null(),
            Ok(Some(value)) => {
                moved.fields.insert((*column).to_owned(), value.json);
                value.stored
            }
            Err(reason) => {
                moved.extra.insert((*column).to_owned(), raw.json());
                let at = At::column(table.name, &name, column);
                report(db, at, Outcome::Changed, reason, raw.text()).await?;
                kind.null()
            }
        };
        moved.stored.push(stored);
    }
    Ok(moved)
}

/// Says of the times that every record has whether they are odd.
fn note_times(table: &'static clinical::Table, row: &Row, name: &str) {
    for column in ["created_at", "updated_at", "last_modified_at"] {
        let text = row.text(column);
        let odd = text.as_deref().map(|text| Moment::read(text).map_or(Some("it is no time"), |moment| moment.odd));
        if let Some(odd) = odd.flatten() {
            note(At::column(table.name, name, column), Outcome::Changed, odd, text);
        }
    }
}

/// An org that is no UUID cannot come from a server. A hash keeps equal ones equal.
async fn org(db: &SchemaManagerConnection<'_>, table: &'static clinical::Table, row: &Row) -> Result<Uuid, DbErr> {
    let text = row.text("org_id");
    match text.as_deref().map(Uuid::try_parse) {
        Some(Ok(id)) => Ok(id),
        _ => {
            let name = row.word("id");
            let at = At::column(table.name, &name, "org_id");
            report(db, at, Outcome::Changed, "it is no UUID", text.clone()).await?;
            Ok(text.as_deref().map(reference).unwrap_or_default())
        }
    }
}

fn insert_into(table: &clinical::Table) -> String {
    let own: String = table.columns.iter().map(|(column, _)| format!(", {column}")).collect();
    let marks = ", ?".repeat(table.columns.len());
    format!(
        "INSERT INTO {} (id, server_id, org_id, created_at, modified_at, version, base, deleted, extra{own})
        VALUES (?, ?, ?, ?, ?, -1, ?, ?, ?{marks}) ON CONFLICT DO NOTHING",
        table.name
    )
}

fn values(moved: &Moved, queued: bool) -> Vec<Stored> {
    // What was changed cannot be told from what the server has; the first pull does.
    let base = (moved.server_id.is_some() && (queued || moved.deleted)).then(|| base(moved).to_string());
    let extra = (!moved.extra.is_empty()).then(|| Value::Object(moved.extra.clone()).to_string());
    let mut values = vec![
        blob(moved.id),
        opt_blob(moved.server_id),
        blob(moved.org),
        moved.created_at.into(),
        moved.modified_at.into(),
        base.into(),
        i64::from(moved.deleted).into(),
        extra.into(),
    ];
    values.extend(moved.stored.iter().cloned());
    values
}

fn base(moved: &Moved) -> Value {
    json!({
        "org_id": moved.org.hyphenated().to_string(),
        "created_at": time(moved.created_at),
        "modified_at": time(moved.modified_at),
        "fields": moved.fields,
    })
}

fn time(micros: i64) -> Option<String> {
    DateTime::<Utc>::from_timestamp_micros(micros).map(rfc3339)
}

/// A record that only its queued create tells of.
pub(super) async fn make(db: &SchemaManagerConnection<'_>, change: &Change, ids: &Ids) -> Result<(), DbErr> {
    let Some(table) = clinical::find(change.table) else { return Ok(()) };
    let stored = table.columns.iter().map(|(column, kind)| {
        let value = change.fields.get(*column).and_then(|value| kind.convert(&queue::raw(value), ids).ok().flatten());
        value.map_or_else(|| kind.null(), |value| value.stored)
    });
    let moved = Moved {
        id: change.record,
        server_id: None,
        org: change.org.unwrap_or_default(),
        created_at: change.at,
        modified_at: change.at,
        stored: stored.collect(),
        fields: Map::new(),
        extra: Map::new(),
        deleted: false,
    };
    insert(db, &insert_into(table), values(&moved, true)).await.map(drop)
}
