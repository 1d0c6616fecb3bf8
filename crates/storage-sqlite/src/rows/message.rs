//! Messages as a thread shows them.
//!
//! Like the names of conversations, the sender's name is found when the row is read; what a v5 file had written beside the
//! message is used until the sender is known.
//!
//! SQL by hand: what a window and each message are read from (`window`).

use crate::{
    entity::{messages::Column as M, outbox::Column as O, people::Column as P, read_markers::Column as R},
    error::Res,
    line::{Line, cells},
    resolve::VIEWER,
    rows::json,
    sql::{hex, of, unsigned},
};
use fieldpost_domain::{
    ConversationId, MessageId, MessageKind, MessageStatus, PersonId, Refusal, RefusalCode, Role, Seq,
    names::{self, ADMIN},
};
use fieldpost_storage::ThreadMessage;
use uuid::Uuid;

cells! {
    /// A message of a thread: `m`, with its mutation `o` if it waits, and its sender `p`.
    pub(crate) enum Shown() {
        Id = hex("m", M::Id),
        Conversation = hex("m", M::ConversationId),
        Seq = of("m", M::Seq),
        Sender = hex("m", M::SenderId),
        SenderName = of("m", M::SenderName),
        Kind = of("m", M::MessageType),
        Content = of("m", M::Content),
        Metadata = of("m", M::Metadata),
        ReplyTo = hex("m", M::ReplyTo),
        Mentions = of("m", M::Mentions),
        Status = of("m", M::Status),
        ComposedAt = of("m", M::ComposedAt),
        CreatedAt = of("m", M::CreatedAt),
        EditedAt = of("m", M::EditedAt),
        DeletedAt = of("m", M::DeletedAt),
        FailedCode = of("o", O::FailedCode),
        FailedDetail = of("o", O::FailedDetail),
        InFlight = of("o", O::InFlight),
        FirstName = of("p", P::FirstName),
        LastName = of("p", P::LastName),
        Role = of("p", P::Role),
        IsMedic = format!("{} IS NOT NULL", of("p", P::MedicId)),
        Omitted = of("m", M::Omitted),
        Changing = format!("{} IS NOT NULL", of("m", M::Base)),
    }
}

/// What it is read from; `FROM messages AS m` comes before. A sender may be known in several orgs: what she is in the one of the
/// conversation counts.
pub(crate) const JOINS: &str = "LEFT JOIN outbox AS o ON o.message_id = m.id \
    LEFT JOIN people AS p ON p.id = m.sender_id AND p.org_id = coalesce( \
        (SELECT q.org_id FROM conversations AS t JOIN people AS q ON q.id = m.sender_id AND q.org_id = t.org_id \
            WHERE t.id = m.conversation_id), \
        (SELECT min(q.org_id) FROM people AS q WHERE q.id = m.sender_id))";

/// How far others have got with what the signed-in person wrote.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Receipts {
    viewer: Option<Uuid>,
    delivered: Seq,
    read: Seq,
}

cells! {
    /// What [`Receipts`] are, of the conversation that an expression names.
    pub(crate) enum Receipt(conversation) {
        Viewer = format!("hex({VIEWER})"),
        Delivered = furthest(R::DeliveredSeq, conversation),
        Read = furthest(R::ReadSeq, conversation),
    }
}

fn furthest(seq: R, conversation: &str) -> String {
    let others = format!("r.conversation_id = {conversation} AND r.person_id IS NOT {VIEWER}");
    format!("coalesce((SELECT max({}) FROM read_markers AS r WHERE {others}), 0)", of("r", seq))
}

/// The receipts as one packed row.
pub(crate) fn receipts(conversation: &str) -> String {
    format!("json_array({})", Receipt::row(conversation))
}

impl Receipts {
    pub(crate) fn read(row: &Line) -> Res<Self> {
        Ok(Self {
            viewer: row.opt_id(Receipt::Viewer)?,
            delivered: row.seq(Receipt::Delivered)?,
            read: row.seq(Receipt::Read)?,
        })
    }

    fn raise(&self, status: MessageStatus, seq: Option<Seq>) -> MessageStatus {
        let Some(seq) = seq else { return status };
        let receipt = if seq <= self.read {
            MessageStatus::Read
        } else if seq <= self.delivered {
            MessageStatus::Delivered
        } else {
            return status;
        };
        status.max(receipt)
    }
}

pub(crate) fn thread_message(row: &Line, receipts: &Receipts) -> Res<ThreadMessage> {
    let sender = row.id(Shown::Sender)?;
    let (metadata, unread) = json::shown_metadata(row.get(Shown::Metadata)?)?;
    let mine = receipts.viewer == Some(sender);
    let seq = row.get::<Option<i64>>(Shown::Seq)?.map(|seq| Seq::new(unsigned(seq)));
    let stored = MessageStatus::from(row.get::<String>(Shown::Status)?);
    let failure = (stored == MessageStatus::Queued).then(|| failure(row)).transpose()?.flatten();
    let sending = stored == MessageStatus::Queued
        && failure.is_none()
        && row.get::<Option<i64>>(Shown::InFlight)?.unwrap_or(0) > 0;
    let shown = ThreadMessage {
        id: MessageId::from_uuid(row.id(Shown::Id)?),
        conversation_id: ConversationId::from_uuid(row.id(Shown::Conversation)?),
        sender_id: PersonId::from_uuid(sender),
        sender_name: sender_name(row, PersonId::from_uuid(sender))?,
        mine,
        kind: MessageKind::from(row.get::<String>(Shown::Kind)?),
        content: row.get(Shown::Content)?,
        metadata,
        reply_to: row.opt_id(Shown::ReplyTo)?.map(MessageId::from_uuid),
        mentions: json::read_mentions(row.get(Shown::Mentions)?)?,
        status: if mine { receipts.raise(stored, seq) } else { stored },
        receipts: None,
        sending,
        changing: row.is(Shown::Changing)?,
        failure,
        seq,
        composed_at: row.opt_time(Shown::ComposedAt)?,
        created_at: row.time(Shown::CreatedAt)?,
        edited_at: row.opt_time(Shown::EditedAt)?,
        deleted: row.get::<Option<i64>>(Shown::DeletedAt)?.is_some(),
        omitted: json::read_omitted(row.get(Shown::Omitted)?)?.or(unread),
    };
    Ok(if shown.deleted { shown.without_content() } else { shown })
}

fn sender_name(row: &Line, sender: PersonId) -> Res<String> {
    if sender.is_nobody() {
        return Ok(String::new());
    }
    let Some(first) = row.get::<Option<String>>(Shown::FirstName)? else {
        return Ok(row.get::<Option<String>>(Shown::SenderName)?.unwrap_or_else(|| ADMIN.to_owned()));
    };
    let medic = row.is(Shown::IsMedic)? || Role::from(row.get::<String>(Shown::Role)?) == Role::Medic;
    let name = if medic { names::full_name(&first, &row.get::<String>(Shown::LastName)?) } else { None };
    Ok(name.unwrap_or_else(|| ADMIN.to_owned()))
}

fn failure(row: &Line) -> Res<Option<Refusal>> {
    let code = row.get::<Option<String>>(Shown::FailedCode)?;
    let Some(code) = code else { return Ok(None) };
    Ok(Some(Refusal { code: RefusalCode::from(code), detail: row.get(Shown::FailedDetail)? }))
}
