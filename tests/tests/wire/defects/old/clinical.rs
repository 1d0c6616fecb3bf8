//! How the old app updated a clinical record (defect 13).

use super::Minutes;

/// A row of a clinical table: its text, and the time by which the old app compared.
#[derive(Debug, Clone)]
pub(crate) struct OldRecord {
    pub(crate) text: &'static str,
    pub(crate) updated_at: Minutes,
}

/// An update after its first request, which read the row.
#[derive(Debug)]
pub(crate) struct OldUpdate {
    text: &'static str,
    at: Minutes,
    is_newer: bool,
}

impl OldUpdate {
    /// Reads the row, and compares on the phone.
    pub(crate) fn read(text: &'static str, at: Minutes, row: &OldRecord) -> Self {
        Self { text, at, is_newer: row.updated_at < at }
    }

    /// Writes it, whatever the row is by now.
    pub(crate) fn write(self, row: &mut OldRecord) {
        if self.is_newer {
            *row = OldRecord { text: self.text, updated_at: self.at };
        }
    }
}
