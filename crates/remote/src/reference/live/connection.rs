//! A device's connection.

use super::{ConnectionId, Signal};
use crate::{
    LiveConnection, LiveEvent, RemoteError, RemoteErrorKind, RemoteResult, Topic,
    reference::{ReferenceServer, state::State, viewer::Viewer},
};
use async_trait::async_trait;
use fieldpost_domain::{AccessToken, ConversationId, PersonId};
use std::collections::{BTreeSet, VecDeque};
use tokio::sync::broadcast::{self, error::RecvError};

pub(super) struct ReferenceConnection {
    server: ReferenceServer,
    id: ConnectionId,
    signals: broadcast::Receiver<Signal>,
    joined: BTreeSet<Topic>,
    /// The newest token, by which expiry is judged.
    token: Option<AccessToken>,
    /// What has not been taken yet.
    events: VecDeque<LiveEvent>,
}

impl ReferenceConnection {
    pub(super) fn new(server: ReferenceServer, id: ConnectionId, signals: broadcast::Receiver<Signal>) -> Self {
        Self { server, id, signals, joined: BTreeSet::new(), token: None, events: VecDeque::new() }
    }

    /// Each topic that its person may not hear any more is left, when the server looks.
    fn check(&mut self) {
        let Some(token) = &self.token else { return };
        let state = self.server.lock();
        let refused = |topic: &Topic| may_join(&state, token, *topic).err().map(|error| (*topic, error));
        let refused: Vec<_> = self.joined.iter().filter_map(refused).collect();
        drop(state);
        for (topic, error) in refused {
            self.joined.remove(&topic);
            self.events.push_back(LiveEvent::Left(topic, error));
        }
    }

    fn has_expired(&self) -> bool {
        let state = self.server.lock();
        self.token.as_ref().is_some_and(|token| state.caller(token, "next").is_err())
    }

    /// What of a signal concerns this connection.
    fn hear(&self, signal: Signal) -> Option<LiveEvent> {
        match signal {
            Signal::Hint(topic, push) => self.joined.contains(&topic).then_some(LiveEvent::Hint(topic, push)),
            Signal::Typing(conversation_id, person_id, from) => {
                let hears = from != self.id && self.joined.contains(&Topic::Typing(conversation_id));
                hears.then_some(LiveEvent::Typing { conversation_id, person_id })
            }
        }
    }
}

#[async_trait]
impl LiveConnection for ReferenceConnection {
    async fn join(&mut self, topic: Topic, token: &AccessToken) -> RemoteResult<()> {
        let allowed = may_join(&self.server.lock(), token, topic);
        match allowed {
            Ok(()) => {
                self.token = Some(token.clone());
                self.joined.insert(topic);
                self.events.extend([LiveEvent::Joined(topic), LiveEvent::Ready(topic)]);
            }
            Err(error) => {
                self.joined.remove(&topic);
                self.events.push_back(LiveEvent::Left(topic, error));
            }
        }
        Ok(())
    }

    async fn leave(&mut self, topic: Topic) -> RemoteResult<()> {
        self.joined.remove(&topic);
        Ok(())
    }

    async fn renew(&mut self, token: &AccessToken) -> RemoteResult<()> {
        self.token = Some(token.clone());
        self.check();
        Ok(())
    }

    async fn heartbeat(&mut self) -> RemoteResult<()> {
        if self.has_expired() {
            self.check();
        }
        self.events.push_back(LiveEvent::Alive);
        Ok(())
    }

    async fn type_in(&mut self, conversation_id: ConversationId, person_id: PersonId) -> RemoteResult<()> {
        let state = self.server.lock();
        let writes = self.token.as_ref().is_some_and(|token| may_type(&state, token, conversation_id));
        if writes && self.joined.contains(&Topic::Typing(conversation_id)) {
            state.feed.listeners.signal(Signal::Typing(conversation_id, person_id, self.id));
        }
        Ok(())
    }

    async fn next(&mut self) -> RemoteResult<LiveEvent> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            match self.signals.recv().await {
                Ok(_) if self.has_expired() => self.check(),
                Ok(signal) => self.events.extend(self.hear(signal)),
                Err(RecvError::Lagged(_) | RecvError::Closed) => {
                    return Err(RemoteError::new(RemoteErrorKind::Interrupted, "next"));
                }
            }
        }
    }
}

fn may_join(state: &State, token: &AccessToken, topic: Topic) -> RemoteResult<()> {
    let viewer = Viewer::of(&state.tables, state.caller(token, "join")?);
    let allowed = match topic {
        Topic::Person(person) => person == viewer.person_id,
        Topic::Admins(org) => viewer.is_admin_of(org),
        Topic::Org(org) => viewer.member_of(org).is_some(),
        Topic::Typing(id) => viewer.conversation(&state.tables, state.tables.resolve(id)).is_some(),
    };
    if allowed { Ok(()) } else { Err(RemoteError::new(RemoteErrorKind::Forbidden, "join")) }
}

fn may_type(state: &State, token: &AccessToken, conversation: ConversationId) -> bool {
    let Ok(caller) = state.caller(token, "type_in") else { return false };
    let viewer = Viewer::of(&state.tables, caller);
    let row = viewer.conversation(&state.tables, state.tables.resolve(conversation));
    row.is_some_and(|row| viewer.may_write(row))
}
