//! What a person does with a timeline.

use super::shared::Shared;
use crate::{
    Conversation, Ends, Error, ItemId, MessageId, OpenAt, OutboxEntry, Result, Seq, ThreadMessage, TimelineOptions,
};
use fieldpost_storage::Section;
use fieldpost_timeline::{Backwards, backwards, forwards, open};
use std::sync::Arc;

/// How often a pagination asks the server, if pages have nothing to show.
const PAGES: u32 = 5;

/// A handle to a timeline: [`Conversation::timeline`]. Its stream shows what the methods do. Cheap to clone; keeps the
/// client alive.
#[derive(Debug, Clone)]
pub struct Timeline {
    conversation: Conversation,
    options: TimelineOptions,
    shared: Arc<Shared>,
}

impl Timeline {
    pub(super) const fn new(conversation: Conversation, options: TimelineOptions, shared: Arc<Shared>) -> Self {
        Self { conversation, options, shared }
    }

    /// Its conversation.
    #[must_use]
    pub const fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    /// What is beyond its ends, as its stream has last drawn it.
    #[must_use]
    pub fn ends(&self) -> Ends {
        self.shared.control().ends
    }

    /// Shows older messages: from this device, or from the server if they are not here. If the timeline then holds too
    /// many, its newer end lets go of some. Returns false if there are none.
    ///
    /// # Errors
    /// [`Error::Offline`] if they are on the server and there is no network. If something older is on this device, it
    /// shows with a gap instead. [`Error::NotFound`] when the conversation is not on this device.
    pub async fn paginate_backwards(&self) -> Result<bool> {
        let _one = self.shared.moving.lock().await;
        let (store, id, page) = (&*self.client().inner.store, self.conversation.id(), self.options.page_size());
        for _ in 0..PAGES {
            match backwards(store, id, self.shared.control().span, page).await? {
                Backwards::End => return Ok(false),
                Backwards::Here(more) => {
                    self.shared.change(|control| control.span = more);
                    return Ok(true);
                }
                Backwards::OnServer { before, otherwise } => {
                    let _loading = self.shared.loads_older();
                    match (self.fetch(before).await, otherwise) {
                        (Ok(()), _) => {}
                        (Err(_), Some(with_gap)) => {
                            self.shared.change(|control| control.span = with_gap);
                            return Ok(true);
                        }
                        (Err(error), None) => return Err(error),
                    }
                }
            }
        }
        Ok(false)
    }

    /// Shows newer messages, if the timeline does not follow the end of its thread. If it then holds too many, its older
    /// end lets go of some. Returns false if there are none.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the conversation is not on this device.
    pub async fn paginate_forwards(&self) -> Result<bool> {
        let _one = self.shared.moving.lock().await;
        let (store, span) = (&*self.client().inner.store, self.shared.control().span);
        let more = forwards(store, self.conversation.id(), span, self.options.page_size()).await?;
        if let Some(more) = more {
            self.shared.change(|control| control.span = more);
        }
        Ok(more.is_some())
    }

    /// Fetches messages of a gap, from its end; call it again while the gap is there. Returns false if it is gone. A gap
    /// with older messages on both sides, in which everything was deleted, closes when those above it are filled.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the item is no gap; [`Error::Offline`] without a network.
    pub async fn fill_gap(&self, item: ItemId) -> Result<bool> {
        let ItemId::Gap(from) = item else { return Err(Error::NotFound) };
        let _one = self.shared.moving.lock().await;
        // A section never begins in a gap, so this one begins above it.
        let section = self.client().inner.store.section(self.conversation.id(), Section::from(from, 1)).await?;
        if section.shown.from <= from {
            return Ok(false);
        }
        let _loading = self.shared.fills(from);
        self.fetch(section.shown.from).await?;
        Ok(true)
    }

    /// Moves it to another place. The unread marker stays where it was when the timeline was opened.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the message or the conversation is not on this device.
    pub async fn go_to(&self, place: OpenAt) -> Result<()> {
        let _one = self.shared.moving.lock().await;
        let options = self.options.clone().open_at(place);
        let (span, _) = open(&*self.client().inner.store, self.conversation.id(), &options).await?;
        self.shared.change(|control| control.span = span);
        Ok(())
    }

    /// Sends a refused message again ([`crate::Client::retry`]).
    ///
    /// # Errors
    /// As there; [`Error::NotFound`] if the item is no message.
    pub async fn retry(&self, item: ItemId) -> Result<OutboxEntry> {
        self.client().retry(message(item)?).await
    }

    /// Takes a message back that has not reached the server ([`crate::Client::cancel`]).
    ///
    /// # Errors
    /// As there; [`Error::NotFound`] if the item is no message.
    pub async fn cancel(&self, item: ItemId) -> Result<Vec<OutboxEntry>> {
        self.client().cancel(message(item)?).await
    }

    /// Replaces the text of one's own message ([`Conversation::edit`]).
    ///
    /// # Errors
    /// As there; [`Error::NotFound`] if the item is no message.
    pub async fn edit(&self, item: ItemId, text: &str) -> Result<ThreadMessage> {
        self.conversation.edit(message(item)?, text).await
    }

    /// Deletes a message ([`Conversation::delete`]).
    ///
    /// # Errors
    /// As there; [`Error::NotFound`] if the item is no message.
    pub async fn delete(&self, item: ItemId) -> Result<ThreadMessage> {
        self.conversation.delete(message(item)?).await
    }

    const fn client(&self) -> &crate::Client {
        self.conversation.client()
    }

    async fn fetch(&self, before: Seq) -> Result<()> {
        // An open screen may hold an id from before the server assigned the canonical one.
        let id = self.conversation.summary().await?.ok_or(Error::NotFound)?.id;
        self.client().inner.sides.messages.load_older(id, before).await?;
        Ok(())
    }
}

const fn message(item: ItemId) -> Result<MessageId> {
    match item {
        ItemId::Message(id) => Ok(id),
        _ => Err(Error::NotFound),
    }
}
