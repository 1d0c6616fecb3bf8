//! Matches the results of a push to its changes.
//!
//! As with messages, a result is accepted only where it belongs: as many results as changes, each at its place and with
//! its id. Otherwise the response is `Malformed`, the outcome of the batch stays unknown, and it is sent again, which is
//! harmless.
//!
//! What is missing in a clear result must not hold up the queue for ever. A change that won without a primary key keeps
//! the id that it has, and the next pull tells which row it is. A change that lost, and whose winner cannot be read, is
//! a dead letter ([`RecordRefusalCode::Unreadable`]): a person decides. A winner that is another record is no answer.

use super::{answer::Read, page::texts, row::RecordResultRow};
use crate::wire::{answer::malformed, page, result::UNSPECIFIED};
use fieldpost_domain::{
    RetryCode, Time,
    records::{RecordOutcome, RecordRefusal, RecordRefusalCode, RecordResult, RecordRow},
};
use fieldpost_remote::{OutgoingRecord, RecordPushAnswer, RemoteResult};

/// The answer to a batch: one result per change and in its order.
pub(crate) fn push(operation: &'static str, changes: &[OutgoingRecord], read: Read) -> RemoteResult<RecordPushAnswer> {
    let server_time = page::server_time(operation, &read.server_time)?;
    let rows = read.results.unwrap_or_default();
    if rows.len() != changes.len() {
        return Err(malformed(operation, format!("{} results for {} changes", rows.len(), changes.len())));
    }
    let mut results = Vec::with_capacity(rows.len());
    for (index, (change, row)) in changes.iter().zip(rows).enumerate() {
        let result =
            result(change, row, server_time).map_err(|what| malformed(operation, format!("result {index}: {what}")))?;
        results.push(result);
    }
    Ok(RecordPushAnswer { results, server_time, limits: read.limits, took: read.transfer.took })
}

fn result(change: &OutgoingRecord, row: RecordResultRow, server_time: Time) -> Result<RecordResult, &'static str> {
    if row.id != Some(change.id) {
        return Err("it answers another change");
    }
    let ignored = texts(row.ignored.as_ref()).map(str::to_owned).collect();
    let code = row.code.as_deref().unwrap_or(UNSPECIFIED);
    let outcome = match row.status.as_deref() {
        Some("won") => RecordOutcome::Won {
            server_id: row.record_id.unwrap_or(change.record_id),
            version: row.version.map(Into::into),
            modified_at: row.modified_at.map_or(server_time, |moment| moment.clamped()),
        },
        Some("lost") => lost(change, row.record.map(|kept| kept.read))?,
        Some("missing") => RecordOutcome::Missing,
        Some("refused") => {
            RecordOutcome::Refused(RecordRefusal { code: RecordRefusalCode::from(code), detail: row.detail.clone() })
        }
        Some("retry") => RecordOutcome::Retry(RetryCode::from(code)),
        _ => return Err("its status is unknown"),
    };
    Ok(RecordResult { mutation_id: change.id, outcome, ignored })
}

fn lost(change: &OutgoingRecord, winner: Option<Result<RecordRow, String>>) -> Result<RecordOutcome, &'static str> {
    let winner = match winner {
        Some(Ok(winner)) => winner,
        Some(Err(why)) => return Ok(unreadable(&why)),
        None => return Ok(unreadable("missing")),
    };
    let named = [Some(winner.id), winner.client_id].contains(&Some(change.record_id));
    if !named || winner.table != change.table {
        return Err("its winner is another record");
    }
    Ok(RecordOutcome::Lost { winner: Box::new(winner) })
}

fn unreadable(why: &str) -> RecordOutcome {
    let detail = Some(format!("it lost against a row that cannot be read: {why}"));
    RecordOutcome::Refused(RecordRefusal { code: RecordRefusalCode::Unreadable, detail })
}
