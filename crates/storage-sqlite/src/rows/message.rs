//! Messages as a thread shows them.
//!
//! Like the names of conversations, the sender's name is found when the row is read; what a v5 file had written beside the
//! message is used until the sender is known.
//!
//! SQL by hand: what a window and each message are read from (`window`).

use crate::{
    entity::{messages::Column as M, outbox::Column as O, people::Column as P, read_markers::Column as R},
    error::Res,
    line::{Cell, Line, cells},
    resolve::VIEWER,
    rows::{json, reaction},
    sql::{hex, of, unsigned},
};
use fieldpost_domain::{
    ConversationId, MessageId, MessageKind, MessageStatus, PersonId, Refusal, RefusalCode, Role, Seq,
    content::PREVIEW_LIMIT,
    names::{self, ADMIN},
};
use fieldpost_storage::{Quote, Quoted, ReceiptCounts, ThreadMessage};
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
        Reactions = reaction::stored(),
        Waiting = reaction::waiting(),
        Changing = format!("{} IS NOT NULL", of("m", M::Base)),
        Quoted = of_a_reply(&quoted()),
        QuotedIsGone = of_a_reply("EXISTS (SELECT 1 FROM tombstones AS x WHERE x.id = m.reply_to)"),
    }
}

cells! {
    /// The message that another one replies to: `q`, and its sender `p`.
    enum Quotation() {
        Sender = hex("q", M::SenderId),
        SenderName = of("q", M::SenderName),
        Kind = of("q", M::MessageType),
        Start = format!("substr({}, 1, {})", of("q", M::Content), START),
        Deleted = format!("{} IS NOT NULL", of("q", M::DeletedAt)),
        FirstName = of("p", P::FirstName),
        LastName = of("p", P::LastName),
        Role = of("p", P::Role),
        IsMedic = format!("{} IS NOT NULL", of("p", P::MedicId)),
    }
}

/// How much of a quoted text is read: a character more than a preview has, so that the cut is that of the whole text.
const START: usize = PREVIEW_LIMIT + 1;

/// What is asked of replies alone, which most messages are not.
fn of_a_reply(sql: &str) -> String {
    format!("CASE WHEN m.reply_to IS NOT NULL THEN {sql} END")
}

/// The quoted message, if it is in the same conversation. As text: what it says is read when it is shown.
fn quoted() -> String {
    let row = Quotation::row();
    let sender = sender("q");
    format!(
        "(SELECT json_array({row}) || '' FROM messages AS q {sender} \
        WHERE q.id = m.reply_to AND q.conversation_id = m.conversation_id)"
    )
}

/// What it is read from; `FROM messages AS m` comes before.
pub(crate) fn joins() -> String {
    format!("LEFT JOIN outbox AS o ON o.message_id = m.id {}", sender("m"))
}

/// The sender of a message, as `p`. A sender may be known in several orgs: what she is in the one of the conversation counts.
fn sender(m: &str) -> String {
    format!(
        "LEFT JOIN people AS p ON p.id = {m}.sender_id AND p.org_id = coalesce( \
        (SELECT y.org_id FROM conversations AS t JOIN people AS y ON y.id = {m}.sender_id AND y.org_id = t.org_id \
            WHERE t.id = {m}.conversation_id), \
        (SELECT min(y.org_id) FROM people AS y WHERE y.id = {m}.sender_id))"
    )
}

/// How far others have got with what the signed-in person wrote.
#[derive(Debug, Clone, Default)]
pub(crate) struct Receipts {
    viewer: Option<Uuid>,
    delivered: Seq,
    read: Seq,
    /// Of a broadcast its medics, by how far they have got.
    medics: Option<Vec<Medics>>,
}

/// Medics who have got equally far: delivered, read, whether they have left, how many.
type Medics = (u64, u64, u8, u64);

cells! {
    /// What [`Receipts`] are, of the conversation that an expression names.
    pub(crate) enum Receipt(conversation) {
        Viewer = format!("hex({VIEWER})"),
        Delivered = furthest(R::DeliveredSeq, conversation),
        Read = furthest(R::ReadSeq, conversation),
        Medics = medics(conversation),
    }
}

/// As a text: a cell holds no list.
fn medics(conversation: &str) -> String {
    format!(
        "(SELECT (SELECT json_group_array(json_array(k.delivered, k.seen, k.gone, k.medics)) || '' FROM (
            SELECT coalesce(r.delivered_seq, 0) AS delivered, coalesce(r.read_seq, 0) AS seen, p.removed AS gone, count(*) AS medics
            FROM people AS p LEFT JOIN read_markers AS r ON r.conversation_id = b.id AND r.person_id = p.id
            WHERE p.org_id = b.org_id AND p.role = 'medic' AND p.id IS NOT {VIEWER} GROUP BY 1, 2, 3) AS k)
        FROM conversations AS b WHERE b.id = {conversation} AND b.type = 'broadcast')"
    )
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
            medics: row.get::<Option<String>>(Receipt::Medics)?.and_then(|medics| serde_json::from_str(&medics).ok()),
        })
    }

    /// How many have received and read a message at this seq.
    fn count(&self, seq: Option<Seq>) -> Option<ReceiptCounts> {
        let (seq, medics) = (seq?.get(), self.medics.as_ref()?);
        let sum =
            |counts: fn(u64, &Medics) -> bool| medics.iter().filter(|one| counts(seq, one)).map(|one| one.3).sum();
        Some(ReceiptCounts {
            recipients: sum(|seq, (delivered, _, gone, _)| *delivered >= seq || *gone == 0),
            delivered: sum(|seq, (delivered, ..)| *delivered >= seq),
            read: sum(|seq, (_, read, ..)| *read >= seq),
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
    let mentions = json::read_mentions(row.get(Shown::Mentions)?)?;
    let id = MessageId::from_uuid(row.id(Shown::Id)?);
    let conversation_id = ConversationId::from_uuid(row.id(Shown::Conversation)?);
    let (reactions, waiting) = (row.lines(Shown::Reactions)?, row.lines(Shown::Waiting)?);
    let shown = ThreadMessage {
        id,
        conversation_id,
        sender_id: PersonId::from_uuid(sender),
        sender_name: sender_name(row, PersonId::from_uuid(sender), SENDER)?,
        mine,
        kind: MessageKind::from(row.get::<String>(Shown::Kind)?),
        content: row.get(Shown::Content)?,
        metadata,
        reply_to: row.opt_id(Shown::ReplyTo)?.map(MessageId::from_uuid),
        reply: reply(row, receipts)?,
        mentions_me: receipts.viewer.is_some_and(|viewer| mentions.contains(&PersonId::from_uuid(viewer))),
        mentions,
        reactions: reaction::shown((conversation_id, id), &reactions, &waiting, receipts.viewer)?,
        status: if mine { receipts.raise(stored, seq) } else { stored },
        receipts: if mine { receipts.count(seq) } else { None },
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

fn reply(row: &Line, receipts: &Receipts) -> Res<Option<Quoted>> {
    let Some(id) = row.opt_id(Shown::ReplyTo)?.map(MessageId::from_uuid) else { return Ok(None) };
    let Some(quoted) = row.line(Shown::Quoted)? else {
        return Ok(Some(if row.is(Shown::QuotedIsGone)? { Quoted::Deleted(id) } else { Quoted::NotHere(id) }));
    };
    if quoted.is(Quotation::Deleted)? {
        return Ok(Some(Quoted::Deleted(id)));
    }
    let sender = quoted.id(Quotation::Sender)?;
    let kind = MessageKind::from(quoted.get::<String>(Quotation::Kind)?);
    let start: Option<String> = quoted.get(Quotation::Start)?;
    let name = sender_name(&quoted, PersonId::from_uuid(sender), QUOTED_SENDER)?;
    Ok(Some(Quoted::Here(Quote::new(id, name, receipts.viewer == Some(sender), kind, start.as_deref()))))
}

/// The cells that name a sender: what a v5 file had written beside the message, first and last name, role, whether a medic.
type Names<C> = [C; 5];

const SENDER: Names<Shown> = [Shown::SenderName, Shown::FirstName, Shown::LastName, Shown::Role, Shown::IsMedic];
const QUOTED_SENDER: Names<Quotation> =
    [Quotation::SenderName, Quotation::FirstName, Quotation::LastName, Quotation::Role, Quotation::IsMedic];

fn sender_name<C: Cell>(row: &Line, sender: PersonId, [written, first, last, role, is_medic]: Names<C>) -> Res<String> {
    if sender.is_nobody() {
        return Ok(String::new());
    }
    let Some(first) = row.get::<Option<String>>(first)? else {
        return Ok(row.get::<Option<String>>(written)?.unwrap_or_else(|| ADMIN.to_owned()));
    };
    let medic = row.is(is_medic)? || Role::from(row.get::<String>(role)?) == Role::Medic;
    let name = if medic { names::full_name(&first, &row.get::<String>(last)?) } else { None };
    Ok(name.unwrap_or_else(|| ADMIN.to_owned()))
}

fn failure(row: &Line) -> Res<Option<Refusal>> {
    let code = row.get::<Option<String>>(Shown::FailedCode)?;
    let Some(code) = code else { return Ok(None) };
    Ok(Some(Refusal { code: RefusalCode::from(code), detail: row.get(Shown::FailedDetail)? }))
}
