//! `mark_read`.

use super::{Done, Judged, send::find};
use crate::reference::{transaction::Transaction, viewer::Viewer};
use fieldpost_domain::{Acknowledgement, ConversationId, Seq};

/// What was displayed was delivered, so both positions move.
pub(super) fn read(transaction: &mut Transaction<'_>, viewer: &Viewer, id: ConversationId, seq: Seq) -> Judged<Done> {
    let conversation = find(transaction.tables(), viewer, id)?.id;
    let (marker, applied) = transaction.move_marker(conversation, viewer.person_id, seq, seq);
    Ok(Done { acknowledgement: Acknowledgement::Marked(marker), applied })
}
