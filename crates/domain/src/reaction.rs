//! Reactions: emojis that people give a message.

use crate::{ConversationId, MessageId, PersonId, Time, Version, content::is_blank};
use serde::{Deserialize, Serialize};
use std::fmt;
use unicode_normalization::UnicodeNormalization as _;

/// The most bytes of an emoji, in UTF-8. The server has the same limit.
pub const EMOJI_BYTES: usize = 64;

/// How many reactions one person may give one message. The server has the same limit.
pub const REACTIONS_MAX: usize = 20;

/// Why a text is no emoji.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EmojiError {
    /// Nothing that anybody could see.
    #[error("a reaction needs an emoji that can be seen")]
    Empty,
    /// Longer than [`EMOJI_BYTES`].
    #[error("an emoji has at most {EMOJI_BYTES} bytes, this one has {bytes}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// It has white space or a control character.
    #[error("an emoji has no white space and no control characters")]
    NotOne,
}

/// An emoji: 1 to [`EMOJI_BYTES`] bytes without white space and control characters, in Unicode's form NFC. What Unicode
/// adds later is one too, so it need not be known here as an emoji.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Emoji(String);

impl Emoji {
    /// Checks what a person has chosen.
    ///
    /// # Errors
    /// [`EmojiError`] says which rule is broken.
    pub fn new(text: &str) -> Result<Self, EmojiError> {
        let text: String = text.trim().nfc().collect();
        if is_blank(&text) {
            return Err(EmojiError::Empty);
        }
        if text.chars().any(|character| character.is_control() || character.is_whitespace()) {
            return Err(EmojiError::NotOne);
        }
        if text.len() > EMOJI_BYTES {
            return Err(EmojiError::TooLong { bytes: text.len() });
        }
        Ok(Self(text))
    }

    /// One that the server tells, which other clients wrote under its rules.
    #[must_use]
    pub fn told(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Emoji {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A row of the server: one person's reaction to a message, or how many there are of one emoji.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// The message.
    pub message_id: MessageId,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// The emoji.
    pub emoji: Emoji,
    /// Whose it is.
    pub by: ReactedBy,
    /// When the row came to be, by the server's clock. It stays when the reaction is taken back and given again.
    pub created_at: Time,
    /// Row version.
    pub version: Version,
}

/// Whose reaction a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReactedBy {
    /// One person's.
    Person {
        /// The person.
        id: PersonId,
        /// They have taken it back.
        removed: bool,
    },
    /// Everybody's together: in a broadcast, where a medic does not learn who reacted.
    All {
        /// How many there are.
        count: u64,
    },
}

impl ReactedBy {
    /// The person; none for everybody.
    #[must_use]
    pub const fn person(&self) -> Option<PersonId> {
        match self {
            Self::Person { id, .. } => Some(*id),
            Self::All { .. } => None,
        }
    }

    /// How many reactions the row stands for.
    #[must_use]
    pub const fn count(&self) -> u64 {
        match self {
            Self::Person { removed, .. } => !*removed as u64,
            Self::All { count } => *count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emoji_is_short_seen_and_one_word() {
        let family = "👩\u{200d}👩\u{200d}👧\u{200d}👦";
        for good in ["👍", "❤\u{fe0f}", "🇨🇭", family, "👍🏽", ":crane:", "\u{1faea}"] {
            assert_eq!(Emoji::new(good).unwrap().as_str(), good, "also what this version does not know");
        }
        assert_eq!(Emoji::new(" 👍\n").unwrap().as_str(), "👍");
        for blank in ["", "  ", "\u{200b}", "\u{fe0f}"] {
            assert_eq!(Emoji::new(blank), Err(EmojiError::Empty), "{blank:?}");
        }
        for odd in ["👍 👍", "a\0b", "a\u{7}b", "a\u{a0}b"] {
            assert_eq!(Emoji::new(odd), Err(EmojiError::NotOne), "{odd:?}");
        }
        assert!(Emoji::new(&"👍".repeat(16)).is_ok());
        assert_eq!(Emoji::new(&"👍".repeat(40)), Err(EmojiError::TooLong { bytes: 160 }));
    }

    #[test]
    fn one_emoji_has_one_form() {
        assert_eq!(Emoji::new("e\u{301}"), Emoji::new("\u{e9}"));
    }
}
