//! A part of what a list shows.

use super::{fold::folded, terms::SearchTextError, terms::check_length};

/// A part of a name, of a subject or of another text that a list shows, as a person types it into a filter: at most 500
/// characters. It is folded once, because a list compares every row with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextPart(String);

impl TextPart {
    /// Reads what was typed. White space around it means nothing, and an empty part is in every text.
    ///
    /// # Errors
    /// [`SearchTextError::TooLong`].
    pub fn new(typed: &str) -> Result<Self, SearchTextError> {
        check_length(typed)?;
        Ok(Self(folded(typed)))
    }

    /// The part as texts are compared ([`folded`]).
    #[must_use]
    pub fn as_folded(&self) -> &str {
        &self.0
    }

    /// Whether it leaves nothing out.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a text has it, in any case and Unicode form, with or without accents.
    #[must_use]
    pub fn is_in(&self, shown: &str) -> bool {
        folded(shown).contains(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_found_whatever_its_case_and_accents() {
        let is_in = |typed: &str, shown: &str| TextPart::new(typed).unwrap().is_in(shown);
        assert!(is_in(" NUNEZ ", "Jose\u{301} N\u{fa}\u{f1}ez"));
        assert!(is_in("jos\u{e9}   n", "Jose\u{301} N\u{fa}\u{f1}ez"));
        assert!(is_in("", "Ada") && is_in(" \u{200b}", "") && TextPart::new(" ").unwrap().is_empty());
        assert!(!is_in("nunez jose", "Jos\u{e9} N\u{fa}\u{f1}ez"));
    }

    #[test]
    fn a_part_has_500_characters_at_most() {
        assert!(TextPart::new(&"\u{fdfa}".repeat(500)).is_ok());
        assert_eq!(TextPart::new(&"a".repeat(501)), Err(SearchTextError::TooLong { characters: 501 }));
    }
}
