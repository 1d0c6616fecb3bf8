//! What a row carries in place of a field above its limit.

use crate::open_enum::open_enum;
use serde::{Deserialize, Serialize};

open_enum!(
    /// Which limit a row exceeds.
    OmittedReason {
        /// The text is longer than allowed.
        ContentTooLong => "content_too_long",
        /// The metadata is larger than allowed.
        MetadataTooLarge => "metadata_too_large",
        /// The metadata is nested deeper than allowed.
        MetadataTooDeep => "metadata_too_deep",
        /// The subject is longer than allowed.
        SubjectTooLong => "subject_too_long",
        /// Not from the server: the metadata has a value that this device cannot represent, such as the number 1e400.
        MetadataUnreadable => "metadata_unreadable",
    }
);

/// A row above a limit is sent without the oversized fields. Its author, time and place are still there, so order and
/// unread counts agree on all devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Omitted {
    /// The limit that it exceeds.
    pub reason: OmittedReason,
    /// The size of the omitted field, in bytes.
    pub bytes: u64,
}

impl Omitted {
    /// The text to show in its place: `message omitted: too large (34 MB)`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let what = match self.reason {
            OmittedReason::SubjectTooLong => "subject",
            _ => "message",
        };
        let why = match self.reason {
            OmittedReason::MetadataTooDeep => "nested too deep",
            OmittedReason::MetadataUnreadable => "cannot be read here",
            OmittedReason::ContentTooLong | OmittedReason::SubjectTooLong => "too long",
            OmittedReason::MetadataTooLarge => "too large",
            OmittedReason::Unknown(_) => "left out by the server",
        };
        format!("{what} omitted: {why} ({})", size(self.bytes))
    }
}

/// The size in a readable unit.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_reads_what_was_left_out_and_how_large_it_was() {
        let said = |reason: &str, bytes| Omitted { reason: reason.into(), bytes }.sentence();
        assert_eq!(said("metadata_too_large", 34_000_012), "message omitted: too large (34 MB)");
        assert_eq!(said("metadata_too_deep", 18_000), "message omitted: nested too deep (18 kB)");
        assert_eq!(said("subject_too_long", 501), "subject omitted: too long (501 B)");
        assert_eq!(said("a_new_reason", 1), "message omitted: left out by the server (1 B)");
    }

    #[test]
    fn a_reason_of_a_newer_server_survives_a_round_trip() {
        let json = r#"{"reason":"a_new_reason","bytes":7}"#;
        let omitted: Omitted = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&omitted).unwrap(), json);
    }
}
