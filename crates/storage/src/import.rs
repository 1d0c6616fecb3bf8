//! The account of what came over from the app that Fieldpost replaces.

use fieldpost_domain::Time;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What became of a row, or of a value in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ImportOutcome {
    /// The row did not come over, as it should be: it was deleted, or is another one once more.
    Left,
    /// The row could not come over. Its content is kept in the file.
    KeptAside,
    /// The row came over, and something in it was changed. What was there is kept if it can mean anything.
    Changed,
    /// The row came over, and cannot be sent as it is: it waits for a person's decision.
    Refused,
}

/// What came over from a file of the older app, and what could not, and why. The file keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImportReport {
    /// When.
    pub imported_at: Time,
    /// The version that the older file had.
    pub app_version: u32,
    /// When the older app had synced last, by the phone's clock.
    pub last_sync_at: Option<Time>,
    /// What waited for the server right after the import.
    pub queued: ImportedQueue,
    /// How many rows of each table came over.
    pub tables: Vec<ImportedTable>,
    /// What there is to say of single rows, summed up.
    pub notes: Vec<ImportNote>,
    /// Queue items that are none of Fieldpost's business, such as photo uploads. The app has to take them over.
    pub carried: Vec<ImportedItems>,
    /// Tables and columns that Fieldpost does not know. They stay in the file.
    pub set_aside: Vec<SetAside>,
    /// Indexes, views and triggers of the older app, which left.
    pub dropped: Vec<DroppedObject>,
    /// What was odd about the file as a whole, in sentences.
    pub file: Vec<String>,
    /// The names of what the older app kept beside its tables. It stays in the file, in the table `local_storage`.
    pub local_storage: Vec<String>,
}

/// What waited for the server right after an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImportedQueue {
    /// Messages.
    pub messages: u64,
    /// Messages that cannot be sent as they are.
    pub refused: u64,
    /// Conversations that are to be opened on the server.
    pub conversations: u64,
    /// Changes of records.
    pub changes: u64,
    /// Those of them that go first.
    pub immediate: u64,
    /// Entries of the audit log.
    pub audit: u64,
}

/// How the rows of a table came over. `rows` is the sum of the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImportedTable {
    /// Its name in the older file.
    pub table: String,
    /// The rows that it had there.
    pub rows: u64,
    /// Those that came over.
    pub came: u64,
    /// Those that did not, as it should be ([`ImportOutcome::Left`]).
    pub left: u64,
    /// Those that could not ([`ImportOutcome::KeptAside`]).
    pub kept_aside: u64,
}

/// What there is to say of some rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImportNote {
    /// Their table.
    pub table: String,
    /// The column that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What became of them.
    pub outcome: ImportOutcome,
    /// Why, in words.
    pub reason: String,
    /// How many.
    pub rows: u64,
    /// The ids of the first of them, as the older app called them. The table `import_report` of the file has all whose
    /// content is kept.
    pub ids: Vec<String>,
}

/// Queue items that are carried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImportedItems {
    /// The table that they name.
    pub table: String,
    /// How many.
    pub items: u64,
    /// The ids of the first of them.
    pub ids: Vec<String>,
}

/// A table, or columns, that Fieldpost does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SetAside {
    /// What it was called.
    pub name: String,
    /// The table in which it is now.
    pub kept_as: String,
    /// How many rows it has.
    pub rows: u64,
}

/// Something of the older schema that left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DroppedObject {
    /// "index", "view" or "trigger".
    pub kind: String,
    /// Its name.
    pub name: String,
    /// How it was made.
    pub sql: String,
}

impl ImportReport {
    /// All rows, and those that came over.
    #[must_use]
    pub fn rows(&self) -> (u64, u64) {
        self.tables.iter().fold((0, 0), |(rows, came), table| (rows + table.rows, came + table.came))
    }

    /// Rows that could not come over; their content is kept in the file.
    #[must_use]
    pub fn kept_aside(&self) -> u64 {
        self.tables.iter().map(|table| table.kept_aside).sum()
    }
}

impl fmt::Display for ImportOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Left => "left out",
            Self::KeptAside => "kept aside",
            Self::Changed => "changed",
            Self::Refused => "needs a decision",
        })
    }
}
