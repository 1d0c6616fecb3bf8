//! `set_conversation`: changes the caller's own settings for a conversation.

use super::{Kind, Step};
use crate::reference::{
    push::{Done, Judged, lookup::find},
    transaction::Transaction,
    viewer::Viewer,
};
use fieldpost_domain::{Acknowledgement, Capability, ConversationId, SetConversation};

impl Kind for SetConversation {
    type Intent = Self;

    const STEP: Step = Step::Set;
    const NEEDS: Option<Capability> = Some(Capability::ConversationSettings);

    fn of(intent: &Self) -> Self {
        *intent
    }

    fn lane(&self) -> ConversationId {
        self.conversation_id
    }

    fn carry_out(&self, transaction: &mut Transaction<'_>, viewer: &Viewer) -> Judged<Done> {
        let conversation = find(transaction.tables(), viewer, self.conversation_id)?.id;
        let (row, applied) = transaction.set_conversation(conversation, viewer.person_id, &self.change);
        Ok(Done { acknowledgement: Acknowledgement::Set(row), applied })
    }
}
