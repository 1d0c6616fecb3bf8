//! What the process does with records: it creates, changes and deletes treatments.

use super::{Writer, say};
use crate::crash::said::Said;
use anyhow::Result;
use fieldpost::{
    Error,
    records::{RecordId, Severity, Treatment, Worker},
};

/// How many of its own records a process goes on changing.
const KEPT: usize = 8;

/// The records of one process.
#[derive(Debug, Default)]
pub(super) struct OwnRecords {
    worker: Option<RecordId>,
    treatments: Vec<RecordId>,
}

impl Writer<'_> {
    /// Two processes never change the same record, because nobody could tell which change was last.
    pub(super) async fn work_on_records(&mut self, number: u64) -> Result<()> {
        match self.random.below(6) {
            0 | 1 => self.create(number).await,
            2 => self.delete().await,
            _ => self.change(number).await,
        }
    }

    async fn create(&mut self, number: u64) -> Result<()> {
        let clinical = self.client.clinical();
        let worker = match self.records.worker {
            Some(worker) => worker,
            None => clinical.workers().create(&Worker::new("Sam", self.name, "Crane Ltd", "rigger")).await?.id,
        };
        self.records.worker = Some(worker);
        let reference = format!("{}#{number}", self.name);
        let mut treatment = Treatment::new(worker, self.org.as_uuid(), &reference, "burn", Severity::Minor);
        treatment.is_riddor_reportable = self.random.one_in(4);
        let created = clinical.treatments().create(&treatment).await?;
        say(&Said::RecordCreated { id: created.id, reference })?;
        self.records.treatments.push(created.id);
        if self.records.treatments.len() > KEPT {
            self.records.treatments.remove(0);
        }
        Ok(())
    }

    async fn change(&mut self, number: u64) -> Result<()> {
        let Some(id) = self.random.pick(&self.records.treatments).copied() else { return Ok(()) };
        let notes = format!("changed at {number}");
        say(&Said::RecordChanging { id, notes: notes.clone() })?;
        let change = |treatment: &mut Treatment| treatment.treatment_notes = Some(notes);
        self.client.clinical().treatments().update(id, change).await?;
        say(&Said::RecordChanged { id })
    }

    async fn delete(&mut self) -> Result<()> {
        let Some(id) = self.random.pick(&self.records.treatments).copied() else { return Ok(()) };
        say(&Said::RecordDeleting { id })?;
        self.client.clinical().treatments().delete(id).await?;
        self.records.treatments.retain(|one| *one != id);
        match self.client.clinical().treatments().update(id, |_| {}).await {
            Err(Error::NotFound) => say(&Said::RecordDeleted { id }),
            other => anyhow::bail!("a deleted record is still there: {other:?}"),
        }
    }
}
