//! The envelope, and all fields that a response of the three functions can have besides it.

use super::row::{RecordResultRow, RecordRowWire, RecordTombstoneRow};
use crate::{
    http::Reply,
    wire::{
        answer::{Refusal, check, limits, read_carefully, text, transfer},
        list::{Careful, Fast, Reading},
        object::{Dropped, object},
        scalar::{Number, Stamp},
    },
};
use fieldpost_domain::{
    ServerLimits, Transfer,
    records::{RecordRow, RecordTombstone},
};
use fieldpost_remote::RemoteResult;
use serde_json::Value;

object!(
    /// Every field of every response.
    Answer<R: Reading>, rest: Dropped {
        protocol: Number,
        min_protocol: Number,
        limits: Value,
        server_time: Stamp,
        error: Refusal,
        records: Vec<R::Slot<RecordRowWire>>,
        tombstones: Vec<R::Slot<RecordTombstoneRow>>,
        cursor: String,
        more: bool,
        loading: bool,
        unknown_tables: Value,
        epoch: String,
        results: Vec<RecordResultRow>,
        stored: Value,
        refused: Value,
    }
);

/// A successful response, with its rows.
pub(crate) struct Read {
    pub(super) transfer: Transfer,
    pub(super) limits: ServerLimits,
    pub(super) server_time: Option<Stamp>,
    pub(super) rows: Vec<RecordRow>,
    pub(super) tombstones: Vec<RecordTombstone>,
    pub(super) unreadable: u32,
    pub(super) cursor: Option<String>,
    pub(super) more: Option<bool>,
    pub(super) loading: Option<bool>,
    pub(super) unknown_tables: Option<Value>,
    pub(super) epoch: Option<String>,
    pub(super) results: Option<Vec<RecordResultRow>>,
    pub(super) stored: Option<Value>,
    pub(super) refused: Option<Value>,
}

/// Reads a 2xx response.
pub(crate) fn read(operation: &'static str, reply: &Reply) -> RemoteResult<Read> {
    let text = text(operation, reply)?;
    let read = match serde_json::from_str::<Answer<Fast>>(text) {
        Ok(answer) => take(operation, answer),
        Err(_) => take(operation, read_carefully::<Answer<Careful>>(operation, text)?),
    }?;
    Ok(Read { transfer: transfer(text, reply), ..read })
}

fn take<R: Reading>(operation: &'static str, answer: Answer<R>) -> RemoteResult<Read> {
    check(operation, answer.error.as_ref(), [answer.protocol, answer.min_protocol])?;
    let mut unreadable = Vec::new();
    let rows = R::rows::<RecordRowWire>(answer.records, "records", &mut unreadable);
    let tombstones = R::rows::<RecordTombstoneRow>(answer.tombstones, "tombstones", &mut unreadable);
    for row in &unreadable {
        tracing::warn!(list = row.list, reason = row.reason, "a row cannot be read, and is skipped");
    }
    Ok(Read {
        transfer: Transfer::default(),
        limits: limits(answer.limits.as_ref()),
        server_time: answer.server_time,
        rows,
        tombstones,
        unreadable: u32::try_from(unreadable.len()).unwrap_or(u32::MAX),
        cursor: answer.cursor,
        more: answer.more,
        loading: answer.loading,
        unknown_tables: answer.unknown_tables,
        epoch: answer.epoch,
        results: answer.results,
        stored: answer.stored,
        refused: answer.refused,
    })
}
