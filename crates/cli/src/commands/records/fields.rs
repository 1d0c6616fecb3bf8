//! `COLUMN=VALUE` on the command line.

use crate::failure::Failure;
use fieldpost::records::{Column, ColumnKind, ColumnName, Comparison, Fields, RecordQuery, RecordTable};
use serde_json::Value;

/// The fields of some arguments, each of its column's kind.
pub(super) fn parse(table: &RecordTable, arguments: &[String]) -> Result<Fields, Failure> {
    let mut fields = Fields::new();
    for argument in arguments {
        let (column, value) = field(table, argument)?;
        fields.set(column.name.as_str(), value);
    }
    Ok(fields)
}

/// A query whose conditions are some arguments.
pub(super) fn query(table: &RecordTable, conditions: &[String]) -> Result<RecordQuery, Failure> {
    conditions.iter().try_fold(RecordQuery::new(table.name.clone()), |query, condition| {
        let (column, value) = field(table, condition)?;
        Ok(query.filter(ColumnName::clone(&column.name), Comparison::Is, value))
    })
}

fn field<'a>(table: &'a RecordTable, argument: &str) -> Result<(&'a Column, Value), Failure> {
    let (name, text) =
        argument.split_once('=').ok_or_else(|| Failure::usage(format!("{argument:?} is no COLUMN=VALUE")))?;
    let column = table.find(name).ok_or_else(|| {
        let columns: Vec<_> = table.columns.iter().map(|column| column.name.as_str()).collect();
        Failure::usage(format!("`{}` has no column {name:?}; it has {}", table.name, columns.join(", ")))
    })?;
    let value = if text.is_empty() { Value::Null } else { value(&column.kind, text) };
    column.check(&value).map_err(Failure::usage)?;
    Ok((column, value))
}

/// The value that a text means. One that does not fit stays a text, which the check of the column refuses in words.
fn value(kind: &ColumnKind, text: &str) -> Value {
    let parsed = match kind {
        ColumnKind::Integer | ColumnKind::Real | ColumnKind::Bool | ColumnKind::Json => serde_json::from_str(text).ok(),
        _ => None,
    };
    parsed.unwrap_or_else(|| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fieldpost::records::{Model, NearMiss};

    fn parsed(arguments: &[&str]) -> Result<Fields, String> {
        let arguments: Vec<_> = arguments.iter().map(|text| (*text).to_owned()).collect();
        parse(&NearMiss::table(), &arguments).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_value_is_of_its_columns_kind() {
        let fields = parsed(&["category=fall", "gps_lat=51.5", "photo_uris=[\"a=b\"]", "location="]).unwrap();
        let expected = Fields::new()
            .with("category", "fall")
            .with("gps_lat", 51.5)
            .with("photo_uris", serde_json::json!(["a=b"]))
            .with("location", Value::Null);
        assert_eq!(fields, expected);
    }

    #[test]
    fn what_does_not_fit_is_said() {
        for (argument, says) in
            [("category", "no COLUMN=VALUE"), ("colour=red", "it has reported_by"), ("gps_lat=north", "a number")]
        {
            let error = parsed(&[argument]).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
