//! Records: rows of an app's own tables, in the same file as the messages.
//!
//! # How it works
//!
//! Each declared table has a table of its own (`tables`, `declare`), whose rows hold what is shown; `base` keeps the server's
//! row beside it while changes are queued (`stored`). Whatever changes a record reads it with its changes, changes that in
//! memory, and writes it back (`local`): a page, an answer, a person's change, a decision. So what is shown is never stale.
//!
//! A batch is what nothing holds (`waiting`, `batch`). It is under way for the store that took it, by the name of a pass
//! that every turn makes anew; what another one has taken is taken again.
//!
//! * A row without `server_id` is a create that waits in the queue.
//! * No key, and no column that refers to records, names an alias: a re-key changes every place (`rekey`).
//! * The names of tables are known only while the program runs, so the query builder makes every statement.

mod alias;
mod apply;
mod audit;
mod batch;
mod change;
mod clocks;
mod conflicts;
mod decide;
mod declare;
mod entry;
mod json;
mod kind;
mod local;
mod log;
mod park;
mod put;
mod query;
mod queue;
mod rekey;
mod replica;
mod rows;
mod settle;
mod sql;
mod state;
mod store;
mod stored;
mod tables;
mod tombstones;
mod urgency;
mod views;
mod waiting;

#[cfg(test)]
mod carrying;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod schema;
