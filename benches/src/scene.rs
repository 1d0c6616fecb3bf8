//! The rows of the benches: an organization with direct conversations, followed by an admin's phone.
//!
//! Everything is derived from the message's number, so that two runs, and two subjects of one run, get the same rows.
//! Messages go round robin over the conversations, the worst order for an index by conversation. Ids begin with a time
//! and end in noise, like UUIDv7.

use fieldpost_domain::{
    BootstrapPage, Changes, Conversation, ConversationId, ConversationKind, Cursor, CursorError, Extra, MedicId,
    Message, MessageId, MessageKind, MessageStatus, OrgId, Person, PersonId, PullPage, Role, Seq, ServerInfo,
    ServerLimits, Time, Version,
};
use uuid::Uuid;

/// The server's side: it knows what it has sent.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    conversations: u64,
    next: u64,
    unread: Vec<u64>,
}

/// One page and the cursor it follows.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// The device's position.
    pub from: Cursor,
    /// The next page.
    pub page: PullPage,
}

/// The cursor after this many messages.
///
/// # Errors
/// Never: it is printable and short.
pub(crate) fn cursor(messages: u64) -> Result<Cursor, CursorError> {
    Cursor::new(format!("after:{messages}"))
}

/// A server with the first SQL, which does not send its version.
fn server() -> ServerInfo {
    ServerInfo { sql_version: Some(1), ..ServerInfo::default() }
}

impl Scene {
    /// A scene with this many conversations, all empty.
    #[must_use]
    pub(crate) fn new(conversations: u64) -> Self {
        Self { conversations, next: 0, unread: (0..conversations).map(|_| 0).collect() }
    }

    /// The number of messages sent.
    #[must_use]
    pub(crate) const fn sent(&self) -> u64 {
        self.next
    }

    /// The first load: everybody, all conversations, no messages.
    ///
    /// # Errors
    /// Never.
    pub(crate) fn bootstrap(&self) -> Result<BootstrapPage, CursorError> {
        let conversations = (0..self.conversations).map(|number| self.conversation(number)).collect();
        Ok(BootstrapPage {
            transfer: fieldpost_domain::Transfer::default(),
            me: Some(viewer()),
            total_conversations: self.conversations,
            changes: Changes { people: vec![viewer()], conversations, ..Changes::default() },
            cursor: cursor(0)?,
            next_after: None,
            epoch: None,
            digest: None,
            server_time: at(0),
            limits: ServerLimits::default(),
            server: server(),
        })
    }

    /// The next messages, with the conversations that they change.
    ///
    /// # Errors
    /// Never.
    pub(crate) fn step(&mut self, messages: u64) -> Result<Step, CursorError> {
        let from = self.next;
        self.next += messages;
        let messages: Vec<_> = (from..self.next).map(|number| self.message(number)).collect();
        for message in messages.iter().filter(|message| message.sender_id != viewer().id) {
            if let Some(unread) = self.unread.get_mut(number_of(message.conversation_id) as usize) {
                *unread += 1;
            }
        }
        let touched = (from..self.next.min(from + self.conversations)).map(|number| number % self.conversations);
        let conversations = touched.map(|number| self.conversation(number)).collect();
        let page = PullPage {
            transfer: fieldpost_domain::Transfer::default(),
            changes: Changes { conversations, messages, ..Changes::default() },
            cursor: cursor(self.next)?,
            more: true,
            digest: None,
            server_time: at(self.next),
            limits: ServerLimits::default(),
            server: server(),
        };
        Ok(Step { from: cursor(from)?, page })
    }

    /// The current state of conversation number `number`.
    #[must_use]
    pub(crate) fn conversation(&self, number: u64) -> Conversation {
        let last_seq = (self.next + self.conversations - 1 - number) / self.conversations;
        let last = last_seq.checked_sub(1).map(|seq| self.message(seq * self.conversations + number));
        Conversation {
            id: conversation_id(number),
            org_id: org(),
            kind: ConversationKind::Direct,
            subject: None,
            medic_id: Some(MedicId::from_uuid(Uuid::from_u128(u128::from(number) + 1_000))),
            medic_name: Some("Jo Birk".to_owned()),
            created_by: viewer().id,
            created_at: at(number),
            updated_at: at(number),
            last_seq: Seq::new(last_seq),
            last_message_at: last.as_ref().map(|message| message.created_at),
            last_message_preview: last.and_then(|message| message.content),
            unread: self.unread.get(number as usize).copied().unwrap_or(0),
            unread_mentions: 0,
            omitted: None,
            version: Version::new(1),
            extra: Extra::new(),
        }
    }

    /// Message number `number`.
    #[must_use]
    pub(crate) fn message(&self, number: u64) -> Message {
        Message {
            id: message_id(number),
            conversation_id: conversation_id(number % self.conversations),
            sender_id: person(number % 7),
            kind: MessageKind::Text,
            content: Some(format!("Patient {number} is stable, bandage changed, next check in two hours at gate B")),
            metadata: None,
            reply_to: None,
            mentions: fieldpost_domain::Mentions::new(),
            status: MessageStatus::Sent,
            seq: Seq::new(number / self.conversations + 1),
            composed_at: Some(at(number)),
            created_at: at(number),
            updated_at: at(number),
            edited_at: None,
            deleted_at: None,
            omitted: None,
            version: Version::new(1),
            extra: Extra::new(),
        }
    }
}

/// The phone's owner. Every seventh message is hers.
#[must_use]
pub(crate) fn viewer() -> Person {
    Person {
        id: person(0),
        org_id: org(),
        role: Role::OrgAdmin,
        first_name: "Ada".to_owned(),
        last_name: "Moss".to_owned(),
        medic_id: None,
        removed: false,
        version: Version::new(1),
        extra: Extra::new(),
    }
}

/// The id of conversation number `number`.
#[must_use]
pub(crate) fn conversation_id(number: u64) -> ConversationId {
    ConversationId::from_uuid(Uuid::from_u128(FRAME | u128::from(number)))
}

const FRAME: u128 = 0x0198_0000_0000_7000_8000_0000_0000_0000;

fn number_of(conversation: ConversationId) -> u64 {
    (conversation.as_uuid().as_u128() & 0xffff_ffff) as u64
}

fn message_id(number: u64) -> MessageId {
    let noise = u128::from(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let milliseconds = 0x0198_0000_0000 + u128::from(number / 100);
    MessageId::from_uuid(Uuid::from_u128(
        (milliseconds << 80) | (0x7 << 76) | (0x2 << 62) | (noise & (u128::MAX >> 66)),
    ))
}

fn org() -> OrgId {
    OrgId::from_uuid(Uuid::from_u128(9))
}

fn person(number: u64) -> PersonId {
    PersonId::from_uuid(Uuid::from_u128(u128::from(number) + 1))
}

/// The time this many microseconds after the start.
#[must_use]
pub(crate) fn at(micros: u64) -> Time {
    let start = Time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    start + std::time::Duration::from_micros(micros)
}
