//! Opens a conversation, or finds the existing one.

use super::{Done, Judged, lookup::was_deleted, refuse};
use crate::reference::{
    rows,
    tables::{Deleted, Tables},
    transaction::Transaction,
    viewer::Viewer,
};
use fieldpost_domain::{Acknowledgement, ConversationId, MedicId, OrgId, RefusalCode};

/// The conversation to open.
pub(super) struct Wanted {
    pub(super) org: OrgId,
    pub(super) medic: Option<MedicId>,
    pub(super) subject: Option<String>,
}

/// Opens it with this id, or finds the existing one.
pub(super) fn open(
    transaction: &mut Transaction<'_>,
    viewer: &Viewer,
    id: ConversationId,
    existing: Option<ConversationId>,
    wanted: Wanted,
) -> Judged<Done> {
    let tables = transaction.tables();
    let called = tables.resolve(id);
    let mut applied = false;
    match existing {
        // Found by its own id, or by an alias that this or another device used for it.
        Some(existing) if called == existing => {}
        _ if is_taken(tables, called) => return Err(refuse(taken(tables, viewer, called))),
        Some(existing) => transaction.add_alias(id, existing),
        None => {
            applied = true;
            transaction.open_conversation(id, wanted.org, wanted.medic, wanted.subject, viewer.person_id);
        }
    }
    let canonical = existing.unwrap_or(id);
    let row = viewer.conversation(transaction.tables(), canonical).ok_or(refuse(RefusalCode::NotFound))?;
    let conversation = rows::conversation(transaction.tables(), viewer, row);
    Ok(Done { acknowledgement: Acknowledgement::Opened(Box::new(conversation)), applied })
}

fn is_taken(tables: &Tables, id: ConversationId) -> bool {
    tables.conversations.contains_key(&id) || tables.used_up.contains(&id)
}

fn taken(tables: &Tables, viewer: &Viewer, id: ConversationId) -> RefusalCode {
    // Once its tombstone is removed, nobody can tell who saw the deleted conversation.
    let forgotten = tables.used_up.contains(&id) && !tables.tombstones.contains_key(&Deleted::Conversation(id));
    if forgotten || was_deleted(tables, viewer, id) { RefusalCode::ConversationDeleted } else { RefusalCode::IdTaken }
}
