//! Changing records.

use super::{
    fields,
    list::{declared, find},
    text::{as_json, line},
};
use crate::{
    commands::text::{KEPT, NOT_YET, SENT, refused_record},
    device::Device,
    failure::Failure,
    output::Output,
};
use fieldpost::records::{RecordEntryState, RecordId, RecordState, TableName};
use serde_json::json;

pub(super) async fn create(
    device: &Device,
    name: &TableName,
    arguments: &[String],
    output: &Output,
) -> Result<(), Failure> {
    let fields = fields::parse(&declared(device, name).await?, arguments)?;
    let created = device.client.records(name).create(fields).await?;
    send(device, name, created.id, output).await
}

pub(super) async fn update(
    device: &Device,
    name: &TableName,
    wanted: &str,
    arguments: &[String],
    output: &Output,
) -> Result<(), Failure> {
    let fields = fields::parse(&declared(device, name).await?, arguments)?;
    let id = find(device, name, wanted).await?.id;
    device.client.records(name).update(id, fields).await?;
    send(device, name, id, output).await
}

pub(super) async fn delete(device: &Device, name: &TableName, wanted: &str, output: &Output) -> Result<(), Failure> {
    let id = find(device, name, wanted).await?.id;
    device.client.records(name).delete(id).await?;
    output.tell(KEPT);
    let synced = device.sync_if_possible(output).await;
    output.result(&json!({ "deleted": id }), || format!("{id} deleted."));
    synced
}

/// Sends what was written, if that is possible, and shows what became of it.
async fn send(device: &Device, name: &TableName, id: RecordId, output: &Output) -> Result<(), Failure> {
    output.tell(KEPT);
    let synced = device.sync_if_possible(output).await;
    let now = device.client.records(name).get(id).await?;
    let Some(now) = now else {
        synced?;
        return Err(Failure::error("the record left this device meanwhile: somebody deleted it"));
    };
    output.result(&as_json(&now), || line(&now));
    match now.state {
        RecordState::Synced => output.tell(SENT),
        RecordState::Queued => output.tell(NOT_YET),
        RecordState::Failed => {}
    }
    synced?;
    match now.state {
        RecordState::Failed => Err(refusal(device, now.id).await?),
        _ => Ok(()),
    }
}

async fn refusal(device: &Device, record: RecordId) -> Result<Failure, Failure> {
    let queue = device.client.record_queue(u32::MAX).await?;
    let refused = queue.into_iter().find_map(|entry| match entry.state {
        RecordEntryState::Failed(refusal) if entry.record_id == record => Some(refusal),
        _ => None,
    });
    Ok(refused.map_or_else(|| Failure::error("the server refused this record"), |refusal| refused_record(&refusal)))
}
