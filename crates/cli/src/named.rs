//! What a person means by a name: all of it or a part of it, in any case and any Unicode form, with or
//! without accents, or an id or a part of one.

use crate::{
    failure::Failure,
    terminal::{column, one_line},
};
use fieldpost::domain::search::folded;

/// Fewer characters of an id are likely an accident.
const ID_PART: usize = 4;

/// How many matches are listed when there are several.
const LISTED: usize = 10;

/// Something that has a name and an id.
pub(crate) struct Candidate<T> {
    pub(crate) what: T,
    pub(crate) name: String,
    /// The first is shown; each of them is accepted.
    pub(crate) ids: Vec<String>,
}

/// A kind of things, for messages.
pub(crate) struct Kind {
    pub(crate) one: &'static str,
    pub(crate) several: &'static str,
    /// The command that lists them.
    pub(crate) listed_by: &'static str,
}

/// The only candidate that is meant. A whole name or id counts more than a part of one.
pub(crate) fn find<T>(all: Vec<Candidate<T>>, wanted: &str, kind: &Kind) -> Result<T, Failure> {
    let wanted = Wanted::new(wanted);
    let best = all.iter().filter_map(|candidate| wanted.rank(candidate)).min();
    let mut found: Vec<_> =
        all.into_iter().filter(|candidate| best.is_some() && wanted.rank(candidate) == best).collect();
    match (found.pop(), found.is_empty()) {
        (Some(only), true) => Ok(only.what),
        (Some(last), false) => {
            found.push(last);
            Err(Failure::usage(several(&found, &wanted.text, kind)))
        }
        (None, _) => Err(Failure::error(format!(
            "there is no {} {:?} on this device; sync first, or list with `fieldpost {}`",
            kind.one,
            one_line(&wanted.text),
            kind.listed_by
        ))),
    }
}

/// How well a candidate fits; the best comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Whole,
    Part,
}

struct Wanted {
    text: String,
    id: String,
    name: String,
}

impl Wanted {
    fn new(text: &str) -> Self {
        Self { text: text.to_owned(), id: text.trim().to_lowercase(), name: folded(text) }
    }

    fn rank<T>(&self, candidate: &Candidate<T>) -> Option<Rank> {
        let name = folded(&candidate.name);
        if !self.name.is_empty() && (name == self.name || candidate.ids.contains(&self.id)) {
            return Some(Rank::Whole);
        }
        let in_id = self.id.len() >= ID_PART && candidate.ids.iter().any(|id| id.contains(&self.id));
        let in_name = !self.name.is_empty() && name.contains(&self.name);
        (in_id || in_name).then_some(Rank::Part)
    }
}

fn several<T>(found: &[Candidate<T>], wanted: &str, kind: &Kind) -> String {
    let mut lines =
        vec![format!("{:?} names {} {}; say more of the name, or an id:", one_line(wanted), found.len(), kind.several)];
    let listed = found.iter().take(LISTED);
    let line = |candidate: &Candidate<T>| {
        let id = candidate.ids.first().map_or("", String::as_str);
        format!("  {id}  {}", column(&candidate.name, 0))
    };
    lines.extend(listed.map(line));
    if found.len() > LISTED {
        lines.push(format!("  … and {} more", found.len() - LISTED));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEDICS: Kind = Kind { one: "medic", several: "medics", listed_by: "people" };

    fn all() -> Vec<Candidate<usize>> {
        let names = [
            "Ben",
            "Ben Okafor",
            "Zoë Müller",
            "José Straße",
            "캘린더",
            "Ada\nMoss",
            "\u{202e}Eve\u{200b}lyn",
            "Ὀδυσσεύς",
        ];
        let id = |index: usize| format!("0198c0de-0000-7000-8000-00000000000{index}");
        names
            .iter()
            .enumerate()
            .map(|(index, name)| Candidate { what: index, name: (*name).to_owned(), ids: vec![id(index)] })
            .collect()
    }

    #[test]
    fn a_name_is_found_by_a_part_in_any_case_and_any_form() {
        for (wanted, found) in [
            ("ben", 0),
            ("okafor", 1),
            ("BEN  OKAFOR", 1),
            ("Zoe\u{308} Mu\u{308}ller", 2),
            ("ZOË", 2),
            ("zoe mul", 2),
            ("strasse", 3),
            ("STRASSE", 3),
            ("\u{110f}\u{1162}\u{11af}\u{1105}\u{1175}\u{11ab}\u{1103}\u{1165}", 4),
            ("ada moss", 5),
            ("evelyn", 6),
            ("ὀδυσσεύσ", 7),
            ("000000000002", 2),
        ] {
            assert_eq!(find(all(), wanted, &MEDICS).unwrap(), found, "{wanted:?}");
        }
    }

    #[test]
    fn what_names_nothing_and_what_names_several_is_said() {
        for (wanted, says) in [
            ("nobody", "there is no medic \"nobody\""),
            ("", "there is no medic \"\""),
            ("\u{200b}", "there is no medic"),
            ("002", "there is no medic"),
            ("o", "\"o\" names 4 medics"),
            ("0198c0de", "names 8 medics"),
            ("e", "0198c0de-0000-7000-8000-000000000001  Ben Okafor\n"),
            ("e", "�Eve"),
        ] {
            let said = find(all(), wanted, &MEDICS).unwrap_err().to_string();
            assert!(said.contains(says), "{wanted:?}: {said}");
        }
        let many = (0..12).map(|index| Candidate {
            what: index,
            name: format!("Medic {index}"),
            ids: vec![index.to_string()],
        });
        let said = find(many.collect(), "medic", &MEDICS).unwrap_err().to_string();
        assert!(said.contains("names 12 medics") && said.ends_with("\n  … and 2 more"), "{said}");
    }
}
