//! Checks that look at a single call: privacy of the responses, size of the batches.

use super::Hub;
use crate::simulator::{Breach, Invariant, rules};
use fieldpost_domain::{
    AccessToken, Archived, Changes, ConversationId, Cursor, Intent, Mutation, PersonId, PullPage, PushOutcome, Seq,
    Settings,
};
use fieldpost_remote::{PushAnswer, RemoteResult};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Reports a response that holds anything its reader may not see.
pub(super) fn page(hub: &Hub, token: &AccessToken, changes: &Changes, call: &'static str) {
    let Some(reader) = hub.server.caller(token) else { return };
    let mut places = hub.places();
    rules::note(&mut places, &hub.server);
    hub.observer.judge(rules::may_be_told(&places, &hub.server, hub.policy, reader, changes, call));
    let rows = changes.messages.len();
    if rows > hub.server.limits().page_rows as usize {
        hub.observer.report(Breach::new(Invariant::Bounded, format!("a {call} brings {rows} messages at once")));
    }
}

/// Reports a batch above the server's limits.
pub(super) fn batch(hub: &Hub, mutations: &[Mutation]) {
    let most = hub.server.limits().push_rows.max(fieldpost_domain::ServerLimits::default().push_rows);
    if mutations.len() > most as usize || mutations.is_empty() {
        let what = format!("a push of {} mutations", mutations.len());
        hub.observer.report(Breach::new(Invariant::Bounded, what));
    }
}

/// A person's settings and how far she has read, of each conversation, before a push.
pub(super) struct Settled(Option<PersonId>, BTreeMap<ConversationId, (Settings, Seq)>);

impl Settled {
    pub(super) fn before(hub: &Hub, token: &AccessToken) -> Self {
        let person = hub.server.caller(token);
        Self(person, person.map(|person| settled(hub, person)).unwrap_or_default())
    }

    pub(super) const fn person(&self) -> Option<PersonId> {
        self.0
    }

    /// A push changes the fields that it names, in its order, and no others; and whoever reads on takes back that a
    /// conversation was marked unread. Of a field that two devices change, so, the last arrival counts.
    pub(super) fn judge(mut self, hub: &Hub, mutations: &[Mutation], answer: &RemoteResult<PushAnswer>) {
        let (Some(person), Ok(answer)) = (self.0, answer) else { return };
        let after = settled(hub, person);
        for (id, (_, read)) in &after {
            let (settings, read_before) = self.1.entry(*id).or_default();
            settings.unread_from = settings.unread_from.filter(|_| read <= read_before);
        }
        for (mutation, result) in mutations.iter().zip(&answer.results) {
            if let (Intent::SetConversation(set), PushOutcome::Acknowledged(_)) = (&mutation.intent, &result.outcome)
                && let Some((settings, _)) = self.1.get_mut(&hub.server.canonical(set.conversation_id))
            {
                set.change.apply(settings);
            }
        }
        for (id, (settings, _)) in after {
            let mut expected = self.1.get(&id).map(|(settings, _)| *settings).unwrap_or_default();
            let last = hub.server.conversation(id).map_or(Seq::ZERO, |row| row.last_seq);
            expected.archived = expected.archived.map(|one| Archived { seq: one.seq.min(last), ..one });
            if settings != expected {
                let breach =
                    Breach::new(Invariant::Convergence, format!("a push to {id} sets something else than it says"));
                return hub.observer.report(breach.with_views(format!("{expected:?}"), format!("{settings:?}")));
            }
        }
    }
}

fn settled(hub: &Hub, person: PersonId) -> BTreeMap<ConversationId, (Settings, Seq)> {
    let server = &hub.server;
    let read = |id| server.marker_of(id, person).map_or(Seq::ZERO, |marker| marker.read_seq);
    server.conversation_ids().into_iter().map(|id| (id, (server.settings_of(id, person), read(id)))).collect()
}

/// Follows the pulls of a device. `who` is one start of one of its processes.
#[derive(Debug, Default)]
pub(crate) struct Tracks(Mutex<Track>);

#[derive(Debug, Default)]
struct Track {
    /// Cursors in the middle of a run of pages, of any process.
    middles: BTreeSet<String>,
    /// The number of transactions on the server at the start of the current run, and at the start of the last run that
    /// was completed.
    commits_at_start: BTreeMap<u64, u64>,
    commits_at_end: BTreeMap<u64, u64>,
}

impl Tracks {
    fn track(&self) -> MutexGuard<'_, Track> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a page, of a server with this number of transactions.
    pub(super) fn answered(&self, who: u64, asked: &Cursor, commits: u64, page: &PullPage) {
        let mut track = self.track();
        if !track.middles.contains(asked.as_str()) {
            track.commits_at_start.insert(who, commits);
        }
        track.commits_at_end.remove(&who);
        if page.more {
            track.middles.insert(page.cursor.as_str().to_owned());
        } else if let Some(start) = track.commits_at_start.get(&who).copied() {
            track.commits_at_end.insert(who, start);
        }
    }

    pub(crate) fn commits_at_end(&self, who: u64) -> Option<u64> {
        self.track().commits_at_end.get(&who).copied()
    }
}
