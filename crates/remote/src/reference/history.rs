//! `fieldpost_history`: a page of older messages.

use super::{
    page::{Budget, Page, size},
    rows,
    state::State,
    tables::Tables,
    viewer::Viewer,
};
use crate::{HistoryRequest, RemoteError, RemoteErrorKind, RemoteResult};
use fieldpost_domain::{
    Capabilities, ConversationId, HistoryPage, Message, PersonId, Seq, SeqRange, Tombstone, TombstoneOf, Transfer,
};
use std::collections::BTreeMap;

const OPERATION: &str = "history";

pub(super) fn history(
    state: &State,
    caller: PersonId,
    request: HistoryRequest,
    speaks: &Capabilities,
) -> RemoteResult<HistoryPage> {
    let tables = &state.tables;
    let viewer = Viewer::of(tables, caller);
    let id = tables.resolve(request.conversation_id);
    let row = viewer.conversation(tables, id).ok_or(RemoteError::new(RemoteErrorKind::NotFound, OPERATION))?;

    let to = request.before.map_or(row.last_seq, |before| before.previous().min(row.last_seq));
    let budget = Budget::new(&state.options.limits, (request.limit, request.bytes), OPERATION)?;
    let (entries, from) = newest_below(entries(tables, id, to), budget);
    let range = SeqRange { from, to };

    let mut page = Page::new(tables, &viewer, speaks);
    page.add_conversation(row);
    let mut tombstones = Vec::new();
    for entry in entries.into_iter().rev() {
        match entry {
            Entry::Message(message) if viewer.is_shown(tables, message) => page.add_message(message),
            // The covered range already shows that there is nothing here.
            Entry::Message(_) => {}
            Entry::Tombstone(tombstone) => tombstones.push(tombstone.clone()),
        }
    }
    let weight = page.weight();
    let mut changes = page.finish();
    changes.tombstones = tombstones;
    // This response has a separate field for the conversation.
    changes.conversations.clear();
    Ok(HistoryPage {
        transfer: Transfer { bytes: weight, ..Transfer::default() },
        conversation_id: request.conversation_id,
        conversation: Some(rows::conversation(tables, &viewer, row)),
        changes,
        range,
        complete: from <= Seq::new(1),
        limits: state.options.limits,
    })
}

/// The entry at a place of a conversation.
#[derive(Clone, Copy)]
enum Entry<'t> {
    Message(&'t Message),
    Tombstone(&'t Tombstone),
}

/// The entries of a conversation up to a place.
fn entries(tables: &Tables, id: ConversationId, to: Seq) -> BTreeMap<Seq, Entry<'_>> {
    let messages = tables.thread_between(id, Seq::new(1), to).map(|message| (message.seq, Entry::Message(message)));
    let tombstones = tables.tombstones.values().map(|row| &row.tombstone).filter_map(|tombstone| match tombstone.of {
        TombstoneOf::Message { seq, .. } if tombstone.conversation_id == id && seq <= to => {
            Some((seq, Entry::Tombstone(tombstone)))
        }
        _ => None,
    });
    messages.chain(tombstones).collect()
}

/// The newest entries that fit, newest first, and the lowest seq that they cover: down to the first entry that was left
/// out, or to the beginning. Tombstones count too, so a page stays small even where much was deleted.
fn newest_below(entries: BTreeMap<Seq, Entry<'_>>, budget: Budget) -> (Vec<Entry<'_>>, Seq) {
    let (mut newest, mut bytes) = (Vec::new(), 0);
    for (seq, entry) in entries.into_iter().rev() {
        bytes += match entry {
            Entry::Message(message) => size(message),
            Entry::Tombstone(tombstone) => size(tombstone),
        };
        if newest.len() >= budget.rows || (bytes > budget.bytes && !newest.is_empty()) {
            return (newest, seq.next());
        }
        newest.push(entry);
    }
    (newest, Seq::new(1))
}
