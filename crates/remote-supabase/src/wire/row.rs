//! The rows of a page.

use super::{
    free::{Free, mentions, metadata},
    list::Row,
    object::object,
    scalar::{Moment, Name, Number},
};
use fieldpost_domain::{
    Access, AccessChange, Archived, Conversation, ConversationId, ConversationKind, ConversationSettings, Covered,
    Emoji, Extra, MedicId, Message, MessageAck, MessageId, MessageKind, MessageStatus, Omitted, OmittedReason, OrgId,
    Person, PersonId, ReactedBy, Reaction, ReadMarker, Role, Seq, SeqRange, Settings, Time, Tombstone, TombstoneOf,
};
use serde_json::Value;

object!(
    /// `person`.
    PersonRow, rest: Extra {
        id: PersonId,
        org_id: OrgId,
        role: Name<Role>,
        first_name: String,
        last_name: String,
        medic_id: MedicId,
        removed: bool,
        version: Number,
    }
);

object!(
    /// `conversation`.
    ConversationRow, rest: Extra {
        id: ConversationId,
        org_id: OrgId,
        kind: Name<ConversationKind>,
        subject: String,
        medic_id: MedicId,
        medic_name: String,
        created_by: PersonId,
        created_at: Moment,
        updated_at: Moment,
        last_seq: Number,
        last_message_at: Moment,
        last_message_preview: String,
        unread: Number,
        unread_mentions: Number,
        omitted: OmittedRow,
        version: Number,
    }
);

object!(
    /// `message`.
    MessageRow, rest: Extra {
        id: MessageId,
        conversation_id: ConversationId,
        sender_id: PersonId,
        kind: Name<MessageKind>,
        content: String,
        metadata: Free,
        reply_to: MessageId,
        mentions: Free,
        edited_at: Moment,
        status: Name<MessageStatus>,
        seq: Number,
        composed_at: Moment,
        created_at: Moment,
        updated_at: Moment,
        deleted_at: Moment,
        omitted: OmittedRow,
        version: Number,
    }
);

object!(
    /// `read_marker`. It has no place for unknown fields.
    ReadMarkerRow, rest: super::object::Dropped {
        conversation_id: ConversationId,
        person_id: PersonId,
        delivered_seq: Number,
        delivered_at: Moment,
        read_seq: Number,
        read_at: Moment,
        version: Number,
    }
);

object!(
    /// `reaction`: of a person, or with `count` of all.
    ReactionRow, rest: super::object::Dropped {
        message_id: MessageId,
        conversation_id: ConversationId,
        person_id: PersonId,
        emoji: String,
        removed: bool,
        count: Number,
        created_at: Moment,
        version: Number,
    }
);

object!(
    /// `settings`.
    SettingsRow, rest: super::object::Dropped {
        conversation_id: ConversationId,
        muted_until: Moment,
        pinned_at: Moment,
        archived_at: Moment,
        archived_seq: Number,
        unread_from: Number,
        version: Number,
    }
);

object!(
    /// `tombstone`.
    TombstoneRow, rest: super::object::Dropped {
        entity: String,
        id: uuid::Uuid,
        conversation_id: ConversationId,
        seq: Number,
        version: Number,
    }
);

object!(
    /// `access`.
    AccessRow, rest: super::object::Dropped {
        conversation_id: ConversationId,
        access: Name<Access>,
        version: Number,
    }
);

object!(
    /// An element of `ranges`.
    RangeRow, rest: super::object::Dropped {
        conversation_id: ConversationId,
        from_seq: Number,
        to_seq: Number,
    }
);

object!(
    /// `omitted` of a row.
    OmittedRow, rest: super::object::Dropped {
        reason: Name<OmittedReason>,
        bytes: Number,
    }
);

object!(
    /// `ack` of a push result.
    AckRow, rest: super::object::Dropped {
        message_id: MessageId,
        conversation_id: ConversationId,
        seq: Number,
        created_at: Moment,
        version: Number,
    }
);

/// The value, or the name of the missing field.
pub(super) fn need<T>(value: Option<T>, field: &'static str) -> Result<T, &'static str> {
    value.ok_or(field)
}

/// The seq of a message: from 1.
fn place(seq: Option<Number>) -> Result<Seq, &'static str> {
    seq.filter(|seq| seq.0 > 0).map(Seq::from).ok_or("seq")
}

/// A required time. One that cannot be represented is clamped, and noted.
fn needed(moment: Option<Moment>, field: &'static str, extra: &mut Extra) -> Result<Time, &'static str> {
    let moment = need(moment, field)?;
    note(&moment, field, extra);
    Ok(moment.clamped())
}

/// An optional time. One that cannot be represented is left out, and noted.
fn optional(moment: Option<Moment>, field: &'static str, extra: &mut Extra) -> Option<Time> {
    note(moment.as_ref()?, field, extra);
    moment.and_then(|moment| if let Moment::At(time) = moment { Some(time) } else { None })
}

/// Keeps the original text of a time that cannot be represented.
fn note(moment: &Moment, field: &'static str, extra: &mut Extra) {
    if let Moment::Odd(text) = moment {
        tracing::warn!(field, "a time is out of range");
        extra.insert(field.to_owned(), Value::String(text.clone()));
    }
}

/// The marker that replaces content above the limits. One without a reason is ignored.
fn omitted(row: Option<OmittedRow>) -> Option<Omitted> {
    let row = row?;
    Some(Omitted { reason: row.reason?.0, bytes: row.bytes.map_or(0, |bytes| bytes.0) })
}

impl Row for PersonRow {
    type Domain = Person;

    fn domain(self) -> Result<Person, &'static str> {
        Ok(Person {
            id: need(self.id, "id")?,
            org_id: need(self.org_id, "org_id")?,
            role: need(self.role, "role")?.0,
            first_name: self.first_name.unwrap_or_default(),
            last_name: self.last_name.unwrap_or_default(),
            medic_id: self.medic_id,
            removed: self.removed.unwrap_or(false),
            version: need(self.version, "version")?.into(),
            extra: self.rest,
        })
    }
}

impl Row for ConversationRow {
    type Domain = Conversation;

    fn domain(self) -> Result<Conversation, &'static str> {
        let mut extra = self.rest;
        Ok(Conversation {
            id: need(self.id, "id")?,
            org_id: need(self.org_id, "org_id")?,
            kind: need(self.kind, "kind")?.0,
            subject: self.subject,
            medic_id: self.medic_id,
            medic_name: self.medic_name,
            created_by: self.created_by.unwrap_or(PersonId::NOBODY),
            created_at: needed(self.created_at, "created_at", &mut extra)?,
            updated_at: needed(self.updated_at, "updated_at", &mut extra)?,
            last_seq: need(self.last_seq, "last_seq")?.into(),
            last_message_at: optional(self.last_message_at, "last_message_at", &mut extra),
            last_message_preview: self.last_message_preview,
            unread: need(self.unread, "unread")?.0,
            unread_mentions: self.unread_mentions.map_or(0, |count| count.0),
            omitted: omitted(self.omitted),
            version: need(self.version, "version")?.into(),
            extra,
        })
    }
}

impl Row for MessageRow {
    type Domain = Message;

    fn domain(self) -> Result<Message, &'static str> {
        let mut extra = self.rest;
        let alive = self.deleted_at.is_none();
        let (metadata, unread, other) = metadata(self.metadata.filter(|_| alive));
        extra.extend(other.map(|other| ("metadata".to_owned(), other)));
        Ok(Message {
            id: need(self.id, "id")?,
            conversation_id: need(self.conversation_id, "conversation_id")?,
            sender_id: self.sender_id.unwrap_or(PersonId::NOBODY),
            kind: need(self.kind, "kind")?.0,
            content: self.content.filter(|_| alive),
            metadata,
            reply_to: self.reply_to,
            mentions: mentions(self.mentions.filter(|_| alive)),
            edited_at: optional(self.edited_at, "edited_at", &mut extra),
            status: need(self.status, "status")?.0,
            seq: place(self.seq)?,
            composed_at: optional(self.composed_at, "composed_at", &mut extra),
            created_at: needed(self.created_at, "created_at", &mut extra)?,
            updated_at: needed(self.updated_at, "updated_at", &mut extra)?,
            deleted_at: self.deleted_at.map(|at| needed(Some(at), "deleted_at", &mut extra)).transpose()?,
            omitted: omitted(self.omitted).or(unread),
            version: need(self.version, "version")?.into(),
            extra,
        })
    }
}

impl Row for RangeRow {
    type Domain = Covered;

    fn domain(self) -> Result<Covered, &'static str> {
        let range =
            SeqRange { from: place(self.from_seq).map_err(|_| "from_seq")?, to: need(self.to_seq, "to_seq")?.into() };
        Ok(Covered { conversation_id: need(self.conversation_id, "conversation_id")?, range })
    }
}

impl Row for ReadMarkerRow {
    type Domain = ReadMarker;

    fn domain(self) -> Result<ReadMarker, &'static str> {
        Ok(ReadMarker {
            conversation_id: need(self.conversation_id, "conversation_id")?,
            person_id: need(self.person_id, "person_id")?,
            delivered_seq: need(self.delivered_seq, "delivered_seq")?.into(),
            read_seq: need(self.read_seq, "read_seq")?.into(),
            delivered_at: self.delivered_at.map(|at| at.clamped()),
            read_at: self.read_at.map(|at| at.clamped()),
            version: need(self.version, "version")?.into(),
        })
    }
}

impl Row for ReactionRow {
    type Domain = Reaction;

    fn domain(self) -> Result<Reaction, &'static str> {
        let emoji = self.emoji.filter(|emoji| !emoji.is_empty()).ok_or("emoji")?;
        let by = match self.person_id {
            Some(id) => ReactedBy::Person { id, removed: self.removed.unwrap_or(false) },
            None => ReactedBy::All { count: need(self.count, "count")?.0 },
        };
        Ok(Reaction {
            message_id: need(self.message_id, "message_id")?,
            conversation_id: need(self.conversation_id, "conversation_id")?,
            emoji: Emoji::told(&emoji),
            by,
            created_at: need(self.created_at, "created_at")?.clamped(),
            version: need(self.version, "version")?.into(),
        })
    }
}

impl Row for SettingsRow {
    type Domain = ConversationSettings;

    fn domain(self) -> Result<ConversationSettings, &'static str> {
        let time = |moment: Option<Moment>| moment.map(|moment| moment.clamped());
        let seq = self.archived_seq.map_or(Seq::ZERO, Seq::from);
        let settings = Settings {
            muted_until: time(self.muted_until),
            pinned_at: time(self.pinned_at),
            archived: time(self.archived_at).map(|at| Archived { at, seq }),
            unread_from: self.unread_from.map(Seq::from),
        };
        Ok(ConversationSettings {
            conversation_id: need(self.conversation_id, "conversation_id")?,
            settings,
            version: need(self.version, "version")?.into(),
        })
    }
}

impl Row for TombstoneRow {
    type Domain = Tombstone;

    fn domain(self) -> Result<Tombstone, &'static str> {
        let id = need(self.id, "id")?;
        let (conversation_id, of) = match need(self.entity, "entity")?.as_str() {
            "message" => {
                let of = TombstoneOf::Message { id: MessageId::from_uuid(id), seq: place(self.seq)? };
                (need(self.conversation_id, "conversation_id")?, of)
            }
            "conversation" => {
                let id = ConversationId::from_uuid(id);
                // The row's own id counts; a different `conversation_id` makes the row ambiguous.
                if self.conversation_id.is_some_and(|other| other != id) {
                    return Err("conversation_id");
                }
                (id, TombstoneOf::Conversation)
            }
            _ => return Err("entity"),
        };
        Ok(Tombstone { conversation_id, of, version: need(self.version, "version")?.into() })
    }
}

impl Row for AccessRow {
    type Domain = AccessChange;

    fn domain(self) -> Result<AccessChange, &'static str> {
        Ok(AccessChange {
            conversation_id: need(self.conversation_id, "conversation_id")?,
            access: need(self.access, "access")?.0,
            version: need(self.version, "version")?.into(),
        })
    }
}

impl Row for AckRow {
    type Domain = MessageAck;

    fn domain(self) -> Result<MessageAck, &'static str> {
        Ok(MessageAck {
            message_id: need(self.message_id, "message_id")?,
            conversation_id: need(self.conversation_id, "conversation_id")?,
            seq: place(self.seq)?,
            created_at: need(self.created_at, "created_at")?.clamped(),
            version: need(self.version, "version")?.into(),
        })
    }
}
