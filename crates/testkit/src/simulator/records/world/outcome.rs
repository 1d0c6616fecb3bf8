//! What a run has led to, for comparing it with a run of one side alone.

use super::World;
use crate::simulator::records::tables;
use fieldpost_domain::records::{Record, RecordQuery};
use fieldpost_storage::{
    Conversations,
    records::{RecordQueue, Records},
};

/// What a run has led to, one line for each thing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::simulator::records) struct Outcome {
    pub(in crate::simulator::records) records: Vec<String>,
    pub(in crate::simulator::records) messages: Vec<String>,
}

impl World {
    /// What the server and the devices have.
    pub(in crate::simulator::records) async fn outcome(&self) -> Outcome {
        let mut outcome = Outcome::default();
        let server = &self.hub.server;
        for table in tables::tables() {
            for row in server.records_of(&table.server_name) {
                outcome.records.push(format!("{} {}: {:?} of {}", table.name, row.id, row.fields, row.org_id));
            }
        }
        for id in server.conversation_ids() {
            for message in server.messages_of(id) {
                outcome.messages.push(format!("{id}: {:?} of {}", message.content, message.sender_id));
            }
        }
        for device in &self.devices {
            self.of_device(device, &mut outcome).await;
        }
        // Two devices may have written in one conversation at the same time.
        outcome.messages.sort();
        outcome
    }

    async fn of_device(&self, device: &super::Device, outcome: &mut Outcome) {
        let number = device.number;
        for table in tables::tables() {
            let shown = device.disk.records(&RecordQuery::new(table.name)).await.unwrap_or_default();
            // Neither times nor mutations: which of two calls of one moment leaves first may depend on the other side.
            let line =
                |record: &Record| format!("device {number}: {} {:?} {:?}", record.id, record.fields, record.state);
            outcome.records.extend(shown.iter().map(line));
        }
        let queue = device.disk.record_queue(u32::MAX).await.unwrap_or_default();
        let dead = queue.iter().map(|entry| format!("device {number}: {} {:?}", entry.record_id, entry.state));
        outcome.records.extend(dead);
        let conflicts = device.disk.record_conflicts().await.unwrap_or_default();
        let lost = conflicts
            .iter()
            .map(|conflict| format!("device {number}: {:?} of {} lost", conflict.lost, conflict.record_id));
        outcome.records.extend(lost);
        let shown = device.disk.conversations(u32::MAX).await.unwrap_or_default();
        let shown =
            shown.iter().map(|row| format!("device {number}: {} to {:?}, {} unread", row.id, row.last_seq, row.unread));
        outcome.messages.extend(shown);
    }
}
