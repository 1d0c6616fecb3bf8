//! The properties of a mutation's kind that SQL needs.
//!
//! * `target_id` is the message that a mutation changes; `message_id` is still the message that it creates.
//! * `opens`: it opens the conversation of its lane. `expires`: it expires after the ttl. `keeps`: it becomes a dead
//!   letter when it is refused, because content could be lost.
//! * `slot`: of the entries in a lane with the same slot and target, the newest replaces the others.
//! * `needs`: the capability that the server must have named before it is sent.

pub(super) const POLICY: &str = "
ALTER TABLE outbox ADD COLUMN target_id BLOB;
ALTER TABLE outbox ADD COLUMN opens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN expires INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN keeps INTEGER NOT NULL DEFAULT 1;
ALTER TABLE outbox ADD COLUMN slot TEXT;
ALTER TABLE outbox ADD COLUMN needs TEXT;
UPDATE outbox SET opens = 1 WHERE kind IN ('open_direct', 'open_broadcast');
UPDATE outbox SET expires = 1 WHERE kind = 'send_message';
UPDATE outbox SET keeps = 0, slot = 'mark_read' WHERE kind = 'mark_read';
CREATE INDEX outbox_by_target ON outbox (target_id) WHERE target_id IS NOT NULL;";
