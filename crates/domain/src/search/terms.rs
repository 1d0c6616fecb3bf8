//! What a person means by a search text.

use super::words::{Word, words};
use std::ops::Range;

/// Maximum length of what a person types to find something, in characters.
const LIMIT: usize = 500;

/// Why a text cannot be searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SearchTextError {
    /// Longer than 500 characters.
    #[error("a search has at most {LIMIT} characters, this one has {characters}")]
    TooLong {
        /// Its length.
        characters: usize,
    },
}

pub(super) fn check_length(text: &str) -> Result<(), SearchTextError> {
    match text.chars().count() {
        0..=LIMIT => Ok(()),
        characters => Err(SearchTextError::TooLong { characters }),
    }
}

/// Words that stand side by side in a hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The words, folded; at least one.
    pub words: Vec<String>,
    /// The last word may go on: it is being typed.
    pub open: bool,
}

/// A search text as a person types it: a hit has every word of it. Words between quotes, or joined by other signs
/// (`gate-3`), stand side by side. The last word is only the beginning of one, unless white space or a quote ends it. No
/// other sign means anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchText {
    text: String,
    terms: Vec<Term>,
}

/// How well a message fits; the best comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SearchRank {
    /// It has all words side by side.
    SideBySide,
    /// It has all words whole.
    Whole,
    /// The last word is the beginning of one of its words.
    Beginning,
}

impl SearchText {
    /// Reads a text. One without words finds nothing.
    ///
    /// # Errors
    /// [`SearchTextError::TooLong`].
    pub fn new(text: &str) -> Result<Self, SearchTextError> {
        check_length(text)?;
        let mut terms: Vec<Term> = parts(text).filter_map(Term::of).collect();
        let ends = text.chars().next_back().is_none_or(|last| last.is_whitespace() || is_quote(last));
        if let Some(last) = terms.last_mut() {
            last.open = !ends;
        }
        Ok(Self { text: text.to_owned(), terms })
    }

    /// The text as it was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What a hit has. Only the last can be open. None finds nothing.
    #[must_use]
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// The same with a last word that is whole.
    #[must_use]
    pub fn whole(&self) -> Vec<Term> {
        self.terms.iter().map(|term| Term { open: false, ..term.clone() }).collect()
    }

    /// All words side by side, the last one whole.
    #[must_use]
    pub fn side_by_side(&self) -> Term {
        Term { words: self.terms.iter().flat_map(|term| term.words.iter().cloned()).collect(), open: false }
    }

    /// How well a text fits; none if it is no hit.
    #[must_use]
    pub fn rank(&self, content: &str) -> Option<SearchRank> {
        let words = words(content);
        if !all_are_in(&self.terms, &words) {
            None
        } else if self.side_by_side().is_in(&words) {
            Some(SearchRank::SideBySide)
        } else if self.whole().iter().all(|term| term.is_in(&words)) {
            Some(SearchRank::Whole)
        } else {
            Some(SearchRank::Beginning)
        }
    }

    /// The places of all terms in a text, in bytes, in order and without overlap.
    #[must_use]
    pub fn places(&self, content: &str) -> Vec<Range<usize>> {
        let words = words(content);
        let mut places: Vec<_> = self.terms.iter().flat_map(|term| term.places(&words)).collect();
        places.sort_by_key(|place| (place.start, place.end));
        let mut apart: Vec<Range<usize>> = Vec::new();
        for place in places {
            match apart.last_mut() {
                Some(last) if place.start < last.end => last.end = last.end.max(place.end),
                _ => apart.push(place),
            }
        }
        apart
    }
}

/// Whether a text has all of these terms; no terms are in none.
#[must_use]
pub fn fits(terms: &[Term], content: &str) -> bool {
    all_are_in(terms, &words(content))
}

fn all_are_in(terms: &[Term], words: &[Word]) -> bool {
    !terms.is_empty() && terms.iter().all(|term| term.is_in(words))
}

/// The text at white space and quotes: what is between two quotes is one part.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let quoted = text.split(is_quote).enumerate();
    quoted.flat_map(|(at, part)| {
        let within = at % 2 == 1;
        let words = (!within).then(|| part.split_whitespace());
        within.then_some(part).into_iter().chain(words.into_iter().flatten())
    })
}

const fn is_quote(one: char) -> bool {
    matches!(one, '"' | '“' | '”' | '„' | '«' | '»')
}

impl Term {
    fn of(text: &str) -> Option<Self> {
        let words: Vec<_> = words(text).into_iter().map(|word| word.text).collect();
        (!words.is_empty()).then_some(Self { words, open: false })
    }

    fn is_in(&self, words: &[Word]) -> bool {
        // A term of another maker may be empty.
        !self.words.is_empty() && words.windows(self.words.len()).any(|run| self.fits(run))
    }

    fn places(&self, words: &[Word]) -> Vec<Range<usize>> {
        let runs = words.windows(self.words.len()).filter(|run| self.fits(run));
        runs.filter_map(|run| Some(run.first()?.place.start..run.last()?.place.end)).collect()
    }

    fn fits(&self, run: &[Word]) -> bool {
        let last = self.words.len() - 1;
        let mut pairs = self.words.iter().zip(run).enumerate();
        pairs.all(|(at, (wanted, word))| {
            word.text == *wanted || (self.open && at == last && word.text.starts_with(wanted.as_str()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use SearchRank::{Beginning, SideBySide, Whole};

    fn search(text: &str) -> SearchText {
        SearchText::new(text).unwrap()
    }

    #[test]
    fn a_text_means_what_a_person_expects() {
        let message = "Stop at Gate-3: the crane’s hook, NEAR the “red door”. Straße 会議室 👍🏽";
        for (text, rank) in [
            ("g", Some(Beginning)),
            ("gate", Some(SideBySide)),
            ("gat ", None),
            ("gate 3", Some(SideBySide)),
            ("3 gate", Some(Whole)),
            ("hook cra", Some(Beginning)),
            ("\"the crane\"", Some(SideBySide)),
            ("\"crane the\"", None),
            ("\"the cra", Some(Beginning)),
            ("gate-3", Some(SideBySide)),
            ("3-gate", None),
            ("crane's", Some(SideBySide)),
            ("near", Some(SideBySide)),
            ("gate AND crane", None),
            ("gate OR", None),
            ("gate*", Some(SideBySide)),
            ("^stop", Some(SideBySide)),
            ("content:gate", None),
            ("(gate)", Some(SideBySide)),
            ("STRASSE", Some(SideBySide)),
            ("議室", Some(SideBySide)),
            ("会室", None),
            ("👍", Some(SideBySide)),
            ("", None),
            ("\"\"", None),
            (" ! ", None),
        ] {
            assert_eq!(search(text).rank(message), rank, "{text:?}");
        }
    }

    #[test]
    fn places_are_in_order_and_apart() {
        let message = "Gate 3, gates, ＧＡＴＥ";
        let found: Vec<_> = search("3 gate").places(message).into_iter().map(|place| &message[place]).collect();
        assert_eq!(found, ["Gate", "3", "gates", "ＧＡＴＥ"]);
        let overlapping = search("\"gate 3\" gate").places(message);
        assert_eq!(overlapping[0], 0..6);
    }

    #[test]
    fn a_text_that_is_too_long_is_refused() {
        assert!(SearchText::new(&"ä".repeat(500)).is_ok());
        let error = SearchText::new(&"ä".repeat(501)).unwrap_err();
        assert_eq!(error, SearchTextError::TooLong { characters: 501 });
    }
}
