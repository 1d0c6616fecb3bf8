//! What a kind of mutation says of itself, and the list of them.

use crate::{Changeable, ConversationId, MessageContent, MessageId, NewMessage};

/// What the fields of a mutation say, whatever its kind.
pub(super) trait Kind {
    /// The conversation in whose order it stands.
    fn lane(&self) -> ConversationId;

    /// Ids that the server may replace are not in the payload: whoever reads one says them.
    fn address(&mut self, lane: ConversationId, target: Option<MessageId>);

    /// The message that it creates.
    fn creates(&self) -> Option<MessageId> {
        None
    }

    /// The message that it changes.
    fn target(&self) -> Option<MessageId> {
        None
    }

    /// Changes what is shown of that message, until the server has answered.
    fn change(&self, _shown: &mut Changeable) {}

    /// Changes a message that was never sent, in place of being sent itself. False if it has to wait for that.
    fn fold_into(&self, _unsent: &mut NewMessage) -> bool {
        false
    }

    /// The text that a person wrote with it.
    fn text(&self) -> Option<&str> {
        None
    }

    /// Takes another text; false if it has none.
    fn set_text(&mut self, _text: MessageContent) -> bool {
        false
    }

    /// About how many bytes it takes on the wire beyond its ids and field names. Never less than it really takes.
    fn variable_size(&self) -> usize {
        0
    }
}

/// Declares the kinds: one line each.
macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident($fields:ty) => $name:literal,)+) => {
        crate::open_enum::open_enum!(
            /// What a mutation does, by its name on the wire.
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

        /// What is to change.
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
