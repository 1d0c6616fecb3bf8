//! Applies pages of history.

use super::state::{Row, State};
use crate::{ApplyReport, StorageError, StorageErrorKind, StorageResult, SyncPosition, unreadable};
use fieldpost_domain::{Changes, ConversationId, HistoryPage, MessageId, SeqRange};
use std::collections::BTreeSet;

impl State {
    pub(super) fn apply_history(&mut self, generation: u64, page: HistoryPage) -> StorageResult<ApplyReport> {
        if generation != self.generation {
            return Err(StorageError::new(StorageErrorKind::Superseded, "apply_history"));
        }
        let mut report = ApplyReport::default();
        let id = self.resolve(page.conversation_id);
        if !self.threads.contains_key(&id) {
            return Ok(report);
        }
        let readable = unreadable::messages_of(&page.changes).is_none();
        let newest = page.changes.messages.iter().map(|message| message.created_at).max();
        let received = page.changes.messages.iter().map(|message| message.id).collect();
        let mut changes = page.changes;
        changes.conversations.extend(page.conversation);
        self.apply_without_confirming(changes, &mut report);
        if readable {
            report.applied += self.remove_absent(id, page.range, &received);
        }
        self.cover(id, page.range, page.complete);
        if let Some(at) = newest {
            report.delivered = self.note_arrived(&BTreeSet::from([id]), at);
        }
        Ok(report)
    }

    /// Before the first page of a bootstrap, history confirms nothing: it may belong to the old epoch, or to a
    /// conversation that has left since.
    fn apply_without_confirming(&mut self, changes: Changes, report: &mut ApplyReport) {
        let unlisted = matches!(self.position, SyncPosition::Bootstrapping { after: None, .. });
        let under_way = if unlisted { self.bootstrap.take() } else { None };
        self.outside_pass = true;
        self.apply(changes, report);
        self.outside_pass = false;
        self.bootstrap = under_way.or(self.bootstrap.take());
    }

    /// Removes messages in a covered range that are not in the page, because they were deleted. Returns how many.
    pub(super) fn remove_absent(
        &mut self,
        conversation: ConversationId,
        covered: SeqRange,
        received: &BTreeSet<MessageId>,
    ) -> u64 {
        let before = self.messages.len();
        self.messages.retain(|id, row| match row {
            Row::Server(message) if message.conversation_id == conversation => {
                message.seq < covered.from || message.seq > covered.to || received.contains(id)
            }
            _ => true,
        });
        (before - self.messages.len()) as u64
    }
}
