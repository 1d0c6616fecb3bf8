//! Version 12: what people expect of a messenger, beyond messages and read markers. Each part has a file of its own.
//!
//! * [`search`]: the full-text index is built behind the writes.

mod mentions;
mod reactions;
mod receipts;
mod search;
mod settings;

use crate::script::Script;

pub(crate) const MIGRATION: Script = Script {
    name: "m0012_messaging",
    parts: &[
        search::SEARCH,
        reactions::REACTIONS,
        receipts::MARKERS,
        receipts::OUTBOX,
        mentions::UNREAD,
        settings::SETTINGS,
        settings::DRAFTS,
        settings::LIST,
        VERSION,
    ],
};

const VERSION: &str = "PRAGMA user_version = 12;";
