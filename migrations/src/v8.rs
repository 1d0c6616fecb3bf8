//! Version 8: the file knows the name of the server's history that its rows are of, and finds dead letters at once.
//!
//! A cursor is tied to a history, but one that has expired for another reason is gone before the next is known; a restore
//! meanwhile went unseen.

use crate::script::Script;

pub(crate) const MIGRATION: Script = Script { name: "m0008_server_epoch", parts: &[SERVER_EPOCH] };

const SERVER_EPOCH: &str = "
ALTER TABLE sync_state ADD COLUMN server_epoch TEXT;
CREATE INDEX outbox_failed ON outbox (position) WHERE failed_code IS NOT NULL;
PRAGMA user_version = 8;";
