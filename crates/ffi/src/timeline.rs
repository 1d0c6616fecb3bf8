//! The timeline of a conversation: a list that a screen draws without thinking.

use crate::{
    Client, FieldpostError, OutboxEntry, Result, Subscription, ThreadMessage, TimelineDiff, listening::listener,
    moment, outbox::entries, runtime,
};
use fieldpost::{ConversationId, MessageId, Seq, Zone};
use futures::TryStreamExt;
use std::{
    fmt,
    future::Future,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// A direction in which a timeline grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum Direction {
    /// To older messages.
    Backwards,
    /// To newer messages.
    Forwards,
}

/// Names an item. It stays the same while the item changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum ItemId {
    /// The beginning.
    Start,
    /// Messages that are on their way.
    Loading {
        /// Where.
        direction: Direction,
    },
    /// A day.
    Day {
        /// `2026-01-31`.
        day: String,
    },
    /// Where the person left off.
    Unread,
    /// A gap, by its first seq.
    Gap {
        /// The seq.
        from: u64,
    },
    /// A message.
    Message {
        /// Its id.
        id: MessageId,
    },
}

/// Something that a screen draws ([`fieldpost::TimelineItem`]).
#[derive(Debug, Clone, PartialEq, uniffi::Enum)]
#[allow(clippy::large_enum_variant, reason = "UniFFI knows no boxes")]
pub enum TimelineItem {
    /// The conversation begins here.
    Start,
    /// Messages in this direction are on their way.
    Loading {
        /// Where.
        direction: Direction,
    },
    /// The messages below are of this day.
    Day {
        /// `2026-01-31`.
        day: String,
    },
    /// Here the person left off when the timeline was opened.
    Unread,
    /// Messages may be missing here.
    Gap {
        /// The first seq.
        from: u64,
        /// The last seq.
        to: u64,
        /// They are on their way.
        loading: bool,
    },
    /// A message.
    Message {
        /// The message.
        message: ThreadMessage,
        /// It is the first of a group of one sender.
        first_of_group: bool,
        /// It is the last of a group.
        last_of_group: bool,
    },
}

/// What is beyond an end of a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Edge {
    /// Nothing.
    End,
    /// More messages are on this device.
    Here,
    /// The server may have more.
    OnServer,
}

/// Both ends of a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct Ends {
    /// Beyond the oldest message.
    pub older: Edge,
    /// Beyond the newest message.
    pub newer: Edge,
}

/// A change of a timeline.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct TimelineUpdate {
    /// The changes of its items. Empty if only its ends have changed.
    pub diffs: Vec<TimelineDiff>,
    /// What is beyond its ends now.
    pub ends: Ends,
}

/// Where a timeline is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum OpenAt {
    /// At the first unread message; at the newest if there is none.
    FirstUnread,
    /// At this message.
    Message {
        /// Its id.
        id: MessageId,
    },
    /// At the newest message.
    Newest,
}

/// How far the clocks of a place are ahead of UTC, from a moment on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct ZoneOffset {
    /// From when on.
    pub from: SystemTime,
    /// Seconds ahead of UTC.
    pub seconds: i32,
}

/// How a timeline looks, and how much of it is held ([`fieldpost::TimelineOptions`]).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct TimelineOptions {
    /// Where it opens; at the first unread message by default.
    #[uniffi(default = None)]
    pub open_at: Option<OpenAt>,
    /// The time zone of the day dividers: the offsets of the place where the person is, by time. UTC by default.
    #[uniffi(default = [])]
    pub zone: Vec<ZoneOffset>,
    /// How many messages it opens with, and each pagination shows.
    #[uniffi(default = 50)]
    pub page: u32,
    /// How many messages it holds at most.
    #[uniffi(default = 500)]
    pub max_messages: u32,
    /// How much later than the one before a message may be, to be of its group; five minutes by default.
    #[uniffi(default = None)]
    pub group_within: Option<Duration>,
}

listener!(
    /// Is told of changes of a timeline.
    TimelineListener,
    TimelineUpdate
);

/// A timeline ([`fieldpost::Timeline`]). It ends when it is cancelled or dropped.
#[derive(uniffi::Object)]
pub struct Timeline {
    timeline: fieldpost::Timeline,
    subscription: Arc<Subscription>,
}

#[uniffi::export]
impl Client {
    /// Opens a timeline. The first update is a reset.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when the conversation, or the message to open at, is not on this device.
    pub async fn timeline(
        &self,
        conversation: ConversationId,
        options: TimelineOptions,
        listener: Box<dyn TimelineListener>,
    ) -> Result<Arc<Timeline>> {
        self.run(|client| async move {
            let (timeline, items, updates) = client.conversation(conversation).timeline(options.into()).await?;
            let first = TimelineUpdate { diffs: TimelineDiff::reset(items), ends: timeline.ends().into() };
            let subscription = Subscription::follow(listener, Some(first), updates.map_ok(TimelineUpdate::from))?;
            Ok(Arc::new(Timeline { timeline, subscription }))
        })
        .await
    }
}

#[uniffi::export]
impl Timeline {
    /// What is beyond its ends, as last drawn.
    pub fn ends(&self) -> Ends {
        self.timeline.ends().into()
    }

    /// Shows older messages. Returns false if there are none.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Offline`] if they are on the server and there is no network; [`crate::ErrorKind::NotFound`].
    pub async fn paginate_backwards(&self) -> Result<bool> {
        self.run(|timeline| async move { timeline.paginate_backwards().await }).await
    }

    /// Shows newer messages, if it does not follow the end. Returns false if there are none.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`].
    pub async fn paginate_forwards(&self) -> Result<bool> {
        self.run(|timeline| async move { timeline.paginate_forwards().await }).await
    }

    /// Fetches messages of a gap; call it again while the gap is there. Returns false if it is gone.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] if the item is no gap; [`crate::ErrorKind::Offline`].
    pub async fn fill_gap(&self, item: ItemId) -> Result<bool> {
        let item = item.try_into()?;
        self.run(|timeline| async move { timeline.fill_gap(item).await }).await
    }

    /// Moves it to another place.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`].
    pub async fn go_to(&self, place: OpenAt) -> Result<()> {
        self.run(|timeline| async move { timeline.go_to(place.into()).await }).await
    }

    /// Sends a refused message again.
    ///
    /// # Errors
    /// As [`Client::retry`]; [`crate::ErrorKind::NotFound`] if the item is no message.
    pub async fn retry(&self, item: ItemId) -> Result<OutboxEntry> {
        let item = item.try_into()?;
        self.run(|timeline| async move { timeline.retry(item).await.map(Into::into) }).await
    }

    /// Takes a message back that has not reached the server.
    ///
    /// # Errors
    /// As [`Client::cancel`]; [`crate::ErrorKind::NotFound`] if the item is no message.
    pub async fn take_back(&self, item: ItemId) -> Result<Vec<OutboxEntry>> {
        let item = item.try_into()?;
        self.run(|timeline| async move { timeline.cancel(item).await.map(entries) }).await
    }

    /// Ends it. Its listener is not called any more.
    pub fn cancel(&self) {
        self.subscription.cancel();
    }

    /// Whether updates may still come.
    pub fn is_active(&self) -> bool {
        self.subscription.is_active()
    }
}

impl Timeline {
    async fn run<T, F>(&self, call: impl FnOnce(fieldpost::Timeline) -> F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = fieldpost::Result<T>> + Send + 'static,
    {
        let call = call(self.timeline.clone());
        runtime::run(async move { Ok(call.await?) }).await
    }
}

impl From<TimelineOptions> for fieldpost::TimelineOptions {
    fn from(asked: TimelineOptions) -> Self {
        let mut options = Self::default().page(asked.page).max_messages(asked.max_messages);
        if let Some(at) = asked.open_at {
            options = options.open_at(at.into());
        }
        if let Some(within) = asked.group_within {
            options = options.group_within(within);
        }
        if !asked.zone.is_empty() {
            options = options.zone(zone(asked.zone));
        }
        options
    }
}

/// Before the first offset, the first one counts.
fn zone(offsets: Vec<ZoneOffset>) -> Zone {
    let mut offsets: Vec<_> =
        offsets.into_iter().map(|offset| (moment::nearest(offset.from), offset.seconds)).collect();
    offsets.sort_unstable();
    Zone::by(move |time| {
        let next = offsets.partition_point(|(from, _)| *from <= time);
        offsets.get(next.saturating_sub(1)).map_or(0, |(_, seconds)| *seconds)
    })
}

impl From<OpenAt> for fieldpost::OpenAt {
    fn from(at: OpenAt) -> Self {
        match at {
            OpenAt::FirstUnread => Self::FirstUnread,
            OpenAt::Message { id } => Self::Message(id),
            OpenAt::Newest => Self::Newest,
        }
    }
}

impl From<fieldpost::Direction> for Direction {
    fn from(direction: fieldpost::Direction) -> Self {
        match direction {
            fieldpost::Direction::Backwards => Self::Backwards,
            fieldpost::Direction::Forwards => Self::Forwards,
        }
    }
}

impl From<Direction> for fieldpost::Direction {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Backwards => Self::Backwards,
            Direction::Forwards => Self::Forwards,
        }
    }
}

impl TryFrom<ItemId> for fieldpost::ItemId {
    type Error = FieldpostError;

    fn try_from(item: ItemId) -> Result<Self> {
        Ok(match item {
            ItemId::Start => Self::Start,
            ItemId::Loading { direction } => Self::Loading(direction.into()),
            ItemId::Day { day } => Self::Day(day.parse().map_err(|_| FieldpostError::argument("this is no day"))?),
            ItemId::Unread => Self::Unread,
            ItemId::Gap { from } => Self::Gap(Seq::new(from)),
            ItemId::Message { id } => Self::Message(id),
        })
    }
}

impl From<fieldpost::TimelineItem> for TimelineItem {
    fn from(item: fieldpost::TimelineItem) -> Self {
        match item {
            fieldpost::TimelineItem::Loading(direction) => Self::Loading { direction: direction.into() },
            fieldpost::TimelineItem::Day(day) => Self::Day { day: day.to_string() },
            fieldpost::TimelineItem::Unread => Self::Unread,
            fieldpost::TimelineItem::Gap { range, loading } => {
                Self::Gap { from: range.from.get(), to: range.to.get(), loading }
            }
            fieldpost::TimelineItem::Message(shown) => Self::Message {
                message: (*shown.message).clone().into(),
                first_of_group: shown.first_of_group,
                last_of_group: shown.last_of_group,
            },
            _ => Self::Start,
        }
    }
}

impl From<fieldpost::TimelineUpdate> for TimelineUpdate {
    fn from(update: fieldpost::TimelineUpdate) -> Self {
        Self { diffs: TimelineDiff::all(update.diffs), ends: update.ends.into() }
    }
}

impl From<fieldpost::Edge> for Edge {
    fn from(edge: fieldpost::Edge) -> Self {
        match edge {
            fieldpost::Edge::End => Self::End,
            fieldpost::Edge::Here => Self::Here,
            fieldpost::Edge::OnServer => Self::OnServer,
        }
    }
}

impl From<fieldpost::Ends> for Ends {
    fn from(ends: fieldpost::Ends) -> Self {
        Self { older: ends.older.into(), newer: ends.newer.into() }
    }
}

impl fmt::Debug for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeline").field("active", &self.is_active()).finish()
    }
}
