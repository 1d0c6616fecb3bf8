//! Changes that a person makes.

use super::{
    alias,
    entry::{self, Entry},
    local::{self, Local},
    tables::{Table, Tables},
    urgency::{referred_by, spread},
};
use crate::{
    entity::{account, people, record_queue as queue, record_tombstones as tombstones, value::Id},
    error::{Fault, Res},
    resolve,
    sql::Tx,
};
use fieldpost_domain::{
    MutationId, OrgId,
    records::{
        DeviceTime, FieldError, Fields, NewRecord, Priority, RECORD_LIMIT, Record, RecordChange, RecordId,
        RecordOperation, RecordRefusalCode, RecordTable, TableName,
    },
};
use fieldpost_storage::StorageErrorKind;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

fn missing() -> Fault {
    Fault::kind(StorageErrorKind::NotFound)
}

/// Who makes a change must have signed in.
async fn author(tx: &Tx) -> Res<Uuid> {
    let account = tx.find_one::<account::Model>(&account::Entity::find()).await?;
    account.map(|account| account.person_id.0).ok_or(Fault::kind(StorageErrorKind::NoAccount))
}

/// The org of the signed-in person.
async fn org(tx: &Tx) -> Res<OrgId> {
    let viewer = resolve::viewer(tx).await?.unwrap_or_default();
    let me = people::Entity::find()
        .filter(people::Column::Id.eq(Id(viewer)))
        .order_by_asc(people::Column::Removed)
        .order_by_asc(people::Column::OrgId)
        .limit(1);
    let me = tx.find_one::<people::Model>(&me).await?;
    me.map(|me| OrgId::from_uuid(me.org_id.0)).ok_or(Fault::kind(StorageErrorKind::NotSynced))
}

/// What a new entry says.
struct Draft {
    id: MutationId,
    record: Uuid,
    operation: RecordOperation,
    org_id: Option<OrgId>,
    fields: Fields,
    priority: Priority,
    at: DeviceTime,
}

pub(super) async fn create(tx: &Tx, mutation: MutationId, new: NewRecord) -> Res<Record> {
    author(tx).await?;
    let tables = Tables::read(tx).await?;
    let (table, declaration) = tables.get(&new.table)?;
    let record = alias::resolve(tx, &table.name, new.id).await?;
    let mut local = local::one(tx, table, record).await?;
    if let Some(stored) = local.record(declaration) {
        return Ok(stored);
    }
    if local.is_known() || is_buried(tx, &table.name, record).await? {
        return Err(Fault::field(FieldError::IdOfDeleted));
    }
    declaration.check_new(&new.fields).map_err(Fault::field)?;
    let fields = kept(tx, table, declaration, new.fields).await?;
    let priority = declaration.priority.of(&fields);
    let org_id = Some(match new.org_id {
        Some(org) => org,
        None => org(tx).await?,
    });
    if entry::find(tx, mutation).await?.is_some() {
        return Err(missing());
    }
    let operation = RecordOperation::Create;
    let draft = Draft { id: mutation, record, operation, org_id, fields, priority, at: new.at };
    push(tx, &tables, table, &mut local, draft).await?;
    local.record(declaration).ok_or_else(missing)
}

async fn is_buried(tx: &Tx, table: &TableName, record: Uuid) -> Res<bool> {
    tx.finds(&tombstones::Entity::find_by_id((table.as_str().to_owned(), Id(record)))).await
}

/// The fields as they are kept: in one spelling, and with the current ids of the records that they refer to.
pub(super) async fn kept(tx: &Tx, table: &Table, declaration: &RecordTable, fields: Fields) -> Res<Fields> {
    let mut fields = declaration.canonical(fields);
    alias::follow(tx, table, &mut [&mut fields]).await?;
    Ok(fields)
}

pub(super) async fn update(tx: &Tx, mutation: MutationId, change: RecordChange) -> Res<Record> {
    author(tx).await?;
    let tables = Tables::read(tx).await?;
    let (table, declaration) = tables.get(&change.table)?;
    let record = alias::resolve(tx, &table.name, change.id).await?;
    let mut local = local::one(tx, table, record).await?;
    let shown = local.record(declaration).ok_or_else(missing)?;
    declaration.check_change(&change.fields).map_err(Fault::field)?;
    let null = serde_json::Value::Null;
    let fields = kept(tx, table, declaration, change.fields).await?.into_iter();
    let fields: Fields = fields.filter(|(name, value)| shown.fields.get(name).unwrap_or(&null) != value).collect();
    if fields.is_empty() || entry::find(tx, mutation).await?.is_some() {
        return Ok(shown);
    }
    let mut after = shown.fields;
    after.merge(&fields);
    let priority = declaration.priority.of(&after);
    let operation = RecordOperation::Update;
    let draft = Draft { id: mutation, record, operation, org_id: None, fields, priority, at: change.at };
    if is_foldable(tx, &tables, &local, &draft, table).await? {
        fold(tx, &tables, table, &mut local, draft).await?;
    } else {
        push(tx, &tables, table, &mut local, draft).await?;
    }
    local.record(declaration).ok_or_else(missing)
}

pub(super) async fn delete(
    tx: &Tx,
    mutation: MutationId,
    table: &TableName,
    record: RecordId,
    at: DeviceTime,
) -> Res<()> {
    let tables = Tables::read(tx).await?;
    let (table, declaration) = tables.get(table)?;
    let record = alias::resolve(tx, &table.name, record).await?;
    let before = local::one(tx, table, record).await?;
    let Some(shown) = before.record(declaration) else { return Ok(()) };
    if entry::find(tx, mutation).await?.is_some() {
        return Ok(());
    }
    let mut local = before.clone();
    local.changes.retain(|change| !change.is_unsent());
    local::store_one(tx, table, before, local.clone()).await?;
    if local.is_known() {
        let (operation, priority) = (RecordOperation::Delete, declaration.priority.of(&shown.fields));
        let fields = Fields::new();
        let draft = Draft { id: mutation, record, operation, org_id: None, fields, priority, at };
        push(tx, &tables, table, &mut local, draft).await?;
    }
    Ok(())
}

/// Appends a change. Behind a dead letter of its record it is one too.
async fn push(tx: &Tx, tables: &Tables, table: &Table, local: &mut Local, draft: Draft) -> Res<()> {
    let parks = local.changes.iter().any(|change| change.refusal.is_some());
    let mut change = Entry {
        position: 0,
        id: draft.id,
        table: table.name.as_str().to_owned(),
        record: draft.record,
        operation: draft.operation,
        org_id: draft.org_id,
        fields: draft.fields,
        priority: draft.priority,
        at: draft.at,
        recorded_at: draft.at.at,
        in_flight: 0,
        taken_by: None,
        failures: 0,
        next_at: None,
        last_retry: None,
        refusal: None,
        is_unreadable: false,
    };
    if parks {
        change.refuse(RecordRefusalCode::AfterRefused);
    }
    change.position = entry::append(tx, &change).await?;
    let before = local.clone();
    local.changes.push(change.clone());
    local::store_one(tx, table, before, local.clone()).await?;
    spread(tx, tables, change).await
}

/// Whether an update can be folded into the last change of its record: that was never sent, and nothing that the update
/// refers to was created since, because that must be sent before it.
async fn is_foldable(tx: &Tx, tables: &Tables, local: &Local, draft: &Draft, table: &Table) -> Res<bool> {
    let Some(last) = local.changes.last() else { return Ok(false) };
    let mut fields = last.fields.clone();
    fields.merge(&draft.fields);
    if last.in_flight > 0 || last.refusal.is_some() || fields.json_size() > RECORD_LIMIT {
        return Ok(false);
    }
    let update = Entry { fields: draft.fields.clone(), table: table.name.as_str().to_owned(), ..last.clone() };
    for (other, id) in referred_by(tables, &update) {
        let created_since = queue::Entity::find()
            .filter(queue::Column::TableName.eq(other.as_str()))
            .filter(queue::Column::RecordId.eq(Id(id)))
            .filter(queue::Column::Operation.eq(RecordOperation::Create.as_str()))
            .filter(queue::Column::Position.gt(last.position));
        if tx.finds(&created_since).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn fold(tx: &Tx, tables: &Tables, table: &Table, local: &mut Local, draft: Draft) -> Res<()> {
    let before = local.clone();
    let Some(change) = local.changes.last_mut() else { return Ok(()) };
    change.fields.merge(&draft.fields);
    // Times of two clocks cannot be compared; the change is the later one anyhow.
    if change.at.clock != draft.at.clock || change.at.at < draft.at.at {
        change.at = draft.at;
    }
    if draft.priority < change.priority {
        (change.priority, change.next_at) = (draft.priority, None);
    }
    let change = change.clone();
    local::store_one(tx, table, before, local.clone()).await?;
    spread(tx, tables, change).await
}
