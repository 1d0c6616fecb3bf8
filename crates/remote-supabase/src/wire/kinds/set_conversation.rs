//! `set_conversation`.

use super::{Kind, ResultRow, good};
use fieldpost_domain::{Acknowledgement, Archived, ConversationId, ConversationSettings, SetConversation, Time};
use serde::Serialize;

/// A field that is not sent stays as it is; null takes its value away.
#[derive(Serialize)]
pub(super) struct Fields {
    conversation_id: ConversationId,
    #[serde(skip_serializing_if = "Option::is_none")]
    muted_until: Option<Option<Time>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pinned_at: Option<Option<Time>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    archived_at: Option<Option<Time>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    archived_seq: Option<Option<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unread_from: Option<Option<u64>>,
}

impl Kind for SetConversation {
    type Fields<'a> = Fields;

    fn fields(&self) -> Fields {
        let Self { conversation_id, change } = *self;
        Fields {
            conversation_id,
            muted_until: change.muted_until,
            pinned_at: change.pinned_at,
            archived_at: change.archived.map(|archived| archived.map(|Archived { at, .. }| at)),
            archived_seq: change.archived.map(|archived| archived.map(|Archived { seq, .. }| seq.get())),
            unread_from: change.unread_from.map(|from| from.map(fieldpost_domain::Seq::get)),
        }
    }

    fn acknowledgement(&self, row: ResultRow) -> Result<Acknowledgement, &'static str> {
        let row: Option<ConversationSettings> = good(row.settings);
        Ok(row.map_or(Acknowledgement::Bare, Acknowledgement::Set))
    }
}
