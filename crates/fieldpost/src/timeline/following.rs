//! The stream of a timeline.

use super::shared::Shared;
use crate::{Client, Result, TimelineUpdate, watch::View};
use fieldpost_storage::ChangeSet;
use fieldpost_timeline::Model;
use std::{future, sync::Arc};
use tokio::sync::watch;

pub(super) struct Following {
    model: Model,
    shared: Arc<Shared>,
    moved: watch::Receiver<u64>,
    /// The number of moves when it was drawn last.
    drawn: u64,
}

impl Following {
    pub(super) fn new(model: Model, shared: Arc<Shared>) -> Self {
        let (moved, drawn) = (shared.moved(), shared.control().moves);
        Self { model, shared, moved, drawn }
    }
}

impl View for Following {
    type Update = TimelineUpdate;

    fn concerns(&self, changes: &ChangeSet) -> bool {
        *self.moved.borrow() != self.drawn || self.model.concerns(changes)
    }

    async fn woken(&mut self) {
        let drawn = self.drawn;
        if self.moved.wait_for(|moves| *moves != drawn).await.is_err() {
            // The sender is part of what is shared, so it never ends before this.
            future::pending::<()>().await;
        }
    }

    async fn refresh(&mut self, client: &Client, _: &ChangeSet) -> Result<Option<TimelineUpdate>> {
        let control = self.shared.control();
        let (update, span) = self.model.refresh(&*client.inner.store, control.span, &control.marks).await?;
        self.drawn = control.moves;
        self.shared.drawn(control.moves, span, self.model.ends());
        Ok(update)
    }
}
