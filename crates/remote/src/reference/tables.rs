//! The tables: plain maps of rows, without rules. The rules apply where rows are written (`transaction`) and read
//! (`viewer`).

use super::project::OfProject;
#[cfg(feature = "records")]
use super::records::RecordTables;
use fieldpost_domain::{
    AccessChange, ConversationId, ConversationKind, ConversationSettings, Emoji, MedicId, Message, MessageId,
    MessageReport, MutationId, OrgId, PersonId, Reaction, ReadMarker, Role, Seq, Time, Tombstone, Version,
};
use std::collections::{BTreeMap, BTreeSet};

/// A row of `medics`. It outlives the account of its person.
#[derive(Debug, Clone)]
pub(super) struct MedicRow {
    pub(super) org_id: OrgId,
    pub(super) person_id: Option<PersonId>,
    pub(super) first_name: String,
    pub(super) last_name: String,
}

/// A current or former member of an org.
#[derive(Debug, Clone)]
pub(super) struct PersonRow {
    pub(super) id: PersonId,
    pub(super) org_id: OrgId,
    pub(super) role: Role,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) medic_id: Option<MedicId>,
    pub(super) removed: bool,
    pub(super) version: Version,
}

/// A conversation without the fields derived for each reader.
#[derive(Debug, Clone)]
pub(super) struct ConversationRow {
    pub(super) id: ConversationId,
    pub(super) org_id: OrgId,
    pub(super) kind: ConversationKind,
    pub(super) subject: Option<String>,
    pub(super) medic_id: Option<MedicId>,
    pub(super) created_by: PersonId,
    pub(super) created_at: Time,
    pub(super) updated_at: Time,
    /// The highest seq ever assigned in it; a hard delete does not lower it.
    pub(super) last_seq: Seq,
    pub(super) version: Version,
}

/// What remains of a deleted row: the tombstone for clients, and what decides who gets it.
#[derive(Debug, Clone)]
pub(super) struct TombstoneRow {
    pub(super) tombstone: Tombstone,
    /// The sender of a deleted message: it distinguishes a retry of the send from another person's use of the id.
    pub(super) sender_id: Option<PersonId>,
    /// The key with which an older version of the app sent a deleted message.
    pub(super) key: Option<String>,
    pub(super) org_id: OrgId,
    pub(super) kind: ConversationKind,
    pub(super) medic_id: Option<MedicId>,
}

/// A row of `message_reports`.
#[derive(Debug, Clone)]
pub(super) struct ReportRow {
    pub(super) report: MessageReport,
    /// The mutations that have reported it, by which one that is sent again is known.
    pub(super) mutations: Vec<MutationId>,
}

/// The key with which an older version of the app sent a message. That version kept its own id in the metadata.
pub(super) fn key_of(message: &Message) -> Option<&str> {
    message.metadata.as_ref()?.as_object().get("idempotency_key")?.as_str()
}

/// The deleted row of a tombstone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Deleted {
    Conversation(ConversationId),
    Message(MessageId),
}

/// Everything that a backup holds. Cloning it makes a backup.
#[derive(Debug, Clone, Default)]
pub(super) struct Tables {
    pub(super) orgs: BTreeMap<OrgId, String>,
    pub(super) medics: BTreeMap<MedicId, MedicRow>,
    pub(super) people: BTreeMap<(OrgId, PersonId), PersonRow>,
    pub(super) conversations: BTreeMap<ConversationId, ConversationRow>,
    pub(super) messages: BTreeMap<MessageId, Message>,
    /// Index: the messages of a conversation by seq.
    pub(super) threads: BTreeMap<(ConversationId, Seq), MessageId>,
    pub(super) markers: BTreeMap<(ConversationId, PersonId), ReadMarker>,
    /// The reactions to each message: of each person, and in a broadcast also how many there are (of nobody).
    pub(super) reactions: BTreeMap<MessageId, BTreeMap<(Emoji, Option<PersonId>), Reaction>>,
    /// What a person has set for a conversation.
    pub(super) settings: BTreeMap<(ConversationId, PersonId), ConversationSettings>,
    /// The reports of each message, one for each person.
    pub(super) reports: BTreeMap<(MessageId, PersonId), ReportRow>,
    pub(super) tombstones: BTreeMap<Deleted, TombstoneRow>,
    /// The access log: the newest change of each person's access to each conversation.
    pub(super) access: BTreeMap<(PersonId, ConversationId), AccessChange>,
    /// Ids that clients made for conversations that the server already had, with their canonical ids.
    pub(super) aliases: BTreeMap<ConversationId, ConversationId>,
    /// The ids of all deleted conversations. They are never reused.
    pub(super) used_up: BTreeSet<ConversationId>,
    /// Tables of records, their rows, and the audit log.
    #[cfg(feature = "records")]
    pub(super) records: RecordTables,
    /// Triggers and policies are part of the database, like the rows.
    pub(super) project: OfProject,
}

impl Tables {
    /// The canonical id of the conversation that a client calls `id`.
    pub(super) fn resolve(&self, id: ConversationId) -> ConversationId {
        self.aliases.get(&id).copied().unwrap_or(id)
    }

    /// The messages of a conversation, oldest first.
    pub(super) fn thread(&self, id: ConversationId) -> impl DoubleEndedIterator<Item = &Message> {
        self.thread_between(id, Seq::ZERO, Seq::new(u64::MAX))
    }

    /// The messages of a conversation in a range of seqs, both ends included.
    pub(super) fn thread_between(
        &self,
        id: ConversationId,
        from: Seq,
        to: Seq,
    ) -> impl DoubleEndedIterator<Item = &Message> {
        // `range` panics on a reversed range; here it means an empty one.
        let ids = (from <= to).then(|| self.threads.range((id, from)..=(id, to)));
        ids.into_iter().flatten().filter_map(|(_, id)| self.messages.get(id))
    }

    /// The reactions to a message.
    pub(super) fn reactions_to(&self, message: MessageId) -> impl Iterator<Item = &Reaction> {
        self.reactions.get(&message).into_iter().flat_map(BTreeMap::values)
    }

    /// How far a person has read in a conversation.
    pub(super) fn read_seq(&self, conversation: ConversationId, person: PersonId) -> Seq {
        self.markers.get(&(conversation, person)).map_or(Seq::ZERO, |marker| marker.read_seq)
    }

    /// The seq above which messages are unread for a person: her marker, or below it from where on she has marked them
    /// unread.
    pub(super) fn unread_above(&self, conversation: ConversationId, person: PersonId) -> Seq {
        let read = self.read_seq(conversation, person);
        self.settings.get(&(conversation, person)).map_or(read, |row| row.settings.unread_above(read))
    }

    /// A person's current memberships, with roles. `profiles` has one row per person; a project's own tables may have
    /// several.
    pub(super) fn memberships(&self, person: PersonId) -> impl Iterator<Item = &PersonRow> {
        self.people.values().filter(move |row| row.id == person && !row.removed)
    }

    /// A person's rows in the roster of an org, if she is a medic there.
    pub(super) fn medics_of(&self, member: &PersonRow) -> BTreeSet<MedicId> {
        let own = |row: &MedicRow| row.org_id == member.org_id && row.person_id == Some(member.id);
        let medic = member.role == Role::Medic;
        self.medics.iter().filter(|(_, row)| medic && own(row)).map(|(id, _)| *id).collect()
    }

    /// The person of a row in the roster, if she is a medic of the org.
    pub(super) fn person_of(&self, medic: MedicId) -> Option<PersonId> {
        let row = self.medics.get(&medic)?;
        let member = self.people.get(&(row.org_id, row.person_id?))?;
        (!member.removed && member.role == Role::Medic).then_some(member.id)
    }

    /// The direct conversation of a medic.
    pub(super) fn direct_of(&self, org: OrgId, medic: MedicId) -> Option<&ConversationRow> {
        self.conversations
            .values()
            .find(|row| row.kind == ConversationKind::Direct && row.org_id == org && row.medic_id == Some(medic))
    }

    /// The broadcast conversation of an org.
    pub(super) fn broadcast_of(&self, org: OrgId) -> Option<&ConversationRow> {
        self.conversations.values().find(|row| row.kind == ConversationKind::Broadcast && row.org_id == org)
    }
}
