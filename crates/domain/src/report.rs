//! Reports: what people tell the admins of their org about a message.

use crate::{
    Continuation, ConversationId, MessageId, OrgId, Person, PersonId, ReportId, Time, content::is_blank,
    open_enum::open_enum,
};
use serde::{Deserialize, Serialize};

/// The most characters of a note. The server has the same limit.
pub const REPORT_NOTE_CHARS: usize = 1000;

/// The most bytes of a reason. The server has the same limit.
pub const REPORT_REASON_BYTES: usize = 64;

open_enum!(
    /// Why somebody reports a message (listed in docs/protocol.md).
    #[non_exhaustive]
    ReportReason {
        /// Advertising, or the same again and again.
        Spam => "spam",
        /// It attacks or threatens somebody.
        Harassment => "harassment",
        /// It does not belong here.
        Inappropriate => "inappropriate",
        /// Something else, which the note says.
        Other => "other",
    }
);

/// Why a message cannot be reported with these words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// Longer than [`REPORT_NOTE_CHARS`].
    #[error("the note of a report has at most {REPORT_NOTE_CHARS} characters, this one has {characters}")]
    NoteTooLong {
        /// Its length after trimming.
        characters: usize,
    },
    /// PostgreSQL cannot store U+0000: one such note would make the server reject a whole batch.
    #[error("the note of a report cannot contain the character U+0000")]
    Nul,
    /// A reason of an app's own that is empty, longer than [`REPORT_REASON_BYTES`], or no single word.
    #[error("a reason is one word of at most {REPORT_REASON_BYTES} bytes, such as `spam`")]
    Reason,
}

/// What the reporter adds in words: trimmed, 1 to [`REPORT_NOTE_CHARS`] characters, no U+0000.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReportNote(String);

impl ReportNote {
    /// Trims the text and checks the rest. A text that shows nothing is no note.
    ///
    /// # Errors
    /// [`ReportError`] says which rule is broken.
    pub fn new(text: &str) -> Result<Option<Self>, ReportError> {
        let text = text.trim();
        let characters = text.chars().count();
        if is_blank(text) {
            Ok(None)
        } else if text.contains('\0') {
            Err(ReportError::Nul)
        } else if characters > REPORT_NOTE_CHARS {
            Err(ReportError::NoteTooLong { characters })
        } else {
            Ok(Some(Self(text.to_owned())))
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ReportReason {
    /// Whether a server takes it: one word of at most [`REPORT_REASON_BYTES`] bytes, also one that this version does not
    /// know.
    #[must_use]
    pub fn is_sendable(&self) -> bool {
        let text = self.as_str();
        let odd = |character: char| character.is_control() || character.is_whitespace();
        !text.is_empty() && text.len() <= REPORT_REASON_BYTES && !text.chars().any(odd)
    }
}

/// One person's report of a message, as the admins of the org see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageReport {
    /// The report.
    pub id: ReportId,
    /// The message. It may have been deleted since.
    pub message_id: MessageId,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// The org.
    pub org_id: OrgId,
    /// Who wrote the message.
    pub sender_id: PersonId,
    /// Who reports it.
    pub reporter_id: PersonId,
    /// Why.
    pub reason: ReportReason,
    /// What the reporter adds.
    pub note: Option<String>,
    /// The text of the message when it was first reported. An edit or a deletion after that does not change it. None if
    /// the message had none, or was deleted already.
    pub content: Option<String>,
    /// When it was reported, the last time, by the server's clock.
    pub reported_at: Time,
    /// When an admin has dealt with it; none while it is open.
    pub resolved_at: Option<Time>,
    /// The admin.
    pub resolved_by: Option<PersonId>,
}

/// Some reports, the open ones first, and of these the newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportPage {
    /// The reports.
    pub reports: Vec<MessageReport>,
    /// The people that they name, as far as the server knows them.
    pub people: Vec<Person>,
    /// Where to continue; none on the last page.
    pub next: Option<Continuation>,
}

impl ReportPage {
    /// The name of somebody whom a report names, where it is known.
    #[must_use]
    pub fn name_of(&self, person: PersonId) -> Option<String> {
        self.people.iter().find(|known| known.id == person).map(Person::display_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_trimmed_short_and_none_if_it_shows_nothing() {
        for blank in ["", " \n", "\u{200b}"] {
            assert_eq!(ReportNote::new(blank), Ok(None), "{blank:?}");
        }
        assert_eq!(ReportNote::new(" rude\n").unwrap().unwrap().as_str(), "rude");
        assert!(ReportNote::new(&"ä".repeat(1000)).is_ok());
        assert_eq!(ReportNote::new(&"ä".repeat(1001)), Err(ReportError::NoteTooLong { characters: 1001 }));
        assert_eq!(ReportNote::new("a\0b"), Err(ReportError::Nul));
    }

    #[test]
    fn a_reason_that_this_version_does_not_know_is_kept_and_is_one_word() {
        let own = ReportReason::from("self_harm");
        assert_eq!((own.as_str(), own.is_sendable()), ("self_harm", true));
        for odd in ["", "a b", "a\0", &"x".repeat(65)] {
            assert!(!ReportReason::from(odd).is_sendable(), "{odd:?}");
        }
    }
}
