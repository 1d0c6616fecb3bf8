//! The role that searches.

use crate::{StorageResult, ThreadMessage};
use async_trait::async_trait;
use fieldpost_domain::{
    ConversationId, MessageId, MessageKind, PersonId, SearchRank, SearchText, SearchTextError, Snippet, Time,
};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// Which messages to find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchQuery {
    /// The text.
    pub text: SearchText,
    /// Only messages of this conversation; aliases are resolved.
    pub conversation: Option<ConversationId>,
    /// Only messages of this author.
    pub sender: Option<PersonId>,
    /// Only messages of this kind.
    pub kind: Option<MessageKind>,
    /// Only messages of this time or later ([`ThreadMessage::created_at`]).
    pub since: Option<Time>,
    /// Only messages before this time.
    pub until: Option<Time>,
    /// Which hits come first.
    pub order: SearchOrder,
    /// The maximal number of hits.
    pub limit: u32,
    /// Only hits after this position of the same query.
    pub after: Option<SearchPosition>,
}

impl SearchQuery {
    /// The newest 50 hits of a text, anywhere.
    #[must_use]
    pub const fn new(text: SearchText) -> Self {
        Self {
            text,
            conversation: None,
            sender: None,
            kind: None,
            since: None,
            until: None,
            order: SearchOrder::Newest,
            limit: 50,
            after: None,
        }
    }

    /// As [`SearchQuery::new`], from what a person types.
    ///
    /// # Errors
    /// [`SearchTextError`] for a text that is too long.
    pub fn typed(text: &str) -> Result<Self, SearchTextError> {
        SearchText::new(text).map(Self::new)
    }

    /// Only messages of this conversation.
    #[must_use]
    pub const fn in_conversation(mut self, conversation: ConversationId) -> Self {
        self.conversation = Some(conversation);
        self
    }

    /// Only messages of this author.
    #[must_use]
    pub const fn from_sender(mut self, sender: PersonId) -> Self {
        self.sender = Some(sender);
        self
    }

    /// Only messages of this kind.
    #[must_use]
    pub fn of_kind(mut self, kind: MessageKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Only messages of this time or later.
    #[must_use]
    pub const fn since(mut self, since: Time) -> Self {
        self.since = Some(since);
        self
    }

    /// Only messages before this time.
    #[must_use]
    pub const fn until(mut self, until: Time) -> Self {
        self.until = Some(until);
        self
    }

    /// The best hits first.
    #[must_use]
    pub const fn best_first(mut self) -> Self {
        self.order = SearchOrder::Best;
        self
    }

    /// At most so many hits.
    #[must_use]
    pub const fn limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    /// Only hits after this position: [`SearchPage::next`] of the same query.
    #[must_use]
    pub const fn after(mut self, position: SearchPosition) -> Self {
        self.after = Some(position);
        self
    }
}

/// Which hits come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SearchOrder {
    /// The newest, by [`ThreadMessage::created_at`] in milliseconds.
    #[default]
    Newest,
    /// The best by [`SearchRank`], and of one rank the newest.
    Best,
}

/// Where a page of hits ended. Opaque; its text form may be kept and read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SearchPosition {
    /// The rank of the last hit; of no meaning if the newest come first.
    pub rank: SearchRank,
    /// Where the last hit stands among those of its rank.
    pub key: i64,
    /// The same within one key, for stores in which several hits may share one.
    pub tie: Option<MessageId>,
}

impl fmt::Display for SearchPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rank = match self.rank {
            SearchRank::SideBySide => 's',
            SearchRank::Whole => 'w',
            SearchRank::Beginning => 'b',
        };
        write!(f, "{rank}{}", self.key)?;
        self.tie.map_or(Ok(()), |tie| write!(f, ".{tie}"))
    }
}

/// The text is no position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not the position of a search")]
pub struct SearchPositionError;

impl FromStr for SearchPosition {
    type Err = SearchPositionError;

    fn from_str(text: &str) -> Result<Self, SearchPositionError> {
        let mut rest = text.chars();
        let rank = match rest.next() {
            Some('s') => SearchRank::SideBySide,
            Some('w') => SearchRank::Whole,
            Some('b') => SearchRank::Beginning,
            _ => return Err(SearchPositionError),
        };
        let (key, tie) = match rest.as_str().split_once('.') {
            Some((key, tie)) => (key, Some(tie)),
            None => (rest.as_str(), None),
        };
        let tie = tie.map(|tie| Uuid::try_parse(tie).map(MessageId::from_uuid)).transpose();
        let (Ok(key), Ok(tie)) = (key.parse(), tie) else { return Err(SearchPositionError) };
        Ok(Self { rank, key, tie })
    }
}

/// A message that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchHit {
    /// The message, as its thread shows it.
    pub message: ThreadMessage,
    /// The name of its conversation ([`crate::ConversationSummary::participant_name`]).
    pub conversation_name: String,
    /// The part of it to show.
    pub snippet: Snippet,
}

/// A page of hits.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SearchPage {
    /// In the order of the query.
    pub hits: Vec<SearchHit>,
    /// Where the next page begins ([`SearchQuery::after`]); none if this is the last one.
    pub next: Option<SearchPosition>,
    /// How many messages are not in the index yet and were not searched, at most. Not zero while the index of a large
    /// history is built ([`Search::index`]).
    pub unindexed: u64,
}

/// Searches messages.
///
/// What can be found is what a thread shows at that moment: with pending edits and without what is being deleted; queued
/// messages too. What left the device, or was deleted, is not found from the same commit on, and no word of it stays in
/// the store. Messages whose conversation is not stored are not found.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Search: Send + Sync {
    /// A page of hits. A store that builds its index later indexes some messages here first, so that what was written or
    /// arrived just now is found; what is left is [`SearchPage::unindexed`].
    ///
    /// Page by page every hit comes once. A message that moves meanwhile (a queued one gets the server's time) may be
    /// missed or repeated.
    async fn search(&self, query: &SearchQuery) -> StorageResult<SearchPage>;

    /// Indexes some more messages, in a write transaction that is short. Returns how many are left at most. What was
    /// indexed stays so over restarts.
    async fn index(&self) -> StorageResult<u64>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_from_its_text() {
        let tie = Some(MessageId::from_uuid(Uuid::from_u128(7)));
        for (rank, key, tie) in
            [(SearchRank::SideBySide, 7, None), (SearchRank::Whole, -1, tie), (SearchRank::Beginning, i64::MAX, tie)]
        {
            let position = SearchPosition { rank, key, tie };
            assert_eq!(position.to_string().parse(), Ok(position));
        }
        for text in ["", "s", "7", "x7", "s7.", "s7.7", "w9999999999999999999", "ß"] {
            assert_eq!(text.parse::<SearchPosition>(), Err(SearchPositionError), "{text:?}");
        }
    }
}
