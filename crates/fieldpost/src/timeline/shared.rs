//! What the handle of a timeline and its stream share.

use crate::{Ends, Seq};
use fieldpost_timeline::{Marks, Span};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// What a timeline should show.
#[derive(Debug, Clone)]
pub(super) struct Control {
    pub(super) span: Span,
    pub(super) marks: Marks,
    /// As last drawn.
    pub(super) ends: Ends,
    /// How often the handle has changed the span or the marks.
    pub(super) moves: u64,
}

#[derive(Debug)]
pub(super) struct Shared {
    /// Held for a moment only, never across an await.
    control: Mutex<Control>,
    /// The number of moves, for the stream that waits for the next one.
    moved: watch::Sender<u64>,
    /// One move at a time.
    pub(super) moving: tokio::sync::Mutex<()>,
}

impl Shared {
    pub(super) fn new(control: Control) -> Self {
        let moved = watch::Sender::new(control.moves);
        Self { control: Mutex::new(control), moved, moving: tokio::sync::Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn control(&self) -> Control {
        self.lock().clone()
    }

    pub(super) fn moved(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }

    /// Changes what is to be shown, and wakes the stream.
    pub(super) fn change(&self, change: impl FnOnce(&mut Control)) {
        let moves = {
            let mut control = self.lock();
            change(&mut control);
            control.moves += 1;
            control.moves
        };
        self.moved.send_replace(moves);
    }

    /// Notes what is left of a span that was drawn, unless the handle has moved since.
    pub(super) fn drawn(&self, moves: u64, span: Span, ends: Ends) {
        let mut control = self.lock();
        if control.moves == moves {
            control.span = span;
            control.ends = ends;
        }
    }

    /// Shows that older messages are on their way, for as long as the returned value lives.
    pub(super) fn loads_older(&self) -> Loading<'_> {
        self.change(|control| control.marks.loading_older = true);
        Loading { shared: self, gap: None }
    }

    /// Shows that a gap is being filled, for as long as the returned value lives.
    pub(super) fn fills(&self, gap: Seq) -> Loading<'_> {
        self.change(|control| control.marks.filling.extend([gap]));
        Loading { shared: self, gap: Some(gap) }
    }
}

/// Something is on its way.
pub(super) struct Loading<'a> {
    shared: &'a Shared,
    gap: Option<Seq>,
}

impl Drop for Loading<'_> {
    fn drop(&mut self) {
        self.shared.change(|control| match &self.gap {
            Some(gap) => control.marks.filling.retain(|filling| filling != gap),
            None => control.marks.loading_older = false,
        });
    }
}
