//! `send_message`: writes a message.

use super::{
    Kind, Step,
    edit_message::{named, tombstone},
};
use crate::reference::{
    ids::to_micros,
    limits,
    push::{Done, Judged, lookup::find, refuse},
    tables::{ConversationRow, Deleted, Tables, TombstoneRow, key_of},
    transaction::{MessageDraft, Transaction},
    viewer::Viewer,
};
use fieldpost_domain::{
    Acknowledgement, ConversationId, MENTIONS_MAX, Mentions, Message, MessageAck, MessageId, MessageKind, Metadata,
    NewMessage, PersonId, Refusal, RefusalCode, Time, TombstoneOf, content::is_blank,
};

/// A message in its wire form; the sender is the caller.
#[derive(Debug, Clone)]
pub struct SubmittedMessage {
    /// The primary key.
    pub id: MessageId,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The kind of message.
    pub kind: MessageKind,
    /// Its text.
    pub content: Option<String>,
    /// The app's metadata.
    pub metadata: Option<Metadata>,
    /// The people it mentions.
    pub mentions: Mentions,
    /// The message it answers.
    pub reply_to: Option<MessageId>,
    /// The device's time of writing.
    pub composed_at: Option<Time>,
}

impl Kind for SubmittedMessage {
    type Intent = NewMessage;

    const STEP: Step = Step::Send;

    fn of(message: &NewMessage) -> Self {
        Self {
            id: message.id,
            conversation_id: message.conversation_id,
            kind: message.kind.clone(),
            content: Some(message.content.as_str().to_owned()),
            metadata: message.metadata.clone(),
            mentions: message.mentions.clone(),
            reply_to: message.reply_to,
            composed_at: Some(message.composed_at),
        }
    }

    fn lane(&self) -> ConversationId {
        self.conversation_id
    }

    fn carry_out(&self, transaction: &mut Transaction<'_>, viewer: &Viewer) -> Judged<Done> {
        let tables = transaction.tables();
        let conversation = find(tables, viewer, self.conversation_id)?;
        if let Some(acknowledgement) = earlier_attempt(tables, viewer, conversation.id, self)? {
            return Ok(Done { acknowledgement, applied: false });
        }
        if !viewer.may_write(conversation) {
            return Err(refuse(RefusalCode::Forbidden));
        }
        check_content(self)?;
        let reply_to = self.reply_to.map(|id| reply_target(tables, viewer, conversation, id)).transpose()?;
        check_mentions(tables, conversation, self.mentions.iter())?;
        let (conversation, project) = (conversation.id, tables.project.clone());
        let mut stored = self.clone();
        project.0.stores(&mut stored, viewer.person_id)?;
        let draft = MessageDraft {
            id: self.id,
            conversation_id: conversation,
            sender_id: viewer.person_id,
            kind: stored.kind.clone(),
            content: stored.content.clone(),
            metadata: stored.metadata.clone(),
            mentions: stored.mentions.clone(),
            reply_to,
            composed_at: self.composed_at.map(to_micros),
        };
        let message = transaction.insert_message(draft).ok_or(refuse(RefusalCode::NotFound))?;
        let same = (&stored.kind, &stored.content, &stored.metadata) == (&self.kind, &self.content, &self.metadata);
        let acknowledgement =
            if same { Acknowledgement::Sent(ack(&message)) } else { Acknowledgement::Stored(Box::new(message)) };
        Ok(Done { acknowledgement, applied: true })
    }
}

/// The result of an earlier attempt of the same send. If the message is somebody else's, or belongs to another
/// conversation, the only answer is `id_taken`.
fn earlier_attempt(
    tables: &Tables,
    viewer: &Viewer,
    conversation: ConversationId,
    submitted: &SubmittedMessage,
) -> Judged<Option<Acknowledgement>> {
    let same = |sender, place| sender == viewer.person_id && place == conversation;
    let already_sent = |message: &Message| Acknowledgement::Stored(Box::new(message.clone()));
    if let Some(message) = tables.messages.get(&submitted.id) {
        return match same(message.sender_id, message.conversation_id) {
            true => Ok(Some(already_sent(message))),
            false => Err(refuse(RefusalCode::IdTaken)),
        };
    }
    match tables.tombstones.get(&Deleted::Message(submitted.id)) {
        None => {
            let stored = sent_by_older_app(tables, viewer, conversation, submitted.id).map(already_sent);
            Ok(stored.or_else(|| deleted_of_older_app(tables, conversation, submitted.id)))
        }
        Some(row) if row.sender_id.is_some_and(|sender| same(sender, row.tombstone.conversation_id)) => {
            Ok(Some(Acknowledgement::Deleted(row.tombstone.clone())))
        }
        Some(_) => Err(refuse(RefusalCode::IdTaken)),
    }
}

/// A message that the caller sent here with an older version of the app, which let the server make its id.
pub(super) fn sent_by_older_app<'t>(
    tables: &'t Tables,
    viewer: &Viewer,
    conversation: ConversationId,
    key: MessageId,
) -> Option<&'t Message> {
    let key = key.to_string();
    let mut thread = tables.thread(conversation);
    thread.find(|message| message.sender_id == viewer.person_id && key_of(message) == Some(&key))
}

/// The tombstone of such a message. Its sender knows it by its key alone, so that is the id it has in the answer.
fn deleted_of_older_app(tables: &Tables, conversation: ConversationId, key: MessageId) -> Option<Acknowledgement> {
    let text = key.to_string();
    let here = |row: &&TombstoneRow| row.tombstone.conversation_id == conversation && row.key.as_deref() == Some(&text);
    let mut tombstone = tables.tombstones.values().find(here)?.tombstone.clone();
    if let TombstoneOf::Message { id, .. } = &mut tombstone.of {
        *id = key;
    }
    Some(Acknowledgement::Deleted(tombstone))
}

/// The message of this conversation that the caller replies to. One that was deleted may be answered: she may have
/// written the reply before she knew.
fn reply_target(tables: &Tables, viewer: &Viewer, place: &ConversationRow, id: MessageId) -> Judged<MessageId> {
    let here = named(tables, viewer, place, id).map(|message| message.id);
    let deleted = || tombstone(tables, place, id).map(|_| id);
    here.or_else(deleted).ok_or(refuse(RefusalCode::ReplyNotFound))
}

/// Checks that everybody who is mentioned sees the conversation.
pub(super) fn check_mentions<'p>(
    tables: &Tables,
    place: &ConversationRow,
    mut mentions: impl Iterator<Item = &'p PersonId>,
) -> Judged<()> {
    let see = mentions.all(|person| Viewer::of(tables, *person).sees(place));
    if see { Ok(()) } else { Err(refuse(RefusalCode::MentionNotAllowed)) }
}

fn check_content(submitted: &SubmittedMessage) -> Judged<()> {
    if !matches!(submitted.kind, MessageKind::Text | MessageKind::Attachment) {
        return Err(Refusal { code: RefusalCode::BadRequest, detail: Some("message_type".to_owned()) });
    }
    let content = submitted.content.as_deref().unwrap_or_default();
    check_text(&submitted.kind, content, &submitted.mentions)?;
    let omitted = limits::of_message(None, submitted.metadata.as_ref());
    omitted.map_or(Ok(()), |omitted| Err(refuse(limits::refusal(&omitted))))
}

/// Checks that a person may write this content.
pub(super) fn check_text(kind: &MessageKind, content: &str, mentions: &Mentions) -> Judged<()> {
    if *kind == MessageKind::Text && is_blank(content) {
        return Err(refuse(RefusalCode::ContentEmpty));
    }
    if content.trim() != content {
        return Err(refuse(RefusalCode::NotTrimmed));
    }
    if mentions.len() > MENTIONS_MAX {
        return Err(refuse(RefusalCode::TooManyMentions));
    }
    let omitted = limits::of_message(Some(content), None);
    omitted.map_or(Ok(()), |omitted| Err(refuse(limits::refusal(&omitted))))
}

const fn ack(message: &Message) -> MessageAck {
    MessageAck {
        message_id: message.id,
        conversation_id: message.conversation_id,
        seq: message.seq,
        created_at: message.created_at,
        version: message.version,
    }
}
