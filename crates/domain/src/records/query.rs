//! What an app asks of its records.

use super::{ColumnKind, ColumnName, FieldError, Fields, Record, RecordTable, TableName};
use serde_json::Value;

/// How a value is compared with a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Equal. Null equals null.
    Is,
    /// Not equal.
    IsNot,
    /// Below; a column without a value is not.
    Below,
    /// At most.
    AtMost,
    /// Above.
    Above,
    /// At least.
    AtLeast,
    /// The text contains this one, without regard to the case of ASCII letters.
    Contains,
}

/// One condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// The column: a declared one, or `id`, `org_id`, `created_at`, `modified_at`.
    pub column: ColumnName,
    /// The comparison.
    pub comparison: Comparison,
    /// The value, of the column's kind. Columns of JSON can only be compared with null.
    pub value: Value,
}

/// The order of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The column, as in [`Filter::column`].
    pub column: ColumnName,
    /// The largest first. Records without a value come last in either direction.
    pub descending: bool,
}

/// Asks for records of one table. All conditions must hold. Records that are equal in the order come by id.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordQuery {
    /// The table.
    pub table: TableName,
    /// The conditions.
    pub filters: Vec<Filter>,
    /// The order; by `created_at`, the newest first, if there is none.
    pub order: Option<Order>,
    /// The most records.
    pub limit: Option<u32>,
    /// How many records to skip.
    pub offset: u32,
}

impl RecordQuery {
    /// All records of a table, the newest first.
    #[must_use]
    pub const fn new(table: TableName) -> Self {
        Self { table, filters: Vec::new(), order: None, limit: None, offset: 0 }
    }

    /// Adds a condition.
    #[must_use]
    pub fn filter(mut self, column: ColumnName, comparison: Comparison, value: impl Into<Value>) -> Self {
        self.filters.push(Filter { column, comparison, value: value.into() });
        self
    }

    /// Sets the order.
    #[must_use]
    pub fn order(mut self, column: ColumnName, descending: bool) -> Self {
        self.order = Some(Order { column, descending });
        self
    }

    /// Sets the most records.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The column that orders the result, and whether the largest comes first.
    #[must_use]
    pub fn sorting(&self) -> (&str, bool) {
        self.order.as_ref().map_or(("created_at", true), |order| (order.column.as_str(), order.descending))
    }

    /// Checks the conditions and the order.
    ///
    /// # Errors
    /// [`FieldError`] for the first that does not fit the table.
    pub fn check(&self, table: &RecordTable) -> Result<(), FieldError> {
        self.filters.iter().try_for_each(|filter| filter.check(table))?;
        let Some(Order { column, .. }) = &self.order else { return Ok(()) };
        match table.kind_of(column.as_str()) {
            Some(ColumnKind::Json) => Err(not_allowed(column, "columns of JSON have no order")),
            Some(_) => Ok(()),
            None => Err(FieldError::Unknown(column.to_string())),
        }
    }
}

impl Filter {
    fn check(&self, table: &RecordTable) -> Result<(), FieldError> {
        use Comparison::{Contains, Is, IsNot};
        let column = &self.column;
        let kind = table.kind_of(column.as_str()).ok_or_else(|| FieldError::Unknown(column.to_string()))?;
        match (self.comparison, &kind) {
            (Is | IsNot, _) if self.value.is_null() => Ok(()),
            (_, ColumnKind::Json) => Err(not_allowed(column, "columns of JSON can only be compared with null")),
            _ if self.value.is_null() => Err(not_allowed(column, "null can only be equal, or not equal")),
            (Contains, kind) if *kind != ColumnKind::Text => Err(not_allowed(column, "only text can contain a text")),
            _ if kind.fits(&self.value) => Ok(()),
            _ => Err(FieldError::WrongType { column: column.clone(), expected: kind.expected() }),
        }
    }
}

fn not_allowed(column: &ColumnName, rule: &'static str) -> FieldError {
    FieldError::NotAllowed { column: column.clone(), rule }
}

impl Record {
    /// The value of a column: a declared one, or `id`, `org_id`, `created_at`, `modified_at`. Null if it has none.
    #[must_use]
    pub fn value(&self, column: &str) -> Value {
        let time = |time: crate::Time| time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true).into();
        match column {
            "id" => self.id.to_string().into(),
            "org_id" => self.org_id.to_string().into(),
            "created_at" => time(self.created_at),
            "modified_at" => time(self.modified_at),
            other => Fields::get(&self.fields, other).cloned().unwrap_or(Value::Null),
        }
    }
}
