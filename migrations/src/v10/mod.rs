//! Version 10: room for more kinds of mutation, and a file that remembers what was learned about the line and the server.
//!
//! * [`outbox`]: what SQL needs to know of a mutation's kind is in columns, written when it is recorded.
//! * [`messages`]: what the server tells of a message stays beside what its reader changes.
//! * [`counters`]: how full the outbox is.
//! * [`remembered`]: the state of syncing says what it means, and what passes have learned is kept.

mod counters;
mod messages;
mod outbox;
mod remembered;

use crate::script::Script;

pub(crate) const MIGRATION: Script = Script {
    name: "m0010_kinds",
    parts: &[outbox::POLICY, messages::EDITS, counters::COUNTERS, remembered::REMEMBERED, VERSION],
};

const VERSION: &str = "PRAGMA user_version = 10;";
