//! Small words for talking SQL: binding, running, and inserting many rows with few statements.
//!
//! Every statement that runs often has one text, so that it is prepared once: sets of ids are bound as one JSON array of hex
//! ([`IdSet`]), and rows are inserted in chunks of a few fixed sizes ([`Insert`]). A limit is written `LIMIT 0 + ?`: SQLite's
//! planner looks at the value of a bare `LIMIT ?`, and so prepares the statement again whenever that is bound, which costs
//! several times what running it does.
//!
//! What a [`Tx`] itself is built on knows the values only (`values`).

mod built;
mod columns;
mod insert;
mod tx;

pub(crate) use crate::values::{IdSet, id, int, opt_id, opt_text, opt_time, seq, signed, text, time, unsigned};
pub(crate) use built::{among, given, is_given, written};
pub(crate) use columns::{excluded, hex, names, of, select, set_excluded};
pub(crate) use insert::{Field, Insert};
pub(crate) use tx::{Bound, Tx};
