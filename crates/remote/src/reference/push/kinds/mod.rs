//! The kinds of mutation: each has a file that says what is submitted and carries it out, and a line in the list below.

use super::{Done, Judged};
use crate::reference::{transaction::Transaction, viewer::Viewer};
use fieldpost_domain::{ConversationId, Intent, MarkRead, OpenBroadcast, OpenDirect, Refusal};

mod mark_read;
mod open_broadcast;
mod open_direct;
mod send_message;

pub use send_message::SubmittedMessage;

/// What a kind of mutation submits, and what is done with it.
trait Kind: Sized {
    /// The same on the device.
    type Intent;

    /// What a device submits of its intent.
    fn of(intent: &Self::Intent) -> Self;

    /// The conversation whose order it belongs to.
    fn lane(&self) -> ConversationId;

    /// Judges and carries out.
    fn carry_out(&self, transaction: &mut Transaction<'_>, viewer: &Viewer) -> Judged<Done>;
}

/// Declares the kinds: one line each.
macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident($submitted:ty),)+) => {
        /// What an element asks for.
        #[derive(Debug, Clone)]
        pub enum Task {
            $($(#[$doc])* $variant($submitted),)+
            /// An element that could not be read: it is answered in its place with this.
            Refused(Refusal),
        }

        impl Task {
            /// The conversation whose order it belongs to.
            pub(super) fn lane(&self) -> Option<ConversationId> {
                match self {
                    $(Self::$variant(submitted) => Some(submitted.lane()),)+
                    Self::Refused(_) => None,
                }
            }

            /// Judges and carries out.
            pub(super) fn carry_out(&self, transaction: &mut Transaction<'_>, viewer: &Viewer) -> Judged<Done> {
                match self {
                    $(Self::$variant(submitted) => submitted.carry_out(transaction, viewer),)+
                    Self::Refused(refusal) => Err(refusal.clone()),
                }
            }
        }

        impl From<&Intent> for Task {
            fn from(intent: &Intent) -> Self {
                match intent {
                    $(Intent::$variant(intent) => Self::$variant(Kind::of(intent)),)+
                }
            }
        }
    };
}

kinds! {
    /// Write a message.
    SendMessage(SubmittedMessage),
    /// Open or find the direct conversation of a medic.
    OpenDirect(OpenDirect),
    /// Open or find the broadcast of an org.
    OpenBroadcast(OpenBroadcast),
    /// Move the caller's read marker forward.
    MarkRead(MarkRead),
}
