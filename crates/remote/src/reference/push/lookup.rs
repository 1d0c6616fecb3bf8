//! Looks up what a mutation names, as far as the caller may know of it.

use super::{Judged, refuse};
use crate::reference::{
    feed::RowKey,
    tables::{ConversationRow, Deleted, Tables},
    viewer::Viewer,
};
use fieldpost_domain::{ConversationId, RefusalCode};

/// The conversation that the caller names, if she sees it. Only somebody who saw it learns that it was deleted.
pub(super) fn find<'t>(tables: &'t Tables, viewer: &Viewer, id: ConversationId) -> Judged<&'t ConversationRow> {
    let id = tables.resolve(id);
    if let Some(row) = viewer.conversation(tables, id) {
        return Ok(row);
    }
    Err(refuse(if was_deleted(tables, viewer, id) { RefusalCode::ConversationDeleted } else { RefusalCode::NotFound }))
}

/// Whether the caller saw such a conversation and it was deleted.
pub(super) fn was_deleted(tables: &Tables, viewer: &Viewer, id: ConversationId) -> bool {
    viewer.sees_row(tables, &RowKey::Tombstone(Deleted::Conversation(id)))
}
