//! A minimal device: it keeps what pages bring, by the rules of docs/protocol.md, and nothing else.

use fieldpost_domain::{
    Access, Changes, Continuation, Conversation, ConversationDigest, ConversationId, Cursor, Message, MessageId,
    PersonId, ReadMarker, Seq, Session, TombstoneOf,
};
use fieldpost_remote::{
    BootstrapRequest, HistoryRequest, MessagingApi, PullRequest, RemoteErrorKind, RemoteResult,
    reference::ReferenceServer,
};
use std::collections::{BTreeMap, BTreeSet};

/// A device's state.
#[derive(Clone)]
enum Stage {
    Loading(Option<Continuation>),
    Pulling(Cursor),
}

pub(crate) struct Device {
    server: ReferenceServer,
    session: Session,
    stage: Stage,
    pub(crate) conversations: BTreeMap<ConversationId, Conversation>,
    pub(crate) messages: BTreeMap<MessageId, Message>,
    pub(crate) markers: BTreeMap<(ConversationId, PersonId), ReadMarker>,
    pub(crate) people: BTreeSet<PersonId>,
    gone: BTreeSet<MessageId>,
    in_pass: bool,
    /// Whether the last page's digest matched the rows here.
    compared: bool,
}

impl Device {
    pub(crate) fn new(server: &ReferenceServer, session: Session) -> Self {
        Self {
            server: server.clone(),
            session,
            stage: Stage::Loading(None),
            conversations: BTreeMap::new(),
            messages: BTreeMap::new(),
            markers: BTreeMap::new(),
            people: BTreeSet::new(),
            gone: BTreeSet::new(),
            in_pass: false,
            compared: false,
        }
    }

    /// Fetches one page. False when there was no more to fetch.
    pub(crate) async fn step(&mut self, limit: u32) -> bool {
        let outcome = match self.stage.clone() {
            Stage::Loading(after) => self.load(after, limit).await,
            Stage::Pulling(cursor) => self.pull(cursor, limit).await,
        };
        outcome.unwrap_or_else(|error| {
            assert!(matches!(error.kind(), RemoteErrorKind::CursorExpired(_)), "got {error}");
            *self = Self::new(&self.server, self.session.clone());
            true
        })
    }

    async fn load(&mut self, after: Option<Continuation>, limit: u32) -> RemoteResult<bool> {
        let request = BootstrapRequest { after, limit: Some(limit), messages: Some(3), bytes: None };
        let page = self.server.bootstrap(&self.session.access_token, request).await?;
        self.apply(page.changes);
        self.stage = page.next_after.map_or(Stage::Pulling(page.cursor), |next| Stage::Loading(Some(next)));
        Ok(true)
    }

    async fn pull(&mut self, cursor: Cursor, limit: u32) -> RemoteResult<bool> {
        let request = PullRequest { cursor, limit: Some(limit), bytes: None };
        let page = self.server.pull(&self.session.access_token, request).await?;
        self.apply(page.changes);
        // A digest shows the current state, a pass the state at its start: only a pass of one page can be compared.
        let digest = page.digest.filter(|_| !self.in_pass);
        self.compared = digest.is_some();
        if let Some(digest) = digest {
            let known = ConversationDigest::of(self.conversations.keys().copied());
            assert_eq!(digest, known, "nothing is left for a digest to find");
        }
        self.in_pass = page.more;
        self.stage = Stage::Pulling(page.cursor);
        Ok(page.more)
    }

    /// Catches up, then fetches the older messages of each conversation, which no pull sends.
    pub(crate) async fn catch_up(&mut self, limit: u32) {
        let mut pages = 0;
        self.compared = false;
        while self.step(limit).await || !self.compared {
            pages += 1;
            assert!(pages < 5000, "catching up must come to an end");
        }
        let ids: Vec<_> = self.conversations.keys().copied().collect();
        for conversation_id in ids {
            let mut before: Option<Seq> = None;
            loop {
                let request = HistoryRequest { conversation_id, before, limit: Some(limit), bytes: None };
                let page = self.server.history(&self.session.access_token, request).await.unwrap();
                before = Some(page.range.from);
                self.conversations.extend(page.conversation.map(|row| (row.id, row)));
                self.apply(page.changes);
                if page.complete {
                    break;
                }
            }
        }
    }

    fn apply(&mut self, changes: Changes) {
        for row in changes.people {
            self.people.insert(row.id);
        }
        for row in changes.access {
            if row.access == Access::Revoke {
                self.forget(row.conversation_id);
            }
        }
        for row in changes.conversations {
            if self.conversations.get(&row.id).is_none_or(|known| known.version <= row.version) {
                self.conversations.insert(row.id, row);
            }
        }
        for row in changes.messages {
            assert!(self.conversations.contains_key(&row.conversation_id), "a page brings the conversation it names");
            assert!(self.people.contains(&row.sender_id), "a page brings the sender it names");
            let newer = self.messages.get(&row.id).is_none_or(|known| known.version <= row.version);
            if newer && !self.gone.contains(&row.id) {
                self.messages.insert(row.id, row);
            }
        }
        for row in changes.read_markers {
            let key = (row.conversation_id, row.person_id);
            if self.markers.get(&key).is_none_or(|known| known.version <= row.version) {
                self.markers.insert(key, row);
            }
        }
        for row in changes.tombstones {
            match row.of {
                TombstoneOf::Conversation => self.forget(row.conversation_id),
                TombstoneOf::Message { id, .. } => {
                    self.messages.remove(&id);
                    self.gone.insert(id);
                }
            }
        }
    }

    fn forget(&mut self, id: ConversationId) {
        self.conversations.remove(&id);
        self.messages.retain(|_, row| row.conversation_id != id);
        self.markers.retain(|key, _| key.0 != id);
    }
}
