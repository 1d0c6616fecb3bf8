//! The part of a message that a hit shows.

use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

/// How many characters before the first place, and in all.
const BEFORE: usize = 30;
const LENGTH: usize = 120;

/// A part of a text, with the places that were searched for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snippet {
    /// The part, without marks of any kind.
    pub text: String,
    /// The places in [`Snippet::text`], in bytes, in order and without overlap. They never split a character.
    pub highlights: Vec<Range<usize>>,
    /// There is more before it.
    pub cut_before: bool,
    /// There is more after it.
    pub cut_after: bool,
}

/// The part of a text around the first of these places, about 120 characters of it. `places` are in bytes, in order.
#[must_use]
pub fn snippet(text: &str, places: &[Range<usize>]) -> Snippet {
    let first = places.first().map_or(0, |place| place.start);
    let bounds: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).chain([text.len()]).collect();
    let at = bounds.partition_point(|bound| *bound <= first).saturating_sub(1);
    // Near the end the part begins earlier, so that it is no shorter than elsewhere.
    let begin = at.saturating_sub(BEFORE).min((bounds.len() - 1).saturating_sub(LENGTH));
    let end = (begin + LENGTH).min(bounds.len() - 1);
    let begin = if begin == 0 { 0 } else { at_word(text, &bounds, begin, at) };
    let (Some(from), Some(to)) = (bounds.get(begin).copied(), bounds.get(end).copied()) else {
        return Snippet::default();
    };
    let inside = places.iter().filter(|place| place.start < to && place.start >= from);
    Snippet {
        text: text.get(from..to).unwrap_or_default().to_owned(),
        highlights: inside.map(|place| place.start - from..place.end.min(to) - from).collect(),
        cut_before: from > 0,
        cut_after: to < text.len(),
    }
}

/// The beginning of a word, if there is one before the first place.
fn at_word(text: &str, bounds: &[usize], begin: usize, at: usize) -> usize {
    let is_space = |index: usize| {
        let here = bounds.get(index).and_then(|bound| text.get(*bound..));
        here.and_then(|rest| rest.chars().next()).is_some_and(char::is_whitespace)
    };
    (begin..at).find(|index| is_space(*index)).map_or(begin, |space| space + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::SearchText;
    use proptest::prelude::*;

    fn shown(text: &str, search: &str) -> Snippet {
        snippet(text, &SearchText::new(search).unwrap().places(text))
    }

    #[test]
    fn a_short_text_is_shown_whole() {
        let found = shown("Stop at gate 3", "gate");
        assert_eq!((found.text.as_str(), found.cut_before, found.cut_after), ("Stop at gate 3", false, false));
        assert_eq!((found.highlights.len(), found.highlights[0].clone()), (1, 8..12));
        assert_eq!(snippet("", &[]), Snippet::default());
    }

    #[test]
    fn a_long_text_is_cut_around_the_first_place() {
        let text = format!("{}needle {}", "hay ".repeat(100), "straw ".repeat(100));
        let found = shown(&text, "needle");
        assert!(found.cut_before && found.cut_after && found.text.starts_with("hay "), "{found:?}");
        assert_eq!(&found.text[found.highlights[0].clone()], "needle");
        let at_end = shown(&format!("{}needle", "hay ".repeat(100)), "needle");
        assert!(at_end.text.chars().count() > 100 && !at_end.cut_after, "{at_end:?}");
    }

    proptest! {
        #[test]
        fn highlights_are_characters_of_the_snippet(text in "\\PC{0,300}", wanted in "\\PC{1,3}") {
            let found = shown(&text, &wanted);
            for place in &found.highlights {
                prop_assert!(found.text.get(place.clone()).is_some_and(|part| !part.is_empty()));
            }
        }
    }
}
