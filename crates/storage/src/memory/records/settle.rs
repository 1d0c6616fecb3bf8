//! Records the results of a batch.

use super::state::{Entry, Key, RecordsState, Row};
use crate::records::RecordSettleReport;
use fieldpost_domain::{
    Time, Version,
    planted::{PlantedBug, planted},
    records::{
        Fields, RecordConflict, RecordId, RecordOperation, RecordOutcome, RecordRefusal, RecordRefusalCode,
        RecordResult, RecordRow,
    },
};
use serde_json::Value;

impl RecordsState {
    pub(super) fn settle(&mut self, results: &[RecordResult], at: Time) -> RecordSettleReport {
        let mut report = RecordSettleReport::default();
        for result in results {
            let Some(index) = self.queue.iter().position(|entry| entry.id == result.mutation_id) else {
                report.unknown += 1;
                continue;
            };
            match &result.outcome {
                RecordOutcome::Won { server_id, version, modified_at } => {
                    let entry = self.queue.remove(index);
                    report.won += 1;
                    self.won(entry, *server_id, *version, *modified_at, &mut report);
                }
                RecordOutcome::Lost { winner } => {
                    let entry = self.queue.remove(index);
                    report.lost += 1;
                    self.lost(entry, winner, at, &mut report);
                }
                RecordOutcome::Missing => {
                    let entry = self.queue.remove(index);
                    report.missing += 1;
                    self.rows.remove(&entry.key);
                    self.keep_gone(entry, at);
                }
                RecordOutcome::Refused(refusal) => self.refused(index, refusal, &mut report),
                RecordOutcome::Retry(code) => {
                    let entry = &mut self.queue[index];
                    entry.undo_attempt();
                    if entry.refusal.is_none() {
                        entry.wait(at);
                        entry.last_retry = Some(code.clone());
                        report.retrying += 1;
                    }
                }
            }
        }
        report
    }

    fn won(
        &mut self,
        entry: Entry,
        server_id: RecordId,
        version: Option<Version>,
        modified_at: Time,
        report: &mut RecordSettleReport,
    ) {
        let key = self.use_server_id(entry.key.clone(), server_id, report);
        let Some(version) = version else { return self.drop_deleted(key) };
        if self.tombstones.get(&key).is_some_and(|deleted| *deleted >= version) {
            return;
        }
        let generation = self.generation;
        let row = match (self.rows.get_mut(&key), entry.org_id) {
            (Some(row), _) => row,
            (None, Some(org_id)) => {
                let created_at = entry.recorded_at;
                let (fields, extra, version) = (Fields::new(), Fields::new(), Version::default());
                let row = Row { org_id, created_at, modified_at, fields, extra, version, confirmed: generation };
                self.rows.entry(key.clone()).or_insert(row)
            }
            // The record has left meanwhile. If it is there after all, a pull brings it.
            (None, None) => return,
        };
        row.confirmed = generation;
        if row.version < version {
            (row.version, row.modified_at) = (version, modified_at);
            row.set(entry.fields);
        }
        self.tombstones.remove(&key);
    }

    /// The server has deleted the record. A page from before may still name it.
    fn drop_deleted(&mut self, key: Key) {
        let last = self.rows.remove(&key).map_or(0, |row| row.version.get());
        let deleted = self.tombstones.entry(key).or_default();
        *deleted = (*deleted).max(Version::new(last + 1));
    }

    fn use_server_id(&mut self, key: Key, server_id: RecordId, report: &mut RecordSettleReport) -> Key {
        let current = self.resolve(&key.0, server_id);
        if current != key {
            self.rekey(&key, current.1);
            report.rekeyed.push((key.1, current.1));
        }
        current
    }

    fn lost(&mut self, entry: Entry, winner: &RecordRow, at: Time, report: &mut RecordSettleReport) {
        let key = self.use_server_id(entry.key.clone(), winner.id, report);
        self.put_row(winner);
        let known = self.declared(&key.0).map(|table| table.from_server(winner.fields.clone()).0).unwrap_or_default();
        let of_winner = |name: &str| known.get(name).cloned().unwrap_or(Value::Null);
        let won: Fields = entry.fields.iter().map(|(name, _)| (name.to_owned(), of_winner(name))).collect();
        if won != entry.fields && !planted(PlantedBug::LostChangeNotKept) {
            self.conflicts.push(RecordConflict {
                mutation_id: entry.id,
                table: key.0,
                record_id: key.1,
                lost: entry.fields,
                lost_modified_at: entry.modified_at.at,
                won,
                won_modified_at: winner.modified_at,
                noticed_at: at,
            });
        }
    }

    /// Keeps what a change of a record would have set that is gone.
    pub(super) fn keep_gone(&mut self, entry: Entry, at: Time) {
        if entry.operation != RecordOperation::Delete {
            self.conflicts.push(RecordConflict {
                mutation_id: entry.id,
                table: entry.key.0,
                record_id: entry.key.1,
                lost: entry.fields,
                lost_modified_at: entry.modified_at.at,
                won: Fields::new(),
                won_modified_at: at,
                noticed_at: at,
            });
        }
    }

    fn refused(&mut self, index: usize, refusal: &RecordRefusal, report: &mut RecordSettleReport) {
        let entry = &mut self.queue[index];
        (entry.attempts, entry.taken_by) = (0, None);
        report.failed += u32::from(entry.refusal.is_none());
        entry.refusal = Some(refusal.clone());
        let (key, position) = (entry.key.clone(), entry.position);
        let behind = |entry: &&mut Entry| entry.key == key && entry.position > position && entry.refusal.is_none();
        for entry in self.queue.iter_mut().filter(behind) {
            entry.refusal = Some(RecordRefusal { code: RecordRefusalCode::AfterRefused, detail: None });
            report.failed += 1;
        }
    }
}
