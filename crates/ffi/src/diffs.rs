//! Changes of lists. Applying them to the list before gives the list after.

use crate::{ConversationSummary, Record, ThreadMessage, TimelineItem, moment::count};
use fieldpost::VectorDiff;

macro_rules! diff {
    ($(#[$doc:meta])* $name:ident, $item:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, uniffi::Enum)]
        #[allow(clippy::large_enum_variant, reason = "UniFFI knows no boxes")]
        pub enum $name {
            /// The list is this now. It is the first update of every watch.
            Reset {
                /// Its items.
                values: Vec<$item>,
            },
            /// These come at the end.
            Append {
                /// The items.
                values: Vec<$item>,
            },
            /// The list is empty.
            Clear,
            /// This comes at the beginning.
            PushFront {
                /// The item.
                value: $item,
            },
            /// This comes at the end.
            PushBack {
                /// The item.
                value: $item,
            },
            /// The first one leaves.
            PopFront,
            /// The last one leaves.
            PopBack,
            /// This comes before what is at the index.
            Insert {
                /// The index.
                index: u32,
                /// The item.
                value: $item,
            },
            /// This takes the place of what is at the index.
            Set {
                /// The index.
                index: u32,
                /// The item.
                value: $item,
            },
            /// What is at the index leaves.
            Remove {
                /// The index.
                index: u32,
            },
            /// Only the first so many stay.
            Truncate {
                /// How many.
                length: u32,
            },
        }

        impl $name {
            /// The first update of a watch.
            pub(crate) fn reset<T: Into<$item>>(values: impl IntoIterator<Item = T>) -> Vec<Self> {
                vec![Self::Reset { values: values.into_iter().map(Into::into).collect() }]
            }

            pub(crate) fn all<T: Clone + Into<$item>>(diffs: Vec<VectorDiff<T>>) -> Vec<Self> {
                diffs.into_iter().map(Self::of).collect()
            }

            fn of<T: Clone + Into<$item>>(diff: VectorDiff<T>) -> Self {
                let index = |index: usize| count(index as u64);
                match diff {
                    VectorDiff::Reset { values } => Self::Reset { values: values.into_iter().map(Into::into).collect() },
                    VectorDiff::Append { values } => Self::Append { values: values.into_iter().map(Into::into).collect() },
                    VectorDiff::Clear => Self::Clear,
                    VectorDiff::PushFront { value } => Self::PushFront { value: value.into() },
                    VectorDiff::PushBack { value } => Self::PushBack { value: value.into() },
                    VectorDiff::PopFront => Self::PopFront,
                    VectorDiff::PopBack => Self::PopBack,
                    VectorDiff::Insert { index: at, value } => Self::Insert { index: index(at), value: value.into() },
                    VectorDiff::Set { index: at, value } => Self::Set { index: index(at), value: value.into() },
                    VectorDiff::Remove { index: at } => Self::Remove { index: index(at) },
                    VectorDiff::Truncate { length } => Self::Truncate { length: index(length) },
                }
            }
        }
    };
}

diff!(
    /// A change of a list of conversations.
    ConversationDiff,
    ConversationSummary
);
diff!(
    /// A change of the shown part of a thread.
    MessageDiff,
    ThreadMessage
);
diff!(
    /// A change of a timeline.
    TimelineDiff,
    TimelineItem
);
diff!(
    /// A change of a list of records.
    RecordDiff,
    Record
);
