//! Streams of what a person sees.
//!
//! A commit says what it changed ([`fieldpost_storage::ChangeSet`]). A watcher subscribes before it reads for the first time, so
//! that nothing is lost in between, and then reads only what a commit has touched. It answers with what is different, as
//! [`VectorDiff`](crate::VectorDiff)s. A stream holds nothing but a weak reference to its client: it ends when the client is
//! closed, or when its last clone is dropped.

mod difference;
mod lines;
mod list;
mod outbox;
mod thread;
mod unread;

pub use list::ConversationQuery;
pub use outbox::OutboxEvent;
pub use thread::ThreadUpdate;

use crate::{Client, Error, Result, client::Inner};
use fieldpost_storage::{ChangeReceiver, ChangeSet, StorageErrorKind};
use futures::stream::{self, Stream, StreamExt};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Weak,
    task::{Context, Poll},
};
use tokio::sync::watch;

/// What happens from now on, one after the other. A [`Stream`], with a `next` of its own for apps that use no stream library.
///
/// It ends when the client is closed or dropped. After an error it goes on: what was missed comes with the next change.
#[must_use = "nothing is read unless the stream is polled"]
pub struct Updates<T>(Pin<Box<dyn Stream<Item = Result<T>> + Send>>);

impl<T> Updates<T> {
    /// Waits for the next one; none when there will be no more. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<T>> {
        StreamExt::next(&mut self.0).await
    }
}

impl<T> Stream for Updates<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

impl<T> fmt::Debug for Updates<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Updates").finish_non_exhaustive()
    }
}

/// Hears what a client's store commits, without keeping the client alive.
pub(crate) struct Watcher {
    client: Weak<Inner>,
    changes: ChangeReceiver,
    alive: watch::Receiver<()>,
}

impl Watcher {
    pub(crate) fn new(client: &Client) -> Self {
        let inner = &client.inner;
        Self {
            client: std::sync::Arc::downgrade(inner),
            changes: inner.store.changes(),
            alive: inner.alive.subscribe(),
        }
    }

    fn client(&self) -> Option<Client> {
        self.client.upgrade().map(|inner| Client { inner })
    }

    /// Waits for a commit; none when the client has ended.
    pub(crate) async fn next(&mut self) -> Option<(Client, ChangeSet)> {
        let changes = tokio::select! {
            biased;
            changes = self.changes.next() => changes?,
            // Nothing is ever sent.
            _ = self.alive.changed() => return None,
        };
        Some((self.client()?, changes))
    }
}

/// Something that is shown, and that a commit may change.
trait View: Send + 'static {
    /// How it changes.
    type Update: Send + 'static;

    /// Whether such a commit may have changed it.
    fn concerns(&self, changes: &ChangeSet) -> bool;

    /// Reads what was touched, and says what is different; none if nothing is. What fails changes nothing: the same changes are
    /// tried again, together with the next ones.
    fn refresh(
        &mut self,
        client: &Client,
        changes: &ChangeSet,
    ) -> impl Future<Output = Result<Option<Self::Update>>> + Send;
}

/// A view and what it has not read yet.
struct Watching<V> {
    watcher: Watcher,
    view: V,
    missed: ChangeSet,
    /// Whether it is to be read before anything is committed.
    unread: bool,
}

impl<V: View> Watching<V> {
    /// The next update, and how to go on; none at the end.
    async fn next(mut self) -> Option<(Result<V::Update>, Self)> {
        loop {
            let client = self.wait().await?;
            if !self.view.concerns(&self.missed) {
                self.missed = ChangeSet::nothing();
                continue;
            }
            // A task of its own: a stream that nobody polls for a while would keep a connection from those who read.
            let read = tokio::spawn(async move {
                let result = self.view.refresh(&client, &self.missed).await;
                (result, self)
            });
            let (result, this) = read.await.ok()?;
            self = this;
            match result {
                Ok(update) => {
                    self.missed = ChangeSet::nothing();
                    if let Some(update) = update {
                        return Some((Ok(update), self));
                    }
                }
                // It goes on when the client does.
                Err(Error::Paused) => {}
                Err(Error::Storage(error)) if error.kind() == StorageErrorKind::Closed => return None,
                Err(error) => return Some((Err(error), self)),
            }
        }
    }

    /// Waits for a commit, and adds it to what was missed.
    async fn wait(&mut self) -> Option<Client> {
        if std::mem::take(&mut self.unread) {
            self.missed = ChangeSet::everything();
            return self.watcher.client();
        }
        let (client, changes) = self.watcher.next().await?;
        self.missed.merge(changes);
        Some(client)
    }
}

/// The updates of a view that was read after the watcher had begun to listen.
fn follow<V: View>(watcher: Watcher, view: V) -> Updates<V::Update> {
    updates(Watching { watcher, view, missed: ChangeSet::nothing(), unread: false })
}

/// The updates of a view that was never read: how it is now comes first.
fn begin<V: View>(client: &Client, view: V) -> Updates<V::Update> {
    updates(Watching { watcher: Watcher::new(client), view, missed: ChangeSet::nothing(), unread: true })
}

fn updates<V: View>(watching: Watching<V>) -> Updates<V::Update> {
    Updates(Box::pin(stream::unfold(watching, Watching::next)))
}
