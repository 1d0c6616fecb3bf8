//! Reading records.

use super::{
    fields,
    text::{as_json, line, whole},
};
use crate::{
    device::Device,
    failure::Failure,
    named::{self, Candidate, Kind},
    output::Output,
};
use fieldpost::records::{Record, RecordQuery, RecordTable, TableName};
use serde_json::json;

pub(super) async fn tables(device: &Device, output: &Output) -> Result<(), Failure> {
    for table in device.client.record_tables().await? {
        let count = device.client.records(&table.name).count().await?;
        output.result(&json!({ "table": table.name, "records": count }), || format!("{:<32} {count}", table.name));
    }
    Ok(())
}

pub(super) async fn records(
    device: &Device,
    name: &TableName,
    conditions: &[String],
    limit: u32,
    output: &Output,
) -> Result<(), Failure> {
    let table = declared(device, name).await?;
    let query = fields::query(&table, conditions)?.limit(limit);
    let found = device.client.records(name).query(query).await?;
    if found.is_empty() {
        output.tell("There is no such record on this device.");
    }
    let shown: Vec<_> = found.iter().map(|record| record.id).collect();
    device.client.audit_reads(name, &shown, "fieldpost records list").await?;
    found.iter().for_each(|record| output.result(&as_json(record), || line(record)));
    Ok(())
}

pub(super) async fn show(device: &Device, name: &TableName, wanted: &str, output: &Output) -> Result<(), Failure> {
    let record = find(device, name, wanted).await?;
    device.client.audit_read(name, record.id, "fieldpost records show").await?;
    output.result(&as_json(&record), || whole(&record));
    Ok(())
}

/// The declaration of a table.
pub(super) async fn declared(device: &Device, name: &TableName) -> Result<RecordTable, Failure> {
    let tables = device.client.record_tables().await?;
    let names: Vec<_> = tables.iter().map(|table| table.name.as_str()).collect();
    let unknown = format!("there is no table {:?}; there are {}", name.as_str(), names.join(", "));
    tables.iter().find(|table| table.name == *name).cloned().ok_or_else(|| Failure::usage(unknown))
}

/// The record that a person named: by its id, or a part of it.
pub(super) async fn find(device: &Device, name: &TableName, wanted: &str) -> Result<Record, Failure> {
    declared(device, name).await?;
    let records = device.client.records(name);
    if let Ok(id) = wanted.parse()
        && let Some(found) = records.get(id).await?
    {
        return Ok(found);
    }
    let all = records.query(RecordQuery::new(name.clone())).await?;
    let candidates =
        all.into_iter().map(|record| Candidate { name: String::new(), ids: vec![record.id.to_string()], what: record });
    let kind = Kind { one: "record", several: "records", listed_by: "records list" };
    named::find(candidates.collect(), wanted, &kind)
}
