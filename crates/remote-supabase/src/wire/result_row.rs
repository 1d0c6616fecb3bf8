//! One element of `results`, before it is matched to its mutation.

use super::{
    list::{Kept, Row},
    object::{Dropped, object},
    row::{AckRow, ConversationRow, MessageRow, ReactionRow, ReadMarkerRow, SettingsRow, TombstoneRow},
};
use fieldpost_domain::{MessageId, MutationId};

object!(
    /// One element of `results`.
    ResultRow, rest: Dropped {
        id: MutationId,
        status: String,
        code: String,
        detail: String,
        ack: Kept<AckRow>,
        message: Kept<MessageRow>,
        named: MessageId,
        tombstone: Kept<TombstoneRow>,
        conversation: Kept<ConversationRow>,
        read_marker: Kept<ReadMarkerRow>,
        reactions: Vec<Kept<ReactionRow>>,
        settings: Kept<SettingsRow>,
    }
);

/// A row that is present and readable.
pub(super) fn good<T: Row>(row: Option<Kept<T>>) -> Option<T::Domain> {
    row.and_then(|row| row.read.ok())
}
