//! The rules for the text of a message, and the preview for a list.

use serde::{Deserialize, Serialize};
use unicode_segmentation::GraphemeCursor;

/// Maximum length of a message, in characters (Unicode scalar values). The server has the same limit.
pub const CONTENT_LIMIT: usize = 5000;

/// Maximum length of the subject of a conversation, in characters.
pub const SUBJECT_LIMIT: usize = 500;

/// Maximum length of a preview, in characters.
pub const PREVIEW_LIMIT: usize = 100;

/// Why a text cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// Nothing that anybody could see.
    #[error("a message needs at least one character that can be seen, not only white space")]
    Empty,
    /// Longer than [`CONTENT_LIMIT`].
    #[error("a message has at most {CONTENT_LIMIT} characters, this one has {characters}")]
    TooLong {
        /// Its length after trimming.
        characters: usize,
    },
    /// PostgreSQL cannot store U+0000: one such message would make the server reject a whole batch.
    #[error("a message cannot contain the character U+0000")]
    Nul,
}

/// Whether a text shows nothing: it is empty, or consists of white space and characters that nobody sees. The server has
/// the same rule.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|character| character.is_whitespace() || is_invisible(character))
}

/// Whether a character shows nothing by itself: those with the Unicode property Default_Ignorable_Code_Point.
#[must_use]
pub const fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// The text of a message: trimmed, 1 to [`CONTENT_LIMIT`] characters, no U+0000. Every value of this type can be sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageContent(String);

impl MessageContent {
    /// Trims Unicode white space from both ends and checks the rest.
    ///
    /// # Errors
    /// [`ContentError`] says which rule is broken.
    pub fn new(text: &str) -> Result<Self, ContentError> {
        if is_blank(text) {
            return Err(ContentError::Empty);
        }
        Self::stored(text)
    }

    /// A text that was written under the rules of an earlier version, which took one that nobody sees. The server answers
    /// it with a refusal, and the person decides.
    fn stored(text: &str) -> Result<Self, ContentError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(ContentError::Empty);
        }
        if text.contains('\0') {
            return Err(ContentError::Nul);
        }
        let characters = text.chars().count();
        if characters > CONTENT_LIMIT {
            return Err(ContentError::TooLong { characters });
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for MessageContent {
    type Error = ContentError;

    fn try_from(text: String) -> Result<Self, ContentError> {
        Self::stored(&text)
    }
}

impl From<MessageContent> for String {
    fn from(content: MessageContent) -> Self {
        content.0
    }
}

/// The first [`PREVIEW_LIMIT`] characters. It never splits a code point or a grapheme cluster (an emoji family, a
/// letter with its accents). One exception: a first cluster longer than the limit is cut between code points, because
/// the preview must not be empty.
#[must_use]
pub fn preview(text: &str) -> String {
    let Some((limit, _)) = text.char_indices().nth(PREVIEW_LIMIT) else { return text.to_owned() };
    let end = last_boundary(text, limit).filter(|end| *end > 0).unwrap_or(limit);
    text[..end].to_owned()
}

/// The last end of a grapheme cluster up to `limit`. A list calls this for every row, so it looks only at the
/// characters around `limit`.
fn last_boundary(text: &str, limit: usize) -> Option<usize> {
    let mut cursor = GraphemeCursor::new(limit, text.len(), true);
    // The chunk is the whole text, so the cursor never needs more context.
    if cursor.is_boundary(text, 0) == Ok(true) { Some(limit) } else { cursor.prev_boundary(text, 0).ok().flatten() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_segmentation::UnicodeSegmentation as _;

    #[test]
    fn content_is_trimmed_and_between_1_and_5000_characters() {
        assert_eq!(MessageContent::new("  on my way\n").unwrap().as_str(), "on my way");
        assert_eq!(MessageContent::new(" \u{2003}\n"), Err(ContentError::Empty));
        assert!(MessageContent::new(&"é".repeat(5000)).is_ok());
        assert_eq!(MessageContent::new(&"é".repeat(5001)), Err(ContentError::TooLong { characters: 5001 }));
        assert_eq!(MessageContent::new("a\0b"), Err(ContentError::Nul));
    }

    #[test]
    fn a_text_that_nobody_sees_is_no_message() {
        for blank in [
            "",
            " ",
            "\u{200b}",
            "\u{200b} \u{2060}\n\u{feff}",
            "\u{3164}\u{115f}",
            "\u{e0041}\u{fe0f}",
            "\u{ad}\u{202e}",
        ] {
            assert_eq!(MessageContent::new(blank), Err(ContentError::Empty), "{blank:?}");
        }
        for seen in ["\u{200b}a", "👩\u{200d}🚒", "⚠\u{fe0f}", "‑", "\u{1b}"] {
            assert!(MessageContent::new(seen).is_ok(), "{seen:?}");
        }
    }

    #[test]
    fn a_text_that_an_earlier_version_took_can_still_be_read() {
        assert!(serde_json::from_str::<MessageContent>("\"\\u200b\"").is_ok());
    }

    #[test]
    fn stored_content_that_breaks_the_rules_is_an_error_not_a_message() {
        assert!(serde_json::from_str::<MessageContent>("\" \"").is_err());
    }

    #[test]
    fn a_preview_never_splits_what_a_reader_sees_as_one_character() {
        let family = "👩‍👩‍👧‍👦";
        let text = format!("{}{family}", "x".repeat(98));
        assert_eq!(preview(&text), "x".repeat(98));
        assert_eq!(preview(&"😀".repeat(150)).chars().count(), 100);
    }

    #[test]
    fn a_single_overlong_cluster_still_has_a_preview() {
        let zalgo = format!("a{}", "\u{301}".repeat(300));
        assert_eq!(preview(&zalgo).chars().count(), 100);
    }

    /// The preview computed from the start, cluster by cluster.
    fn counted(text: &str) -> &str {
        let mut end = 0;
        for (start, cluster) in text.grapheme_indices(true) {
            let after = start + cluster.len();
            if text[..after].chars().count() > PREVIEW_LIMIT {
                break;
            }
            end = after;
        }
        &text[..end]
    }

    proptest! {
        #[test]
        fn a_preview_ends_where_counting_from_the_beginning_would(
            text in "(\\r\n|[a-zé\\u{301}\\u{200D}\\u{1F1E6}-\\u{1F1FF}👩👧🏽क\\u{94D}षกำ각ᄀ]){60,160}",
        ) {
            let counted = counted(&text);
            if !counted.is_empty() {
                prop_assert_eq!(preview(&text), counted);
            }
        }

        #[test]
        fn a_preview_is_a_prefix_of_at_most_100_characters(text in "\\PC{0,300}") {
            let short = preview(&text);
            prop_assert!(text.starts_with(&short));
            prop_assert!(short.chars().count() <= PREVIEW_LIMIT);
            prop_assert_eq!(short.is_empty(), text.is_empty());
        }
    }
}
