//! Text of others on a person's terminal: it steers nothing, it keeps to its line, and it fits.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Shown in place of a character that would steer the terminal.
const STEERING: char = '\u{FFFD}';

/// Shown where a text was cut.
const CUT: &str = "…";

/// The columns of an output that is no terminal. A program takes `--json`, which cuts nothing.
const ELSEWHERE: usize = 120;

/// The text without characters that steer a terminal: escapes and other controls (C0 and C1) and those that turn the
/// direction of what follows. Line breaks stay, because our own texts have several lines; see [`one_line`].
pub(crate) fn harmless(text: &str) -> String {
    text.chars().filter_map(shown).collect()
}

/// One line: without line breaks, and harmless.
pub(crate) fn one_line(text: &str) -> String {
    harmless(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn shown(character: char) -> Option<char> {
    match character {
        '\n' => Some(character),
        '\t' => Some(' '),
        // Marks of direction are part of ordinary Arabic and Hebrew, and show nothing themselves.
        '\u{061C}' | '\u{200E}' | '\u{200F}' => None,
        // Embeddings, overrides and isolates; separators of lines and paragraphs.
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' => Some(STEERING),
        control if control.is_control() => Some(STEERING),
        other => Some(other),
    }
}

/// How many columns a line may have.
pub(crate) fn width() -> usize {
    let columns = || std::env::var("COLUMNS").ok()?.parse().ok().filter(|columns| *columns > 0);
    let (_, terminal) = console::Term::stdout().size_checked().unzip();
    terminal.map(usize::from).filter(|columns| *columns > 0).or_else(columns).unwrap_or(ELSEWHERE)
}

/// The line, cut at `columns`. Never splits what a reader sees as one character.
pub(crate) fn cut(line: &str, columns: usize) -> String {
    if line.width() <= columns {
        return line.to_owned();
    }
    let room = columns.saturating_sub(CUT.width());
    let mut kept = String::new();
    let mut used = 0;
    for cluster in line.graphemes(true) {
        used += cluster.width();
        if used > room {
            break;
        }
        kept.push_str(cluster);
    }
    kept.truncate(kept.trim_end().len());
    kept + CUT
}

/// The longest text in a column.
const COLUMN: usize = 40;

/// The text in a column of its own, filled up to `columns`. A longer one moves what follows.
pub(crate) fn column(text: &str, columns: usize) -> String {
    let text = cut(&one_line(text), COLUMN.max(columns));
    let missing = columns.saturating_sub(text.width());
    text + &" ".repeat(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_steers_the_terminal() {
        for (text, line) in [
            ("hi\u{1b}[2J\u{1b}]0;X\u{7}", "hi\u{FFFD}[2J\u{FFFD}]0;X\u{FFFD}"),
            ("\u{1b}]52;c;cm0=\u{1b}\\", "\u{FFFD}]52;c;cm0=\u{FFFD}\\"),
            ("\u{9b}2J\u{90}q\u{9d}0;X\u{9c}", "\u{FFFD}2J\u{FFFD}q\u{FFFD}0;X\u{FFFD}"),
            ("denied\u{202e}\u{2066} approved", "denied\u{FFFD}\u{FFFD} approved"),
            ("Ada\r\nfieldpost: all is well", "Ada fieldpost: all is well"),
            ("Ada\u{2028}Ben\u{2029}Cy\u{85}Di\u{b}Ed\u{c}Flo\tGus", "Ada Ben Cy Di Ed Flo Gus"),
            ("a\u{8}\u{7f}\u{0}b", "a\u{FFFD}\u{FFFD}\u{FFFD}b"),
            ("\u{200f}שלום\u{200e} 👩‍👩‍👧", "שלום 👩‍👩‍👧"),
        ] {
            assert_eq!(one_line(text), line, "{text:?}");
        }
        assert_eq!(harmless("two\nlines\r"), "two\nlines\u{FFFD}");
    }

    #[test]
    fn a_line_is_cut_by_columns_and_between_characters() {
        for (text, columns, shown) in [
            ("hello", 5, "hello"),
            ("hello!", 5, "hell…"),
            ("hell o", 6, "hell o"),
            ("hell no", 6, "hell…"),
            ("漢字漢字", 8, "漢字漢字"),
            ("漢字漢字", 7, "漢字漢…"),
            ("漢字漢字", 6, "漢字…"),
            ("ab👩‍👩‍👧cd", 4, "ab…"),
            ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
        ] {
            assert_eq!(cut(text, columns), shown, "{text} at {columns}");
        }
        assert_eq!(column("漢", 4), "漢  ");
        assert_eq!(column("too long", 4), "too long");
        assert_eq!(column(&"x".repeat(50), 4), "x".repeat(39) + "…");
    }
}
