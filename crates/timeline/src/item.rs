//! The items of a timeline.

use chrono::NaiveDate;
use fieldpost_domain::{MessageId, Seq, SeqRange};
use fieldpost_storage::ThreadMessage;
use std::sync::Arc;

/// A direction in which a timeline grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// To older messages.
    Backwards,
    /// To newer messages.
    Forwards,
}

/// Something that a screen draws.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum TimelineItem {
    /// The conversation begins here.
    Start,
    /// Messages in this direction are on their way.
    Loading(Direction),
    /// The messages below are of this day, in the app's time zone.
    Day(NaiveDate),
    /// Here the person left off when the timeline was opened.
    Unread,
    /// Messages may be missing here; the server may have them.
    Gap {
        /// Their seqs.
        range: SeqRange,
        /// They are on their way.
        loading: bool,
    },
    /// A message.
    Message(TimelineMessage),
}

/// A message in a timeline.
///
/// Its state is in the message itself: waiting to be sent ([`ThreadMessage::status`]), being sent
/// ([`ThreadMessage::sending`]), refused and to be retried ([`ThreadMessage::failure`]), changed but not yet for others
/// ([`ThreadMessage::changing`]), edited ([`ThreadMessage::edited_at`]), deleted ([`ThreadMessage::deleted`]), too large
/// ([`ThreadMessage::omitted`]).
#[derive(Debug, Clone, PartialEq)]
pub struct TimelineMessage {
    /// The message.
    pub message: Arc<ThreadMessage>,
    /// It is the first of a group: messages of one sender, close in time, with nothing between them. A screen shows the
    /// sender here.
    pub first_of_group: bool,
    /// It is the last of a group. A screen shows the time here.
    pub last_of_group: bool,
}

/// Names an item. It stays the same while the item changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ItemId {
    /// [`TimelineItem::Start`].
    Start,
    /// [`TimelineItem::Loading`].
    Loading(Direction),
    /// [`TimelineItem::Day`].
    Day(NaiveDate),
    /// [`TimelineItem::Unread`].
    Unread,
    /// [`TimelineItem::Gap`], by its first seq: a gap is filled from its end.
    Gap(Seq),
    /// [`TimelineItem::Message`].
    Message(MessageId),
}

impl TimelineItem {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> ItemId {
        match self {
            Self::Start => ItemId::Start,
            Self::Loading(direction) => ItemId::Loading(*direction),
            Self::Day(day) => ItemId::Day(*day),
            Self::Unread => ItemId::Unread,
            Self::Gap { range, .. } => ItemId::Gap(range.from),
            Self::Message(message) => ItemId::Message(message.message.id),
        }
    }

    /// Its message, if it is one.
    #[must_use]
    pub fn message(&self) -> Option<&ThreadMessage> {
        if let Self::Message(message) = self { Some(&message.message) } else { None }
    }
}
