//! Records in memory.
//!
//! # How it works
//!
//! Beside the server's rows (`rows`) lies the queue of changes. What is shown is never stored: it is a row with the queued
//! changes over it, computed when it is read (`show`). So it cannot be stale, and taking a change back is removing it.
//!
//! # What must stay true
//!
//! * A record that only this device has is no row: it is the queued create.
//! * No key, and no column that refers to records, names an alias: a re-key changes every place (`rekey`).
//! * A change leaves the queue in `settle`, because the server said that its record is gone (`pull`), or because a person
//!   decided (`decide`, `change`).

mod audit;
mod change;
mod decide;
mod declare;
mod pass;
mod pull;
mod query;
mod queue;
mod rekey;
mod report;
mod roles;
mod settle;
mod show;
mod state;
mod urgency;

pub(super) use pass::Pass;
pub(super) use state::RecordsState;
