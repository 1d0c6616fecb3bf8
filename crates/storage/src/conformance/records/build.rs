//! Builders of tables, records, rows and pages. Ids and times are made from small numbers.

use crate::conformance::build::{at, cursor, mutation_id, org, wide};
use crate::records::RecordBatch;
use fieldpost_domain::{
    AuditId, Time, Transfer, Version,
    records::{
        AuditOperation, ClockId, Column, ColumnKind, ColumnName, DeviceTime, Fields, IntoValue, NewAuditEntry,
        NewRecord, Priority, RecordChange, RecordId, RecordOutcome, RecordPage, RecordQuery, RecordRefusal,
        RecordRefusalCode, RecordResult, RecordRow, RecordTable, RecordTombstone, TableName,
    },
};
use serde_json::Value;
use uuid::Uuid;

fn uuid(kind: u8, number: u64) -> Uuid {
    const FRAME: u128 = 0x0198_c0de_0000_7000_8001_0000_0000_0000;
    Uuid::from_u128(FRAME | (u128::from(kind) << 48) | u128::from(number & 0xffff_ffff_ffff))
}

/// Record number `n`, of any table.
#[must_use]
pub fn record_id(n: u64) -> RecordId {
    RecordId::from_uuid(uuid(1, n))
}

/// Entry number `n` of the audit log.
#[must_use]
pub fn audit_id(n: u64) -> AuditId {
    AuditId::from_uuid(uuid(2, n))
}

/// Iris has seen visit number `n`, at the second `n`.
#[must_use]
pub fn audit_entry(n: u64) -> NewAuditEntry {
    NewAuditEntry {
        id: audit_id(n),
        table: table("visits"),
        record_id: record_id(n),
        operation: AuditOperation::Read,
        context: Some("the list".to_owned()),
        at: moment(n),
    }
}

/// Clock number `n`. Clock 1 runs in most stories.
#[must_use]
pub fn clock(n: u64) -> ClockId {
    ClockId::from_uuid(uuid(3, n))
}

/// A time of clock 1, in seconds since the story began.
#[must_use]
pub fn moment(seconds: u64) -> DeviceTime {
    DeviceTime { clock: clock(1), at: at(seconds) }
}

/// A name of a table.
#[must_use]
pub fn table(name: &str) -> TableName {
    TableName::new(name).unwrap()
}

/// A name of a column.
#[must_use]
pub fn column(name: &str) -> ColumnName {
    ColumnName::new(name).unwrap()
}

/// Visits of sites: a column of each kind, one of which refers to a site, and a flag that makes a visit immediate. On the
/// server the table is `crew_visits`, and `count` is `visitors`.
#[must_use]
pub fn visits() -> RecordTable {
    let of = |name, kind| Column::new(column(name), kind);
    RecordTable::new(table("visits"))
        .on_server(table("crew_visits"))
        .column(of("place", ColumnKind::Text).required().indexed())
        .column(of("count", ColumnKind::Integer).on_server(column("visitors")))
        .column(of("share", ColumnKind::Real))
        .column(of("urgent", ColumnKind::Bool))
        .column(of("at", ColumnKind::Time))
        .column(of("day", ColumnKind::Date))
        .column(of("notes", ColumnKind::Json))
        .column(of("badge", ColumnKind::Uuid))
        .column(of("site", ColumnKind::Reference(table("sites"))).indexed())
        .immediate_if(column("urgent"))
}

/// Sites, which may lie in another one.
#[must_use]
pub fn sites() -> RecordTable {
    RecordTable::new(table("sites"))
        .column(Column::new(column("name"), ColumnKind::Text).required())
        .column(Column::new(column("within"), ColumnKind::Reference(table("sites"))))
}

/// Both tables.
#[must_use]
pub fn tables() -> Vec<RecordTable> {
    vec![visits(), sites()]
}

/// One field.
#[must_use]
pub fn field(name: &str, value: impl IntoValue) -> Fields {
    Fields::new().with(name, value)
}

/// Visit number `n` as a person creates it, at the second `n`. Its place is `Gate <n>`.
#[must_use]
pub fn new_visit(n: u64) -> NewRecord {
    let fields = field("place", format!("Gate {n}"));
    NewRecord { id: record_id(n), table: table("visits"), org_id: None, fields, at: moment(n) }
}

/// Site number `n` as a person creates it. Its name is `Site <n>`.
#[must_use]
pub fn new_site(n: u64) -> NewRecord {
    NewRecord { table: table("sites"), fields: field("name", format!("Site {n}")), ..new_visit(n) }
}

/// A visit of site number `site`.
#[must_use]
pub fn new_visit_of(n: u64, site: u64) -> NewRecord {
    let visit = new_visit(n);
    NewRecord { fields: visit.fields.with("site", record_id(site).to_string()), ..visit }
}

/// A visit that is immediate.
#[must_use]
pub fn urgent(visit: NewRecord) -> NewRecord {
    NewRecord { fields: visit.fields.with("urgent", true), ..visit }
}

/// A change of visit number `n`.
#[must_use]
pub fn change(n: u64, fields: Fields, at: DeviceTime) -> RecordChange {
    RecordChange { table: table("visits"), id: record_id(n), fields, at }
}

/// The server's row of visit number `n`, which another device made: `Place <n>`, version `version`.
#[must_use]
pub fn row(n: u64, version: u64) -> RecordRow {
    RecordRow {
        table: table("crew_visits"),
        id: record_id(n),
        client_id: None,
        org_id: org(),
        version: Version::new(version),
        created_at: Some(at(100 + n)),
        modified_at: at(200 + version),
        last_mutation_id: None,
        fields: field("place", format!("Place {n}")),
    }
}

/// The same with other fields.
#[must_use]
pub fn row_with(n: u64, version: u64, fields: Fields) -> RecordRow {
    let mut row = row(n, version);
    row.fields.merge(&fields);
    row
}

/// The server's row of site number `n`.
#[must_use]
pub fn site_row(n: u64, version: u64) -> RecordRow {
    RecordRow { table: table("sites"), fields: field("name", format!("Site {n}")), ..row(n, version) }
}

/// The tombstone of visit number `n`.
#[must_use]
pub fn tombstone(n: u64, version: u64) -> RecordTombstone {
    let (table, id) = (table("crew_visits"), record_id(n));
    RecordTombstone { table, id, client_id: None, version: Version::new(version) }
}

/// The last page of changes, leading to the cursor `to`; the server's time is the second 1000.
#[must_use]
pub fn page(to: &str, rows: Vec<RecordRow>) -> RecordPage {
    RecordPage {
        transfer: Transfer::default(),
        rows,
        tombstones: vec![],
        unreadable: 0,
        cursor: cursor(to),
        more: false,
        loading: false,
        unknown_tables: vec![],
        epoch: None,
        server_time: at(1000),
    }
}

/// The only page of a first load.
#[must_use]
pub fn load_page(to: &str, rows: Vec<RecordRow>) -> RecordPage {
    RecordPage { loading: true, ..page(to, rows) }
}

/// Asks for everything, whatever it waits for.
#[must_use]
pub fn everything() -> RecordBatch {
    RecordBatch { limits: wide(), at_most: Priority::Low, due_at: None }
}

/// Asks for everything that is due at this time.
#[must_use]
pub fn due(now: Time) -> RecordBatch {
    RecordBatch { due_at: Some(now), ..everything() }
}

/// Asks for immediate changes.
#[must_use]
pub fn immediate() -> RecordBatch {
    RecordBatch { at_most: Priority::Immediate, ..everything() }
}

/// The server has the change; its row has this version now.
#[must_use]
pub fn won(n: u64, version: u64) -> RecordOutcome {
    let version = Some(Version::new(version));
    RecordOutcome::Won { server_id: record_id(n), version, modified_at: at(300) }
}

/// The server has the change, and the record is deleted.
#[must_use]
pub fn won_deleted(n: u64) -> RecordOutcome {
    RecordOutcome::Won { server_id: record_id(n), version: None, modified_at: at(300) }
}

/// A refusal by the project.
#[must_use]
pub fn refusal() -> RecordRefusal {
    RecordRefusal { code: RecordRefusalCode::Refused, detail: Some("23514".to_owned()) }
}

/// The result for mutation number `n`.
#[must_use]
pub fn result(n: u64, outcome: RecordOutcome) -> RecordResult {
    RecordResult { mutation_id: mutation_id(n), outcome, ignored: vec![] }
}

/// All visits, the newest first.
#[must_use]
pub fn all_visits() -> RecordQuery {
    RecordQuery::new(table("visits"))
}

/// The number 1 in this many arrays.
#[must_use]
pub fn deep(levels: usize) -> Value {
    (0..levels).fold(Value::from(1), |inner, _| Value::Array(vec![inner]))
}
