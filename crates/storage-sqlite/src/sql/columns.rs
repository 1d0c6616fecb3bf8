//! Lists of columns, as statements have them.

use sea_orm::{DbBackend, EntityTrait, IdenStatic, PartialModelTrait, QuerySelect, QueryTrait};

/// `a, b`
pub(crate) fn names<C: IdenStatic>(columns: &[C]) -> String {
    list(columns, |name| name.to_owned())
}

/// `excluded.a, excluded.b`
pub(crate) fn excluded<C: IdenStatic>(columns: &[C]) -> String {
    list(columns, |name| format!("excluded.{name}"))
}

/// `a = excluded.a, b = excluded.b`
pub(crate) fn set_excluded<C: IdenStatic>(columns: &[C]) -> String {
    list(columns, |name| format!("{name} = excluded.{name}"))
}

/// `table.column`
pub(crate) fn of<C: IdenStatic>(table: &str, column: C) -> String {
    format!("{table}.{}", column.as_str())
}

/// An id in hex, for rows that are packed.
pub(crate) fn hex<C: IdenStatic>(table: &str, column: C) -> String {
    format!("hex({})", of(table, column))
}

/// A query of all rows, for as much of an entity as a part of it has; what follows says which.
pub(crate) fn select<E: EntityTrait, P: PartialModelTrait>() -> String {
    P::select_cols(E::find().select_only()).build(DbBackend::Sqlite).sql
}

fn list<C: IdenStatic>(columns: &[C], word: impl Fn(&str) -> String) -> String {
    columns.iter().map(|column| word(column.as_str())).collect::<Vec<_>>().join(", ")
}
