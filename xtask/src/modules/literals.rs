//! Handwritten SQL.

use super::source::{Place, Sources};
use proc_macro2::TokenTree;

/// The literals of a module.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Literals {
    pub(crate) module: String,
    pub(crate) count: usize,
    /// The reason that its documentation gives.
    pub(crate) reason: Option<String>,
}

/// The start of the sentence with a module's reason.
const REASON: &str = "SQL by hand: ";

/// The modules with SQL literals.
pub(crate) fn sql_literals(sources: &Sources) -> Vec<Literals> {
    let of_module = |place: &Place, tokens: &[TokenTree], docs: &[String]| Literals {
        module: place.join("::"),
        count: count(tokens),
        reason: reason(docs),
    };
    let all = sources.iter().map(|(place, module)| of_module(place, &module.tokens, &module.docs));
    all.filter(|literals| literals.count > 0).collect()
}

/// The sentence, which may span several lines.
fn reason(docs: &[String]) -> Option<String> {
    let mut lines = docs.iter().skip_while(|line| !line.starts_with(REASON)).take_while(|line| !line.is_empty());
    let first = lines.next()?.strip_prefix(REASON)?.to_owned();
    Some(lines.fold(first, |sentence, line| format!("{sentence} {line}")))
}

fn count(tokens: &[TokenTree]) -> usize {
    let of_token = |token: &TokenTree| match token {
        TokenTree::Literal(literal) => usize::from(is_sql(&literal.to_string())),
        TokenTree::Group(group) => count(&group.stream().into_iter().collect::<Vec<_>>()),
        _ => 0,
    };
    tokens.iter().map(of_token).sum()
}

/// Words that SQL contains and ordinary sentences do not.
const WORDS: [&str; 22] = [
    "SELECT ",
    "INSERT ",
    "UPDATE ",
    "DELETE ",
    "PRAGMA ",
    "VACUUM",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "WITH ",
    "FROM ",
    "WHERE ",
    "ON CONFLICT",
    "ORDER BY",
    "JOIN ",
    "EXISTS",
    "CASE ",
    "coalesce(",
    "json_each(",
    "json_array(",
    " IS NOT ",
    " IS NULL",
];

fn is_sql(literal: &str) -> bool {
    literal.contains('"') && WORDS.iter().any(|word| literal.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_counted_without_tests_and_docs_and_the_reason_is_told() {
        let text = "//! About SELECT this.\n//!\n//! SQL by hand: hot,\n//! as `apply` shows.\n\n/// UPDATE what\nconst A: &str = \"SELECT 1\";
            fn f() { run(format!(\"DELETE FROM {x}\"), \"no statement\") }
            #[cfg(test)] mod tests { const B: &str = \"SELECT 2\"; }";
        let mut sources = Sources::default();
        sources.add(vec!["a".to_owned()], text).unwrap();
        let reason = Some("hot, as `apply` shows.".to_owned());
        assert_eq!(sql_literals(&sources), [Literals { module: "a".to_owned(), count: 2, reason }]);
    }
}
