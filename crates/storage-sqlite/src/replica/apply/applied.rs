//! What applying rows did.

use fieldpost_domain::ConversationId;
use fieldpost_storage::ApplyReport;
use std::collections::BTreeSet;
use uuid::Uuid;

/// What applying rows did. The caller refreshes what derives from the touched conversations.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    pub(crate) report: ApplyReport,
    pub(crate) touched: BTreeSet<Uuid>,
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
