//! `delete_message`: takes the content of a message away. Its row stays.

use super::{
    Kind, Step,
    edit_message::{done, named, tombstone},
};
use crate::reference::{
    push::{Done, Judged, lookup::find, refuse},
    transaction::Transaction,
    viewer::Viewer,
};
use fieldpost_domain::{
    Acknowledgement, Capability, ConversationId, DeleteMessage, MessageId, MessageKind, RefusalCode,
};

/// A deletion in its wire form.
#[derive(Debug, Clone)]
pub struct SubmittedDeletion {
    /// The conversation of the message.
    pub conversation_id: ConversationId,
    /// The message, or the key with which an older version of the app sent it.
    pub message_id: MessageId,
}

impl Kind for SubmittedDeletion {
    type Intent = DeleteMessage;

    const STEP: Step = Step::Delete;
    const NEEDS: Option<Capability> = Some(Capability::DeleteMessage);

    fn of(deletion: &DeleteMessage) -> Self {
        Self { conversation_id: deletion.conversation_id, message_id: deletion.message_id }
    }

    fn lane(&self) -> ConversationId {
        self.conversation_id
    }

    /// What is deleted already is a success before any rights are checked: the deletion may come again.
    fn carry_out(&self, transaction: &mut Transaction<'_>, viewer: &Viewer) -> Judged<Done> {
        let tables = transaction.tables();
        let conversation = find(tables, viewer, self.conversation_id)?;
        let Some(message) = named(tables, viewer, conversation, self.message_id) else {
            let tombstone = tombstone(tables, conversation, self.message_id).ok_or(refuse(RefusalCode::NotFound))?;
            return Ok(Done { acknowledgement: Acknowledgement::Deleted(tombstone.clone()), applied: false });
        };
        if message.deleted_at.is_some() {
            return Ok(done(message, false));
        }
        let hers = message.sender_id == viewer.person_id && message.kind != MessageKind::System;
        let may = viewer.is_admin_of(conversation.org_id) || (hers && viewer.may_write(conversation));
        if !may {
            return Err(refuse(RefusalCode::Forbidden));
        }
        let id = message.id;
        transaction.soft_delete(id);
        let message = transaction.tables().messages.get(&id).ok_or(refuse(RefusalCode::NotFound))?;
        Ok(done(message, true))
    }
}
