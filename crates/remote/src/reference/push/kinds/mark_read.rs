//! `mark_read`: moves the caller's read marker forward.

use super::{Kind, Step};
use crate::reference::{
    push::{Done, Judged, lookup::find},
    transaction::Transaction,
    viewer::Viewer,
};
use fieldpost_domain::{Acknowledgement, ConversationId, MarkRead};

impl Kind for MarkRead {
    type Intent = Self;

    const STEP: Step = Step::Mark;

    fn of(intent: &Self) -> Self {
        *intent
    }

    fn lane(&self) -> ConversationId {
        self.conversation_id
    }

    /// Both positions move: what was read was also delivered.
    fn carry_out(&self, transaction: &mut Transaction<'_>, viewer: &Viewer) -> Judged<Done> {
        let conversation = find(transaction.tables(), viewer, self.conversation_id)?.id;
        let (marker, applied) = transaction.move_marker(conversation, viewer.person_id, self.read_seq, self.read_seq);
        Ok(Done { acknowledgement: Acknowledgement::Marked(marker), applied })
    }
}
