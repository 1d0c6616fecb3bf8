//! `fieldpost_history`: a page of older messages.

use super::{
    page::{Budget, Page},
    rows,
    state::State,
    tables::Deleted,
    viewer::Viewer,
};
use crate::{HistoryRequest, RemoteError, RemoteErrorKind, RemoteResult};
use fieldpost_domain::{ConversationId, HistoryPage, PersonId, Seq, SeqRange, Tombstone, TombstoneOf};

pub(super) fn history(state: &State, caller: PersonId, request: HistoryRequest) -> RemoteResult<HistoryPage> {
    let tables = &state.tables;
    let viewer = Viewer::of(tables, caller);
    let id = tables.resolve(request.conversation_id);
    let row = viewer.conversation(tables, id).ok_or(RemoteError::new(RemoteErrorKind::NotFound, "history"))?;

    let to = request.before.map_or(row.last_seq, |before| before.previous().min(row.last_seq));
    let budget = Budget::new(&state.options.limits, request.limit);
    let (messages, from) = newest_below(state, id, to, budget);
    let range = SeqRange { from, to };

    let mut page = Page::new(tables, &viewer);
    for message in messages {
        page.add_message(message);
    }
    let mut changes = page.finish();
    // The conversation has a place of its own in this answer.
    changes.conversations.clear();
    changes.tombstones = tombstones(state, id, range);
    Ok(HistoryPage {
        conversation_id: request.conversation_id,
        conversation: Some(rows::conversation(tables, &viewer, row)),
        changes,
        range,
        complete: from <= Seq::new(1),
        limits: state.options.limits,
    })
}

/// The newest messages up to `to` that fit, ascending, and the lowest seq that they cover: down to the message that was
/// left out, or to the beginning.
fn newest_below(state: &State, id: ConversationId, to: Seq, budget: Budget) -> (Vec<&fieldpost_domain::Message>, Seq) {
    let (mut messages, mut bytes, mut from) = (Vec::new(), 0, Seq::new(1));
    for message in state.tables.thread_between(id, Seq::new(1), to).rev() {
        bytes += super::page::size(message);
        if messages.len() >= budget.rows || (bytes > budget.bytes && !messages.is_empty()) {
            from = message.seq.next();
            break;
        }
        messages.push(message);
    }
    messages.reverse();
    (messages, from)
}

fn tombstones(state: &State, id: ConversationId, range: SeqRange) -> Vec<Tombstone> {
    let rows = state.tables.tombstones.iter().filter(|(key, _)| matches!(key, Deleted::Message(_)));
    let mut found: Vec<_> = rows
        .map(|(_, row)| &row.tombstone)
        .filter(|tombstone| tombstone.conversation_id == id)
        .filter_map(|tombstone| match tombstone.of {
            TombstoneOf::Message { seq, .. } if range.from <= seq && seq <= range.to => Some((seq, tombstone.clone())),
            _ => None,
        })
        .collect();
    found.sort_by_key(|(seq, _)| *seq);
    found.into_iter().map(|(_, tombstone)| tombstone).collect()
}
