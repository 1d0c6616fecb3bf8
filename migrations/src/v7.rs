//! Version 7: the outbox records which mutations are in flight.
//!
//! A mutation whose response was lost may have been applied, so it must not be edited or cancelled. From this version
//! on each mutation counts its attempts without a known outcome.

use crate::script::Script;

pub(crate) const MIGRATION: Script = Script { name: "m0007_unanswered", parts: &[UNANSWERED] };

/// Version 6 may have attempted the present entries without recording it.
const UNANSWERED: &str = "
ALTER TABLE outbox ADD COLUMN unanswered INTEGER NOT NULL DEFAULT 0;
UPDATE outbox SET unanswered = 1 WHERE failed_code IS NULL;
PRAGMA user_version = 7;";
