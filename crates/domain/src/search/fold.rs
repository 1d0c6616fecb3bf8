//! Texts as they are compared: in one Unicode form and one case, without diacritics and without what nobody sees.

use crate::content::is_invisible;
use unicode_normalization::UnicodeNormalization;

/// A name as it is compared; white space becomes one space.
#[must_use]
pub fn folded(name: &str) -> String {
    let seen: String = name.chars().filter(|one| one.is_whitespace() || !one.is_control()).collect();
    fold(&seen).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Folds a text. NFKD first, because it also makes one letter of full-width and ligature forms. Upper case comes before
/// lower case, because ß, final sigma and the dotless i have their partners only there.
pub(super) fn fold(text: &str) -> String {
    let bare = text.nfkd().filter(|one| !is_invisible(*one) && !is_diacritic(*one) && !is_skin_tone(*one));
    let mut folded = String::with_capacity(text.len());
    for one in bare.flat_map(char::to_uppercase).flat_map(char::to_lowercase) {
        match plain(one) {
            Some(letters) => folded.push_str(letters),
            None => folded.push(one),
        }
    }
    // Marks that are kept, and the parts of Korean syllables, join their letters again.
    folded.nfkc().collect()
}

/// Marks that people leave out when they type: accents of Latin, Greek and Cyrillic, vowel marks of Hebrew and Arabic.
/// Marks of other scripts are letters in all but name, and stay.
const fn is_diacritic(one: char) -> bool {
    matches!(
        one,
        '\u{300}'..='\u{36F}' | '\u{591}'..='\u{5BD}' | '\u{5BF}' | '\u{5C1}'..='\u{5C2}' | '\u{5C4}'..='\u{5C5}' | '\u{5C7}'
            | '\u{640}' | '\u{64B}'..='\u{65F}' | '\u{670}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}'
            | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}'
    )
}

const fn is_skin_tone(one: char) -> bool {
    matches!(one, '\u{1F3FB}'..='\u{1F3FF}')
}

/// Letters that Unicode does not take apart, and people type as others.
const fn plain(one: char) -> Option<&'static str> {
    Some(match one {
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'þ' => "th",
        'æ' => "ae",
        'œ' => "oe",
        // The capital one has no capital.
        'ß' => "ss",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_one_text_are_folded_to_the_same() {
        for (forms, same) in [
            (["Zoë", "ZOE\u{308}", "zoe"], "zoe"),
            (["Straße", "STRASSE", "STRAẞE"], "strasse"),
            (["İstanbul", "ıstanbul", "ISTANBUL"], "istanbul"),
            (["ｆｉｌｌ", "ﬁ\u{200b}ll", "FILL"], "fill"),
            (["Ὀδυσσεύς", "ΟΔΥΣΣΕΥΣ", "οδυσσευσ"], "οδυσσευσ"),
            (["캘린더", "\u{110f}\u{1162}\u{11af}\u{1105}\u{1175}\u{11ab}\u{1103}\u{1165}", "캘린더"], "캘린더"),
            (["ガギ", "カ\u{3099}キ\u{3099}", "ｶﾞｷﾞ"], "ガギ"),
            (["Łódź", "LODZ", "łódz"], "lodz"),
            (["  Ada\n\u{202e} Moss ", "ADA MOSS", "ada moss"], "ada moss"),
        ] {
            for form in forms {
                assert_eq!(folded(form), same, "{form:?}");
            }
        }
    }

    #[test]
    fn marks_that_are_letters_stay() {
        assert_eq!(folded("हिन्दी"), "हिन्दी");
        assert_ne!(folded("が"), folded("か"));
    }
}
