//! Builders for rows and pages with all fields set; a story changes the fields it needs (`Message { deleted_at: …,
//! ..message(…) }`). Ids and times are made from small numbers, so that a failing test always prints the same.

use crate::{BatchLimits, NewDirect};
use chrono::{DateTime, TimeDelta};
use fieldpost_domain::{
    AccessToken, BootstrapPage, Capability, Changes, Continuation, Conversation, ConversationDigest, ConversationId,
    ConversationKind, Cursor, Emoji, Extra, HistoryPage, MedicId, Message, MessageAck, MessageContent, MessageId,
    MessageKind, MessageStatus, MutationId, NewMessage, OrgId, Person, PersonId, PullPage, ReactedBy, Reaction,
    ReadMarker, RefreshToken, Role, Seq, SeqRange, ServerInfo, ServerLimits, Session, Time, Tombstone, TombstoneOf,
    Version,
};
use uuid::Uuid;

fn uuid(kind: u8, number: u64) -> Uuid {
    const FRAME: u128 = 0x0198_c0de_0000_7000_8000_0000_0000_0000;
    Uuid::from_u128(FRAME | (u128::from(kind) << 48) | u128::from(number & 0xffff_ffff_ffff))
}

fn number(id: Uuid) -> u64 {
    (id.as_u128() & 0xffff_ffff) as u64
}

/// The org of all stories.
#[must_use]
pub fn org() -> OrgId {
    OrgId::from_uuid(uuid(1, 1))
}

/// Another org.
#[must_use]
pub fn other_org() -> OrgId {
    OrgId::from_uuid(uuid(1, 2))
}

/// Person number `n`.
#[must_use]
pub fn person_id(n: u64) -> PersonId {
    PersonId::from_uuid(uuid(2, n))
}

/// The medic id of person number `n`. It differs from the person id.
#[must_use]
pub fn medic_id(n: u64) -> MedicId {
    MedicId::from_uuid(uuid(3, n))
}

/// Conversation number `n`.
#[must_use]
pub fn conversation_id(n: u64) -> ConversationId {
    ConversationId::from_uuid(uuid(4, n))
}

/// The message at `seq` of a conversation, unless the story says otherwise.
#[must_use]
pub fn message_id(conversation: ConversationId, seq: u64) -> MessageId {
    MessageId::from_uuid(uuid(5, (number(conversation.as_uuid()) << 32) | (seq & 0xffff_ffff)))
}

/// Own message number `n`, written on this device.
#[must_use]
pub fn own_message_id(n: u64) -> MessageId {
    MessageId::from_uuid(uuid(6, n))
}

/// Mutation number `n`.
#[must_use]
pub fn mutation_id(n: u64) -> MutationId {
    MutationId::from_uuid(uuid(7, n))
}

/// A time, in seconds since the story began.
#[must_use]
pub fn at(seconds: u64) -> Time {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_769_846_400) + TimeDelta::seconds(seconds as i64)
}

/// A seq.
#[must_use]
pub fn seq(n: u64) -> Seq {
    Seq::new(n)
}

fn person(n: u64, role: Role, first_name: &str, last_name: &str, medic_id: Option<MedicId>) -> Person {
    Person {
        id: person_id(n),
        org_id: org(),
        role,
        first_name: first_name.to_owned(),
        last_name: last_name.to_owned(),
        medic_id,
        removed: false,
        version: Version::new(1),
        extra: Extra::new(),
    }
}

/// An admin; the owner of the device in most stories.
#[must_use]
pub fn iris() -> Person {
    person(1, Role::OrgAdmin, "Iris", "Vale", None)
}

/// A medic.
#[must_use]
pub fn ada() -> Person {
    person(2, Role::Medic, "Ada", "Moss", Some(medic_id(2)))
}

/// Another medic.
#[must_use]
pub fn ben() -> Person {
    person(3, Role::Medic, "Ben", "Okafor", Some(medic_id(3)))
}

/// Direct conversation number `n`, with Ada, and with `last` as its last seq.
#[must_use]
pub fn direct(n: u64, last: u64) -> Conversation {
    Conversation {
        id: conversation_id(n),
        org_id: org(),
        kind: ConversationKind::Direct,
        subject: None,
        medic_id: ada().medic_id,
        medic_name: None,
        created_by: iris().id,
        created_at: at(n),
        updated_at: at(n),
        last_seq: seq(last),
        last_message_at: (last > 0).then(|| at(100 + last)),
        last_message_preview: (last > 0).then(|| text(last)),
        unread: 0,
        unread_mentions: 0,
        omitted: None,
        version: Version::new(1),
        extra: Extra::new(),
    }
}

/// Direct conversation number `n`, with a medic of its own who is not known.
#[must_use]
pub fn other_direct(n: u64, last: u64) -> Conversation {
    Conversation { medic_id: Some(medic_id(100 + n)), ..direct(n, last) }
}

/// Broadcast conversation number `n`.
#[must_use]
pub fn broadcast(n: u64, last: u64) -> Conversation {
    let subject = Some("Crane 3".to_owned());
    Conversation { kind: ConversationKind::Broadcast, subject, medic_id: None, ..direct(n, last) }
}

fn text(n: u64) -> String {
    format!("message {n}")
}

/// The message at seq `n` of a conversation. Its text is `message <n>` and its time is [`at`]`(100 + n)`.
#[must_use]
pub fn message(conversation: ConversationId, n: u64, sender: &Person) -> Message {
    let created_at = at(100 + (n & 0xffff));
    Message {
        id: message_id(conversation, n),
        conversation_id: conversation,
        sender_id: sender.id,
        kind: MessageKind::Text,
        content: Some(text(n)),
        metadata: None,
        reply_to: None,
        mentions: fieldpost_domain::Mentions::new(),
        status: MessageStatus::Sent,
        seq: seq(n),
        composed_at: Some(created_at),
        created_at,
        updated_at: created_at,
        edited_at: None,
        deleted_at: None,
        omitted: None,
        version: Version::new(1),
        extra: Extra::new(),
    }
}

/// The messages at these seqs, all by `sender`.
#[must_use]
pub fn messages(conversation: ConversationId, seqs: impl IntoIterator<Item = u64>, sender: &Person) -> Vec<Message> {
    seqs.into_iter().map(|n| message(conversation, n, sender)).collect()
}

/// The message after its soft deletion.
#[must_use]
pub fn deleted(message: Message) -> Message {
    let version = Version::new(message.version.get() + 1);
    Message { content: None, metadata: None, deleted_at: Some(at(900)), updated_at: at(900), version, ..message }
}

/// Own message number `n` as Iris composes it. Its text is `own <n>`.
#[must_use]
pub fn composed(n: u64, conversation: ConversationId) -> NewMessage {
    NewMessage {
        id: own_message_id(n),
        conversation_id: conversation,
        sender_id: iris().id,
        kind: MessageKind::Text,
        content: MessageContent::new(&format!("own {n}")).unwrap(),
        metadata: None,
        reply_to: None,
        mentions: fieldpost_domain::Mentions::new(),
        composed_at: at(500 + n),
    }
}

/// The server's row of own message number `n`, at the seq `place`.
#[must_use]
pub fn echo(n: u64, conversation: ConversationId, place: u64) -> Message {
    let composed = composed(n, conversation);
    Message {
        id: composed.id,
        content: Some(composed.content.into()),
        composed_at: Some(composed.composed_at),
        ..message(conversation, place, &iris())
    }
}

/// The server's acknowledgement of own message number `n`, at the seq `place`.
#[must_use]
pub fn ack(n: u64, conversation: ConversationId, place: u64) -> MessageAck {
    MessageAck {
        message_id: own_message_id(n),
        conversation_id: conversation,
        seq: seq(place),
        created_at: at(100 + place),
        version: Version::new(1),
    }
}

/// Ada's direct conversation, opened on this device with number `n`.
#[must_use]
pub fn new_direct(n: u64) -> NewDirect {
    NewDirect { id: conversation_id(n), medic_id: medic_id(2), at: at(400 + n) }
}

/// A person's marker, read and delivered up to `read`.
#[must_use]
pub fn read_to(conversation: ConversationId, person: &Person, read: u64) -> ReadMarker {
    ReadMarker {
        delivered_at: None,
        read_at: None,
        conversation_id: conversation,
        person_id: person.id,
        delivered_seq: seq(read),
        read_seq: seq(read),
        version: Version::new(1 + read),
    }
}

/// The reaction of a person with an emoji, in its version number `version`; an even version takes it back.
#[must_use]
pub fn reaction(message: MessageId, conversation: ConversationId, who: &Person, emoji: &str, version: u64) -> Reaction {
    Reaction {
        message_id: message,
        conversation_id: conversation,
        emoji: Emoji::told(emoji),
        by: ReactedBy::Person { id: who.id, removed: version.is_multiple_of(2) },
        created_at: at(300 + number(who.id.as_uuid())),
        version: Version::new(version),
    }
}

/// How many have reacted with an emoji, in the version number `version`.
#[must_use]
pub fn counted(message: MessageId, conversation: ConversationId, emoji: &str, count: u64, version: u64) -> Reaction {
    let by = ReactedBy::All { count };
    Reaction { by, version: Version::new(version), ..reaction(message, conversation, &iris(), emoji, 1) }
}

/// The tombstone of a message.
#[must_use]
pub fn tombstone(id: MessageId, conversation: ConversationId, place: u64, version: u64) -> Tombstone {
    let of = TombstoneOf::Message { id, seq: seq(place) };
    Tombstone { conversation_id: conversation, of, version: Version::new(version) }
}

/// The tombstone of a conversation.
#[must_use]
pub fn conversation_tombstone(conversation: ConversationId, version: u64) -> Tombstone {
    Tombstone { conversation_id: conversation, of: TombstoneOf::Conversation, version: Version::new(version) }
}

/// A cursor.
#[must_use]
pub fn cursor(text: &str) -> Cursor {
    Cursor::new(text).unwrap()
}

/// A continuation of a bootstrap.
#[must_use]
pub fn continuation(text: &str) -> Continuation {
    Continuation::new(text)
}

/// A server info with the capabilities that most stories need.
#[must_use]
pub fn server() -> ServerInfo {
    use Capability::{ConversationSettings, EditMessage, Reactions, Reports};
    let capabilities = [EditMessage, Reactions, ConversationSettings, Reports];
    ServerInfo { sql_version: Some(2), capabilities: capabilities.into() }
}

/// The last page of a pull, leading to the cursor `to`.
#[must_use]
pub fn pull_page(to: &str, changes: Changes) -> PullPage {
    PullPage {
        transfer: fieldpost_domain::Transfer::default(),
        changes,
        cursor: cursor(to),
        more: false,
        digest: None,
        server_time: at(1000),
        limits: ServerLimits::default(),
        server: server(),
    }
}

/// A bootstrap of one page for Iris, leading to the cursor `0`.
#[must_use]
pub fn bootstrap_page(changes: Changes) -> BootstrapPage {
    BootstrapPage {
        transfer: fieldpost_domain::Transfer::default(),
        me: Some(iris()),
        total_conversations: changes.conversations.len() as u64,
        changes,
        cursor: cursor("0"),
        next_after: None,
        epoch: None,
        digest: None,
        server_time: at(1000),
        limits: ServerLimits::default(),
        server: server(),
    }
}

/// A page of history that covers the seqs from `from` to `to`. It is complete if `from` is 1.
#[must_use]
pub fn history_page(conversation: ConversationId, from: u64, to: u64, messages: Vec<Message>) -> HistoryPage {
    HistoryPage {
        transfer: fieldpost_domain::Transfer::default(),
        conversation_id: conversation,
        conversation: None,
        changes: Changes { messages, ..Changes::default() },
        range: SeqRange { from: seq(from), to: seq(to) },
        complete: from == 1,
        limits: ServerLimits::default(),
    }
}

/// The digest of conversations by their numbers.
#[must_use]
pub fn digest(numbers: impl IntoIterator<Item = u64>) -> ConversationDigest {
    ConversationDigest::of(numbers.into_iter().map(conversation_id))
}

/// Limits that no story reaches.
#[must_use]
pub fn wide() -> BatchLimits {
    BatchLimits { rows: 500, bytes: 1 << 20 }
}

/// A session of a person, with `generation` in its tokens.
#[must_use]
pub fn session(person: &Person, generation: u32) -> Session {
    Session {
        person_id: person.id,
        email: Some("iris@example.com".to_owned()),
        access_token: AccessToken::new(format!("access-{generation}")),
        refresh_token: RefreshToken::new(format!("refresh-{generation}")),
        expires_at: at(3600),
    }
}
