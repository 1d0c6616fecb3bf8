//! The wire of records, read as tolerantly as that of messages (see the parent module), with these differences:
//!
//! - An unreadable row is counted, not kept: the store of records has no place for it, and the next change of the row
//!   brings it again.
//! - A field that cannot be read costs only itself.
//! - Names of tables must be plain: they end in SQL.

pub(crate) mod answer;
pub(crate) mod audit;
mod fields;
pub(crate) mod page;
pub(crate) mod request;
pub(crate) mod result;
mod row;

#[cfg(test)]
mod tests;
