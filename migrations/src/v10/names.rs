//! Columns get the names of the field: what the server said last of a conversation, and the attempts that are in flight.

pub(super) const NAMES: &str = "
ALTER TABLE conversations RENAME COLUMN told_seq TO server_seq;
ALTER TABLE conversations RENAME COLUMN told_at TO server_at;
ALTER TABLE conversations RENAME COLUMN told_preview TO server_preview;
ALTER TABLE conversations RENAME COLUMN told_unread TO server_unread;
ALTER TABLE outbox RENAME COLUMN unanswered TO in_flight;";
