//! A timeline that follows its store.

use crate::{
    difference::difference,
    draw::{Marks, draw},
    item::TimelineItem,
    options::TimelineOptions,
    span::{Ends, Span},
};
use eyeball_im::{Vector, VectorDiff};
use fieldpost_domain::{
    ConversationId,
    planted::{PlantedBug, planted},
};
use fieldpost_storage::{ChangeSet, End, Messages, Section, StorageResult, ThreadSection};

/// A change of a timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct TimelineUpdate {
    /// The diffs of its items. Empty if only its ends have changed.
    pub diffs: Vec<VectorDiff<TimelineItem>>,
    /// What is beyond its ends now.
    pub ends: Ends,
}

/// What a timeline shows, as last drawn.
#[derive(Debug, Clone)]
pub struct Model {
    /// The id that it was opened with.
    asked: ConversationId,
    /// The id that commits name.
    canonical: ConversationId,
    options: TimelineOptions,
    items: Vector<TimelineItem>,
    ends: Ends,
}

impl Model {
    /// The first drawing of a span, and what is left of the span.
    ///
    /// # Errors
    /// Those of [`Messages::section`].
    pub async fn new(
        store: &(impl Messages + ?Sized),
        conversation: ConversationId,
        options: TimelineOptions,
        span: Span,
        marks: &Marks,
    ) -> StorageResult<(Self, Span)> {
        let (section, span) = read(store, conversation, &options, span).await?;
        let items = draw(&section, &options, marks).into();
        let (canonical, ends) = (section.conversation_id, Ends::of(&section));
        Ok((Self { asked: conversation, canonical, options, items, ends }, span))
    }

    /// Its items.
    #[must_use]
    pub const fn items(&self) -> &Vector<TimelineItem> {
        &self.items
    }

    /// What is beyond its ends.
    #[must_use]
    pub const fn ends(&self) -> Ends {
        self.ends
    }

    /// The canonical id of its conversation.
    #[must_use]
    pub const fn conversation_id(&self) -> ConversationId {
        self.canonical
    }

    /// How it looks.
    pub const fn options(&self) -> &TimelineOptions {
        &self.options
    }

    /// Whether a commit with these changes may change it.
    #[must_use]
    pub fn concerns(&self, changes: &ChangeSet) -> bool {
        if planted(PlantedBug::TimelineMissesCommits) && self.ends.newer != crate::Edge::End {
            return false;
        }
        changes.conversations.contains(self.canonical) || changes.conversations.contains(self.asked)
    }

    /// Reads and draws again. Returns the difference, if there is one, and what is left of the span. On an error it
    /// stays as it was.
    ///
    /// # Errors
    /// Those of [`Messages::section`].
    pub async fn refresh(
        &mut self,
        store: &(impl Messages + ?Sized),
        span: Span,
        marks: &Marks,
    ) -> StorageResult<(Option<TimelineUpdate>, Span)> {
        let (section, span) = read(store, self.asked, &self.options, span).await?;
        let diffs = difference(&self.items, draw(&section, &self.options, marks), TimelineItem::id);
        for diff in diffs.iter().cloned() {
            diff.apply(&mut self.items);
        }
        self.canonical = section.conversation_id;
        let ends = Ends::of(&section);
        let moved = std::mem::replace(&mut self.ends, ends) != ends;
        Ok(((moved || !diffs.is_empty()).then_some(TimelineUpdate { diffs, ends }), span))
    }
}

/// The section of a span. If the thread has become shorter than the span, the newest page takes its place.
async fn read(
    store: &(impl Messages + ?Sized),
    conversation: ConversationId,
    options: &TimelineOptions,
    span: Span,
) -> StorageResult<(ThreadSection, Span)> {
    let section = store.section(conversation, span.section(options.most())).await?;
    if !span.is_beyond(&section) {
        let span = span.settle(&section);
        return Ok((section, span));
    }
    let section = store.section(conversation, Section::newest(options.page)).await?;
    let span = Span { from: section.shown.from, to: None, keep: End::Newest };
    Ok((section, span))
}
