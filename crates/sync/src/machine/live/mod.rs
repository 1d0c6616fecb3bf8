//! Decides when to connect for live hints, and what to join.
//!
//! A [`Live`] takes what happened and returns what to do now ([`LiveStep`]), like [`Schedule`](super::Schedule): it reads no
//! clock, holds no token and does no I/O.
//!
//! Others that use the same server die in silence: a token expires, a channel is closed and never joined again, a socket is
//! open on one side only, and what was committed while it was down is missed. So these rules must hold:
//!
//! * **Never dead.** Each end of a topic or of the connection leads to another try, for ever, with full jitter. What the server
//!   refuses is tried more slowly, because a refusal may end as well: access is given back, a policy is mended.
//! * **Never deaf.** A heartbeat that is not answered by the next one ends the connection, and a join that is not answered in
//!   time is a failed one. A connection on which three in a row are not answered, and nothing is joined, is ended too. When the
//!   network changes or the app comes back, an open connection is asked at once whether it is still there.
//! * **Never crowded.** What people send in conversations costs the conversations alone: their topics are few, are joined one after
//!   the other, and are left alone when something far too large came. A server that lets everybody in and brings nothing is asked
//!   as slowly as one that refuses.
//! * **Never trusted.** Each join asks for a pull, because what was committed before it has passed unheard. A hint asks for a
//!   pull and says nothing else, but that an own push caused it: then there is nothing to pull (`pushes`). Nothing waits for a
//!   hint.
//! * **Never in the way.** It is off in the background, offline, during a pause, and while nobody is signed in or the server
//!   does not have it.
//!
//! A wait that the server named (`Retry-After`) is kept, also when the app comes to the foreground.

mod channel;
mod connection;
mod pushes;
mod rhythm;
mod topics;
mod typing;

pub use rhythm::LiveRhythm;
pub use topics::{concern, is_for_hints};
pub use typing::Writing;

use super::{Moment, Trigger};
use channel::Channel;
use connection::{Connection, Up};
use fieldpost_domain::{ConversationId, PersonId, PushTag};
use fieldpost_domain::{
    Retry,
    planted::{PlantedBug, planted},
};
use fieldpost_remote::{LiveEvent, RemoteErrorKind, Topic};
use pushes::OwnPushes;
use std::collections::{BTreeMap, BTreeSet};
use typing::Typing;

/// What the driver does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiveStep {
    /// Open a connection, with the token of the moment.
    Connect,
    /// Close the connection.
    Disconnect,
    /// Join a topic, with the token of the moment.
    Join(Topic),
    /// Leave a topic.
    Leave(Topic),
    /// Tell the others in a conversation that this person is writing.
    Type(ConversationId, PersonId),
    /// Send a heartbeat, and the token if it is a newer one.
    Heartbeat,
    /// Ask again at this moment, or after an event or a trigger.
    Wait(Moment),
    /// Do nothing until an event or a trigger.
    Rest,
}

/// Whether hints come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LiveStatus {
    /// They are not wanted now: nobody is signed in, the app is in the background, there is no network, the server does not have
    /// them, or the app has switched them off.
    #[default]
    Off,
    /// They are wanted, and do not come yet or any more. The timer goes on.
    Reconnecting,
    /// All that concerns the person is joined.
    Live,
}

/// The live connection; see the [module](self).
#[derive(Debug, Clone)]
pub struct Live {
    rhythm: LiveRhythm,
    /// Somebody carries out the steps.
    running: bool,
    online: bool,
    foreground: bool,
    signed_in: bool,
    paused: bool,
    /// What to listen to: nothing before a pass has told who the person is and that the server has live hints.
    wanted: BTreeSet<Topic>,
    connection: Connection,
    channels: BTreeMap<Topic, Channel>,
    typing: Typing,
    pushes: OwnPushes,
}

impl Live {
    /// Nothing is wanted yet.
    #[must_use]
    pub fn new(rhythm: LiveRhythm) -> Self {
        Self {
            rhythm,
            running: false,
            online: true,
            foreground: true,
            signed_in: true,
            paused: false,
            wanted: BTreeSet::new(),
            connection: Connection::default(),
            channels: BTreeMap::new(),
            typing: Typing::default(),
            pushes: OwnPushes::default(),
        }
    }

    /// Sets what to listen to: nothing if nobody is signed in. Returns whether that is something else than before.
    pub fn want(&mut self, topics: BTreeSet<Topic>) -> bool {
        let changed = self.wanted != topics;
        // Whoever knows what concerns the person knows that somebody is signed in, whatever was found out before.
        self.signed_in |= !topics.is_empty();
        self.wanted = topics;
        changed
    }

    /// Sets in which conversations somebody looks who is writing.
    pub fn watch_typing(&mut self, conversations: BTreeSet<ConversationId>) {
        self.typing.watch(conversations);
    }

    /// The person is writing.
    pub fn types(&mut self, now: Moment, conversation: ConversationId) {
        self.typing.pressed(now, conversation);
    }

    /// The others were told.
    pub fn typed(&mut self, now: Moment, conversation: ConversationId) {
        self.typing.said(now, conversation);
    }

    /// A push is on its way.
    pub fn pushing(&mut self, push: PushTag) {
        self.pushes.add(push);
    }

    /// Who is writing, where somebody looks.
    #[must_use]
    pub fn writing(&self) -> Writing {
        self.typing.writing()
    }

    /// All topics that are needed now.
    fn needed(&self) -> BTreeSet<Topic> {
        self.wanted.iter().copied().chain(self.typing.places().into_iter().map(Topic::Typing)).collect()
    }

    /// Who listens here.
    fn person(&self) -> Option<PersonId> {
        self.wanted.iter().find_map(|topic| if let Topic::Person(id) = topic { Some(*id) } else { None })
    }

    /// Somebody carries out the steps from now on, or does so no more. Nothing is connected at either moment.
    pub fn run(&mut self, running: bool) {
        self.running = running;
        self.closed();
    }

    /// Records a trigger. What ends the waits of a pass ends those of this connection too.
    pub fn trigger(&mut self, trigger: Trigger) {
        match trigger {
            Trigger::Online => self.online = true,
            Trigger::Offline => self.online = false,
            Trigger::Foreground => self.foreground = true,
            Trigger::Background => self.foreground = false,
            Trigger::SignedIn => self.signed_in = true,
            Trigger::SignedOut => {
                self.signed_in = false;
                self.wanted.clear();
            }
            Trigger::Pause => self.paused = true,
            Trigger::Resume => self.paused = false,
            Trigger::LocalWrite | Trigger::Hint | Trigger::LiveUp | Trigger::LiveDown => return,
        }
        if matches!(trigger, Trigger::Online | Trigger::Foreground | Trigger::SignedIn | Trigger::Resume) {
            self.connection.try_at_once();
            self.channels.values_mut().for_each(Channel::try_at_once);
        }
    }

    /// Whether hints are wanted now.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.running && self.online && self.foreground && self.signed_in && !self.paused && !self.wanted.is_empty()
    }

    /// Whether hints come.
    #[must_use]
    pub fn status(&self) -> LiveStatus {
        if !self.is_wanted() {
            return LiveStatus::Off;
        }
        let is_joined = |topic: &Topic| self.channels.get(topic).is_some_and(Channel::is_joined);
        let all = self.wanted.iter().filter(|topic| is_for_hints(topic)).all(is_joined);
        if all && self.connection.is_up() { LiveStatus::Live } else { LiveStatus::Reconnecting }
    }

    /// The next step.
    #[must_use]
    pub fn next(&self, now: Moment) -> LiveStep {
        if !self.is_wanted() {
            return if self.connection.is_up() { LiveStep::Disconnect } else { LiveStep::Rest };
        }
        match &self.connection {
            Connection::Down(waits) if waits.until() > now => LiveStep::Wait(waits.until()),
            Connection::Down(_) => LiveStep::Connect,
            Connection::Up(up) if up.is_dead(now) || self.is_deaf(up) => LiveStep::Disconnect,
            Connection::Up(up) if up.heartbeat_at() <= now => LiveStep::Heartbeat,
            Connection::Up(up) => {
                let next = self.next_topic(now).or_else(|| self.next_word(now));
                next.unwrap_or_else(|| self.until(up.heartbeat_at()))
            }
        }
    }

    /// Where something is joined, joins are heard, and another connection would be no better.
    fn is_deaf(&self, up: &Up) -> bool {
        up.is_deaf() && !self.channels.values().any(Channel::is_joined)
    }

    fn next_topic(&self, now: Moment) -> Option<LiveStep> {
        let needed = self.needed();
        let unwanted = self.channels.iter().find(|(topic, one)| !one.is_out() && !needed.contains(topic));
        if let Some((topic, _)) = unwanted {
            return Some(LiveStep::Leave(*topic));
        }
        let due = |topic: &&Topic| self.channels.get(topic).is_none_or(|one| one.due().is_some_and(|at| at <= now));
        needed.iter().filter(|topic| self.may_join(topic)).find(due).map(|topic| LiveStep::Join(*topic))
    }

    /// Conversations are joined one after the other. Realtime answers so, takes seconds for a refusal, and lets a heartbeat wait for
    /// all that came before it: many of them at once would look like a dead connection.
    fn may_join(&self, topic: &Topic) -> bool {
        is_for_hints(topic) || !self.channels.values().any(Channel::is_joining)
    }

    fn next_word(&self, now: Moment) -> Option<LiveStep> {
        let joined = |id| self.channels.get(&Topic::Typing(id)).is_some_and(Channel::is_joined);
        Some(LiveStep::Type(self.typing.due(now, joined)?, self.person()?))
    }

    /// Waits for whatever is due first.
    fn until(&self, heartbeat: Moment) -> LiveStep {
        let needed = self.needed();
        let due = needed.iter().filter_map(|topic| {
            let one = self.channels.get(topic)?;
            (one.is_joining() || self.may_join(topic)).then(|| one.due()).flatten()
        });
        LiveStep::Wait(due.chain(self.typing.next()).fold(heartbeat, Ord::min))
    }

    /// The connection is open; nothing is joined on it.
    pub fn connected(&mut self, now: Moment) {
        self.connection.opened(now, &self.rhythm);
        self.channels.values_mut().for_each(Channel::left);
    }

    /// It could not be opened.
    pub fn refused(&mut self, now: Moment, kind: RemoteErrorKind, retry: Retry, chance: u32) {
        self.connection.failed(now, (kind, retry), &self.rhythm, chance);
    }

    /// It has ended, or was given up. One that lasted is tried anew soon, one that ends at once later and later.
    pub fn lost(&mut self, now: Moment, chance: u32) {
        self.connection.lost(now, &self.rhythm, chance);
        self.typing.silence();
        self.channels.values_mut().for_each(Channel::left);
    }

    /// Something came that no server of Fieldpost sends, such as a frame that is too large, and the connection ends of it. Everybody
    /// in a conversation may send such on its topic, so these are left alone for a while. Hints come from the database alone.
    pub fn abused(&mut self, now: Moment) {
        let until = now + self.rhythm.longest_refused;
        let typing = self.channels.iter_mut().filter(|(topic, _)| !is_for_hints(topic));
        typing.for_each(|(_, channel)| channel.rest(until));
    }

    /// It was closed on purpose.
    pub fn closed(&mut self) {
        self.connection = Connection::default();
        self.typing.silence();
        self.channels.clear();
    }

    /// A join is on its way.
    pub fn joining(&mut self, now: Moment, topic: Topic) {
        self.channels.entry(topic).or_default().joining(now + self.rhythm.join_timeout);
    }

    /// A topic was left on purpose.
    pub fn left(&mut self, topic: Topic) {
        self.channels.remove(&topic);
    }

    /// A heartbeat is on its way.
    pub fn asked(&mut self, now: Moment) {
        self.connection.asked(now, &self.rhythm);
    }

    /// Something came. Returns whether a pull is due.
    pub fn heard(&mut self, now: Moment, event: &LiveEvent, chance: u32) -> bool {
        if matches!(event, LiveEvent::Joined(_) | LiveEvent::Left(..)) {
            self.connection.heard();
        }
        match event {
            LiveEvent::Joined(topic) => {
                let channel = self.channels.entry(*topic).or_default();
                channel.joined(now);
                // Nobody says anything of these.
                if !is_for_hints(topic) {
                    channel.ready();
                }
                pull_after_join(topic)
            }
            LiveEvent::Ready(topic) => {
                self.is_ready(topic);
                pull_after_join(topic)
            }
            LiveEvent::Left(topic, error) => {
                if !planted(PlantedBug::ClosedTopicStaysClosed) {
                    let why = (error.kind(), error.retry());
                    self.channels.entry(*topic).or_default().refused(now, why, &self.rhythm, chance);
                }
                false
            }
            LiveEvent::Hint(topic, push) => {
                self.is_ready(topic);
                !push.is_some_and(|push| self.pushes.is_own(push))
            }
            LiveEvent::Alive => {
                self.connection.alive();
                false
            }
            LiveEvent::Typing { conversation_id, person_id } => {
                // The person's other devices say so too.
                if self.person() != Some(*person_id) {
                    self.typing.heard(now, *conversation_id, *person_id);
                }
                false
            }
        }
    }

    /// Hints come.
    fn is_ready(&mut self, topic: &Topic) {
        if let Some(channel) = self.channels.get_mut(topic) {
            channel.ready();
        }
    }

    /// Time has passed: joins that were not answered have failed, and who was writing may have stopped. Returns whether a join has
    /// failed.
    pub fn look(&mut self, now: Moment, chance: u32) -> bool {
        self.typing.tidy(now);
        let needed = self.needed();
        self.channels.retain(|topic, one| needed.contains(topic) || !one.is_forgotten(now));
        let late: Vec<_> = self.channels.values_mut().filter(|one| one.is_late(now)).collect();
        let some = !late.is_empty();
        for channel in late {
            channel.refused(now, (RemoteErrorKind::TimedOut, Retry::WhenOnline), &self.rhythm, chance);
        }
        if some {
            self.connection.unheard();
        }
        some
    }
}

/// What was committed before a join has passed unheard.
fn pull_after_join(topic: &Topic) -> bool {
    is_for_hints(topic) && !planted(PlantedBug::NoPullAfterJoin)
}
