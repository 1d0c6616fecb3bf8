//! The items of the older app's queue.

use super::{
    clinical::{self, REPORTABLE, TREATMENTS},
    ids::Ids,
    report::{At, Outcome, report},
    rows::{self, Kept},
    source::{Raw, Row, Table},
};
use crate::adoption::{came, note};
use crate::v6::source::{blob, insert, new_id, opt_blob};
use sea_orm_migration::{SchemaManagerConnection, sea_orm::DbErr};
use serde_json::{Map, Value};
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Create,
    Update,
    Delete,
}

impl Operation {
    fn parse(text: &str) -> Option<Self> {
        [Self::Create, Self::Update, Self::Delete].into_iter().find(|operation| operation.as_str() == text)
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// An entry of the new queue.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) table: &'static str,
    pub(super) record: Uuid,
    pub(super) operation: Operation,
    pub(super) org: Option<Uuid>,
    pub(super) fields: Map<String, Value>,
    pub(super) priority: i64,
    pub(super) at: i64,
    pub(super) failures: i64,
    pub(super) next_at: Option<i64>,
}

impl Change {
    pub(super) async fn queue(&self, db: &SchemaManagerConnection<'_>, clock: Uuid) -> Result<(), DbErr> {
        let fields = Value::Object(self.fields.clone()).to_string();
        // Ids, times, names and punctuation, as later versions count them.
        let size = 512 + fields.len() as i64;
        let values = vec![
            blob(new_id(db, self.at).await?),
            self.table.into(),
            blob(self.record),
            self.operation.as_str().into(),
            opt_blob(self.org),
            fields.into(),
            self.priority.into(),
            size.into(),
            blob(clock),
            self.at.into(),
            self.failures.into(),
            self.next_at.into(),
            self.at.into(),
        ];
        insert(db, QUEUE, values).await.map(drop)
    }
}

const QUEUE: &str = "
INSERT INTO record_queue (id, table_name, record_id, operation, org_id, fields, priority, wire_size, clock, modified_at,
    failures, next_at, recorded_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

const TABLE: &str = "sync_queue";

const COLUMNS: [&str; 11] = [
    "id",
    "_status",
    "operation",
    "table_name",
    "record_id",
    "idempotency_key",
    "payload",
    "priority",
    "retry_count",
    "next_retry_at",
    "created_at",
];

pub(super) async fn move_all(
    db: &SchemaManagerConnection<'_>,
    ids: &Ids,
    kept: &Kept,
    clock: Uuid,
) -> Result<(), DbErr> {
    let source = Table::open(db, "sync_queue", COLUMNS).await?;
    let mut after = 0;
    loop {
        let rows = source.chunk(db, after).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.rowid;
        for row in &rows {
            if row.is_deleted() {
                left(row, "the app had removed it");
                continue;
            }
            match (clinical::find(&row.word("table_name")), Operation::parse(&row.word("operation"))) {
                (Some(table), Some(operation)) => move_one(db, row, table, operation, ids, kept, clock).await?,
                _ => carry(db, row, ids).await?,
            }
        }
    }
}

async fn move_one(
    db: &SchemaManagerConnection<'_>,
    row: &Row,
    table: &'static clinical::Table,
    operation: Operation,
    ids: &Ids,
    kept: &Kept,
    clock: Uuid,
) -> Result<(), DbErr> {
    let item = row.word("id");
    let at = row.time("created_at").unwrap_or(0);
    let payload = payload(db, row, ids).await?;
    let record = match record(row, table, operation, payload.as_ref(), ids) {
        Some(id) => id,
        None if operation == Operation::Create => new_id(db, at).await?,
        None => {
            let at = At::column(TABLE, &item, "record_id");
            return report(db, at, Outcome::KeptAside, "no such record is here", Some(row.content())).await;
        }
    };
    let given_up = operation != Operation::Delete && kept.given_up.contains(&record);
    if given_up || kept.gone.contains(&(table.name, record)) {
        left(row, "its record was deleted in the app before the server had it");
        return Ok(());
    }
    came(TABLE);
    let of_row = kept.records.get(&record);
    let org = payload.as_ref().and_then(|payload| id_in(payload, "org_id")).or(of_row.map(|(org, _)| *org));
    let mut change = Change {
        table: table.name,
        record,
        operation,
        org: org.filter(|_| operation == Operation::Create),
        fields: Map::new(),
        priority: row.number("priority").unwrap_or(1).clamp(0, 2),
        at,
        failures: row.number("retry_count").unwrap_or(0).max(0),
        next_at: row.time("next_retry_at").filter(|at| *at > 0),
    };
    let is_readable = payload.is_some();
    if operation != Operation::Delete {
        change.fields = fields(db, &item, table, payload.unwrap_or_default(), ids).await?;
        // The row is what the person saw last. Without a payload that can be read, it says what was changed.
        if operation == Operation::Create || !is_readable {
            let of_row = of_row.map(|(_, fields)| fields.clone()).unwrap_or_default();
            change.fields.extend(of_row);
        }
    }
    change.priority = priority(table, change.priority, &change.fields, of_row.map(|(_, fields)| fields));
    if operation == Operation::Create && of_row.is_none() {
        note(At::row(TABLE, &item), Outcome::Changed, "its row is gone; the record is what the item says", None);
        rows::make(db, &change, ids).await?;
    }
    change.queue(db, clock).await
}

/// A treatment that the law wants reported is immediate, whatever the older app made of it.
pub(super) fn priority(
    table: &clinical::Table,
    usual: i64,
    fields: &Map<String, Value>,
    of_row: Option<&Map<String, Value>>,
) -> i64 {
    let flag = fields.get(REPORTABLE).or_else(|| of_row?.get(REPORTABLE));
    if table.name == TREATMENTS && flag == Some(&Value::Bool(true)) { 0 } else { usual }
}

/// The record that an item means.
fn record(
    row: &Row,
    table: &clinical::Table,
    operation: Operation,
    payload: Option<&Map<String, Value>>,
    ids: &Ids,
) -> Option<Uuid> {
    let named = ids.of(table.name, &row.word("record_id"));
    let in_payload = || ["server_id", "id"].into_iter().find_map(|name| id_in(payload?, name));
    // The key of an update or a delete is its own, and names nothing.
    let key = || row.uuid("idempotency_key").filter(|_| operation == Operation::Create);
    named.or_else(in_payload).or_else(key)
}

fn id_in(payload: &Map<String, Value>, name: &str) -> Option<Uuid> {
    Uuid::try_parse(payload.get(name)?.as_str()?).ok()
}

/// The payload under the new ids; none if it cannot be read.
async fn payload(db: &SchemaManagerConnection<'_>, row: &Row, ids: &Ids) -> Result<Option<Map<String, Value>>, DbErr> {
    let Some(text) = row.text("payload") else { return Ok(Some(Map::new())) };
    match serde_json::from_str(&ids.follow(&text)) {
        Ok(payload) => Ok(Some(payload)),
        Err(_) => {
            let item = row.word("id");
            let at = At::column(TABLE, &item, "payload");
            report(db, at, Outcome::Changed, "it is no JSON object; the row is sent instead", Some(text)).await?;
            Ok(None)
        }
    }
}

/// An item that is not needed any more.
fn left(row: &Row, reason: &str) {
    note(At::row(TABLE, &row.word("id")), Outcome::Left, reason, None);
}

/// What every record has beside its fields, by any of its names.
const BESIDE: [&str; 9] =
    ["id", "client_id", "server_id", "org_id", "created_at", "updated_at", "last_modified_at", "_status", "_changed"];

/// The fields of a payload. What the table has no column for, or a column cannot hold, keeps its name and value.
async fn fields(
    db: &SchemaManagerConnection<'_>,
    item: &str,
    table: &clinical::Table,
    payload: Map<String, Value>,
    ids: &Ids,
) -> Result<Map<String, Value>, DbErr> {
    let mut fields = Map::new();
    for (name, value) in payload.into_iter().filter(|(name, _)| !BESIDE.contains(&name.as_str())) {
        let kind = table.columns.iter().find(|(column, _)| *column == name).map(|(_, kind)| *kind);
        let value = match kind.map(|kind| kind.of_json(&value, ids)) {
            Some(Ok(converted)) => converted,
            Some(Err(reason)) => {
                let at = At::column(TABLE, item, &name);
                report(db, at, Outcome::Changed, reason, Some(value.to_string())).await?;
                value
            }
            None => value,
        };
        fields.insert(name, value);
    }
    Ok(fields)
}

impl clinical::Kind {
    fn of_json(self, value: &Value, ids: &Ids) -> Result<Value, &'static str> {
        if self == Self::Json && !value.is_string() {
            return Ok(value.clone());
        }
        Ok(self.convert(&raw(value), ids)?.map_or(Value::Null, |value| value.json))
    }
}

/// A value of a payload, as the older app would have stored it.
pub(super) fn raw(value: &Value) -> Raw {
    match value {
        Value::Null => Raw::Null,
        Value::Number(number) => number.as_f64().map_or(Raw::Null, Raw::Number),
        Value::String(text) => Raw::Text(text.clone()),
        other => Raw::Text(other.to_string()),
    }
}

/// An item of another table.
async fn carry(db: &SchemaManagerConnection<'_>, row: &Row, ids: &Ids) -> Result<(), DbErr> {
    let payload = row.raw("payload").text().unwrap_or_default();
    let values = vec![
        row.word("id").into(),
        row.word("table_name").into(),
        ids.follow_name(&row.word("record_id")).into(),
        row.word("operation").into(),
        row.word("idempotency_key").into(),
        ids.follow(&payload).into_owned().into(),
        row.number("priority").unwrap_or(1).into(),
        row.number("retry_count").unwrap_or(0).into(),
        row.time("created_at").into(),
    ];
    match insert(db, CARRY, values).await? {
        0 => left(row, "another item has the same id"),
        _ => came(TABLE),
    }
    Ok(())
}

const CARRY: &str = "
INSERT INTO carried_items (id, table_name, record_id, operation, idempotency_key, payload, priority, retry_count, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";

/// Records that were deleted and have no item for it, behind all items.
pub(super) async fn delete_all(db: &SchemaManagerConnection<'_>, kept: &Kept, clock: Uuid) -> Result<(), DbErr> {
    for (table, record, at) in &kept.deletes {
        let delete = Change {
            table,
            record: *record,
            operation: Operation::Delete,
            org: None,
            fields: Map::new(),
            priority: 1,
            at: *at,
            failures: 0,
            next_at: None,
        };
        delete.queue(db, clock).await?;
    }
    Ok(())
}

/// The create of a worker goes ahead of an immediate treatment, and no change of a record waits for a more urgent one behind
/// it.
pub(super) const FINISH: &str = "
UPDATE record_queue SET priority = 0 WHERE table_name = 'workers' AND operation = 'create' AND priority <> 0
    AND record_id IN (SELECT t.worker_id FROM treatments AS t
        JOIN record_queue AS q ON q.table_name = 'treatments' AND q.record_id = t.id WHERE q.priority = 0);
UPDATE record_queue AS q SET priority = (SELECT min(e.priority) FROM record_queue AS e
    WHERE e.table_name = q.table_name AND e.record_id = q.record_id AND e.position >= q.position);";
