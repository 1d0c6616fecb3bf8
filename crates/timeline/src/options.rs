//! How a timeline is opened.

use crate::Zone;
use fieldpost_domain::MessageId;
use std::time::Duration;

/// Where a timeline is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OpenAt {
    /// At the first unread message; at the newest if there is none.
    #[default]
    FirstUnread,
    /// At this message, for example one that was found. An unsent message is at the end.
    Message(MessageId),
    /// At the newest message.
    Newest,
}

/// How a timeline looks, and how much of it is held.
#[derive(Debug, Clone)]
#[must_use]
pub struct TimelineOptions {
    pub(crate) zone: Zone,
    pub(crate) open_at: OpenAt,
    pub(crate) page: u32,
    pub(crate) max_messages: u32,
    pub(crate) group_within: Duration,
}

impl Default for TimelineOptions {
    /// UTC, at the first unread message, 50 messages at a time, 500 at most; a group is of five minutes.
    fn default() -> Self {
        Self {
            zone: Zone::utc(),
            open_at: OpenAt::default(),
            page: 50,
            max_messages: 500,
            group_within: Duration::from_secs(300),
        }
    }
}

impl TimelineOptions {
    /// The time zone of the day dividers.
    pub fn zone(mut self, zone: Zone) -> Self {
        self.zone = zone;
        self
    }

    /// Where it opens.
    pub const fn open_at(mut self, at: OpenAt) -> Self {
        self.open_at = at;
        self
    }

    /// How many messages it opens with, and how many more each pagination shows; at least one.
    pub const fn page(mut self, messages: u32) -> Self {
        self.page = if messages == 0 { 1 } else { messages };
        self
    }

    /// How many messages with a place in the thread it holds at most; at least a page. Beyond that the far end is let go
    /// of. Unsent messages and the other items come in addition.
    pub const fn max_messages(mut self, messages: u32) -> Self {
        self.max_messages = messages;
        self
    }

    /// How much later than the one before a message may be, to be of its group.
    pub const fn group_within(mut self, time: Duration) -> Self {
        self.group_within = time;
        self
    }

    /// How many messages a pagination shows.
    #[must_use]
    pub const fn page_size(&self) -> u32 {
        self.page
    }

    pub(crate) fn most(&self) -> u32 {
        self.max_messages.max(self.page)
    }
}
