//! Search by words, the same on every store: how texts are folded and cut into words, what a search text means, and
//! which part of a message a hit shows.

mod fold;
mod part;
mod snippet;
mod terms;
mod words;

pub use fold::folded;
pub use part::TextPart;
pub use snippet::{Snippet, snippet};
pub use terms::{SearchRank, SearchText, SearchTextError, Term, fits};
pub use words::{Word, indexed, words};
