//! The kinds of mutation. Each has a file that writes its fields and reads its result, and a line in the list below.

use super::result_row::{ResultRow, good};
use fieldpost_domain::{Acknowledgement, Conversation, Intent};
use serde::Serialize;

mod delete_message;
mod edit_message;
mod mark_delivered;
mod mark_read;
mod open_broadcast;
mod open_direct;
mod react;
mod report_message;
mod send_message;
mod set_conversation;

/// The wire form of one kind of mutation.
trait Kind {
    /// The fields besides `id` and `kind`.
    type Fields<'a>: Serialize
    where
        Self: 'a;

    /// The fields to send.
    fn fields(&self) -> Self::Fields<'_>;

    /// The acknowledgement when the server has the mutation; or what is wrong with the result.
    fn acknowledgement(&self, row: ResultRow) -> Result<Acknowledgement, &'static str>;
}

/// Declares the kinds: one line each.
macro_rules! kinds {
    ($($variant:ident($intent:ty),)+) => {
        #[derive(Serialize)]
        #[serde(untagged)]
        enum Fields<'a> {
            $($variant(<$intent as Kind>::Fields<'a>),)+
        }

        /// The fields of a mutation besides its id and kind.
        pub(super) fn fields(intent: &Intent) -> impl Serialize {
            match intent {
                $(Intent::$variant(intent) => Fields::$variant(intent.fields()),)+
            }
        }

        /// The acknowledgement of a mutation that the server has.
        pub(super) fn acknowledgement(intent: &Intent, row: ResultRow) -> Result<Acknowledgement, &'static str> {
            match intent {
                $(Intent::$variant(intent) => intent.acknowledgement(row),)+
            }
        }
    };
}

kinds! {
    SendMessage(fieldpost_domain::NewMessage),
    OpenDirect(fieldpost_domain::OpenDirect),
    OpenBroadcast(fieldpost_domain::OpenBroadcast),
    EditMessage(fieldpost_domain::EditMessage),
    React(fieldpost_domain::React),
    ReportMessage(fieldpost_domain::ReportMessage),
    DeleteMessage(fieldpost_domain::DeleteMessage),
    MarkDelivered(fieldpost_domain::MarkDelivered),
    MarkRead(fieldpost_domain::MarkRead),
    SetConversation(fieldpost_domain::SetConversation),
}

/// The acknowledgement of an opening. It must hold the canonical id, which is what the client asked for.
fn opened(row: ResultRow) -> Result<Acknowledgement, &'static str> {
    let conversation: Option<Conversation> = good(row.conversation);
    conversation.map(|row| Acknowledgement::Opened(Box::new(row))).ok_or("the conversation is missing")
}
