//! The border between device and server: names and times are translated here.
//!
//! On the device a record has the declared names, and a time is that of a clock of the device. On the wire the names are
//! the server's, and a time is one of the server's clock, or an age. Rows come back under the server's names; the store
//! translates those, because only it knows what it keeps of a table that is no longer declared.

use super::RecordEngine;
use fieldpost_domain::{
    MutationId, Time,
    planted::{PlantedBug, planted},
    records::{AuditEntry, DeviceTime, Modified, RecordMutation, RecordTable, TableName},
};
use fieldpost_remote::{OutgoingAudit, OutgoingRecord};
use std::{
    collections::HashMap,
    sync::{Mutex as Lock, PoisonError},
    time::Duration,
};

/// The declared tables, by their names on the device.
#[derive(Debug, Default)]
pub(super) struct Tables(HashMap<TableName, RecordTable>);

impl Tables {
    pub(super) fn new(tables: Vec<RecordTable>) -> Self {
        Self(tables.into_iter().map(|table| (table.name.clone(), table)).collect())
    }

    /// Their names on the server, in the order of the names.
    pub(super) fn server_names(&self) -> Vec<TableName> {
        let mut names: Vec<_> = self.0.values().map(|table| table.server_name.clone()).collect();
        names.sort();
        names
    }

    /// The change as the server understands it; none if its table is not declared. `after` is the change of the record
    /// that was sent before it.
    pub(super) fn outgoing(
        &self,
        mutation: &RecordMutation,
        now: DeviceTime,
        after: Option<MutationId>,
    ) -> Option<OutgoingRecord> {
        let table = self.0.get(&mutation.table)?;
        Some(OutgoingRecord {
            id: mutation.id,
            table: table.server_name.clone(),
            record_id: mutation.record_id,
            operation: mutation.operation.clone(),
            org_id: mutation.org_id,
            fields: table.to_server(mutation.fields.clone()),
            modified: modified(mutation.modified_at, now, mutation.ahead_micros),
            after,
            rule: table.conflict,
        })
    }
}

pub(super) fn outgoing_audit(entry: &AuditEntry, now: DeviceTime) -> OutgoingAudit {
    OutgoingAudit {
        id: entry.id,
        table: entry.table.clone(),
        record_id: entry.record_id,
        operation: entry.operation.clone(),
        context: entry.context.clone(),
        at: modified(entry.at, now, entry.ahead_micros),
    }
}

fn modified(at: DeviceTime, now: DeviceTime, ahead_micros: Option<i64>) -> Modified {
    if planted(PlantedBug::LwwByRawClock) {
        return Modified::At(at.at);
    }
    if planted(PlantedBug::ClockSessionIgnored) {
        return DeviceTime { clock: now.clock, ..at }.modified(now, None);
    }
    at.modified(now, ahead_micros)
}

/// A difference that no measurement explains, in microseconds: the server's clock was set.
const SERVER_WAS_SET: u64 = 1_000_000;

/// By how much the clock is ahead of the server's, as measured best so far.
#[derive(Debug, Default)]
pub(super) struct Measured(Lock<Option<Measurement>>);

#[derive(Debug, Clone, Copy)]
struct Measurement {
    /// By how much at most. So no change is ever dated later than it was made: a server that finds a time in its future
    /// takes its own, and a repeated request would then have another time than the first.
    ahead_micros: i64,
    /// It is this much less at most.
    round_trip: Duration,
}

impl Measured {
    /// Compares the clocks by one answer. Returns by how many microseconds ours is ahead, if that is worth recording.
    fn compare(&self, sent: DeviceTime, received: DeviceTime, server_time: Time) -> Option<i64> {
        let round_trip = (received.at - sent.at).to_std().unwrap_or_default();
        // The server's clock showed that time before the answer left.
        let ahead_micros = (received.at - server_time).num_microseconds()?;
        let mut best = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let worth = best.is_none_or(|best| {
            let uncertain = best.round_trip.max(round_trip);
            let uncertain = u64::try_from(uncertain.as_micros()).unwrap_or(u64::MAX);
            let moved = best.ahead_micros.abs_diff(ahead_micros) > uncertain.saturating_add(SERVER_WAS_SET);
            moved || round_trip < best.round_trip / 2
        });
        if !worth {
            return None;
        }
        *best = Some(Measurement { ahead_micros, round_trip });
        Some(ahead_micros)
    }
}

impl RecordEngine {
    /// Notes what an answer tells about the clocks. A failure to record it is only logged: the next answer tells it
    /// again.
    pub(super) async fn measure_clock(&self, sent: DeviceTime, server_time: Time) {
        let Some(ahead) = self.measured.compare(sent, self.clock.now(), server_time) else { return };
        if let Err(error) = self.queue.clock_measured(self.clock.id(), ahead).await {
            self.measured.forget();
            tracing::debug!(%error, "the measured clock could not be recorded");
        }
    }
}

impl Measured {
    fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fieldpost_domain::records::ClockId;

    fn at(millis: i64) -> DeviceTime {
        DeviceTime { clock: ClockId::from_uuid(uuid::Uuid::nil()), at: server(millis) }
    }

    fn server(millis: i64) -> Time {
        Time::from_timestamp_millis(1_800_000_000_000 + millis).unwrap()
    }

    #[test]
    fn the_clock_is_compared_when_the_answer_has_come() {
        let measured = Measured::default();
        assert_eq!(measured.compare(at(1000), at(1200), server(100)), Some(1_100_000));
    }

    #[test]
    fn only_a_better_measurement_or_another_difference_is_recorded() {
        let measured = Measured::default();
        assert!(measured.compare(at(0), at(400), server(0)).is_some());
        assert_eq!(measured.compare(at(1000), at(1400), server(1050)), None, "as uncertain as the first");
        assert!(measured.compare(at(2000), at(2100), server(2000)).is_some(), "four times as exact");
        assert!(measured.compare(at(3000), at(3400), server(9000)).is_some(), "the server's clock was set");
    }
}
