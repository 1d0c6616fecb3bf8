//! Changes in the queue.

use super::{
    json,
    sql::{among, col, name, rows, run},
};
use crate::{
    entity::{
        record_queue::{ActiveModel, Column as Q, Entity, Model},
        value::{AnyText, Id, Micros},
    },
    error::Res,
    sql::{IdSet, Tx},
    values::{signed, unsigned},
};
use fieldpost_domain::{
    MutationId, OrgId, RetryCode, Time,
    records::{
        ClockId, DeviceTime, Fields, Priority, RecordId, RecordMutation, RecordOperation, RecordRefusal,
        RecordRefusalCode, TableName,
    },
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::NotSet,
    ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QueryTrait,
    sea_query::{Query, QueryStatementWriter, SelectStatement},
};
use uuid::Uuid;

/// A change in the queue.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) position: i64,
    pub(super) id: MutationId,
    pub(super) table: String,
    pub(super) record: Uuid,
    pub(super) operation: RecordOperation,
    pub(super) org_id: Option<OrgId>,
    pub(super) fields: Fields,
    pub(super) priority: Priority,
    pub(super) at: DeviceTime,
    pub(super) recorded_at: Time,
    /// Attempts with an unknown outcome.
    pub(super) in_flight: i64,
    /// The store that has it under way.
    pub(super) taken_by: Option<Uuid>,
    /// Failures in a row.
    pub(super) failures: u32,
    pub(super) next_at: Option<Time>,
    pub(super) last_retry: Option<RetryCode>,
    /// Why it is a dead letter.
    pub(super) refusal: Option<RecordRefusal>,
    /// Nobody can read what it says.
    pub(super) is_unreadable: bool,
}

impl From<Model> for Entry {
    fn from(model: Model) -> Self {
        let fields = json::read::<Fields>(&model.fields.0);
        let operation = RecordOperation::from(model.operation.0);
        let is_unreadable = fields.is_none() || matches!(operation, RecordOperation::Unknown(_));
        let unreadable =
            || is_unreadable.then_some(RecordRefusal { code: RecordRefusalCode::Unreadable, detail: None });
        let refused = |code: String| RecordRefusal { code: code.into(), detail: model.failed_detail };
        Self {
            position: model.position,
            id: MutationId::from_uuid(model.id.0),
            table: model.table_name,
            record: model.record_id.0,
            operation,
            org_id: model.org_id.map(|org| OrgId::from_uuid(org.0)),
            fields: fields.unwrap_or_default(),
            priority: Priority::from_number(model.priority),
            at: DeviceTime { clock: ClockId::from_uuid(model.clock.0), at: model.modified_at.0 },
            recorded_at: model.recorded_at.0,
            in_flight: model.in_flight,
            taken_by: model.taken_by.map(|by| by.0),
            failures: u32::try_from(unsigned(model.failures)).unwrap_or(u32::MAX),
            next_at: model.next_at.map(|at| at.0),
            last_retry: model.last_retry.map(RetryCode::from),
            refusal: model.failed_code.map(refused).or_else(unreadable),
            is_unreadable,
        }
    }
}

impl Entry {
    /// Whether an attempt may have carried it out.
    pub(super) const fn is_sending(&self) -> bool {
        self.in_flight > 0 && self.refusal.is_none()
    }

    /// Whether it certainly never reached the server, or was refused there.
    pub(super) const fn is_unsent(&self) -> bool {
        self.in_flight <= 0 || self.refusal.is_some()
    }

    pub(super) fn is_parked(&self) -> bool {
        self.refusal.as_ref().is_some_and(|refusal| refusal.code == RecordRefusalCode::AfterRefused)
    }

    /// It is no longer under way, and was not carried out by this attempt.
    pub(super) fn undo_attempt(&mut self) {
        self.in_flight = (self.in_flight - 1).max(0);
        self.taken_by = None;
    }

    /// It waits as its priority says.
    pub(super) fn wait(&mut self, at: Time) {
        self.taken_by = None;
        self.failures = self.failures.saturating_add(1);
        self.next_at = at.checked_add_signed(long(self.priority.backoff(self.failures)));
    }

    /// It is a dead letter no longer.
    pub(super) fn requeue(&mut self) {
        (self.refusal, self.failures, self.next_at, self.last_retry) = (None, 0, None, None);
    }

    pub(super) fn refuse(&mut self, code: RecordRefusalCode) {
        self.refusal = Some(RecordRefusal { code, detail: None });
    }

    /// As it is sent.
    pub(super) fn mutation(&self, table: TableName, ahead_micros: Option<i64>) -> RecordMutation {
        RecordMutation {
            id: self.id,
            table,
            record_id: RecordId::from_uuid(self.record),
            operation: self.operation.clone(),
            org_id: self.org_id,
            fields: self.fields.clone(),
            priority: self.priority,
            modified_at: self.at,
            ahead_micros,
        }
    }

    fn model(&self) -> Model {
        let refusal = self.refusal.as_ref();
        Model {
            position: self.position,
            id: Id(self.id.as_uuid()),
            table_name: self.table.clone(),
            record_id: Id(self.record),
            operation: AnyText(self.operation.as_str().to_owned()),
            org_id: self.org_id.map(|org| Id(org.as_uuid())),
            fields: AnyText(text(&self.fields)),
            priority: self.priority.number().into(),
            wire_size: signed(512 + self.fields.json_size() as u64),
            clock: Id(self.at.clock.as_uuid()),
            modified_at: Micros(self.at.at),
            in_flight: self.in_flight,
            taken_by: self.taken_by.map(Id),
            failures: self.failures.into(),
            next_at: self.next_at.map(Micros),
            last_retry: self.last_retry.as_ref().map(|code| code.as_str().to_owned()),
            failed_code: refusal.map(|refusal| refusal.code.as_str().to_owned()),
            failed_detail: refusal.and_then(|refusal| refusal.detail.clone()),
            recorded_at: Micros(self.recorded_at),
        }
    }
}

/// A wait as a difference of times. Waits are hours.
fn long(wait: std::time::Duration) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(wait).unwrap_or(chrono::TimeDelta::MAX)
}

/// Fields always have a text.
pub(super) fn text(fields: &Fields) -> String {
    serde_json::to_string(fields).unwrap_or_else(|_| "{}".to_owned())
}

pub(super) async fn read(tx: &Tx, query: &impl QueryStatementWriter) -> Res<Vec<Entry>> {
    rows(tx, query).await?.iter().map(|row| row.model::<Model>().map(Entry::from)).collect()
}

/// The changes of these records of a table, in their order.
pub(super) async fn of_records(tx: &Tx, table: &TableName, records: &IdSet) -> Res<Vec<Entry>> {
    read(tx, &query_of_records(table.as_str(), records)).await
}

pub(super) fn query_of_records(table: &str, records: &IdSet) -> SelectStatement {
    let mut query = Entity::find().filter(Q::TableName.eq(table)).order_by_asc(Q::Position).into_query();
    query.and_where(among(col("record_id"), records));
    query
}

/// These changes, in the order of recording.
pub(super) async fn by_ids(tx: &Tx, mutations: impl IntoIterator<Item = MutationId>) -> Res<Vec<Entry>> {
    read(tx, &query_by_ids(mutations)).await
}

pub(super) fn query_by_ids(mutations: impl IntoIterator<Item = MutationId>) -> SelectStatement {
    let ids = IdSet::of(mutations.into_iter().map(|id| id.as_uuid()));
    let mut query = Entity::find().order_by_asc(Q::Position).into_query();
    query.and_where(among(col("id"), &ids));
    query
}

pub(super) async fn find(tx: &Tx, mutation: MutationId) -> Res<Option<Entry>> {
    Ok(by_ids(tx, [mutation]).await?.pop())
}

/// Appends a change, and returns its position.
pub(super) async fn append(tx: &Tx, entry: &Entry) -> Res<i64> {
    let model = ActiveModel { position: NotSet, ..entry.model().into_active_model().reset_all() };
    tx.execute(&Entity::insert(model)).await?;
    let query =
        Query::select().column(name("position")).from(Entity).and_where(Q::Id.eq(Id(entry.id.as_uuid()))).to_owned();
    let row = super::sql::one(tx, &query).await?;
    row.map_or(Ok(entry.position), |row| row.only())
}

/// Writes what has changed in an entry, but not where it stands.
pub(super) async fn rewrite(tx: &Tx, entry: &Entry) -> Res<()> {
    let mut model = entry.model().into_active_model().reset_all();
    model.position = NotSet;
    if entry.is_unreadable {
        // What nobody can read stays as it is.
        (model.fields, model.operation) = (NotSet, NotSet);
    }
    tx.execute(&Entity::update_many().set(model).filter(Q::Position.eq(entry.position))).await.map(drop)
}

/// Removes changes.
pub(super) async fn remove(tx: &Tx, entries: impl IntoIterator<Item = MutationId>) -> Res<()> {
    let ids = IdSet::of(entries.into_iter().map(|id| id.as_uuid()));
    if ids.is_empty() {
        return Ok(());
    }
    let delete = Query::delete().from_table(Entity).and_where(among(col("id"), &ids)).to_owned();
    run(tx, &delete).await.map(drop)
}
