//! Version 7: the outbox knows what is on its way.
//!
//! A mutation whose answer was lost may have been carried out; editing or cancelling it would be a guess. From this version on
//! each one counts its attempts of which nobody knows what became of them.

use crate::script::Script;

pub(crate) const MIGRATION: Script = Script { name: "m0007_unanswered", parts: &[UNANSWERED] };

/// What waits when the file is upgraded may have been attempted by version 6, which did not note it.
const UNANSWERED: &str = "
ALTER TABLE outbox ADD COLUMN unanswered INTEGER NOT NULL DEFAULT 0;
UPDATE outbox SET unanswered = 1 WHERE failed_code IS NULL;
PRAGMA user_version = 7;";
