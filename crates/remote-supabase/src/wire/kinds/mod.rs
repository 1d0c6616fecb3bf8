//! The kinds of mutation: each has a file that says what is sent and reads what is answered, and a line in the list below.

use super::result_row::{ResultRow, good};
use fieldpost_domain::{Acknowledgement, Conversation, Intent};
use serde::Serialize;

mod mark_read;
mod open_broadcast;
mod open_direct;
mod send_message;

/// What a kind of mutation sends, and how its answer is read.
trait Kind {
    /// The fields beside `id` and `kind`.
    type Fields<'a>: Serialize
    where
        Self: 'a;

    /// What is sent.
    fn fields(&self) -> Self::Fields<'_>;

    /// What is answered when the server has it; or what is wrong with that.
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

        /// The fields of a mutation beside its id and kind.
        pub(super) fn fields(intent: &Intent) -> impl Serialize {
            match intent {
                $(Intent::$variant(intent) => Fields::$variant(intent.fields()),)+
            }
        }

        /// What the server answers to a mutation that it has.
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
    MarkRead(fieldpost_domain::MarkRead),
}

/// The answer to an opening. Its canonical id is the very thing that was asked for.
fn opened(row: ResultRow) -> Result<Acknowledgement, &'static str> {
    let conversation: Option<Conversation> = good(row.conversation);
    conversation.map(|row| Acknowledgement::Opened(Box::new(row))).ok_or("the conversation is missing")
}
