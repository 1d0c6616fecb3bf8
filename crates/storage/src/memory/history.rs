//! A page of history.

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
        let came = page.changes.messages.iter().map(|message| message.id).collect();
        let mut changes = page.changes;
        changes.conversations.extend(page.conversation);
        self.apply_beside_a_bootstrap(changes, &mut report);
        if readable {
            report.applied += self.drop_absent(id, page.range, &came);
        }
        self.cover(id, page.range, page.complete);
        Ok(report)
    }

    /// Before the first page of a bootstrap has listed what there is, this confirms nothing: it may be of the old history, or of
    /// before a conversation left.
    fn apply_beside_a_bootstrap(&mut self, changes: Changes, report: &mut ApplyReport) {
        let unlisted = matches!(self.position, SyncPosition::Bootstrapping { after: None, .. });
        let under_way = if unlisted { self.bootstrap.take() } else { None };
        self.beside = true;
        self.apply(changes, report);
        self.beside = false;
        self.bootstrap = under_way.or(self.bootstrap.take());
    }

    /// A range was told whole: a message in it that did not come was deleted for good.
    pub(super) fn drop_absent(
        &mut self,
        conversation: ConversationId,
        told: SeqRange,
        came: &BTreeSet<MessageId>,
    ) -> u64 {
        let before = self.messages.len();
        self.messages.retain(|id, row| match row {
            Row::Server(message) if message.conversation_id == conversation => {
                message.seq < told.from || message.seq > told.to || came.contains(id)
            }
            _ => true,
        });
        (before - self.messages.len()) as u64
    }
}
