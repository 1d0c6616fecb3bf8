//! The kinds of mutation. Each has a file with its wire fields and its effect, and a line in the list below.

use super::{Done, Judged};
use crate::reference::{transaction::Transaction, viewer::Viewer};
use fieldpost_domain::{
    Capability, ConversationId, Intent, MarkDelivered, MarkRead, OpenBroadcast, OpenDirect, Refusal, SetConversation,
};

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

pub use delete_message::SubmittedDeletion;
pub use edit_message::SubmittedEdit;
pub use react::SubmittedReaction;
pub use report_message::SubmittedReport;
pub use send_message::SubmittedMessage;

/// The steps of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// Open conversations.
    Open,
    /// Send messages.
    Send,
    /// Edit messages.
    Edit,
    /// React to messages.
    React,
    /// Report messages. Before they are deleted, so that the report has what they said.
    Report,
    /// Delete messages.
    Delete,
    /// Say what has reached a device.
    Deliver,
    /// Move read markers.
    Mark,
    /// Change settings. After the marks, because one that moves takes a mark as unread back.
    Set,
}

/// A kind of mutation: its fields and its effect.
trait Kind: Sized {
    /// The step of the batch that it belongs to.
    const STEP: Step;

    /// The capability that it needs beyond protocol 1.
    const NEEDS: Option<Capability> = None;

    /// The same kind on the device.
    type Intent;

    /// The fields that a device submits for an intent.
    fn of(intent: &Self::Intent) -> Self;

    /// The conversation whose order it belongs to (its lane).
    fn lane(&self) -> ConversationId;

    /// Checks the mutation and applies it.
    fn carry_out(&self, transaction: &mut Transaction<'_>, viewer: &Viewer) -> Judged<Done>;
}

/// Declares the kinds: one line each.
macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident($submitted:ty),)+) => {
        /// What an element asks for.
        #[derive(Debug, Clone)]
        pub enum Task {
            $($(#[$doc])* $variant($submitted),)+
            /// An element that could not be read; its result is this refusal.
            Refused(Refusal),
        }

        impl Task {
            /// The conversation whose order it belongs to (its lane).
            pub(super) fn lane(&self) -> Option<ConversationId> {
                match self {
                    $(Self::$variant(submitted) => Some(submitted.lane()),)+
                    Self::Refused(_) => None,
                }
            }

            /// The step of the batch that it belongs to.
            pub(super) fn step(&self) -> Step {
                match self {
                    $(Self::$variant(_) => <$submitted>::STEP,)+
                    Self::Refused(_) => Step::Open,
                }
            }

            /// The capability that it needs.
            pub(super) fn needs(&self) -> Option<Capability> {
                match self {
                    $(Self::$variant(_) => <$submitted>::NEEDS,)+
                    Self::Refused(_) => None,
                }
            }

            /// The capabilities that all kinds together need.
            pub(in crate::reference) fn needed() -> impl Iterator<Item = Capability> {
                [$(<$submitted as Kind>::NEEDS,)+].into_iter().flatten()
            }

            /// Checks the mutation and applies it.
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
    /// React to a message.
    React(SubmittedReaction),
    /// Report a message to the admins.
    ReportMessage(SubmittedReport),
    /// Delete a message.
    DeleteMessage(SubmittedDeletion),
    /// Say what has reached a device of the caller.
    MarkDelivered(MarkDelivered),
    /// Move the caller's read marker forward.
    MarkRead(MarkRead),
    /// Change the caller's own settings for a conversation.
    SetConversation(SetConversation),
}
