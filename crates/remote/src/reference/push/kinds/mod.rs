//! The kinds of mutation: each has a file that says what is submitted and carries it out, and a line in the list below.

use super::{Done, Judged};
use crate::reference::{transaction::Transaction, viewer::Viewer};
use fieldpost_domain::{Capability, ConversationId, Intent, MarkRead, OpenBroadcast, OpenDirect, Refusal};

mod edit_message;
mod mark_read;
mod open_broadcast;
mod open_direct;
mod send_message;

pub use edit_message::SubmittedEdit;
pub use send_message::SubmittedMessage;

/// The steps in which a batch is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// Conversations are opened.
    Open,
    /// Messages are sent.
    Send,
    /// Messages are edited.
    Edit,
    /// Markers are moved.
    Mark,
}

/// What a kind of mutation submits, and what is done with it.
trait Kind: Sized {
    /// When in a batch it is done.
    const STEP: Step;

    /// What a server has to be able to do that protocol 1 does not have.
    const NEEDS: Option<Capability> = None;

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

            /// When in a batch it is done.
            pub(super) fn step(&self) -> Step {
                match self {
                    $(Self::$variant(_) => <$submitted>::STEP,)+
                    Self::Refused(_) => Step::Open,
                }
            }

            /// What the server has to be able to do.
            pub(super) fn needs(&self) -> Option<Capability> {
                match self {
                    $(Self::$variant(_) => <$submitted>::NEEDS,)+
                    Self::Refused(_) => None,
                }
            }

            /// What all kinds together need.
            pub(in crate::reference) fn needed() -> impl Iterator<Item = Capability> {
                [$(<$submitted as Kind>::NEEDS,)+].into_iter().flatten()
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
    /// Change a message.
    EditMessage(SubmittedEdit),
    /// Move the caller's read marker forward.
    MarkRead(MarkRead),
}
