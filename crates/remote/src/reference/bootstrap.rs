//! `fieldpost_bootstrap`: the first load, over a list that is fixed when it starts.

use super::{
    cursor::{BootstrapPosition, Position, Remaining, unreadable},
    page::{Budget, Page, size},
    rows,
    state::State,
    tables::ConversationRow,
    viewer::Viewer,
};
use crate::{BootstrapRequest, RemoteResult};
use fieldpost_domain::{
    BootstrapPage, Capabilities, ConversationId, Message, OrgId, PersonId, Seq, SeqRange, ServerEpoch, Transfer,
};
use std::cmp::Reverse;

const OPERATION: &str = "bootstrap";
/// How many of its latest messages a conversation brings unless the client asks for another number.
const MESSAGES: u32 = 100;

pub(super) fn bootstrap(
    state: &State,
    caller: PersonId,
    request: &BootstrapRequest,
    speaks: &Capabilities,
) -> RemoteResult<BootstrapPage> {
    let viewer = Viewer::of(&state.tables, caller);
    let position = match &request.after {
        None => start(state, &viewer),
        Some(after) => {
            let position = BootstrapPosition::read(after.as_str()).ok_or(unreadable(OPERATION))?;
            position.cursor.check(state, &viewer.fingerprint(), OPERATION)?;
            position
        }
    };
    let limits = &state.options.limits;
    let mut filling = Filling {
        state,
        viewer: &viewer,
        budget: Budget::new(limits, (request.limit, request.bytes), OPERATION)?,
        messages_each: request.messages.unwrap_or(MESSAGES).min(limits.page_rows) as usize,
        page: Page::new(&state.tables, &viewer, speaks),
        messages: 0,
        units: 0,
    };
    let next = filling.fill(position.remaining);
    let me = viewer.members.first().and_then(|member| state.tables.people.get(&(member.org_id, caller)));
    Ok(BootstrapPage {
        transfer: Transfer { bytes: filling.page.weight(), ..Transfer::default() },
        me: me.map(rows::person),
        total_conversations: position.total,
        changes: filling.page.finish(),
        cursor: position.cursor.write().ok_or(unreadable(OPERATION))?,
        digest: next.is_none().then(|| state.digest(&viewer, speaks)),
        next_after: next
            .map(|remaining| BootstrapPosition { cursor: position.cursor, total: position.total, remaining }.write()),
        epoch: Some(ServerEpoch::new(format!("{:x}", state.epoch))),
        server_time: state.now(),
        limits: *limits,
        server: state.options.info.clone(),
    })
}

/// Takes the cursor before it reads anything, then the list: newest activity first.
fn start(state: &State, viewer: &Viewer) -> BootstrapPosition {
    let cursor =
        Position { epoch: state.epoch, fingerprint: viewer.fingerprint(), from: state.feed.snapshot(), pass: None };
    let mut rows: Vec<_> = viewer.conversations(&state.tables).collect();
    rows.sort_by_key(|row| Reverse((activity(state, row), row.id)));
    let ids: Vec<_> = rows.into_iter().map(|row| row.id).collect();
    BootstrapPosition { cursor, total: ids.len() as u64, remaining: Remaining::Conversations(ids) }
}

fn activity(state: &State, row: &ConversationRow) -> fieldpost_domain::Time {
    state.tables.thread(row.id).next_back().map_or(row.created_at, |message| message.created_at)
}

struct Filling<'a> {
    state: &'a State,
    viewer: &'a Viewer,
    budget: Budget,
    messages_each: usize,
    page: Page<'a>,
    messages: usize,
    /// The number of conversations and people on the page; it holds at least one.
    units: usize,
}

impl<'a> Filling<'a> {
    /// Fills the page. Returns what remains for the next one, if anything.
    fn fill(&mut self, remaining: Remaining) -> Option<Remaining> {
        let people_after = match remaining {
            Remaining::PeopleAfter(id) => id,
            Remaining::Conversations(ids) => {
                if let Some(left) = self.add_conversations(&ids) {
                    return Some(Remaining::Conversations(left.to_vec()));
                }
                None
            }
        };
        self.add_people_after(people_after)
    }

    /// Returns the conversations that no longer fit.
    fn add_conversations<'i>(&mut self, ids: &'i [ConversationId]) -> Option<&'i [ConversationId]> {
        for (index, id) in ids.iter().enumerate() {
            // Skips a conversation that was deleted or hidden since the list was made; the first pull reports it.
            let Some(row) = self.viewer.conversation(&self.state.tables, *id) else { continue };
            let Some(messages) = self.messages_that_fit(*id) else { return Some(&ids[index..]) };
            self.page.add_conversation(row);
            if let Some(first) = messages.first() {
                self.page.cover(*id, SeqRange { from: first.seq, to: row.last_seq });
            }
            for message in messages.iter().filter(|message| self.viewer.is_shown(&self.state.tables, message)) {
                self.page.add_message(message);
            }
            self.page.add_markers(*id);
            self.page.add_settings(*id, self.viewer.person_id);
            self.messages += messages.len();
            self.units += 1;
        }
        None
    }

    /// The latest messages of a conversation, ascending; none if the page has no room for them. On an empty page, as
    /// many of the newest as a page can hold.
    fn messages_that_fit(&self, id: ConversationId) -> Option<Vec<&'a Message>> {
        if self.is_full() {
            return None;
        }
        let room = self.budget.rows - self.messages;
        let newest = self.state.tables.thread_between(id, Seq::new(1), Seq::new(u64::MAX)).rev();
        let (mut fitting, mut bytes) = (Vec::new(), self.page.bytes());
        for message in newest.take(self.messages_each) {
            bytes += size(message);
            if fitting.len() >= room || (bytes > self.budget.bytes && !fitting.is_empty()) {
                if self.units > 0 {
                    return None;
                }
                break;
            }
            fitting.push(message);
        }
        fitting.reverse();
        Some(fitting)
    }

    fn add_people_after(&mut self, after: Option<(OrgId, PersonId)>) -> Option<Remaining> {
        let tables = &self.state.tables;
        let mut last = after;
        for ((org, id), row) in tables.people.range(after.unwrap_or(LOWEST)..) {
            let member = self.viewer.member_of(*org).is_some();
            if after == Some((*org, *id)) || !member || !self.viewer.sees_person(tables, row) {
                continue;
            }
            if self.is_full() || self.units >= self.budget.rows {
                return Some(Remaining::PeopleAfter(last));
            }
            self.page.add_people(tables.people.get(&(*org, *id)));
            self.units += 1;
            last = Some((*org, *id));
        }
        None
    }

    const fn is_full(&self) -> bool {
        self.units > 0 && (self.messages >= self.budget.rows || self.page.bytes() >= self.budget.bytes)
    }
}

/// Sorts before every person of every org.
const LOWEST: (OrgId, PersonId) = (OrgId::from_uuid(uuid::Uuid::nil()), PersonId::NOBODY);
