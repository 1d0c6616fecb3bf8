//! What each kind of mutation implements, and the macro that registers the kinds.

use crate::{Changeable, ConversationId, Intent, MessageContent, MessageId, NewMessage};

/// The common interface of the kinds' fields.
pub(super) trait Kind {
    /// The conversation whose lane it belongs to.
    fn lane(&self) -> ConversationId;

    /// Sets the ids that the server may replace. They are not in the payload; the reader of a stored entry supplies
    /// them.
    fn address(&mut self, lane: ConversationId, target: Option<MessageId>);

    /// The message that it creates.
    fn creates(&self) -> Option<MessageId> {
        None
    }

    /// The message that it changes.
    fn target(&self) -> Option<MessageId> {
        None
    }

    /// The part of the message that it changes, if it is one part of several beside the text.
    fn part(&self) -> Option<&str> {
        None
    }

    /// Applies the change to the shown message until the server has answered.
    fn change(&self, _shown: &mut Changeable) {}

    /// Applies the change to a message that was never sent, so it need not be sent itself. False if it cannot be
    /// folded: it then waits for the message to be sent.
    fn fold_into(&self, _unsent: &mut NewMessage) -> bool {
        false
    }

    /// Whether it takes back a message that was never sent, so that neither is sent.
    fn withdraws(&self) -> bool {
        false
    }

    /// Whether a later mutation says all that it says.
    fn is_covered_by(&self, _later: &Intent) -> bool {
        false
    }

    /// The text that the person wrote.
    fn text(&self) -> Option<&str> {
        None
    }

    /// Replaces the text; false if this kind has none.
    fn set_text(&mut self, _text: MessageContent) -> bool {
        false
    }

    /// An upper bound of its size on the wire, in bytes, without ids and field names.
    fn variable_size(&self) -> usize {
        0
    }
}

/// Registers the kinds, one line each.
macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident($fields:ty) => $name:literal,)+) => {
        crate::open_enum::open_enum!(
            /// The kind of a mutation, by its name on the wire.
            #[non_exhaustive]
            MutationKind {
                $($(#[$doc])* $variant => $name,)+
            }
        );

        impl MutationKind {
            /// The names of all kinds that this version knows.
            pub const NAMES: &'static [&'static str] = &[$($name,)+];

            /// What the outbox does with mutations of this kind.
            #[must_use]
            pub const fn policy(&self) -> Policy {
                match self {
                    $(Self::$variant => <$fields>::POLICY,)+
                    Self::Unknown(_) => Policy::UNKNOWN,
                }
            }
        }

        /// The change that a mutation makes.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Intent {
            $($(#[$doc])* $variant($fields),)+
        }

        impl Intent {
            /// Its kind.
            #[must_use]
            pub const fn kind(&self) -> MutationKind {
                match self {
                    $(Self::$variant(_) => MutationKind::$variant,)+
                }
            }

            fn as_kind(&self) -> &dyn kind::Kind {
                match self {
                    $(Self::$variant(fields) => fields,)+
                }
            }

            fn as_kind_mut(&mut self) -> &mut dyn kind::Kind {
                match self {
                    $(Self::$variant(fields) => fields,)+
                }
            }

            fn to_json(&self) -> serde_json::Result<String> {
                match self {
                    $(Self::$variant(fields) => serde_json::to_string(fields),)+
                }
            }

            fn from_json(kind: &MutationKind, payload: &str) -> Result<Self, Undecodable> {
                match kind {
                    $(MutationKind::$variant => {
                        serde_json::from_str(payload).map(Self::$variant).map_err(|_| Undecodable::BadPayload)
                    })+
                    MutationKind::Unknown(_) => Err(Undecodable::UnknownKind),
                }
            }
        }
    };
}

pub(super) use kinds;
