//! Streams of what a person sees: how it is now, and again whenever that has changed, after the commit.

use crate::{
    Client, ConversationId, ConversationSummary, Error, MessageId, OutboxEntry, Refusal, Result, Seq, ThreadWindow,
    Window,
};
use futures::stream::{self, Stream, StreamExt};
use std::future::Future;
use tokio::sync::watch;

/// How a message ended up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The server has it, at this place of its thread.
    Sent(Seq),
    /// The server refused it; it waits for the person ([`Client::retry`], [`Client::edit`], [`Client::cancel`]).
    Failed(Refusal),
    /// It is not here any more: deleted, or taken back.
    Gone,
}

/// Something happened to the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutboxEvent {
    /// It waits now; of the first events of a stream: it waited already.
    Waits(OutboxEntry),
    /// It waits, in another state than before.
    Changed(OutboxEntry),
    /// It waits no more: the server has it, or it was taken back. This is how it last was.
    Left(OutboxEntry),
}

impl Client {
    /// Waits until it is known what became of a message. It may take as long as the network is away, and needs somebody to
    /// sync ([`Client::start`]). Drop it to stop waiting; nothing else is changed by that.
    ///
    /// # Errors
    /// If the store fails. While the client is paused it goes on waiting.
    pub async fn delivered(&self, message: MessageId) -> Result<Delivery> {
        let mut changes = self.inner.engine.changes();
        loop {
            changes.mark_unchanged();
            let now = match self.inner.store.message(message).await.map_err(Error::from) {
                Ok(now) => now,
                Err(Error::Paused) => {
                    next(&mut changes).await?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            match now.map(|message| (message.deleted, message.failure, message.seq)) {
                None | Some((true, ..)) => return Ok(Delivery::Gone),
                Some((_, Some(refusal), _)) => return Ok(Delivery::Failed(refusal)),
                Some((_, _, Some(seq))) => return Ok(Delivery::Sent(seq)),
                Some(_) => next(&mut changes).await?,
            }
        }
    }

    /// The conversation list, newest activity first: now, and whenever it has changed.
    pub fn watch_conversations(&self) -> impl Stream<Item = Result<Vec<ConversationSummary>>> + Send + use<> {
        self.watch(|client| async move { client.conversations().await })
    }

    /// The part of a thread that a window shows: now, and whenever it has changed.
    pub fn watch_messages(
        &self,
        conversation: ConversationId,
        window: Window,
    ) -> impl Stream<Item = Result<ThreadWindow>> + Send + use<> {
        self.watch(move |client| async move { client.messages(conversation, window).await })
    }

    /// The unread messages over all conversations: now, and whenever that has changed.
    pub fn watch_total_unread(&self) -> impl Stream<Item = Result<u64>> + Send + use<> {
        self.watch(|client| async move { client.total_unread().await })
    }

    /// What happens to the outbox: what waits now, then every change.
    pub fn watch_outbox(&self) -> impl Stream<Item = Result<OutboxEvent>> + Send + use<> {
        let entries = self.watch(|client| async move { client.outbox(u32::MAX).await });
        let events = entries.scan(Vec::new(), |before, entries| {
            let events = match entries {
                Ok(now) => differences(&std::mem::replace(before, now.clone()), &now).map(Ok).collect(),
                Err(error) => vec![Err(error)],
            };
            std::future::ready(Some(stream::iter(events)))
        });
        events.flatten()
    }

    /// What `read` gives, now and whenever it gives something else. It ends with the client's last clone; it holds one, so
    /// drop the stream first.
    fn watch<T, F, Reading>(&self, read: F) -> impl Stream<Item = Result<T>> + Send + use<T, F, Reading>
    where
        T: PartialEq + Clone + Send + 'static,
        F: Fn(Self) -> Reading + Send + 'static,
        Reading: Future<Output = Result<T>> + Send,
    {
        let begin = (self.clone(), self.inner.engine.changes(), None::<T>, true, read);
        stream::unfold(begin, |(client, mut changes, mut last, mut first, read)| async move {
            loop {
                if !std::mem::take(&mut first) {
                    changes.changed().await.ok()?;
                }
                changes.mark_unchanged();
                let now = read(client.clone()).await;
                match &now {
                    // It goes on when the client does.
                    Err(Error::Paused) => continue,
                    Ok(now) if last.as_ref() == Some(now) => continue,
                    Ok(now) => last = Some(now.clone()),
                    Err(_) => {}
                }
                return Some((now, (client, changes, last, first, read)));
            }
        })
    }
}

async fn next(changes: &mut watch::Receiver<u64>) -> Result<()> {
    // The sender lives as long as the client does.
    changes.changed().await.map_err(|_| Error::Paused)
}

fn differences<'a>(before: &'a [OutboxEntry], now: &'a [OutboxEntry]) -> impl Iterator<Item = OutboxEvent> + 'a {
    use std::collections::HashMap;
    let of =
        |entries: &'a [OutboxEntry]| entries.iter().map(|entry| (entry.mutation_id, entry)).collect::<HashMap<_, _>>();
    let (old, new) = (of(before), of(now));
    let left = before.iter().filter(move |entry| !new.contains_key(&entry.mutation_id)).cloned().map(OutboxEvent::Left);
    let here = now.iter().filter_map(move |entry| match old.get(&entry.mutation_id) {
        None => Some(OutboxEvent::Waits(entry.clone())),
        Some(old) if *old != entry => Some(OutboxEvent::Changed(entry.clone())),
        Some(_) => None,
    });
    left.chain(here)
}
