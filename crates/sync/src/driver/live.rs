//! Carries out what the live machine decides.
//!
//! One task holds the connection. It reads events while it waits, and each thing that it sends has a limit, because a socket
//! that is open on one side only takes what it is given until its buffer is full. The token comes from the session before each
//! connect and join, and with each heartbeat: the session renews it before its end, so the server always has one that is valid.

use super::Engine;
use crate::{
    SyncError,
    machine::{
        Live, LiveStatus, LiveStep, Moment, Trigger,
        live::{self, Writing},
    },
};
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{AccessToken, Capability, ConversationId, PersonId, Retry};
use fieldpost_remote::{LiveConnection, LiveEvent, LiveHints, RemoteError, RemoteErrorKind, RemoteResult, Topic};
use fieldpost_storage::{StorageResult, SyncState};
use std::{collections::BTreeMap, future::Future, sync::PoisonError, time::Duration};
use tokio::sync::watch;

/// How long something that is sent may take, and a renewal of the token while hints wait to be read.
const SENDING: Duration = Duration::from_secs(10);

/// How long a token that replaced a refused one is not replaced itself. The pause doubles with each in a row.
const REPLACING: Duration = Duration::from_secs(60);
const LONGEST_REPLACING: Duration = Duration::from_secs(60 * 60);

impl Engine {
    /// Keeps the live connection, as long as this future is polled. Returns at once without live hints.
    pub async fn keep_live(&self) {
        if let Some(hints) = &self.hints {
            Line::of(self, hints.as_ref()).run().await;
        }
    }

    /// What to listen to, by what is known of the person and the server.
    pub(super) async fn want_hints(&self, state: &SyncState, signed_in: bool) -> StorageResult<()> {
        let named = state.server.as_ref().is_some_and(|server| server.capabilities.contains(&Capability::Live));
        let has_hints = signed_in && named && self.hints.is_some();
        let memberships = if has_hints { self.replica.memberships().await? } else { Vec::new() };
        let topics = live::concern(&memberships);
        self.change_live(|live| live.want(topics));
        Ok(())
    }

    /// Changes the machine, and says what has become of it. Answers what `change` answers.
    pub(super) fn change_live<T: Default>(&self, change: impl FnOnce(&mut Live) -> T) -> T {
        let mut answer = T::default();
        self.live.send_modify(|live| answer = change(live));
        let changed = self.status.send_if_modified(|status| {
            let now = self.live.borrow().status();
            std::mem::replace(&mut status.live, now) != now
        });
        if changed {
            let up = self.status.borrow().live == LiveStatus::Live;
            let (now, trigger) = (self.moment(), if up { Trigger::LiveUp } else { Trigger::LiveDown });
            self.schedule.send_modify(|schedule| schedule.trigger(now, trigger));
        }
        self.writing.send_if_modified(|writing| {
            let now = self.live.borrow().writing();
            std::mem::replace(writing, now.clone()) != now
        });
        answer
    }

    /// The person is writing in a conversation. The others are told at most every few seconds.
    pub fn types(&self, conversation: ConversationId) {
        let now = self.moment();
        self.change_live(|live| live.types(now, conversation));
    }

    /// Who is writing, by conversation, of those that are looked at ([`Engine::look_at_typing`]).
    #[must_use]
    pub fn writing(&self) -> watch::Receiver<Writing> {
        self.writing.subscribe()
    }

    /// Somebody looks who is writing in a conversation, until [`Engine::look_away`]: both are counted.
    pub fn look_at_typing(&self, conversation: ConversationId) {
        self.change_watched(|watched| *watched.entry(conversation).or_default() += 1);
    }

    /// Somebody looks there no more.
    pub fn look_away(&self, conversation: ConversationId) {
        self.change_watched(|watched| {
            if let Some(count) = watched.get_mut(&conversation) {
                *count = count.saturating_sub(1);
            }
            watched.retain(|_, count| *count > 0);
        });
    }

    fn change_watched(&self, change: impl FnOnce(&mut BTreeMap<ConversationId, u32>)) {
        // Held until the machine knows, so that an older set never replaces a newer one.
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut watched);
        let places = watched.keys().copied().collect();
        self.change_live(|live| live.watch_typing(places));
    }
}

/// The task that holds the connection.
struct Line<'e> {
    engine: &'e Engine,
    hints: &'e dyn LiveHints,
    changes: watch::Receiver<Live>,
    connection: Option<Box<dyn LiveConnection>>,
    /// What the server was given last.
    token: Option<AccessToken>,
    /// A token that the server does not accept.
    refused: Option<AccessToken>,
    /// Until when a refused token is not replaced again: a server that refuses new tokens would refuse the next one too.
    replaced_until: Moment,
    /// How often tokens were replaced in a row, without a join in between.
    replaced: u32,
}

impl<'e> Line<'e> {
    fn of(engine: &'e Engine, hints: &'e dyn LiveHints) -> Self {
        engine.change_live(|live| live.run(true));
        let changes = engine.live.subscribe();
        Self {
            engine,
            hints,
            changes,
            connection: None,
            token: None,
            refused: None,
            replaced_until: Moment::ZERO,
            replaced: 0,
        }
    }

    async fn run(mut self) {
        loop {
            let (now, chance) = (self.engine.moment(), self.engine.env.chance());
            self.engine.change_live(|live| live.look(now, chance));
            // After our own change, which must not wake this loop; before the machine is read, so that no other change is missed.
            self.changes.mark_unchanged();
            let step = self.engine.live.borrow().next(now);
            match step {
                LiveStep::Connect => self.connect().await,
                LiveStep::Disconnect => self.disconnect(),
                LiveStep::Join(topic) => self.join(topic).await,
                LiveStep::Leave(topic) => self.leave(topic).await,
                LiveStep::Type(conversation, person) => self.type_in(conversation, person).await,
                LiveStep::Heartbeat => self.heartbeat().await,
                LiveStep::Wait(at) => self.listen(Some(at)).await,
                LiveStep::Rest => self.listen(None).await,
            }
        }
    }

    /// Opens a connection, unless it is not wanted any more meanwhile.
    async fn connect(&mut self) {
        let mut changes = self.changes.clone();
        let unwanted = async { changes.wait_for(|live| !live.is_wanted()).await.map(drop) };
        let opened = tokio::select! {
            biased;
            _ = unwanted => return,
            opened = self.opened() => opened,
        };
        let (now, chance) = (self.engine.moment(), self.engine.env.chance());
        match opened {
            Ok(connection) => {
                self.connection = Some(connection);
                self.engine.change_live(|live| live.connected(now));
            }
            Err(error) => {
                let (kind, retry) = self.note(&error);
                tracing::debug!(%error, "no live connection");
                self.engine.change_live(|live| live.refused(now, kind, retry, chance));
            }
        }
    }

    async fn opened(&mut self) -> Result<Box<dyn LiveConnection>, SyncError> {
        let token = self.current_token().await?;
        self.token = Some(token.clone());
        Ok(self.hints.connect(&token).await?)
    }

    /// The token of the moment, and another one than the server has refused.
    async fn current_token(&mut self) -> Result<AccessToken, SyncError> {
        let session = self.engine.session();
        let token = match &self.refused {
            Some(refused) => {
                let token = session.replace(refused).await?;
                let pause = REPLACING.saturating_mul(2_u32.saturating_pow(self.replaced));
                self.replaced = self.replaced.saturating_add(1);
                self.replaced_until = self.engine.moment() + pause.min(LONGEST_REPLACING);
                token
            }
            None => session.token().await?,
        };
        self.refused = None;
        Ok(token)
    }

    /// What an error means for the next try. A session that has ended is not tried again before somebody signs in.
    fn note(&self, error: &SyncError) -> (RemoteErrorKind, Retry) {
        match error {
            SyncError::SignedOut => {
                self.engine.change_live(|live| live.trigger(Trigger::SignedOut));
                (RemoteErrorKind::Unauthorized, Retry::AfterReauth)
            }
            // A connection is opened with the project's key alone, so no refusal of it says anything about the token.
            SyncError::Remote(error) => (error.kind(), error.retry()),
            _ => (RemoteErrorKind::Other, Retry::WhenOnline),
        }
    }

    fn note_refused_token(&mut self, error: &RemoteError) {
        let may_replace = self.engine.moment() >= self.replaced_until;
        if error.kind() == RemoteErrorKind::Unauthorized && self.refused.is_none() && may_replace {
            self.refused = self.token.take();
        }
    }

    /// The machine asks for it because nobody wants the connection, or because it is dead.
    fn disconnect(&mut self) {
        self.connection = None;
        let (now, chance) = (self.engine.moment(), self.engine.env.chance());
        self.engine.change_live(|live| if live.is_wanted() { live.lost(now, chance) } else { live.closed() });
    }

    async fn join(&mut self, topic: Topic) {
        let now = self.engine.moment();
        self.engine.change_live(|live| live.joining(now, topic));
        let token = match self.current_token().await {
            Ok(token) => token,
            Err(error) => {
                tracing::debug!(%error, "no token to join with");
                self.note(&error);
                return;
            }
        };
        self.token = Some(token.clone());
        let Some(connection) = &mut self.connection else { return };
        let sent = in_time(connection.join(topic, &token)).await;
        self.unless_lost(sent);
    }

    async fn leave(&mut self, topic: Topic) {
        self.engine.change_live(|live| live.left(topic));
        let Some(connection) = &mut self.connection else { return };
        let sent = in_time(connection.leave(topic)).await;
        self.unless_lost(sent);
    }

    async fn type_in(&mut self, conversation: ConversationId, person: PersonId) {
        let now = self.engine.moment();
        self.engine.change_live(|live| live.typed(now, conversation));
        let Some(connection) = &mut self.connection else { return };
        let sent = in_time(connection.type_in(conversation, person)).await;
        self.unless_lost(sent);
    }

    async fn heartbeat(&mut self) {
        let now = self.engine.moment();
        self.engine.change_live(|live| live.asked(now));
        let Some(connection) = &mut self.connection else { return };
        let sent = in_time(connection.heartbeat()).await;
        if self.unless_lost(sent) {
            self.renew().await;
        }
    }

    /// Gives the server a newer token, if there is one. What cannot be renewed now is renewed with the next heartbeat.
    async fn renew(&mut self) {
        let Ok(Ok(token)) = tokio::time::timeout(SENDING, self.engine.session().token()).await else { return };
        if self.token.as_ref() == Some(&token) || planted(PlantedBug::LiveTokenNotRenewed) {
            return;
        }
        self.token = Some(token.clone());
        let Some(connection) = &mut self.connection else { return };
        let sent = in_time(connection.renew(&token)).await;
        self.unless_lost(sent);
    }

    /// Takes events until the moment, or until something else is to be done.
    async fn listen(&mut self, until: Option<Moment>) {
        let alarm = alarm(until.map(|at| self.engine.started + at));
        let event = tokio::select! {
            biased;
            event = next(&mut self.connection) => event,
            () = alarm => return,
            changed = self.changes.changed() => match changed {
                Ok(()) => return,
                // The engine is gone.
                Err(_) => std::future::pending().await,
            },
        };
        match event {
            Ok(event) => self.hear(&event),
            Err(error) => drop(self.unless_lost(Err(error))),
        }
    }

    fn hear(&mut self, event: &LiveEvent) {
        if let LiveEvent::Left(topic, error) = event {
            tracing::debug!(%topic, %error, "a live topic is left");
            self.note_refused_token(error);
        }
        if matches!(event, LiveEvent::Joined(_)) {
            self.replaced = 0;
        }
        let (now, chance) = (self.engine.moment(), self.engine.env.chance());
        if self.engine.change_live(|live| live.heard(now, event, chance)) {
            self.engine.hint();
        }
    }

    /// Whether the connection is still there after something was sent on it.
    fn unless_lost(&mut self, sent: RemoteResult<()>) -> bool {
        let Err(error) = sent else { return true };
        tracing::debug!(%error, "the live connection has ended");
        self.connection = None;
        let (now, chance) = (self.engine.moment(), self.engine.env.chance());
        self.engine.change_live(|live| {
            if error.kind() == RemoteErrorKind::Malformed {
                live.abused(now);
            }
            live.lost(now, chance);
        });
        false
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        self.engine.change_live(|live| live.run(false));
    }
}

async fn next(connection: &mut Option<Box<dyn LiveConnection>>) -> RemoteResult<LiveEvent> {
    match connection {
        Some(connection) => connection.next().await,
        None => std::future::pending().await,
    }
}

async fn alarm(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

async fn in_time(sending: impl Future<Output = RemoteResult<()>>) -> RemoteResult<()> {
    let late = |_| RemoteError::new(RemoteErrorKind::TimedOut, "live");
    tokio::time::timeout(SENDING, sending).await.map_err(late)?
}
