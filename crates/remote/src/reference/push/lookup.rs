//! What a mutation names, as far as its caller may know of it.

use super::{Judged, refuse};
use crate::reference::{
    feed::RowKey,
    tables::{ConversationRow, Deleted, Tables},
    viewer::Viewer,
};
use fieldpost_domain::{ConversationId, RefusalCode};

/// The conversation that the caller means, if she sees it. That it was deleted is told only to those who saw it.
pub(super) fn find<'t>(tables: &'t Tables, viewer: &Viewer, id: ConversationId) -> Judged<&'t ConversationRow> {
    let id = tables.resolve(id);
    if let Some(row) = viewer.conversation(tables, id) {
        return Ok(row);
    }
    Err(refuse(if was_deleted(tables, viewer, id) { RefusalCode::ConversationDeleted } else { RefusalCode::NotFound }))
}

/// Whether there was such a conversation for the caller.
pub(super) fn was_deleted(tables: &Tables, viewer: &Viewer, id: ConversationId) -> bool {
    viewer.sees_row(tables, &RowKey::Tombstone(Deleted::Conversation(id)))
}
