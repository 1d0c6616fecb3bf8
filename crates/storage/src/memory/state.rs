//! What a device knows, as one value.

use crate::{BootstrapReason, EntryState, MutationIds, RandomIds, SyncMemory, SyncPosition};
use fieldpost_domain::{
    Conversation, ConversationId, Intent, Message, MessageId, MutationId, NewMessage, OrgId, Person, PersonId,
    ReadMarker, Seq, SeqRange, ServerEpoch, ServerInfo, Session, Time, UnreadableRow, Version,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

#[derive(Debug, Clone)]
pub(super) struct State {
    /// For mutations that the store records by itself.
    pub(super) ids: Arc<dyn MutationIds>,
    pub(super) account: Option<PersonId>,
    pub(super) session: Option<Session>,
    /// Whom the last bootstrap named as the caller; the row is among `people`.
    pub(super) me: Option<PersonId>,
    pub(super) position: SyncPosition,
    /// The last page that was pulled said that there is more.
    pub(super) run_open: bool,
    /// The history that the rows are of, by the server's name for it.
    pub(super) server_epoch: Option<ServerEpoch>,
    /// Counts the beginnings and the first pages of bootstraps.
    pub(super) generation: u64,
    /// What the bootstrap under way has confirmed; none unless one is.
    pub(super) bootstrap: Option<Bootstrap>,
    /// What is applied just now was asked for beside a pass, which may have applied a later answer meanwhile.
    pub(super) beside: bool,
    /// What the server last said about itself.
    pub(super) server: Option<ServerInfo>,
    pub(super) last_success_at: Option<Time>,
    /// What passes have learned.
    pub(super) memory: SyncMemory,
    /// The oldest first.
    pub(super) unreadable: Vec<KeptAside>,
    /// By org: role, name and medic may differ.
    pub(super) people: BTreeMap<(PersonId, OrgId), Person>,
    pub(super) threads: BTreeMap<ConversationId, Thread>,
    pub(super) messages: BTreeMap<MessageId, Row>,
    pub(super) markers: BTreeMap<(ConversationId, PersonId), ReadMarker>,
    /// In the order in which the mutations were recorded.
    pub(super) outbox: Vec<Entry>,
    /// The next number of [`Entry::order`].
    pub(super) next_order: u64,
    /// From ids that conversations had before the server gave the canonical ones; never a chain.
    pub(super) aliases: BTreeMap<ConversationId, ConversationId>,
    pub(super) message_tombstones: BTreeMap<MessageId, Version>,
    pub(super) conversation_tombstones: BTreeMap<ConversationId, Version>,
    pub(super) access: BTreeMap<ConversationId, Access>,
}

/// A conversation that is here.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Thread {
    pub(super) row: Conversation,
    /// False while it is known to this device only.
    pub(super) on_server: bool,
    /// The recent range. From 1 to 0 for one that is empty.
    pub(super) range: Option<SeqRange>,
    /// Seqs of messages that were deleted for good by a tombstone.
    pub(super) gone: BTreeSet<Seq>,
    /// The `last_seq` of the answer from which the row's derived fields are.
    pub(super) counted_to: Seq,
}

/// A message that is here.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Row {
    /// The local echo.
    Local {
        message: NewMessage,
        /// Its place among those without a seq.
        order: u64,
    },
    /// As the server has it.
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
    /// Attempts of which nobody knows what became of them.
    pub(super) in_flight: u32,
}

/// The newest that is known of one's access to a conversation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Access {
    pub(super) version: Version,
    pub(super) revoked: bool,
}

/// A row that this version cannot read.
#[derive(Debug, Clone)]
pub(super) struct KeptAside {
    /// Whose it is, if it says so.
    pub(super) conversation: Option<ConversationId>,
    pub(super) row: UnreadableRow,
}

/// What the bootstrap under way has confirmed so far.
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
            beside: false,
            server: None,
            last_success_at: None,
            memory: SyncMemory::default(),
            unreadable: Vec::new(),
            people: BTreeMap::new(),
            threads: BTreeMap::new(),
            messages: BTreeMap::new(),
            markers: BTreeMap::new(),
            outbox: Vec::new(),
            next_order: 0,
            aliases: BTreeMap::new(),
            message_tombstones: BTreeMap::new(),
            conversation_tombstones: BTreeMap::new(),
            access: BTreeMap::new(),
        }
    }
}

impl State {
    /// The canonical id behind an id that may be an alias.
    pub(super) fn resolve(&self, id: ConversationId) -> ConversationId {
        self.aliases.get(&id).copied().unwrap_or(id)
    }

    pub(super) fn take_order(&mut self) -> u64 {
        self.next_order += 1;
        self.next_order
    }

    /// Whose store this is: whoever signed in, else whom the server named.
    pub(super) fn own(&self) -> Option<PersonId> {
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
    /// Whether it may have reached the server.
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
