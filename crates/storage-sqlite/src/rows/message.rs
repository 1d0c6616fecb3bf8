//! Messages as a thread shows them.
//!
//! Like the names of conversations, the sender's name is found when the row is read; what a v5 file had written beside the
//! message is used until the sender is known.

use crate::{error::Res, resolve::VIEWER, row::Row, rows::json};
use fieldpost_domain::{
    ConversationId, MessageId, MessageKind, MessageStatus, PersonId, Refusal, RefusalCode, Role, Seq,
    names::{self, ADMIN},
};
use fieldpost_storage::ThreadMessage;
use uuid::Uuid;

/// A message as [`thread_message`] reads it, packed.
pub(crate) const LINE: &str = "json_array(hex(m.id), hex(m.conversation_id), m.seq, hex(m.sender_id), m.sender_name, m.message_type, m.content, \
    m.metadata, hex(m.reply_to), m.status, m.composed_at, m.created_at, m.deleted_at, o.failed_code, o.failed_detail, \
    o.unanswered, p.first_name, p.last_name, p.role, p.medic_id IS NOT NULL, m.omitted, m.mentions, m.edited_at, m.base IS NOT NULL)";

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

/// What [`Receipts::from_row`] reads, of the conversation that this expression names.
pub(crate) fn receipts(conversation: &str) -> String {
    let others =
        format!("FROM read_markers AS r WHERE r.conversation_id = {conversation} AND r.person_id IS NOT {VIEWER}");
    format!(
        "{VIEWER}, coalesce((SELECT max(r.delivered_seq) {others}), 0), coalesce((SELECT max(r.read_seq) {others}), 0)"
    )
}

impl Receipts {
    pub(crate) fn from_row(row: &Row, at: usize) -> Res<Self> {
        Ok(Self { viewer: row.opt_id(at)?, delivered: row.seq(at + 1)?, read: row.seq(at + 2)? })
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

pub(crate) fn thread_message(row: &Row, receipts: &Receipts) -> Res<ThreadMessage> {
    let sender = row.id(3)?;
    let (metadata, unread) = json::shown_metadata(row.get(7)?)?;
    let mine = receipts.viewer == Some(sender);
    let seq = row.get::<Option<i64>>(2)?.map(|seq| Seq::new(crate::sql::unsigned(seq)));
    let stored = MessageStatus::from(row.get::<String>(9)?);
    let failure = (stored == MessageStatus::Queued).then(|| failure(row)).transpose()?.flatten();
    let sending = stored == MessageStatus::Queued && failure.is_none() && row.get::<Option<i64>>(15)?.unwrap_or(0) > 0;
    Ok(ThreadMessage {
        id: MessageId::from_uuid(row.id(0)?),
        conversation_id: ConversationId::from_uuid(row.id(1)?),
        sender_id: PersonId::from_uuid(sender),
        sender_name: sender_name(row, PersonId::from_uuid(sender))?,
        mine,
        kind: MessageKind::from(row.get::<String>(5)?),
        content: row.get(6)?,
        metadata,
        reply_to: row.opt_id(8)?.map(MessageId::from_uuid),
        mentions: json::read_mentions(row.get(21)?)?,
        status: if mine { receipts.raise(stored, seq) } else { stored },
        sending,
        changing: row.get::<i64>(23)? != 0,
        failure,
        seq,
        composed_at: row.opt_time(10)?,
        created_at: row.time(11)?,
        edited_at: row.opt_time(22)?,
        deleted: row.get::<Option<i64>>(12)?.is_some(),
        omitted: json::read_omitted(row.get(20)?)?.or(unread),
    })
}

fn sender_name(row: &Row, sender: PersonId) -> Res<String> {
    if sender.is_nobody() {
        return Ok(String::new());
    }
    let Some(first) = row.get::<Option<String>>(16)? else {
        return Ok(row.get::<Option<String>>(4)?.unwrap_or_else(|| ADMIN.to_owned()));
    };
    let medic = row.get::<i64>(19)? != 0 || Role::from(row.get::<String>(18)?) == Role::Medic;
    let name = if medic { names::full_name(&first, &row.get::<String>(17)?) } else { None };
    Ok(name.unwrap_or_else(|| ADMIN.to_owned()))
}

fn failure(row: &Row) -> Res<Option<Refusal>> {
    refusal(row, 13)
}

/// A dead letter's code and detail; none if it is not one.
pub(crate) fn refusal(row: &Row, at: usize) -> Res<Option<Refusal>> {
    let code = row.get::<Option<String>>(at)?;
    let Some(code) = code else { return Ok(None) };
    Ok(Some(Refusal { code: RefusalCode::from(code), detail: row.get(at + 1)? }))
}
