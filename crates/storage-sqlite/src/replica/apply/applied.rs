//! What applying rows did.

use crate::derived::{News, Told};
use fieldpost_domain::ConversationId;
use fieldpost_storage::ApplyReport;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// What applying rows did. The caller refreshes what derives from the touched conversations.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    pub(crate) report: ApplyReport,
    pub(crate) touched: BTreeSet<Uuid>,
    /// What the page says of its conversations, as far as it was not written with them.
    pub(super) told: BTreeMap<Uuid, Told>,
    /// What is new in them.
    pub(super) news: BTreeMap<Uuid, News>,
}

impl Applied {
    pub(super) fn count(&mut self, rows: usize, changed: u64) {
        self.report.applied += changed;
        self.report.stale += (rows as u64).saturating_sub(changed);
    }

    pub(super) fn purged(&mut self, conversation: Uuid) {
        self.touched.remove(&conversation);
        self.report.purged.push(ConversationId::from_uuid(conversation));
    }
}
