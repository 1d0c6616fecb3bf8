//! People's actions on their devices.

use super::{Process, World};
use crate::SeededRandom;
use crate::simulator::{
    Invariant,
    dice::{branch, pick},
    records::{link::is_free, step::Decision, tables, verdict},
};
use fieldpost_domain::{
    AuditId, MessageContent, MessageKind, MutationId, RecordId,
    records::{
        AuditOperation, ColumnKind, DeviceTime, Fields, NewAuditEntry, NewRecord, Priority, Record, RecordChange,
        RecordQuery, RecordTable, TableName,
    },
};
use fieldpost_storage::{
    Conversations, OutgoingMessage, StorageResult,
    records::{AuditLog, RecordEntryState, RecordQueue, Records},
};
use std::sync::Arc;

impl World {
    pub(super) async fn process(&mut self, device: usize, number: u8) -> Option<Arc<Process>> {
        let died = self.devices[device].has_died(number);
        let process = self.devices[device].process(number).await;
        if died {
            let verdict = verdict::survives(&self.shared, &self.devices[device], Invariant::RecordsCrashSafe).await;
            self.observer().judge(verdict);
        }
        self.stored(device, process)
    }

    pub(super) fn stored<T>(&self, device: usize, result: StorageResult<T>) -> Option<T> {
        result.inspect_err(|error| self.store_failed(device, error)).ok()
    }

    /// The records of a table on a device, by id.
    async fn shown(&self, device: usize, table: &TableName) -> Vec<Record> {
        let mut all = self.devices[device].disk.records(&RecordQuery::new(table.clone())).await.unwrap_or_default();
        all.sort_by_key(|record| record.id);
        all
    }

    /// A record on a device.
    async fn any_record(&self, device: usize, dice: &mut SeededRandom) -> Option<(RecordTable, Record)> {
        let mut all = Vec::new();
        for table in tables::tables() {
            all.extend(self.shown(device, &table.name).await.into_iter().map(|record| (table.clone(), record)));
        }
        let places: Vec<usize> = (0..all.len()).collect();
        let place = pick(&places, dice.next())?;
        Some(all.swap_remove(place))
    }

    pub(super) async fn create(&mut self, device: usize, number: u8, choice: u64) {
        let Some(process) = self.on_records(device, number).await else { return };
        let mut dice = branch(choice, 1);
        let tables = tables::tables();
        let Some(table) = dice.pick(&tables).cloned() else { return };
        self.notes += 1;
        let words = format!("record {} of device {device}", self.notes);
        let mut fields = Fields::new().with("words", words).with("number", self.notes);
        self.set_flags(&table, &mut fields, &mut dice);
        if let Some(about) = self.something_to_refer_to(device, &table, &mut dice).await {
            fields.set("about", about.to_string());
        }
        let id = RecordId::from_uuid(process.mutation_id().as_uuid());
        // Whoever has not synced yet does not know her own org.
        let org_id = (self.setup.independent || dice.chance(800)).then_some(self.devices[device].owner.home);
        let at = process.coordinator.records().now();
        let new = NewRecord { id, table: table.name.clone(), org_id, fields, at };
        let mutation = process.mutation_id();
        let done = process.run(process.records.create_record(mutation, new)).await;
        self.observer()
            .say(|| format!("{} creates {id} in {} by {mutation}: {}", process.name, table.name, said(&done)));
        self.noted(device, &process, (mutation, choice), matches!(done, Some(Ok(_)))).await;
    }

    fn set_flags(&self, table: &RecordTable, fields: &mut Fields, dice: &mut SeededRandom) {
        if table.find("urgent").is_some() && dice.chance(350) {
            fields.set("urgent", true);
        }
        if self.setup.policy.is_some() && dice.chance(120) {
            fields.set("hidden", true);
        }
    }

    async fn something_to_refer_to(
        &self,
        device: usize,
        table: &RecordTable,
        dice: &mut SeededRandom,
    ) -> Option<RecordId> {
        let ColumnKind::Reference(other) = &table.find("about")?.kind else { return None };
        let ids: Vec<RecordId> = self.shown(device, other).await.into_iter().map(|record| record.id).collect();
        pick(&ids, dice.next()).filter(|_| dice.chance(700))
    }

    pub(super) async fn update(&mut self, device: usize, number: u8, choice: u64) {
        let Some(process) = self.on_records(device, number).await else { return };
        let mut dice = branch(choice, 2);
        let Some((table, record)) = self.any_record(device, &mut dice).await else { return };
        self.notes += 1;
        let mut fields = Fields::new();
        let column = if dice.chance(600) { "words" } else { "extra_words" };
        fields.set(column, format!("change {} of device {device}", self.notes));
        self.set_flags(&table, &mut fields, &mut dice);
        if let Some(about) = self.something_to_refer_to(device, &table, &mut dice).await.filter(|_| dice.chance(300)) {
            fields.set("about", about.to_string());
        }
        let at = process.coordinator.records().now();
        let (mutation, id) = (process.mutation_id(), record.id);
        let change = RecordChange { table: table.name.clone(), id, fields, at };
        let done = process.run(process.records.update_record(mutation, change)).await;
        self.observer()
            .say(|| format!("{} changes {id} of {} by {mutation}: {}", process.name, table.name, said(&done)));
        self.noted(device, &process, (mutation, choice), matches!(done, Some(Ok(_)))).await;
    }

    pub(super) async fn delete(&mut self, device: usize, number: u8, choice: u64) {
        let Some(process) = self.on_records(device, number).await else { return };
        let Some((table, record)) = self.any_record(device, &mut branch(choice, 3)).await else { return };
        let at = process.coordinator.records().now();
        let mutation = process.mutation_id();
        let done = process.run(process.records.delete_record(mutation, table.name, record.id, at)).await;
        self.observer().say(|| format!("{} deletes {} by {mutation}: {}", process.name, record.id, said(&done)));
        self.noted(device, &process, (mutation, choice), matches!(done, Some(Ok(())))).await;
    }

    pub(super) async fn decide(&mut self, device: usize, choice: u64, decision: Decision) {
        let Some(process) = self.on_records(device, 0).await else { return };
        let mutation = match decision {
            Decision::Retry => self.queued(device, choice, true).await,
            // A person also takes back what was never refused.
            Decision::Cancel => self.queued(device, choice, choice.is_multiple_of(2)).await,
            Decision::Reapply | Decision::Dismiss => self.conflict(device, choice).await,
        };
        let Some(mutation) = mutation else { return };
        let at: DeviceTime = process.coordinator.records().now();
        let again = process.mutation_id();
        let done = match decision {
            Decision::Retry => process.run(process.records.retry_record(mutation)).await.map(drop),
            Decision::Cancel => process.run(process.records.cancel_record(mutation)).await.map(drop),
            Decision::Dismiss => process.run(process.records.dismiss_record_conflict(mutation)).await.map(drop),
            Decision::Reapply => {
                process.run(process.records.reapply_record_conflict(mutation, again, at)).await.map(drop)
            }
        };
        self.observer().say(|| format!("{} decides about {mutation}: {decision:?} by {again}", process.name));
        self.noted(device, &process, (again, choice), done.is_some()).await;
    }

    async fn queued(&self, device: usize, number: u64, dead: bool) -> Option<MutationId> {
        let entries = self.devices[device].disk.record_queue(u32::MAX).await.ok()?;
        let wanted = entries.iter().filter(|entry| !dead || matches!(entry.state, RecordEntryState::Failed(_)));
        let ids: Vec<_> = wanted.map(|entry| entry.mutation_id).collect();
        pick(&ids, number)
    }

    async fn conflict(&self, device: usize, number: u64) -> Option<MutationId> {
        let conflicts = self.devices[device].disk.record_conflicts().await.ok()?;
        let ids: Vec<_> = conflicts.iter().map(|conflict| conflict.mutation_id).collect();
        pick(&ids, number)
    }

    pub(super) async fn read(&mut self, device: usize, number: u8, choice: u64) {
        let Some(process) = self.on_records(device, number).await else { return };
        let Some((table, record)) = self.any_record(device, &mut branch(choice, 4)).await else { return };
        let id = AuditId::from_uuid(process.mutation_id().as_uuid());
        let at = process.coordinator.records().now();
        let context = choice.is_multiple_of(3).then(|| "the list".to_owned());
        let (table, record_id, operation) = (table.name, record.id, AuditOperation::Read);
        let entry = NewAuditEntry { id, table, record_id, operation, context, at };
        let done = process.run(process.records.audit(vec![entry])).await;
        self.observer().say(|| format!("{} reads {}: {}", process.name, record.id, said(&done)));
    }

    /// The app tells the engine of a write; unless another part of it has written, which does not know the engine.
    async fn noted(&self, device: usize, process: &Process, (mutation, choice): (MutationId, u64), done: bool) {
        if !done || (choice >> 32).is_multiple_of(5) {
            return;
        }
        let disk = &self.devices[device].disk;
        let state = process.coordinator.state();
        // Without a network, as the app says, nothing is sent.
        let busy = (state.records.syncing || state.messages.syncing) && state.connection.is_online();
        if busy
            && self.devices[device].is_one_process()
            && let Ok(queue) = disk.record_queue(u32::MAX).await
            && is_free(&queue, mutation)
            && queue.iter().filter(|entry| entry.priority == Priority::Immediate).count() == 1
        {
            self.observer().count("immediate changes beside passes");
            process.urgent.wrote(mutation);
        }
        drop(process.run(process.coordinator.records().note_local_write()).await);
    }

    /// The app of a device, if records are synced in this run.
    async fn on_records(&mut self, device: usize, number: u8) -> Option<Arc<Process>> {
        // A person opens the app either way.
        let process = self.process(device, number).await?;
        self.sides.records.then_some(process)
    }

    pub(super) async fn write(&mut self, device: usize, number: u8, choice: u64) {
        let Some(process) = self.process(device, number).await.filter(|_| self.sides.messages) else { return };
        let disk = &self.devices[device].disk;
        let mut all = disk.conversations(u32::MAX).await.unwrap_or_default();
        all.sort_by_key(|conversation| conversation.id);
        let ids: Vec<_> = all.iter().map(|conversation| conversation.id).collect();
        let Some(conversation_id) = pick(&ids, choice) else { return };
        let Ok(content) = MessageContent::new(&format!("note {choice} of device {device}")) else { return };
        let message = OutgoingMessage {
            id: process.message_env.message_id(),
            conversation_id,
            kind: MessageKind::Text,
            content,
            metadata: None,
            reply_to: None,
            mentions: fieldpost_domain::Mentions::new(),
            composed_at: process.message_env.now(),
        };
        let done = process.run(process.outbox.send(process.message_env.mutation_id(), message)).await;
        self.observer().say(|| format!("{} writes in {conversation_id}: {}", process.name, said(&done)));
        if matches!(done, Some(Ok(_))) {
            drop(process.run(process.coordinator.messages().note_local_write()).await);
        }
    }

    pub(super) async fn kill(&mut self, device: usize, number: u8, polls: u16) {
        let Some(process) = self.process(device, number).await else { return };
        self.observer().count("kills");
        process.kill_after(polls);
    }

    pub(super) async fn sign_out(&mut self, device: usize) {
        let Some(process) = self.process(device, 0).await else { return };
        self.observer().count("sign-outs");
        drop(process.run(process.coordinator.sign_out()).await);
    }

    /// What waits on the server for everybody at the start.
    pub(super) fn write_backlog(&mut self) {
        if !self.sides.messages {
            return;
        }
        let server = &self.hub.server;
        for id in server.conversation_ids() {
            let Some(sender) = self.roster.of_org(server, id).first().copied() else { continue };
            let texts: Vec<_> = (0..self.setup.backlog).map(|number| format!("backlog {number} of {id}")).collect();
            server.insert_messages(id, sender, &texts);
        }
    }
}

fn said<T>(done: &Option<StorageResult<T>>) -> String {
    match done {
        None => "killed".to_owned(),
        Some(Ok(_)) => "ok".to_owned(),
        Some(Err(error)) => format!("{:?}", error.kind()),
    }
}
