//! Watching the outbox.

use super::{Updates, View, Watcher, begin};
use crate::{Client, MutationId, OutboxEntry, Result};
use fieldpost_storage::ChangeSet;
use futures::stream::{self, StreamExt};
use std::collections::HashMap;

/// A change of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutboxEvent {
    /// It is in the outbox now. The first events of a stream are the entries that are already there.
    Waits(OutboxEntry),
    /// It is in the outbox, in another state than before.
    Changed(OutboxEntry),
    /// It left the outbox: the server has it, or it was cancelled. This is its last state.
    Left(OutboxEntry),
}

impl Client {
    /// The outbox: its present entries, then every change.
    pub fn watch_outbox(&self) -> Updates<OutboxEvent> {
        let batches = begin(Watcher::new(self), Waiting(Vec::new()));
        Updates(Box::pin(batches.flat_map(|batch| {
            stream::iter(match batch {
                Ok(events) => events.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            })
        })))
    }
}

/// The entries as last emitted.
struct Waiting(Vec<OutboxEntry>);

impl View for Waiting {
    type Update = Vec<OutboxEvent>;

    fn concerns(&self, changes: &ChangeSet) -> bool {
        changes.outbox
    }

    async fn refresh(&mut self, client: &Client, _: &ChangeSet) -> Result<Option<Self::Update>> {
        let now = client.outbox(u32::MAX).await?;
        let events: Vec<_> = events(&self.0, &now).collect();
        self.0 = now;
        Ok(Some(events).filter(|events| !events.is_empty()))
    }
}

fn events<'a>(before: &'a [OutboxEntry], now: &'a [OutboxEntry]) -> impl Iterator<Item = OutboxEvent> + 'a {
    let (old, new) = (by_id(before), by_id(now));
    let left = before.iter().filter(move |entry| !new.contains_key(&entry.mutation_id)).cloned().map(OutboxEvent::Left);
    let here = now.iter().filter_map(move |entry| match old.get(&entry.mutation_id) {
        None => Some(OutboxEvent::Waits(entry.clone())),
        Some(old) if *old != entry => Some(OutboxEvent::Changed(entry.clone())),
        Some(_) => None,
    });
    left.chain(here)
}

fn by_id(entries: &[OutboxEntry]) -> HashMap<MutationId, &OutboxEntry> {
    entries.iter().map(|entry| (entry.mutation_id, entry)).collect()
}
