//! Builds the page of `fieldpost_records_pull`.

use super::answer::Read;
use crate::wire::{answer::malformed, page};
use fieldpost_domain::{
    ServerEpoch,
    records::{RecordPage, TableName},
};
use fieldpost_remote::RemoteResult;
use serde_json::Value;

/// The page. `more` and `loading` decide what leaves the device, so a page without them is malformed.
pub(crate) fn pull(operation: &'static str, read: Read) -> RemoteResult<RecordPage> {
    Ok(RecordPage {
        transfer: read.transfer,
        rows: read.rows,
        tombstones: read.tombstones,
        unreadable: read.unreadable,
        cursor: page::cursor(operation, read.cursor)?,
        more: read.more.ok_or_else(|| malformed(operation, "more: missing"))?,
        loading: read.loading.ok_or_else(|| malformed(operation, "loading: missing"))?,
        unknown_tables: texts(read.unknown_tables.as_ref()).filter_map(|name| TableName::new(name).ok()).collect(),
        epoch: read.epoch.map(ServerEpoch::new),
        server_time: page::server_time(operation, &read.server_time)?,
    })
}

/// The texts of a list; everything else in it is left out.
pub(super) fn texts(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
