//! Searching messages.

use crate::{Client, FieldpostError, MessageKind, Result, ThreadMessage, moment};
use fieldpost::{ConversationId, PersonId, SearchPosition};
use std::time::SystemTime;

/// Which messages to find ([`fieldpost::SearchQuery`]).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SearchQuery {
    /// What a person types.
    pub text: String,
    /// Only messages of this conversation.
    #[uniffi(default = None)]
    pub conversation: Option<ConversationId>,
    /// Only messages of this author.
    #[uniffi(default = None)]
    pub sender: Option<PersonId>,
    /// Only messages of this kind. Not [`MessageKind::Other`].
    #[uniffi(default = None)]
    pub kind: Option<MessageKind>,
    /// Only messages of this time or later.
    #[uniffi(default = None)]
    pub since: Option<SystemTime>,
    /// Only messages before this time.
    #[uniffi(default = None)]
    pub until: Option<SystemTime>,
    /// The best hits first, not the newest.
    #[uniffi(default = false)]
    pub best_first: bool,
    /// The most hits.
    #[uniffi(default = 50)]
    pub limit: u32,
    /// Only hits after this position of the same query: [`SearchPage::next`].
    #[uniffi(default = None)]
    pub after: Option<String>,
}

/// A place in a text, in UTF-8 bytes and in UTF-16 units: some languages count the one, some the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct Highlight {
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
    /// The first UTF-16 unit.
    pub utf16_start: u32,
    /// The UTF-16 unit after the last.
    pub utf16_end: u32,
}

/// The part of a message to show.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Snippet {
    /// The part, without marks.
    pub text: String,
    /// The places that were searched for.
    pub highlights: Vec<Highlight>,
    /// There is more before it.
    pub cut_before: bool,
    /// There is more after it.
    pub cut_after: bool,
}

/// A message that was found.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct SearchHit {
    /// The message.
    pub message: ThreadMessage,
    /// The name of its conversation.
    pub conversation_name: String,
    /// The part of it to show.
    pub snippet: Snippet,
}

/// A page of hits.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct SearchPage {
    /// The hits.
    pub hits: Vec<SearchHit>,
    /// Where the next page begins; none if this is the last one.
    pub next: Option<String>,
    /// How many messages are not in the index yet, at most.
    pub unindexed: u32,
}

#[uniffi::export]
impl Client {
    /// Searches the messages on this device.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidArgument`] for a text that is too long, a position that is none, or a kind that cannot be asked for.
    pub async fn search(&self, query: SearchQuery) -> Result<SearchPage> {
        let query: fieldpost::SearchQuery = query.try_into()?;
        self.run(|client| async move { Ok(client.search(&query).await?.into()) }).await
    }

    /// Indexes everything for [`Client::search`] now, in short steps.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn build_search_index(&self) -> Result<()> {
        self.run(|client| async move { Ok(client.build_search_index(|_| {}).await?) }).await
    }
}

impl TryFrom<SearchQuery> for fieldpost::SearchQuery {
    type Error = FieldpostError;

    fn try_from(asked: SearchQuery) -> Result<Self> {
        let mut query = Self::typed(&asked.text).map_err(|error| FieldpostError::argument(error.to_string()))?;
        query.conversation = asked.conversation;
        query.sender = asked.sender;
        query.kind = match asked.kind {
            None => None,
            Some(MessageKind::Text) => Some(fieldpost::MessageKind::Text),
            Some(MessageKind::Attachment) => Some(fieldpost::MessageKind::Attachment),
            Some(MessageKind::System) => Some(fieldpost::MessageKind::System),
            Some(MessageKind::Other) => return Err(FieldpostError::unknown_kind()),
        };
        query.since = asked.since.map(moment::taken).transpose()?;
        query.until = asked.until.map(moment::taken).transpose()?;
        if asked.best_first {
            query = query.best_first();
        }
        query.limit = asked.limit;
        let position = asked.after.map(|after| after.parse::<SearchPosition>());
        query.after = position.transpose().map_err(|error| FieldpostError::argument(error.to_string()))?;
        Ok(query)
    }
}

impl From<fieldpost::Snippet> for Snippet {
    fn from(snippet: fieldpost::Snippet) -> Self {
        let count = |number: usize| moment::count(number as u64);
        let utf16 = |byte: usize| count(snippet.text.get(..byte).map_or(0, |before| before.encode_utf16().count()));
        let highlight = |place: &std::ops::Range<usize>| Highlight {
            start: count(place.start),
            end: count(place.end),
            utf16_start: utf16(place.start),
            utf16_end: utf16(place.end),
        };
        let highlights = snippet.highlights.iter().map(highlight).collect();
        Self { highlights, text: snippet.text, cut_before: snippet.cut_before, cut_after: snippet.cut_after }
    }
}

impl From<fieldpost::SearchHit> for SearchHit {
    fn from(hit: fieldpost::SearchHit) -> Self {
        Self { message: hit.message.into(), conversation_name: hit.conversation_name, snippet: hit.snippet.into() }
    }
}

impl From<fieldpost::SearchPage> for SearchPage {
    fn from(page: fieldpost::SearchPage) -> Self {
        Self {
            hits: page.hits.into_iter().map(Into::into).collect(),
            next: page.next.map(|next| next.to_string()),
            unindexed: moment::count(page.unindexed),
        }
    }
}
