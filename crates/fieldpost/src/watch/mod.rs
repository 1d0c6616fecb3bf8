//! Streams of changes, for screens.
//!
//! A commit reports what it changed ([`fieldpost_storage::ChangeSet`]). A watcher subscribes before its first read, so
//! nothing is lost in between, and then reads only what a commit has touched. It emits the differences as
//! [`VectorDiff`](crate::VectorDiff)s. A stream has only a weak reference to its client: it ends when the client is
//! closed or its last clone is dropped.

mod lines;
mod list;
mod outbox;
mod thread;
mod typing;
mod unread;

pub use list::ConversationQuery;
pub use outbox::OutboxEvent;
pub use thread::ThreadUpdate;

pub(crate) use fieldpost_timeline::difference;

use crate::{Client, Error, Result, Time, client::Inner};
use fieldpost_storage::{ChangeReceiver, ChangeSet, StorageErrorKind};
use futures::stream::{self, Stream, StreamExt};
use std::{
    fmt,
    future::{self, Future},
    pin::Pin,
    sync::Weak,
    task::{Context, Poll},
    time::Duration,
};
use tokio::sync::watch;

/// A stream of updates. It is a [`Stream`], and has its own `next` for apps that use no stream library.
///
/// It ends when the client is closed or dropped. It continues after an error: the next change brings what was missed.
#[must_use = "nothing is read unless the stream is polled"]
pub struct Updates<T>(Pin<Box<dyn Stream<Item = Result<T>> + Send>>);

impl<T> Updates<T> {
    fn of(stream: impl Stream<Item = Result<T>> + Send + 'static) -> Self {
        Self(Box::pin(stream))
    }

    /// Waits for the next update; none at the end of the stream. Dropping the future loses nothing.
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

/// Receives the commits of a client's store without keeping the client alive.
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

    /// Receives the commits of the store that has the records.
    #[cfg(feature = "records")]
    pub(crate) fn of_records(client: &Client) -> Result<Self> {
        let changes = client.record_store()?.record_changes();
        Ok(Self { changes, ..Self::new(client) })
    }

    fn client(&self) -> Option<Client> {
        self.client.upgrade().map(|inner| Client { inner })
    }

    /// Waits for a commit; none when the client has ended.
    pub(crate) async fn next(&mut self) -> Option<(Client, ChangeSet)> {
        let changes = tokio::select! {
            biased;
            changes = self.changes.next() => changes?,
            // Nothing is sent on it, so this means that the client has ended.
            _ = self.alive.changed() => return None,
        };
        Some((self.client()?, changes))
    }
}

/// Something on a screen that a commit may change.
pub(crate) trait View: Send + 'static {
    /// A change of it.
    type Update: Send + 'static;

    /// Whether a commit with these changes may have changed it.
    fn concerns(&self, changes: &ChangeSet) -> bool;

    /// Completes when something else than a commit asks for a refresh; [`View::concerns`] is true from then on. Dropping
    /// the future loses nothing.
    fn woken(&mut self) -> impl Future<Output = ()> + Send {
        future::pending()
    }

    /// When it may look different although there was no commit.
    fn due(&self) -> Option<Time> {
        None
    }

    /// Reads what was touched and returns the difference; none if there is none. On an error the view does not change,
    /// and the caller repeats the changes together with the next ones.
    fn refresh(
        &mut self,
        client: &Client,
        changes: &ChangeSet,
    ) -> impl Future<Output = Result<Option<Self::Update>>> + Send;
}

/// A view and the changes that it has not read yet.
struct Watching<V> {
    watcher: Watcher,
    view: V,
    missed: ChangeSet,
    /// Whether the view must be read before the first commit.
    unread: bool,
}

impl<V: View> Watching<V> {
    /// The next update and the state to continue with; none at the end.
    async fn next(mut self) -> Option<(Result<V::Update>, Self)> {
        loop {
            let client = self.wait().await?;
            if !self.view.concerns(&self.missed) {
                self.missed = ChangeSet::nothing();
                continue;
            }
            // In its own task: otherwise a stream that is not polled for a while would hold a connection that readers
            // need.
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
                // The stream continues when the client resumes.
                Err(Error::Paused) => {}
                Err(Error::Storage(error)) if error.kind() == StorageErrorKind::Closed => return None,
                Err(error) => return Some((Err(error), self)),
            }
        }
    }

    /// Waits for a commit and adds it to the missed changes.
    async fn wait(&mut self) -> Option<Client> {
        if std::mem::take(&mut self.unread) {
            self.missed = ChangeSet::everything();
            return self.watcher.client();
        }
        let due = until(Weak::clone(&self.watcher.client), self.view.due());
        let (client, changes) = tokio::select! {
            biased;
            heard = self.watcher.next() => heard?,
            () = self.view.woken() => (self.watcher.client()?, ChangeSet::nothing()),
            client = due => (client?, ChangeSet::everything()),
        };
        self.missed.merge(changes);
        Some(client)
    }
}

/// The longest sleep. The device's clock may be set, and a device may sleep itself.
const AT_MOST: Duration = Duration::from_secs(600);

/// Waits until a moment by the client's clock; for ever if there is none. None when the client has ended.
async fn until(client: Weak<Inner>, due: Option<Time>) -> Option<Client> {
    let Some(due) = due else { return future::pending().await };
    loop {
        let inner = client.upgrade()?;
        match (due - inner.env.now()).to_std() {
            Ok(left) if !left.is_zero() => {
                drop(inner);
                tokio::time::sleep(left.min(AT_MOST)).await;
            }
            _ => return Some(Client { inner }),
        }
    }
}

/// The updates of a view that was read after the watcher had subscribed.
pub(crate) fn follow<V: View>(watcher: Watcher, view: V) -> Updates<V::Update> {
    updates(Watching { watcher, view, missed: ChangeSet::nothing(), unread: false })
}

/// The updates of a view that was not read yet: its present state comes first.
pub(crate) fn begin<V: View>(watcher: Watcher, view: V) -> Updates<V::Update> {
    updates(Watching { watcher, view, missed: ChangeSet::nothing(), unread: true })
}

fn updates<V: View>(watching: Watching<V>) -> Updates<V::Update> {
    Updates::of(stream::unfold(watching, Watching::next))
}
