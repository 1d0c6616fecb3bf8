//! The words of a text.
//!
//! A word is a run of letters, digits and their marks. Chinese, Japanese, Thai and other scripts without spaces have a
//! word per character, so every part of a run is found. An emoji is a word, whatever its skin tone.

use super::fold::fold;
use std::{borrow::Cow, ops::Range};
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word, folded.
    pub text: String,
    /// Its place in the text, in bytes.
    pub place: Range<usize>,
}

/// The words of a text, in order.
#[must_use]
pub fn words(text: &str) -> Vec<Word> {
    if text.is_ascii() { ascii(text) } else { Cutter::default().cut(text) }
}

/// A text of the same words for a full-text index that takes runs of ASCII letters, digits and of all other characters
/// for words, and compares them without regard to case.
#[must_use]
pub fn indexed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(words(text).into_iter().map(|word| word.text).collect::<Vec<_>>().join(" "))
}

fn ascii(text: &str) -> Vec<Word> {
    let mut begins = 0;
    let mut words = Vec::new();
    for run in text.split(|one: char| !one.is_ascii_alphanumeric()) {
        if !run.is_empty() {
            words.push(Word { text: run.to_ascii_lowercase(), place: begins..begins + run.len() });
        }
        begins += run.len() + 1;
    }
    words
}

#[derive(Default)]
struct Cutter {
    words: Vec<Word>,
    /// The last word may go on.
    open: bool,
}

impl Cutter {
    fn cut(mut self, text: &str) -> Vec<Word> {
        // What a person takes for one character is folded as one: a letter with its accents, a family of emoji.
        for (begins, character) in text.grapheme_indices(true) {
            let place = begins..begins + character.len();
            let folded = fold(character);
            match folded.chars().next() {
                Some(first) if stands_alone(first) => self.alone(folded, place),
                _ => folded.chars().for_each(|one| self.letter(one, &place)),
            }
        }
        self.words
    }

    fn alone(&mut self, text: String, place: Range<usize>) {
        self.words.push(Word { text, place });
        self.open = false;
    }

    fn letter(&mut self, one: char, place: &Range<usize>) {
        let follows = is_combining_mark(one) && self.open;
        if !one.is_alphanumeric() && !follows {
            self.open = false;
        } else if let Some(word) = self.words.last_mut().filter(|_| self.open) {
            word.text.push(one);
            word.place.end = place.end;
        } else {
            self.words.push(Word { text: one.to_string(), place: place.clone() });
            self.open = true;
        }
    }
}

/// Characters that are words by themselves.
const fn stands_alone(one: char) -> bool {
    let without_spaces = matches!(
        one,
        '\u{E00}'..='\u{EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{3005}'..='\u{3007}'
            | '\u{3041}'..='\u{312F}' | '\u{31A0}'..='\u{31BF}' | '\u{31F0}'..='\u{31FF}' | '\u{3400}'..='\u{4DBF}'
            | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}'
    );
    let symbol = matches!(
        one,
        '\u{2190}'..='\u{21FF}' | '\u{2300}'..='\u{23FF}' | '\u{25A0}'..='\u{27BF}' | '\u{2900}'..='\u{297F}'
            | '\u{2B00}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FBFF}'
    );
    without_spaces || symbol
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(text: &str) -> Vec<(String, &str)> {
        words(text).into_iter().map(|word| (word.text, &text[word.place])).collect()
    }

    #[test]
    fn words_are_folded_and_know_their_place() {
        for (text, found) in [
            ("Don't stop, GATE-3!", vec![("don", "Don"), ("t", "t"), ("stop", "stop"), ("gate", "GATE"), ("3", "3")]),
            ("Große Zoe\u{308}", vec![("grosse", "Große"), ("zoe", "Zoe\u{308}")]),
            ("会議は3時", vec![("会", "会"), ("議", "議"), ("は", "は"), ("3", "3"), ("時", "時")]),
            ("ok👍🏽👍", vec![("ok", "ok"), ("👍", "👍🏽"), ("👍", "👍")]),
            ("हिन्दी में", vec![("हिन्दी", "हिन्दी"), ("में", "में")]),
            ("캘린더 앱", vec![("캘린더", "캘린더"), ("앱", "앱")]),
            ("½", vec![("1", "½"), ("2", "½")]),
            ("\u{200b} … — ❜", vec![("❜", "❜")]),
        ] {
            let found: Vec<_> = found.into_iter().map(|(word, place)| (word.to_owned(), place)).collect();
            assert_eq!(cut(text), found, "{text:?}");
        }
    }

    proptest! {
        /// The index cuts the text that it gets into the words of the message.
        #[test]
        fn the_index_gets_the_same_words(text in "\\PC{0,60}") {
            let by_index = |text: &str| -> Vec<String> {
                let is_word = |one: char| one.is_ascii_alphanumeric() || !one.is_ascii();
                text.split(|one| !is_word(one)).filter(|run| !run.is_empty()).map(str::to_ascii_lowercase).collect()
            };
            let own: Vec<_> = words(&text).into_iter().map(|word| word.text).collect();
            prop_assert_eq!(by_index(&indexed(&text)), own);
        }

        #[test]
        fn places_are_characters_of_the_text(text in "\\PC{0,60}") {
            for word in words(&text) {
                prop_assert!(text.get(word.place).is_some_and(|part| !part.is_empty()));
            }
        }
    }
}
