//! Version 12: what people expect of a messenger, beyond messages and read markers. Each part has a file of its own.

mod reactions;
mod receipts;

use crate::script::Script;

pub(crate) const MIGRATION: Script =
    Script { name: "m0012_messaging", parts: &[reactions::REACTIONS, receipts::MARKERS, receipts::OUTBOX, VERSION] };

const VERSION: &str = "PRAGMA user_version = 12;";
