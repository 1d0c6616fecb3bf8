//! `mark_delivered`: says what has reached a device of the caller.

use super::{Kind, Step};
use crate::reference::{
    push::{Done, Judged, lookup::find},
    transaction::Transaction,
    viewer::Viewer,
};
use fieldpost_domain::{Acknowledgement, Capability, ConversationId, MarkDelivered, Seq};

impl Kind for MarkDelivered {
    type Intent = Self;

    const STEP: Step = Step::Deliver;
    const NEEDS: Option<Capability> = Some(Capability::MarkDelivered);

    fn of(intent: &Self) -> Self {
        *intent
    }

    fn lane(&self) -> ConversationId {
        self.conversation_id
    }

    fn carry_out(&self, transaction: &mut Transaction<'_>, viewer: &Viewer) -> Judged<Done> {
        let conversation = find(transaction.tables(), viewer, self.conversation_id)?.id;
        let (marker, applied) = transaction.move_marker(conversation, viewer.person_id, self.delivered_seq, Seq::ZERO);
        Ok(Done { acknowledgement: Acknowledgement::Marked(marker), applied })
    }
}
