//! The server cuts and folds texts with tables of its own (`migrations/supabase/1660_search_words.sql`). They are made here,
//! from what this crate does to each character. `FIELDPOST_WRITE_WORDS=1 cargo test -p fieldpost-domain --test server_words`
//! writes them into the file.
//!
//! The server works on texts in form NFKD, so only characters that this form leaves as they are have a line. Where it cannot
//! know what the device knows (what a person takes for one character), it cuts into smaller words, and finds more. The client
//! leaves out what does not fit.

use fieldpost_domain::search::{folded, words};
use std::{env, fmt::Write as _, fs, path::PathBuf};
use unicode_normalization::UnicodeNormalization as _;

/// What becomes of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// It is left out, and the word goes on.
    Stripped,
    /// It ends a word.
    Between,
    /// It is a word.
    Alone,
    /// It is part of a word.
    Letter,
    /// It is part of a word that has begun.
    Mark,
    /// No text in this form has it.
    Never,
}

fn class(one: char) -> Class {
    if one.nfkd().ne([one]) {
        return Class::Never;
    }
    let cut = |text: String| words(&text).into_iter().map(|word| word.text).collect::<Vec<_>>();
    let inside = cut(format!("a{one}b"));
    match inside.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["ab"] => Class::Stripped,
        ["a", "b"] => Class::Between,
        [_] if cut(format!("-{one}b")) == ["b"] => Class::Mark,
        [_] => Class::Letter,
        _ => Class::Alone,
    }
}

/// Every character above ASCII that Unicode has given a meaning. The first 128 are known to everybody. Ideographs and
/// Korean syllables are all alike, so of those the first and the last will do.
fn characters() -> impl Iterator<Item = char> {
    let is_alike = |one: &char| matches!(one, '\u{3401}'..='\u{4DBE}' | '\u{4E01}'..='\u{9FFE}' | '\u{AC01}'..='\u{D7A2}' | '\u{20001}'..='\u{323AE}');
    ('\u{80}'..='\u{323AF}').chain('\u{E0000}'..='\u{E0FFF}').filter(move |one| !is_alike(one))
}

fn classes() -> Vec<(char, Class)> {
    characters().map(|one| (one, class(one))).collect()
}

/// The ranges of some classes, as the inner part of a bracket expression.
fn ranges(classes: &[(char, Class)], wanted: Class) -> String {
    let mut ranges: Vec<(char, char)> = Vec::new();
    let mut goes_on = false;
    for (one, class) in classes.iter().filter(|(_, class)| *class != Class::Never) {
        match ranges.last_mut() {
            Some(last) if *class == wanted && goes_on => last.1 = *one,
            _ if *class == wanted => ranges.push((*one, *one)),
            _ => {}
        }
        goes_on = *class == wanted;
    }
    ranges.iter().fold(String::new(), |mut text, (from, to)| {
        let end = if from == to { String::new() } else { format!("-{}", escaped(*to)) };
        let _ = write!(text, "{}{end}", escaped(*from));
        text
    })
}

fn escaped(one: char) -> String {
    let code = u32::from(one);
    match code {
        0..0x80 => one.to_string(),
        0x80..0x1_0000 => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    }
}

/// What characters become: by one character, and by several.
type Foldings = (Vec<(char, char)>, Vec<(char, String)>);

fn foldings(classes: &[(char, Class)]) -> Foldings {
    let (mut single, mut several) = (Vec::new(), Vec::new());
    for (one, _) in classes.iter().filter(|(_, class)| matches!(class, Class::Letter | Class::Mark | Class::Alone)) {
        let becomes: String = folded(&one.to_string()).nfkd().collect();
        let mut letters = becomes.chars();
        match (letters.next(), letters.next()) {
            (Some(first), None) if first != *one => single.push((*one, first)),
            (Some(_), Some(_)) => several.push((*one, becomes)),
            _ => {}
        }
    }
    (single, several)
}

fn tables() -> String {
    let classes = classes();
    let (single, several) = foldings(&classes);
    let text = |chars: &mut dyn Iterator<Item = char>| chars.map(escaped).collect::<String>();
    let mut sql = String::new();
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(sql, "  {name} constant text := E'{value}';");
    };
    line("c_left_out", &ranges(&classes, Class::Stripped));
    line("c_alone", &ranges(&classes, Class::Alone));
    line("c_letters", &ranges(&classes, Class::Letter));
    line("c_marks", &ranges(&classes, Class::Mark));
    // In parts, because PostgreSQL looks for each character from the beginning.
    for (name, part) in [("latin", '\u{80}'..'\u{250}'), ("near", '\u{250}'..'\u{530}'), ("far", '\u{530}'..char::MAX)]
    {
        let inside = || single.iter().filter(|(from, _)| part.contains(from));
        line(&format!("c_{name}_from"), &text(&mut inside().map(|(from, _)| *from)));
        line(&format!("c_{name}_to"), &text(&mut inside().map(|(_, to)| *to)));
    }
    line("c_several", &text(&mut several.iter().map(|(from, _)| *from)));
    for (one, becomes) in several {
        line(&format!("c_{:04x}", u32::from(one)), &text(&mut becomes.chars()));
    }
    sql
}

#[test]
fn the_servers_tables_are_these() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../migrations/supabase/1660_search_words.sql");
    let stored = fs::read_to_string(&file).unwrap();
    let (begin, end) = ("  -- tables\n", "  -- end of tables\n");
    let (before, rest) = stored.split_once(begin).unwrap();
    let (there, after) = rest.split_once(end).unwrap();
    let made = tables();
    if env::var_os("FIELDPOST_WRITE_WORDS").is_some() {
        fs::write(&file, format!("{before}{begin}{made}{end}{after}")).unwrap();
        return;
    }
    assert!(there == made, "the tables of the server are not those of this crate; FIELDPOST_WRITE_WORDS=1 writes them");
}

#[test]
fn what_is_folded_stays_when_it_is_folded_again() {
    for one in characters() {
        let once = folded(&one.to_string());
        assert_eq!(folded(&once), once, "{one:?} ({:x})", u32::from(one));
    }
}
