//! The dependencies between the modules of a crate, read from their tokens.
//!
//! Tests are left out: they may use everything.

mod circles;
mod literals;
mod paths;
mod source;

pub(crate) use circles::circles;
pub(crate) use literals::sql_literals;
pub(crate) use source::Sources;
