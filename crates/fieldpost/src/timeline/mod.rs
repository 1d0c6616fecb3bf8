//! The timeline of a conversation: a list that a screen can draw without thinking.
//!
//! What it holds is decided in `fieldpost_timeline`, without a server or a task. Here a stream reads and draws again
//! after each commit that touches the thread, and whenever the handle has moved ([`shared`]); it alone reads what is shown.

mod following;
mod handle;
mod shared;

pub use handle::Timeline;

use crate::{Conversation, Result, TimelineItem, TimelineOptions, TimelineUpdate, Updates, Vector, watch};
use fieldpost_timeline::{Marks, Model, open};
use following::Following;
use shared::{Control, Shared};
use std::sync::Arc;

impl Conversation {
    /// Opens a timeline: a handle to move it, a snapshot of its items, and their changes. Nothing is lost between the
    /// last two. The handle keeps the client alive, the stream does not.
    ///
    /// ```
    /// use fieldpost::{Edge, TimelineItem, TimelineOptions, Zone};
    ///
    /// # async fn example(conversation: fieldpost::Conversation) -> Result<(), fieldpost::Error> {
    /// let options = TimelineOptions::default().zone(Zone::by(|_time| 3_600));
    /// let (timeline, mut items, mut updates) = conversation.timeline(options).await?;
    /// for item in &items {
    ///     match item {
    ///         TimelineItem::Day(day) => println!("── {day} ──"),
    ///         TimelineItem::Unread => println!("── unread ──"),
    ///         TimelineItem::Message(message) => println!("{:?}", message.message.content),
    ///         _ => {}
    ///     }
    /// }
    /// // The person scrolls up.
    /// if timeline.ends().older != Edge::End {
    ///     timeline.paginate_backwards().await?;
    /// }
    /// while let Some(update) = updates.next().await {
    ///     for diff in update?.diffs {
    ///         diff.apply(&mut items);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`crate::Error::NotFound`] when the conversation, or the message to open at, is not on this device.
    pub async fn timeline(
        &self,
        options: TimelineOptions,
    ) -> Result<(Timeline, Vector<TimelineItem>, Updates<TimelineUpdate>)> {
        let watcher = watch::Watcher::new(self.client());
        let store = &*self.client().inner.store;
        let (span, unread_from) = open(store, self.id(), &options).await?;
        let marks = Marks { unread_from, ..Marks::default() };
        let (model, span) = Model::new(store, self.id(), options.clone(), span, &marks).await?;
        let items = model.items().clone();
        let shared = Arc::new(Shared::new(Control { span, marks, ends: model.ends(), moves: 0 }));
        let updates = watch::follow(watcher, Following::new(model, Arc::clone(&shared)));
        Ok((Timeline::new(self.clone(), options, shared), items, updates))
    }
}
