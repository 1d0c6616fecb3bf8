//! Draws a section: a pure function.

use crate::{
    item::{Direction, TimelineItem, TimelineMessage},
    options::TimelineOptions,
};
use chrono::TimeDelta;
use fieldpost_domain::{MessageKind, Seq, SeqRange};
use fieldpost_storage::{Older, ThreadMessage, ThreadSection};
use std::{collections::BTreeSet, sync::Arc};

/// What a timeline shows beside what is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// The first unread seq when the timeline was opened; none if nothing was unread.
    pub unread_from: Option<Seq>,
    /// Older messages are on their way.
    pub loading_older: bool,
    /// The gaps that are being filled, by a seq in each.
    pub filling: BTreeSet<Seq>,
}

/// The items of a section.
///
/// The days of a timeline only go forward: messages that wait to be sent have the time of this device, whose clock may be
/// wrong, and stand at the end all the same.
#[must_use]
pub fn draw(section: &ThreadSection, options: &TimelineOptions, marks: &Marks) -> Vec<TimelineItem> {
    let mut drawing = Drawing { items: Vec::new(), options, unread: None, day: None, last: None };
    if marks.loading_older {
        drawing.items.push(TimelineItem::Loading(Direction::Backwards));
    } else if section.older == Older::Nothing {
        drawing.items.push(TimelineItem::Start);
    }
    // Above the section it is out of sight.
    drawing.unread = marks.unread_from.filter(|seq| section.shown.from <= *seq);
    let mut gaps = section.gaps.iter().copied().peekable();
    for message in &section.messages {
        while let Some(gap) = gaps.next_if(|gap| message.seq.is_none_or(|seq| gap.from < seq)) {
            drawing.gap(gap, marks);
        }
        drawing.message(message);
    }
    for gap in gaps {
        drawing.gap(gap, marks);
    }
    drawing.close_group();
    drawing.items
}

struct Drawing<'a> {
    items: Vec<TimelineItem>,
    options: &'a TimelineOptions,
    /// Where the unread marker still has to be drawn.
    unread: Option<Seq>,
    day: Option<chrono::NaiveDate>,
    /// The message drawn last, if nothing was drawn after it.
    last: Option<&'a ThreadMessage>,
}

impl<'a> Drawing<'a> {
    fn gap(&mut self, range: SeqRange, marks: &Marks) {
        self.close_group();
        self.mark_unread(range.to);
        let loading = marks.filling.iter().any(|seq| range.from <= *seq && *seq <= range.to);
        self.items.push(TimelineItem::Gap { range, loading });
    }

    fn message(&mut self, message: &'a ThreadMessage) {
        self.divide_days(message);
        if let Some(seq) = message.seq {
            self.mark_unread(seq);
        }
        let first_of_group = !self.last.is_some_and(|last| self.is_one_group(last, message));
        if first_of_group {
            self.close_group();
        }
        let message_of_item = Arc::new(message.clone());
        let last_of_group = false;
        self.items.push(TimelineItem::Message(TimelineMessage {
            message: message_of_item,
            first_of_group,
            last_of_group,
        }));
        self.last = Some(message);
    }

    fn divide_days(&mut self, message: &ThreadMessage) {
        let day = self.options.zone.day(message.created_at);
        if self.day.is_none_or(|last| last < day) {
            self.close_group();
            self.day = Some(day);
            self.items.push(TimelineItem::Day(day));
        }
    }

    /// Draws the unread marker above what reaches up to this seq.
    fn mark_unread(&mut self, reaches: Seq) {
        if self.unread.take_if(|seq| *seq <= reaches).is_some() {
            self.close_group();
            self.items.push(TimelineItem::Unread);
        }
    }

    fn close_group(&mut self) {
        if self.last.take().is_some()
            && let Some(TimelineItem::Message(last)) = self.items.last_mut()
        {
            last.last_of_group = true;
        }
    }

    fn is_one_group(&self, last: &ThreadMessage, next: &ThreadMessage) -> bool {
        let within = TimeDelta::from_std(self.options.group_within).unwrap_or(TimeDelta::MAX);
        let close = next.created_at.signed_duration_since(last.created_at) <= within;
        let system = |message: &ThreadMessage| message.kind == MessageKind::System;
        last.sender_id == next.sender_id && close && !system(last) && !system(next)
    }
}

#[cfg(test)]
mod tests;
