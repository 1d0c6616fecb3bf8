//! All data of a device as one value.

use super::reactions::ReactionKey;
use crate::{BootstrapReason, EntryState, MutationIds, RandomIds, StoredDraft, SyncMemory, SyncPosition};
use fieldpost_domain::{
    Conversation, ConversationId, ConversationSettings, Intent, Message, MessageId, MutationId, NewMessage, OrgId,
    Person, PersonId, Reaction, ReadMarker, Seq, SeqRange, ServerEpoch, ServerInfo, Session, Time, UnreadableRow,
    Version,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

#[derive(Debug, Clone)]
pub(super) struct State {
    /// The ids of mutations that the store records by itself.
    pub(super) ids: Arc<dyn MutationIds>,
    pub(super) account: Option<PersonId>,
    pub(super) session: Option<Session>,
    /// The caller that the last bootstrap or pull named; the row is in `people`.
    pub(super) me: Option<PersonId>,
    pub(super) position: SyncPosition,
    /// The last pulled page said that there is more.
    pub(super) run_open: bool,
    /// The server's name for the epoch of the rows.
    pub(super) server_epoch: Option<ServerEpoch>,
    /// Changes when a bootstrap begins and when its first page is applied.
    pub(super) generation: u64,
    /// What the current bootstrap has confirmed; none if there is none.
    pub(super) bootstrap: Option<Bootstrap>,
    /// The page being applied was requested beside the passes, so a pass may have applied a later one already.
    pub(super) outside_pass: bool,
    /// What the server last said about itself.
    pub(super) server: Option<ServerInfo>,
    pub(super) last_success_at: Option<Time>,
    /// What passes have learned.
    pub(super) memory: SyncMemory,
    /// The oldest first.
    pub(super) unreadable: Vec<KeptAside>,
    /// A person's role, name and medic may differ by org.
    pub(super) people: BTreeMap<(PersonId, OrgId), Person>,
    pub(super) threads: BTreeMap<ConversationId, Thread>,
    pub(super) messages: BTreeMap<MessageId, Row>,
    pub(super) markers: BTreeMap<(ConversationId, PersonId), ReadMarker>,
    pub(super) reactions: BTreeMap<ReactionKey, Reaction>,
    /// The person's settings as the server has them. What is queued is applied when they are read.
    pub(super) settings: BTreeMap<ConversationId, ConversationSettings>,
    pub(super) drafts: BTreeMap<ConversationId, StoredDraft>,
    /// In the order of recording.
    pub(super) outbox: Vec<Entry>,
    /// The next number of [`Entry::order`].
    pub(super) next_order: u64,
    /// From former ids of conversations to their canonical ids; never a chain.
    pub(super) aliases: BTreeMap<ConversationId, ConversationId>,
    pub(super) message_tombstones: BTreeMap<MessageId, Version>,
    pub(super) conversation_tombstones: BTreeMap<ConversationId, Version>,
    pub(super) access: BTreeMap<ConversationId, Access>,
    #[cfg(feature = "records")]
    pub(super) records: Arc<super::records::RecordsState>,
}

/// A stored conversation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Thread {
    pub(super) row: Conversation,
    /// False while only this device has it.
    pub(super) on_server: bool,
    /// The recent range. An empty one is from 1 to 0.
    pub(super) range: Option<SeqRange>,
    /// Seqs of messages that a tombstone deleted.
    pub(super) deleted_seqs: BTreeSet<Seq>,
    /// The `last_seq` of the row that the derived fields come from.
    pub(super) counted_to: Seq,
}

/// A stored message.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Row {
    /// The local echo.
    Local {
        message: NewMessage,
        /// Its order among the messages without a seq.
        order: u64,
    },
    /// The server's row.
    Server(Message),
}

/// A mutation in the outbox.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) id: MutationId,
    pub(super) intent: Intent,
    pub(super) state: EntryState,
    pub(super) recorded_at: Time,
    pub(super) order: u64,
    /// Attempts with an unknown outcome.
    pub(super) in_flight: u32,
}

/// The newest known state of the person's access to a conversation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Access {
    pub(super) version: Version,
    pub(super) revoked: bool,
}

/// A row that this version cannot read.
#[derive(Debug, Clone)]
pub(super) struct KeptAside {
    /// Its conversation, if the row names one.
    pub(super) conversation: Option<ConversationId>,
    pub(super) row: UnreadableRow,
}

/// What the current bootstrap has confirmed so far.
#[derive(Debug, Clone)]
pub(super) struct Bootstrap {
    pub(super) reason: BootstrapReason,
    pub(super) conversations: BTreeSet<ConversationId>,
    pub(super) people: BTreeSet<(PersonId, OrgId)>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            ids: Arc::new(RandomIds),
            account: None,
            session: None,
            me: None,
            position: SyncPosition::Fresh,
            run_open: false,
            server_epoch: None,
            generation: 0,
            bootstrap: None,
            outside_pass: false,
            server: None,
            last_success_at: None,
            memory: SyncMemory::default(),
            unreadable: Vec::new(),
            people: BTreeMap::new(),
            threads: BTreeMap::new(),
            messages: BTreeMap::new(),
            markers: BTreeMap::new(),
            reactions: BTreeMap::new(),
            settings: BTreeMap::new(),
            drafts: BTreeMap::new(),
            outbox: Vec::new(),
            next_order: 0,
            aliases: BTreeMap::new(),
            message_tombstones: BTreeMap::new(),
            conversation_tombstones: BTreeMap::new(),
            access: BTreeMap::new(),
            #[cfg(feature = "records")]
            records: Arc::default(),
        }
    }
}

impl State {
    /// Resolves an alias to the canonical id.
    pub(super) fn resolve(&self, id: ConversationId) -> ConversationId {
        self.aliases.get(&id).copied().unwrap_or(id)
    }

    pub(super) fn take_order(&mut self) -> u64 {
        self.next_order += 1;
        self.next_order
    }

    /// The owner of the store: who signed in, else the caller that the server named.
    pub(super) fn owner(&self) -> Option<PersonId> {
        self.account.or(self.me)
    }

    /// The messages of a conversation that the server has.
    pub(super) fn server_messages(&self, conversation: ConversationId) -> impl Iterator<Item = &Message> {
        self.messages.values().filter_map(move |row| match row {
            Row::Server(message) if message.conversation_id == conversation => Some(message),
            _ => None,
        })
    }

    /// The entry that sends a message.
    pub(super) fn entry_of(&self, message: MessageId) -> Option<&Entry> {
        self.outbox.iter().find(|entry| entry.intent.creates() == Some(message))
    }
}

impl Entry {
    /// Whether the entry may have reached the server.
    pub(super) const fn is_sending(&self) -> bool {
        self.in_flight > 0 && !self.is_failed()
    }

    pub(super) const fn is_failed(&self) -> bool {
        matches!(self.state, EntryState::Failed(_))
    }
}

impl Row {
    pub(super) const fn conversation_id(&self) -> ConversationId {
        match self {
            Self::Local { message, .. } => message.conversation_id,
            Self::Server(message) => message.conversation_id,
        }
    }

    pub(super) const fn id(&self) -> MessageId {
        match self {
            Self::Local { message, .. } => message.id,
            Self::Server(message) => message.id,
        }
    }

    pub(super) const fn sender_id(&self) -> PersonId {
        match self {
            Self::Local { message, .. } => message.sender_id,
            Self::Server(message) => message.sender_id,
        }
    }
}
