//! Version 8: the file records which history of the server its rows belong to, and has an index for dead letters.
//!
//! A cursor belongs to a history. But when a cursor expired for another reason, the file dropped it before it had the
//! next one, and did not notice a restore in between.

use crate::script::Script;

pub(crate) const MIGRATION: Script = Script { name: "m0008_server_epoch", parts: &[SERVER_EPOCH] };

const SERVER_EPOCH: &str = "
ALTER TABLE sync_state ADD COLUMN server_epoch TEXT;
CREATE INDEX outbox_failed ON outbox (position) WHERE failed_code IS NOT NULL;
PRAGMA user_version = 8;";
