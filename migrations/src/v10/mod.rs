//! Version 10: room for more kinds of mutation, and a file that keeps what passes have learned about network and
//! server.
//!
//! * [`outbox`]: the properties of a mutation's kind that SQL needs are columns, written when it is recorded.
//! * [`messages`]: the server's values of a message are kept beside local changes.
//! * [`counters`]: the numbers of outbox entries and of unread messages.
//! * [`names`]: columns get the names of the field.
//! * [`remembered`]: the sync state is explicit, and what passes have learned is kept.

mod counters;
mod messages;
mod names;
mod outbox;
mod remembered;

use crate::script::Script;

pub(crate) const MIGRATION: Script = Script {
    name: "m0010_kinds",
    parts: &[
        outbox::POLICY,
        messages::EDITS,
        counters::OUTBOX,
        counters::UNREAD,
        remembered::REMEMBERED,
        names::NAMES,
        VERSION,
    ],
};

const VERSION: &str = "PRAGMA user_version = 10;";
