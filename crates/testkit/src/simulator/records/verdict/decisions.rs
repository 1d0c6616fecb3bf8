//! What must hold for each decision and each page of the server, at the moment when it is made.

use crate::ManualClock;
use crate::simulator::{
    Breach, Invariant,
    records::{
        link::Shared,
        policy::RecordPolicy,
        tables,
        truth::{Decided, Key, Made, Promise, State},
    },
};
use fieldpost_domain::{
    AccessToken, ServerLimits,
    records::{
        ClockId, ConflictRule, Fields, Modified, RecordId, RecordOperation, RecordOutcome, RecordPage,
        RecordRefusalCode, RecordRow,
    },
};
use fieldpost_remote::{OutgoingRecord, RecordPushAnswer};
use serde_json::Value;
use std::collections::BTreeSet;

/// Rounding of times that are computed with microseconds.
const ROUNDING: u64 = 3;

/// A batch that has reached the server.
#[derive(Debug, Clone, Copy)]
pub(in crate::simulator::records) struct Arrived {
    pub(in crate::simulator::records) device: usize,
    /// The clock of the process that has sent it.
    pub(in crate::simulator::records) clock: Option<ClockId>,
    /// When it left, in true microseconds.
    pub(in crate::simulator::records) departed: u64,
    /// When the transaction began that decides about it.
    pub(in crate::simulator::records) dated: u64,
}

/// Reports a batch that is empty or above the server's limits.
pub(in crate::simulator::records) fn batch(
    shared: &Shared,
    device: usize,
    changes: &[OutgoingRecord],
) -> Result<(), Breach> {
    let most = shared.hub.server.limits().push_rows.max(ServerLimits::default().push_rows);
    if !changes.is_empty() && changes.len() <= most as usize {
        return Ok(());
    }
    Err(Breach::new(Invariant::RecordsBounded, format!("device {device} pushes {} changes", changes.len())))
}

/// Notes and judges what the server has decided about a batch.
pub(in crate::simulator::records) fn decided(
    shared: &Shared,
    arrived: Arrived,
    changes: &[OutgoingRecord],
    answer: &RecordPushAnswer,
) -> Result<(), Breach> {
    let mut truth = shared.truth.lock();
    if changes.iter().map(|change| change.id).ne(answer.results.iter().map(|result| result.mutation_id)) {
        return Err(Breach::new(Invariant::RecordsNoLoss, "an answer has other results than the batch has changes"));
    }
    // Records whose create is answered with `retry`, with what needs them: the device puts those off too.
    let mut put_off: BTreeSet<RecordId> = BTreeSet::new();
    for (place, (change, result)) in changes.iter().zip(&answer.results).enumerate() {
        let Some(made) = truth.made.get(&change.id).cloned() else {
            let what = format!("device {} sends {}, which nobody has made", arrived.device, change.id);
            return Err(Breach::new(Invariant::RecordsNoDuplicate, what));
        };
        let exact = is_dated_rightly(&mut truth, arrived, change, &made)?;
        is_sent_as_made(change, &made)?;
        if waits(change, &result.outcome, &put_off) {
            if change.operation == RecordOperation::Create {
                put_off.insert(change.record_id);
            }
            continue;
        }
        follows_its_create(&truth, change, &made, &result.outcome)?;
        refused_for_a_reason(changes, answer, place)?;
        note(&mut truth, change, &result.outcome)?;
        if let RecordOutcome::Won { server_id, version, .. } = result.outcome {
            let key = (change.table.clone(), server_id);
            let row = shared.hub.server.record(&change.table, server_id);
            let is_last = !changes.iter().skip(place + 1).any(|later| {
                later.table == change.table && (later.record_id == change.record_id || later.record_id == server_id)
            });
            if version.is_some() && is_last {
                is_stored(change, row.as_ref())?;
            }
            if row.as_ref().is_some_and(|row| row.last_mutation_id == Some(change.id)) {
                truth.arrived.insert(key.clone(), change.id);
            }
            // Where the last arrival wins, a copy of a change that arrives last wins too.
            let compared = exact && change.rule == ConflictRule::LastWriteWins;
            is_in_order(&mut truth, key, (change, &made, compared), row.as_ref())?;
        }
    }
    Ok(())
}

/// The server dates a change as it was made, as exactly as is promised. Returns whether it does so at each attempt.
fn is_dated_rightly(truth: &mut State, arrived: Arrived, change: &OutgoingRecord, made: &Made) -> Result<bool, Breach> {
    let travelled = arrived.dated.saturating_sub(arrived.departed);
    let date = date(change.modified, arrived.dated);
    let promise = arrived.clock.and_then(|now| truth.promise(made, now, (arrived.departed, travelled)));
    let decided = truth.decided.entry(change.id).or_default();
    let Some(Promise { before, after, exact }) = promise else {
        decided.undated = true;
        return Ok(false);
    };
    decided.late = decided.late.max(before.max(after));
    let (earliest, latest) = (made.at.saturating_sub(before + ROUNDING), made.at + after + ROUNDING);
    // The server's own clock is the limit.
    if (earliest.min(arrived.dated)..=latest).contains(&date) {
        return Ok(exact);
    }
    let what = format!("{} of device {} is dated wrongly", change.id, made.device);
    let breach = Breach::new(Invariant::LastWriteWins, what);
    Err(breach.with_views(format!("{earliest} to {latest} µs"), format!("{date} µs")))
}

/// The date in microseconds since the run began.
fn date(modified: Modified, now: u64) -> u64 {
    let date = match modified {
        Modified::At(at) => u64::try_from(at.timestamp_micros() - ManualClock::START).unwrap_or(0),
        Modified::Ago(age) => now.saturating_sub(u64::try_from(age.as_micros()).unwrap_or(u64::MAX)),
    };
    date.min(now)
}

/// Whether a change has no answer that counts: it must be sent again, or needs a create that must.
fn waits(change: &OutgoingRecord, outcome: &RecordOutcome, put_off: &BTreeSet<RecordId>) -> bool {
    let needs_one = || put_off.contains(&change.record_id) || about(change).is_some_and(|id| put_off.contains(&id));
    match outcome {
        RecordOutcome::Retry(_) => true,
        RecordOutcome::Refused(_) => needs_one(),
        _ => false,
    }
}

/// The record that a change refers to.
fn about(change: &OutgoingRecord) -> Option<RecordId> {
    change.fields.get("about").and_then(|value| value.as_str()?.parse().ok())
}

/// What is sent is what the person has written, also if she has written more since.
fn is_sent_as_made(change: &OutgoingRecord, made: &Made) -> Result<(), Breach> {
    let table = tables::tables().into_iter().find(|table| table.server_name == change.table);
    let Some(fields) = table.map(|table| table.to_server(made.fields.clone())) else { return Ok(()) };
    let other = differing(&fields, &change.fields).find(|name| *name != "about");
    other.map_or(Ok(()), |field| {
        let what = format!("{} is sent without what was written as `{field}`", change.id);
        Err(Breach::new(Invariant::RecordsNoLoss, what))
    })
}

/// A change is not sent before the create of its record, or of one that it refers to.
fn follows_its_create(
    truth: &State,
    change: &OutgoingRecord,
    made: &Made,
    outcome: &RecordOutcome,
) -> Result<(), Breach> {
    let needed = match outcome {
        RecordOutcome::Missing => Some(made.record),
        RecordOutcome::Refused(refusal) => {
            let unknown = refusal.detail.as_ref().is_some_and(|detail| detail.ends_with("(23503)"));
            about(change).filter(|_| unknown)
        }
        _ => None,
    };
    let Some(needed) = needed else { return Ok(()) };
    let waits = truth.made.iter().find(|(id, other)| {
        other.record == needed
            && other.device == made.device
            && other.order < made.order
            && other.operation == RecordOperation::Create
            && !other.withdrawn
            && !truth.gone.contains(&needed)
            && truth.decided.get(id).is_none_or(|decided| !decided.is_decided())
    });
    waits.map_or(Ok(()), |_| {
        let what = format!("{} is sent before the create of {needed}, which it needs", change.id);
        Err(Breach::new(Invariant::RecordsOrder, what))
    })
}

/// Only what follows a refused change of its record is refused with it.
fn refused_for_a_reason(changes: &[OutgoingRecord], answer: &RecordPushAnswer, place: usize) -> Result<(), Breach> {
    let refused = |outcome: &RecordOutcome| match outcome {
        RecordOutcome::Refused(refusal) => Some(refusal.code.clone()),
        _ => None,
    };
    let (Some(change), Some(result)) = (changes.get(place), answer.results.get(place)) else { return Ok(()) };
    if refused(&result.outcome) != Some(RecordRefusalCode::AfterRefused) {
        return Ok(());
    }
    let mut before = changes.iter().zip(&answer.results).take(place);
    if before.any(|(other, result)| other.record_id == change.record_id && refused(&result.outcome).is_some()) {
        return Ok(());
    }
    let what = format!("{} is refused with another record", change.id);
    Err(Breach::new(Invariant::RecordsNoLoss, what))
}

/// Notes an outcome. A change does not lose against itself.
fn note(truth: &mut State, change: &OutgoingRecord, outcome: &RecordOutcome) -> Result<(), Breach> {
    let decided: &mut Decided = truth.decided.entry(change.id).or_default();
    match outcome {
        RecordOutcome::Won { version, server_id, .. } => {
            decided.won = true;
            if version.is_none() {
                truth.gone.extend([change.record_id, *server_id]);
            }
        }
        RecordOutcome::Lost { winner } if winner.last_mutation_id == Some(change.id) => {
            let what = format!("{} has lost against itself", change.id);
            return Err(Breach::new(Invariant::RecordsNoLoss, what));
        }
        RecordOutcome::Lost { winner } => {
            // A reference may have been re-keyed.
            let same = differing(&change.fields, &winner.fields).all(|name| name == "about");
            decided.lost = true;
            decided.lost_to_same |= same;
        }
        RecordOutcome::Missing => decided.missing = true,
        RecordOutcome::Refused(_) => decided.refused = true,
        RecordOutcome::Retry(_) => return Ok(()),
    }
    truth.since_restore.insert(change.id);
    Ok(())
}

/// The names of the fields that a row has otherwise than a change.
fn differing<'a>(change: &'a Fields, row: &'a Fields) -> impl Iterator<Item = &'a str> {
    change.iter().filter(|(name, value)| row.get(name).unwrap_or(&Value::Null) != *value).map(|(name, _)| name)
}

/// What the server says to have is in the row.
fn is_stored(change: &OutgoingRecord, row: Option<&RecordRow>) -> Result<(), Breach> {
    let create = change.operation == RecordOperation::Create;
    let Some(row) = row.filter(|row| row.last_mutation_id == Some(change.id)) else {
        // A create changes nothing that is there.
        let fine = create && row.is_some();
        let what = format!("{} has won, and its row does not say so", change.id);
        return if fine { Ok(()) } else { Err(Breach::new(Invariant::RecordsNoLoss, what)) };
    };
    match differing(&change.fields, &row.fields).find(|name| *name != "about") {
        None => Ok(()),
        Some(field) => {
            let what = format!("{} has won, and `{field}` is another", change.id);
            Err(Breach::new(Invariant::RecordsNoLoss, what))
        }
    }
}

/// The changes of a device to one record are applied in the order in which they were made, each once.
fn is_in_order(
    truth: &mut State,
    key: Key,
    (change, made, compared): (&OutgoingRecord, &Made, bool),
    row: Option<&RecordRow>,
) -> Result<(), Breach> {
    let id = change.id;
    let applied = truth.applied.entry(key).or_default();
    let is_last = row.is_some_and(|row| row.last_mutation_id == Some(id));
    let again = applied.contains(&id);
    let last = row.and_then(|row| row.last_mutation_id);
    if !again && last.is_some_and(|last| last != id && applied.contains(&last)) {
        // One after it in the batch has arrived before, so this one has its answer, and changes nothing.
        return Ok(());
    }
    let later = applied.iter().filter(|other| **other != id).filter_map(|other| Some((other, truth.made.get(other)?)));
    let mut later = later.filter(|(_, other)| other.device == made.device && other.order > made.order);
    // A create that finds its record, and a change that was applied before, change nothing.
    let changes = (is_last && (!again || compared)) || (!again && made.operation != RecordOperation::Create);
    if let Some((other, _)) = later.next().filter(|_| changes) {
        let how = if again { "is applied once more" } else { "is applied" };
        let what = format!("{id} {how} after {other}, which device {} made later", made.device);
        return Err(Breach::new(Invariant::RecordsOrder, what));
    }
    if !again {
        applied.push(id);
    } else if is_last && made.operation == RecordOperation::Create && applied.last() != Some(&id) {
        let what = format!("{id} is applied once more, over later changes");
        return Err(Breach::new(Invariant::LastWriteWins, what));
    }
    Ok(())
}

/// A page holds only what its reader may see, and keeps its limit.
pub(in crate::simulator::records) fn page(
    shared: &Shared,
    token: &AccessToken,
    page: &RecordPage,
) -> Result<(), Breach> {
    let server = &shared.hub.server;
    let Some(reader) = server.caller(token) else { return Ok(()) };
    let members = server.memberships(reader);
    for row in &page.rows {
        let member = members.iter().find(|member| member.org_id == row.org_id);
        let seen = member.is_some_and(|member| shared.policy.is_none() || RecordPolicy::lets_see(row, &member.role));
        if !seen {
            let what = format!("a page tells of {} of {}, which its reader may not see", row.id, row.table);
            return Err(Breach::new(Invariant::RecordsPrivacy, what));
        }
    }
    let orgs: BTreeSet<_> = members.iter().map(|member| member.org_id).collect();
    let mut truth = shared.truth.lock();
    for table in server.offered_tables() {
        for row in server.records_of(&table) {
            truth.orgs.entry(row.id).or_default().insert(row.org_id);
            if row.fields.get("hidden") == Some(&Value::Bool(true)) {
                truth.gone.extend([Some(row.id), row.client_id].into_iter().flatten());
            }
        }
    }
    for tombstone in &page.tombstones {
        truth.gone.extend([Some(tombstone.id), tombstone.client_id].into_iter().flatten());
        if truth.orgs.get(&tombstone.id).is_some_and(|of| of.is_disjoint(&orgs)) {
            let what = format!("a page tells that {} of another org is gone", tombstone.id);
            return Err(Breach::new(Invariant::RecordsPrivacy, what));
        }
    }
    let rows = page.rows.len() + page.tombstones.len();
    if rows > server.limits().page_rows as usize {
        return Err(Breach::new(Invariant::RecordsBounded, format!("a page brings {rows} rows at once")));
    }
    Ok(())
}
