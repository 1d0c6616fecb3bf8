//! Priorities that spread.

use super::state::{Key, RecordsState};
use fieldpost_domain::records::{Priority, RecordOperation};

impl RecordsState {
    /// Makes everything that must be sent before the change at `position` as urgent as it is: earlier changes of its
    /// record, and creates of records that it refers to. What becomes more urgent no longer waits.
    pub(super) fn spread(&mut self, position: u64, priority: Priority) {
        let mut urgent = vec![position];
        while let Some(position) = urgent.pop() {
            let Some(entry) = self.queue.iter().find(|entry| entry.position == position) else { continue };
            let (key, referred) = (entry.key.clone(), self.references(&entry.key.0, &entry.fields));
            let before = |other: &Key, operation: &RecordOperation| {
                *other == key || (*operation == RecordOperation::Create && referred.contains(other))
            };
            for other in &mut self.queue {
                if other.position < position && other.priority > priority && before(&other.key, &other.operation) {
                    other.priority = priority;
                    other.next_at = None;
                    urgent.push(other.position);
                }
            }
        }
    }
}
