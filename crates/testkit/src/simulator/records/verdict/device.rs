//! records_no_loss, records_crash_safe, records_liveness, records_convergence, records_privacy, audit_kept: what a
//! device has.

use super::unreadable;
use crate::simulator::{
    Breach, Invariant,
    records::{
        link::Shared,
        tables,
        truth::{Decided, Made, State},
        world::{Device, World},
    },
};
use fieldpost_domain::{
    MutationId,
    records::{RecordOperation, RecordQuery, RecordRefusal, RecordRefusalCode, RecordState},
};
use fieldpost_storage::{
    Outbox,
    records::{AuditLog, RecordEntryState, RecordQueue, RecordQueueEntry, Records},
};
use std::collections::{BTreeMap, BTreeSet};

/// Everything queued has reached the server or waits for the person's decision.
pub(super) async fn nothing_waits(world: &World, device: &Device) -> Result<(), Breach> {
    let entries = device.disk.record_queue(u32::MAX).await.map_err(unreadable)?;
    let waiting = entries.iter().find(|entry| !matches!(entry.state, RecordEntryState::Failed(_)));
    if let Some(entry) = waiting.filter(|_| world.sides.records) {
        let what = format!("{} of device {} still waits: {:?}", entry.mutation_id, device.number, entry.state);
        return Err(Breach::new(Invariant::RecordsLiveness, what));
    }
    let messages = device.disk.counts().await.map_err(unreadable)?;
    if messages.pending > 0 && world.sides.messages {
        let what = format!("{} messages of device {} still wait", messages.pending, device.number);
        return Err(Breach::new(Invariant::Liveness, what));
    }
    let audit = device.disk.audit_counts().await.map_err(unreadable)?;
    if audit.pending > 0 && world.sides.records && !world.setup.no_audit {
        let what = format!("{} entries of the audit log of device {} still wait", audit.pending, device.number);
        return Err(Breach::new(Invariant::AuditKept, what));
    }
    Ok(())
}

/// Whether a change is a dead letter because the other one is.
fn leads(entry: &RecordQueueEntry, other: &RecordQueueEntry) -> bool {
    let led = |refusal: &RecordRefusal| refusal.code == RecordRefusalCode::AfterRefused;
    let dead = matches!(&other.state, RecordEntryState::Failed(refusal) if !led(refusal));
    other.record_id == entry.record_id && dead
}

/// The device has given up only what the server refused, or what followed that, or what is out of sight.
pub(super) async fn nothing_is_given_up(world: &World, device: &Device) -> Result<(), Breach> {
    let entries = device.disk.record_queue(u32::MAX).await.map_err(unreadable)?;
    let truth = world.shared.truth.lock();
    let refused = |entry: &RecordQueueEntry| truth.decided.get(&entry.mutation_id).is_some_and(|it| it.refused);
    let given_up = entries.iter().find(|entry| match &entry.state {
        RecordEntryState::Failed(refusal) => match refusal.code {
            RecordRefusalCode::AfterRefused => !refused(entry) && !entries.iter().any(|other| leads(entry, other)),
            RecordRefusalCode::AccessLost => !truth.sight_changed && !truth.gone.contains(&entry.record_id),
            _ => !refused(entry),
        },
        _ => false,
    });
    given_up.map_or(Ok(()), |entry| {
        let what = format!("device {} gave {} up: {:?}", device.number, entry.mutation_id, entry.state);
        Err(Breach::new(Invariant::RecordsNoLoss, what))
    })
}

/// Every accepted change is in the queue, or the server has had it, or it is kept as a conflict, or its author has
/// withdrawn it.
pub(in crate::simulator::records) async fn survives(
    shared: &Shared,
    device: &Device,
    invariant: Invariant,
) -> Result<(), Breach> {
    let entries = device.disk.record_queue(u32::MAX).await.map_err(unreadable)?;
    let conflicts = device.disk.record_conflicts().await.map_err(unreadable)?;
    let queued: BTreeSet<MutationId> = entries.iter().map(|entry| entry.mutation_id).collect();
    let kept: BTreeSet<MutationId> = conflicts.iter().map(|conflict| conflict.mutation_id).collect();
    let truth = shared.truth.lock();
    let hers = truth.made.iter().filter(|(_, made)| made.device == device.number && !made.withdrawn);
    for (id, made) in hers.filter(|(id, made)| !queued.contains(id) && !kept.contains(id) && !made.dealt_with) {
        if !is_accounted_for(&truth, *id, made) {
            let decided = truth.decided.get(id).copied().unwrap_or_default();
            let what = format!("{id} of device {} to {} is nowhere ({decided:?})", device.number, made.record);
            return Err(Breach::new(invariant, what));
        }
    }
    Ok(())
}

/// Whether a change that is neither queued nor kept may be gone.
fn is_accounted_for(truth: &State, id: MutationId, made: &Made) -> bool {
    let Decided { won, lost_to_same, .. } = truth.decided.get(&id).copied().unwrap_or_default();
    let is_delete = made.operation == RecordOperation::Delete;
    // Of a record that its author deletes, nothing has to be kept once it is gone on the server.
    let deleted = truth.made.values().any(|other| {
        other.record == made.record
            && other.device == made.device
            && other.operation == RecordOperation::Delete
            && other.order > made.order
    });
    won || lost_to_same || is_delete || deleted
}

/// What is shown as lost was lost, and what is shown as gone was gone.
pub(super) async fn conflicts_are_true(world: &World, device: &Device) -> Result<(), Breach> {
    let conflicts = device.disk.record_conflicts().await.map_err(unreadable)?;
    let truth = world.shared.truth.lock();
    for conflict in conflicts {
        let decided = truth.decided.get(&conflict.mutation_id).copied().unwrap_or_default();
        let made = truth.made.get(&conflict.mutation_id);
        let was_gone = |made: &Made| truth.gone.contains(&made.record) || truth.gone.contains(&conflict.record_id);
        let gone = truth.sight_changed || decided.missing || made.is_none_or(was_gone);
        let is_true = if conflict.won.is_empty() { gone } else { decided.lost };
        if !is_true {
            let what = format!("device {} says that {} has lost, which has not", device.number, conflict.mutation_id);
            return Err(Breach::new(Invariant::RecordsNoLoss, what));
        }
    }
    Ok(())
}

/// The device shows the rows that its owner may see, as they are.
pub(super) async fn same_records(world: &World, device: &Device) -> Result<(), Breach> {
    let there: BTreeMap<_, _> = world
        .hub
        .server
        .records_visible_to(device.owner.id)
        .into_iter()
        .map(|row| ((row.table.clone(), row.id), row))
        .collect();
    let entries = device.disk.record_queue(u32::MAX).await.map_err(unreadable)?;
    let dead: BTreeSet<_> = entries.iter().map(|entry| entry.record_id).collect();
    let mut here = BTreeSet::new();
    for table in tables::tables() {
        for record in device.disk.records(&RecordQuery::new(table.name.clone())).await.map_err(unreadable)? {
            let key = (table.server_name.clone(), record.id);
            here.insert(key.clone());
            if record.state != RecordState::Synced {
                continue;
            }
            let what = format!("{} of {} on device {}", record.id, table.name, device.number);
            let Some(row) = there.get(&key) else {
                let hidden = world.hub.server.record(&table.server_name, record.id).is_some();
                let invariant = if hidden { Invariant::RecordsPrivacy } else { Invariant::RecordsConvergence };
                return Err(Breach::new(invariant, format!("{what} is not for its owner any more")));
            };
            let right =
                (tables::shown(table.from_server(row.fields.clone()).0), row.version, row.modified_at, row.org_id);
            let left = (record.fields, record.version, record.modified_at, record.org_id);
            if left != right {
                let breach = Breach::new(Invariant::RecordsConvergence, what);
                return Err(breach.with_views(format!("{right:?}"), format!("{left:?}")));
            }
        }
    }
    let missing = there.keys().find(|key| !here.contains(*key) && !dead.contains(&key.1));
    missing.map_or(Ok(()), |(table, id)| {
        let what = format!("{id} of {table} is not on device {}", device.number);
        Err(Breach::new(Invariant::RecordsConvergence, what))
    })
}

/// Every read that was logged has reached the server, as it was.
pub(super) async fn reads_are_logged(world: &World, device: &Device) -> Result<(), Breach> {
    let waiting: BTreeSet<_> =
        device.disk.next_audit(u32::MAX).await.map_err(unreadable)?.into_iter().map(|entry| entry.id).collect();
    let truth = world.shared.truth.lock();
    for (id, audited) in truth.audited.iter().filter(|(_, audited)| audited.device == device.number) {
        if !truth.uploaded.contains(id) && !waiting.contains(id) {
            let what = format!("a read of {} on device {} is nowhere", audited.record, device.number);
            return Err(Breach::new(Invariant::AuditKept, what));
        }
        let Some(row) = world.hub.server.audit_row(*id) else { continue };
        if (row.person_id, &row.table) != (audited.person, &audited.table) {
            let what = format!("a read of {} on device {} is logged otherwise", audited.record, device.number);
            return Err(Breach::new(Invariant::AuditKept, what));
        }
    }
    Ok(())
}
