//! Queries.

use super::{change::invalid, state::RecordsState};
use crate::StorageResult;
use fieldpost_domain::{
    RecordId,
    records::{ColumnKind, Comparison, Filter, Record, RecordQuery, RecordTable, TableName},
};
use serde_json::Value;
use std::cmp::Ordering;

/// A condition whose value is in the spelling that is kept.
struct Condition {
    column: String,
    kind: ColumnKind,
    comparison: Comparison,
    value: Value,
}

impl RecordsState {
    pub(super) fn query(&self, query: &RecordQuery) -> StorageResult<Vec<Record>> {
        let table = self.table(&query.table, "records")?;
        query.check(table).map_err(|fault| invalid(fault, "records"))?;
        let conditions: Vec<_> = query.filters.iter().map(|filter| self.condition(table, filter)).collect();
        let (column, descending) = query.sorting();
        let kind = table.kind_of(column).unwrap_or(ColumnKind::Text);
        let mut found: Vec<Record> = self.all_shown(&table.name).into_values().collect();
        found.retain(|record| conditions.iter().all(|condition| condition.holds(&record.value(&condition.column))));
        found.sort_by(|a, b| {
            let order = order(&kind, &a.value(column), &b.value(column), descending);
            order.then(a.id.cmp(&b.id))
        });
        let limit = query.limit.map_or(usize::MAX, |limit| limit as usize);
        Ok(found.into_iter().skip(query.offset as usize).take(limit).collect())
    }

    fn condition(&self, table: &RecordTable, filter: &Filter) -> Condition {
        let kind = table.kind_of(filter.column.as_str()).unwrap_or(ColumnKind::Text);
        let value = self.current(table, filter.column.as_str(), &kind, kind.canonical(filter.value.clone()));
        Condition { column: filter.column.as_str().to_owned(), kind, comparison: filter.comparison, value }
    }

    /// The value with the current id, if it is that of a record.
    fn current(&self, table: &RecordTable, column: &str, kind: &ColumnKind, value: Value) -> Value {
        let of: &TableName = match kind {
            ColumnKind::Reference(other) => other,
            _ if column == "id" => &table.name,
            _ => return value,
        };
        match value.as_str().and_then(|text| text.parse::<RecordId>().ok()) {
            Some(id) => self.resolve(of, id).1.to_string().into(),
            None => value,
        }
    }
}

impl Condition {
    fn holds(&self, value: &Value) -> bool {
        let ordering = || (!value.is_null()).then(|| compare(&self.kind, value, &self.value));
        match self.comparison {
            Comparison::Is => *value == self.value,
            Comparison::IsNot => *value != self.value,
            Comparison::Below => ordering().is_some_and(Ordering::is_lt),
            Comparison::AtMost => ordering().is_some_and(Ordering::is_le),
            Comparison::Above => ordering().is_some_and(Ordering::is_gt),
            Comparison::AtLeast => ordering().is_some_and(Ordering::is_ge),
            Comparison::Contains => contains(value, &self.value),
        }
    }
}

fn contains(value: &Value, part: &Value) -> bool {
    let lower = |value: &Value| value.as_str().map(str::to_ascii_lowercase);
    lower(value).zip(lower(part)).is_some_and(|(text, part)| text.contains(&part))
}

/// The order of a result: records without a value come last in either direction.
fn order(kind: &ColumnKind, a: &Value, b: &Value, descending: bool) -> Ordering {
    match (a.is_null(), b.is_null()) {
        (false, false) if descending => compare(kind, b, a),
        (false, false) => compare(kind, a, b),
        (a, b) => a.cmp(&b),
    }
}

/// Compares two values in the spelling that is kept, neither of them null. In it, times have the order of their text.
fn compare(kind: &ColumnKind, a: &Value, b: &Value) -> Ordering {
    match kind {
        ColumnKind::Integer => a.as_i64().cmp(&b.as_i64()),
        ColumnKind::Real => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal),
        ColumnKind::Bool => a.as_bool().cmp(&b.as_bool()),
        _ => a.as_str().cmp(&b.as_str()),
    }
}
