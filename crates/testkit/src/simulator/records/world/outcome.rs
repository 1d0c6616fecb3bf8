//! What a run has led to, for comparing it with a run of one side alone.

use super::World;
use crate::simulator::records::tables;
use fieldpost_domain::records::{Fields, Record, RecordQuery};
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
                outcome.records.push(format!("{}: {:?} of {}", table.name, written(row.fields), row.org_id));
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
        outcome.records.sort();
        // Two devices may have written in one conversation at the same time.
        outcome.messages.sort();
        outcome
    }

    async fn of_device(&self, device: &super::Device, outcome: &mut Outcome) {
        let number = device.number;
        for table in tables::tables() {
            let shown = device.disk.records(&RecordQuery::new(table.name)).await.unwrap_or_default();
            let line = |record: Record| format!("device {number}: {:?} {:?}", written(record.fields), record.state);
            outcome.records.extend(shown.into_iter().map(line));
        }
        let queue = device.disk.record_queue(u32::MAX).await.unwrap_or_default();
        outcome.records.extend(queue.iter().map(|entry| format!("device {number}: {:?}", entry.state)));
        let conflicts = device.disk.record_conflicts().await.unwrap_or_default();
        let lost = conflicts.into_iter().map(|conflict| format!("device {number}: {:?} lost", written(conflict.lost)));
        outcome.records.extend(lost);
        let shown = device.disk.conversations(u32::MAX).await.unwrap_or_default();
        let shown =
            shown.iter().map(|row| format!("device {number}: {} to {:?}, {} unread", row.id, row.last_seq, row.unread));
        outcome.messages.extend(shown);
    }
}

/// What people have written. Ids and times are left out: when a call leaves may depend on the other side by a moment, and
/// with that how many random numbers were drawn before.
fn written(mut fields: Fields) -> Fields {
    fields.take("about");
    fields
}
