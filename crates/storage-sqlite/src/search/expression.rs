//! What the full-text index is asked, in its own language. Words are letters, digits and marks only, so nothing of what a
//! person types is taken for an operator.

use fieldpost_domain::search::Term;
use fieldpost_storage::SearchQuery;
use uuid::Uuid;

/// Messages that have all of these, or all but.
#[derive(Debug, Clone, Default)]
pub(super) struct Expression {
    parts: Vec<String>,
    without: Option<String>,
}

impl Expression {
    /// Messages of the query's conversation and author.
    pub(super) fn of_marks(query: &SearchQuery) -> Self {
        let conversation = query.conversation.map(|id| mark('c', id.as_uuid()));
        let sender = query.sender.map(|id| mark('p', id.as_uuid()));
        Self { parts: conversation.into_iter().chain(sender).collect(), without: None }
    }

    #[must_use]
    pub(super) fn with(mut self, terms: &[Term]) -> Self {
        self.parts.extend(terms.iter().map(|term| format!("words : {}", phrase(term))));
        self
    }

    #[must_use]
    pub(super) fn without(self, terms: &[Term]) -> Self {
        let words: Vec<_> = terms.iter().map(|term| format!("words : {}", phrase(term))).collect();
        Self { without: Some(words.join(" AND ")), ..self }
    }

    /// None if it asks nothing.
    pub(super) fn text(&self) -> Option<String> {
        let all = self.parts.join(" AND ");
        match &self.without {
            _ if self.parts.is_empty() => None,
            Some(without) => Some(format!("({all}) NOT ({without})")),
            None => Some(all),
        }
    }
}

/// As `messages_searchable` makes it.
fn mark(kind: char, id: Uuid) -> String {
    let hex = id.simple().to_string();
    format!("marks : \"{kind}{}\"", hex.get(24..).unwrap_or_default())
}

fn phrase(term: &Term) -> String {
    format!("\"{}\"{}", term.words.join(" "), if term.open { " *" } else { "" })
}
