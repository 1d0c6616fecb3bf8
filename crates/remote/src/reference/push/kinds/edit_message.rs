//! `edit_message`: replaces the text and the mentions of one of the caller's messages.

use super::{
    Kind, Step,
    send_message::{check_mentions, check_text, sent_by_older_app},
};
use crate::reference::{
    push::{Done, Judged, lookup::find, refuse},
    tables::{ConversationRow, Deleted, Tables},
    transaction::Transaction,
    viewer::Viewer,
};
use fieldpost_domain::{
    Acknowledgement, Capability, ConversationId, EditMessage, Mentions, Message, MessageId, MessageKind, RefusalCode,
    Tombstone,
};

/// An edit in its wire form.
#[derive(Debug, Clone)]
pub struct SubmittedEdit {
    /// The conversation of the message.
    pub conversation_id: ConversationId,
    /// The message, or the key with which an older version of the app sent it.
    pub message_id: MessageId,
    /// Its new text.
    pub content: Option<String>,
    /// Its new mentions.
    pub mentions: Mentions,
}

impl Kind for SubmittedEdit {
    type Intent = EditMessage;

    const STEP: Step = Step::Edit;
    const NEEDS: Option<Capability> = Some(Capability::EditMessage);

    fn of(edit: &EditMessage) -> Self {
        Self {
            conversation_id: edit.conversation_id,
            message_id: edit.message_id,
            content: Some(edit.content.as_str().to_owned()),
            mentions: edit.mentions.clone(),
        }
    }

    fn lane(&self) -> ConversationId {
        self.conversation_id
    }

    /// An edit that changes nothing succeeds before any rights are checked: it may be a resent edit that was already
    /// applied.
    fn carry_out(&self, transaction: &mut Transaction<'_>, viewer: &Viewer) -> Judged<Done> {
        let tables = transaction.tables();
        let conversation = find(tables, viewer, self.conversation_id)?;
        let message = self.target(tables, viewer, conversation)?;
        let content = self.content.as_deref().unwrap_or_default();
        if message.content.as_deref().unwrap_or_default() == content && message.mentions == self.mentions {
            return Ok(done(message, false));
        }
        if !viewer.may_write(conversation) {
            return Err(refuse(RefusalCode::Forbidden));
        }
        check_text(&message.kind, content, &self.mentions)?;
        check_mentions(tables, conversation, self.mentions.difference(&message.mentions))?;
        let id = message.id;
        transaction.edit_message(id, Some(content.to_owned()), Some(self.mentions.clone()));
        let message = transaction.tables().messages.get(&id).ok_or(refuse(RefusalCode::NotFound))?;
        Ok(done(message, true))
    }
}

impl SubmittedEdit {
    /// The message to edit, if the caller may edit it.
    fn target<'t>(&self, tables: &'t Tables, viewer: &Viewer, place: &ConversationRow) -> Judged<&'t Message> {
        let Some(message) = named(tables, viewer, place, self.message_id) else {
            let deleted = tombstone(tables, place, self.message_id).is_some();
            return Err(refuse(if deleted { RefusalCode::MessageDeleted } else { RefusalCode::NotFound }));
        };
        if message.deleted_at.is_some() {
            return Err(refuse(RefusalCode::MessageDeleted));
        }
        let hers = message.sender_id == viewer.person_id;
        let written = matches!(message.kind, MessageKind::Text | MessageKind::Attachment);
        if hers && written { Ok(message) } else { Err(refuse(RefusalCode::Forbidden)) }
    }
}

/// The message of this id in a conversation, or the one that an older version of the app sent with this key, if the caller
/// sees it.
pub(super) fn named<'t>(
    tables: &'t Tables,
    viewer: &Viewer,
    place: &ConversationRow,
    id: MessageId,
) -> Option<&'t Message> {
    let message = tables.messages.get(&id).filter(|message| message.conversation_id == place.id);
    let message = message.or_else(|| sent_by_older_app(tables, viewer, place.id, id));
    message.filter(|message| tables.project.0.shows(message, viewer.person_id))
}

/// The tombstone of a hard-deleted message of this conversation.
pub(super) fn tombstone<'t>(tables: &'t Tables, place: &ConversationRow, id: MessageId) -> Option<&'t Tombstone> {
    let row = tables.tombstones.get(&Deleted::Message(id))?;
    Some(&row.tombstone).filter(|tombstone| tombstone.conversation_id == place.id)
}

pub(super) fn done(message: &Message, applied: bool) -> Done {
    Done { acknowledgement: Acknowledgement::Stored(Box::new(message.clone())), applied }
}
