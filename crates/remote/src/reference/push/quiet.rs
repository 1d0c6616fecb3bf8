//! Whether the answer to a push is quiet: the results hold all that a pull from the device's cursor would bring.
//!
//! When in doubt it is not, and the device pulls. So an opening is never quiet, because a pull compares the set of
//! conversations; nor is a push of which something was refused or is to be tried again, nor one in a project whose policies
//! hide messages.
//!
//! A row that changed since the cursor does no harm if a result holds it as it is now, and if nothing else of a page follows
//! from it. A page also has the row of each conversation that it names, with the unread count and the last message:
//!
//! * A message of the caller's own changes no count of hers, and every device shows it as the last message by itself.
//! * A marker or a setting may change the count, which a device with a part of the thread cannot know. So these are told
//!   only where there is nothing to count: every seq above the marker is a message of the caller.

use super::{Submission, SubmissionResult, SubmittedMessage, Task};
use crate::reference::{
    cursor::Position,
    feed::{Place, RowKey},
    ids::to_micros,
    snapshot::Snapshot,
    state::State,
    tables::Tables,
    viewer::Viewer,
};
use fieldpost_domain::{
    Acknowledgement, ConversationId, Cursor, Message, MessageAck, PersonId, PushOutcome, Seq,
    planted::{PlantedBug, planted},
};

/// The cursor after a quiet push, which has been committed. None if a pull has to follow, also because of the cursor that
/// came with it.
pub(in crate::reference) fn quiet(
    state: &State,
    caller: PersonId,
    cursor: &str,
    batch: &[Submission],
    results: &[SubmissionResult],
) -> Option<Cursor> {
    let viewer = Viewer::of(&state.tables, caller);
    let position = Position::read(cursor).filter(|position| position.pass.is_none())?;
    position.check(state, &viewer.fingerprint(), "push").ok()?;
    if viewer.members.is_empty() || state.tables.project.0.hides() {
        return None;
    }
    let told = batch.iter().zip(results).map(|(submission, result)| Told::of(&submission.task, &result.outcome));
    let told = told.collect::<Option<Vec<_>>>()?;
    let to = seen(state);
    let is_told = |key: &RowKey| {
        !viewer.hears_of(&state.tables, key)
            || told.iter().any(|told| told.holds(&state.tables, &viewer, key))
            || is_overlooked(&state.tables, caller, key)
    };
    let mut news = state.feed.between(Place::start_of(0), &position.from, &to);
    let is_quiet = news.all(|(_, key)| is_told(&key));
    drop(news);
    if !is_quiet {
        return None;
    }
    Position { epoch: state.epoch, fingerprint: viewer.fingerprint(), from: to, pass: None }.write()
}

/// What has been committed by now, the push among it.
fn seen(state: &State) -> Snapshot {
    let now = state.feed.snapshot();
    if planted(PlantedBug::QuietSeesRunning) { Snapshot { running: [].into(), ..now } } else { now }
}

/// With a planted bug, what others write is no news, or what a push changes besides.
fn is_overlooked(tables: &Tables, caller: PersonId, key: &RowKey) -> bool {
    let others = |id| tables.messages.get(id).is_some_and(|row: &Message| row.sender_id != caller);
    (planted(PlantedBug::QuietThoughOthersWrote) && matches!(key, RowKey::Message(id) if others(id)))
        || (planted(PlantedBug::QuietWithoutSettings) && matches!(key, RowKey::Settings(..)))
}

/// What a result tells of rows.
enum Told<'r> {
    /// Of none.
    Nothing,
    /// That a message was stored as it was sent.
    Sent(&'r SubmittedMessage, &'r MessageAck),
    /// The row of a message, of a conversation or of the caller.
    Row(&'r Acknowledgement),
}

impl<'r> Told<'r> {
    /// None if a pull has to follow whatever has changed.
    fn of(task: &'r Task, outcome: &'r PushOutcome) -> Option<Self> {
        let PushOutcome::Acknowledged(what) = outcome else { return None };
        match (task, what) {
            (Task::ReportMessage(_), Acknowledgement::Bare) => Some(Self::Nothing),
            (Task::SendMessage(sent), Acknowledgement::Sent(ack)) if ack.conversation_id == sent.conversation_id => {
                Some(Self::Sent(sent, ack))
            }
            (Task::SendMessage(sent), Acknowledgement::Stored(row))
                if (row.id, row.conversation_id) == (sent.id, sent.conversation_id) =>
            {
                Some(Self::Row(what))
            }
            (Task::EditMessage(_) | Task::DeleteMessage(_), Acknowledgement::Stored(_))
            | (Task::MarkRead(_) | Task::MarkDelivered(_), Acknowledgement::Marked(_)) => Some(Self::Row(what)),
            (Task::SetConversation(set), Acknowledgement::Set(_)) if set.change.unread_from.is_none() => {
                Some(Self::Row(what))
            }
            _ => None,
        }
    }

    /// Whether the device needs no page to know this row.
    fn holds(&self, tables: &Tables, viewer: &Viewer, key: &RowKey) -> bool {
        let caller = viewer.person_id;
        match (self, key) {
            (Self::Sent(sent, ack), RowKey::Message(id)) if ack.message_id == *id => {
                tables.messages.get(id).is_some_and(|row| is_as_sent(row, sent, ack, caller))
            }
            (Self::Row(Acknowledgement::Stored(told)), RowKey::Message(id)) if told.id == *id => {
                told.sender_id == caller && tables.messages.get(id) == Some(&**told)
            }
            (Self::Row(Acknowledgement::Marked(told)), RowKey::ReadMarker(conversation, person)) => {
                tables.markers.get(&(*conversation, *person)) == Some(told)
                    && *person == caller
                    && has_read_all(tables, *conversation, caller)
            }
            (Self::Row(Acknowledgement::Set(told)), RowKey::Settings(conversation, person)) => {
                tables.settings.get(&(*conversation, *person)) == Some(told)
                    && told.settings.unread_from.is_none()
                    && has_read_all(tables, *conversation, caller)
            }
            _ => false,
        }
    }
}

/// Whether a message is stored exactly as its author's device has it once it knows the acknowledgement.
fn is_as_sent(row: &Message, sent: &SubmittedMessage, ack: &MessageAck, author: PersonId) -> bool {
    let is_new = row.version == ack.version && row.edited_at.is_none() && row.deleted_at.is_none();
    let is_whole = row.omitted.is_none() && row.updated_at == row.created_at;
    let place = (row.seq, row.created_at, row.sender_id) == (ack.seq, ack.created_at, author);
    is_new
        && is_whole
        && place
        && (&row.kind, &row.content, &row.metadata) == (&sent.kind, &sent.content, &sent.metadata)
        && (&row.mentions, row.reply_to) == (&sent.mentions, sent.reply_to)
        && row.composed_at == sent.composed_at.map(to_micros)
}

/// Whether every seq above the caller's marker is a message of hers.
fn has_read_all(tables: &Tables, conversation: ConversationId, caller: PersonId) -> bool {
    let read = tables.markers.get(&(conversation, caller)).map_or(Seq::ZERO, |marker| marker.read_seq);
    let last = tables.conversations.get(&conversation).map_or(Seq::ZERO, |row| row.last_seq);
    let above = tables.thread_between(conversation, read.next(), last);
    above.filter(|message| message.sender_id == caller).count() as u64 == last.get().saturating_sub(read.get())
}
