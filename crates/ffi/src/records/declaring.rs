//! Declaring tables.

use fieldpost::records::{self, ColumnName, TableName};

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum ColumnKind {
    /// Text.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// A number.
    Real,
    /// True or false.
    Bool,
    /// A moment: RFC 3339.
    Time,
    /// A day: `2026-01-31`.
    Date,
    /// Any JSON.
    Json,
    /// A UUID.
    Uuid,
    /// The id of a record of another declared table.
    Reference {
        /// The table.
        table: TableName,
    },
}

/// A column of a declared table.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Column {
    /// Its name on the device.
    pub name: ColumnName,
    /// What it holds.
    pub kind: ColumnKind,
    /// Its name on the server, if that is another one.
    #[uniffi(default = None)]
    pub server_name: Option<ColumnName>,
    /// Whether a new record needs a value.
    #[uniffi(default = false)]
    pub required: bool,
    /// Whether the device keeps an index for it.
    #[uniffi(default = false)]
    pub indexed: bool,
}

/// How urgent a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Priority {
    /// Sent at once, beside everything else.
    Immediate,
    /// The usual.
    Normal,
    /// When nothing else is left.
    Low,
}

/// Which one of two changes of a field wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum ConflictRule {
    /// The one that was made last.
    LastWriteWins,
    /// The one that reaches the server last.
    LastArrivalWins,
}

/// A declared table ([`fieldpost::records::RecordTable`]).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct RecordTable {
    /// Its name on the device.
    pub name: TableName,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its name on the server, if that is another one.
    #[uniffi(default = None)]
    pub server_name: Option<TableName>,
    /// How urgent its changes are; normal by default.
    #[uniffi(default = None)]
    pub priority: Option<Priority>,
    /// A change is immediate if this column is true after it.
    #[uniffi(default = None)]
    pub immediate_if: Option<ColumnName>,
    /// Which change wins; the last write by default.
    #[uniffi(default = None)]
    pub conflict: Option<ConflictRule>,
}

impl From<RecordTable> for records::RecordTable {
    fn from(declared: RecordTable) -> Self {
        let mut table = Self::new(declared.name);
        table.columns = declared.columns.into_iter().map(Into::into).collect();
        if let Some(name) = declared.server_name {
            table = table.on_server(name);
        }
        if let Some(priority) = declared.priority {
            table = table.priority(priority.into());
        }
        if let Some(column) = declared.immediate_if {
            table = table.immediate_if(column);
        }
        if declared.conflict == Some(ConflictRule::LastArrivalWins) {
            table.conflict = records::ConflictRule::LastArrivalWins;
        }
        table
    }
}

impl From<Column> for records::Column {
    fn from(declared: Column) -> Self {
        let mut column = Self::new(declared.name, declared.kind.into());
        column.required = declared.required;
        column.indexed = declared.indexed;
        match declared.server_name {
            Some(name) => column.on_server(name),
            None => column,
        }
    }
}

impl From<ColumnKind> for records::ColumnKind {
    fn from(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Text => Self::Text,
            ColumnKind::Integer => Self::Integer,
            ColumnKind::Real => Self::Real,
            ColumnKind::Bool => Self::Bool,
            ColumnKind::Time => Self::Time,
            ColumnKind::Date => Self::Date,
            ColumnKind::Json => Self::Json,
            ColumnKind::Uuid => Self::Uuid,
            ColumnKind::Reference { table } => Self::Reference(table),
        }
    }
}

impl From<Priority> for records::Priority {
    fn from(priority: Priority) -> Self {
        match priority {
            Priority::Immediate => Self::Immediate,
            Priority::Normal => Self::Normal,
            Priority::Low => Self::Low,
        }
    }
}

impl From<records::Priority> for Priority {
    fn from(priority: records::Priority) -> Self {
        match priority {
            records::Priority::Immediate => Self::Immediate,
            records::Priority::Normal => Self::Normal,
            records::Priority::Low => Self::Low,
        }
    }
}
