//! What a person sets for a conversation, and drafts.
//!
//! * `conversation_settings` has what the server says. The columns of `conversations` have what shows: the same, and over it
//!   what is queued. `revived`: a message of somebody else came after the conversation was archived.
//! * `drafts` refers to no conversation: a draft outlives its conversation.
//! * A list shows pinned conversations first, so its index begins with them.

pub(super) const SETTINGS: &str = "
CREATE TABLE conversation_settings (
    conversation_id BLOB PRIMARY KEY NOT NULL,
    muted_until INTEGER,
    pinned_at INTEGER,
    archived_at INTEGER,
    archived_seq INTEGER,
    unread_from INTEGER,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
ALTER TABLE conversations ADD COLUMN muted_until INTEGER;
ALTER TABLE conversations ADD COLUMN pinned_at INTEGER;
ALTER TABLE conversations ADD COLUMN archived_at INTEGER;
ALTER TABLE conversations ADD COLUMN archived_seq INTEGER;
ALTER TABLE conversations ADD COLUMN unread_from INTEGER;
ALTER TABLE conversations ADD COLUMN revived INTEGER NOT NULL DEFAULT 0;
-- Settings may come before their conversation.
CREATE TRIGGER conversations_are_set AFTER INSERT ON conversations
WHEN EXISTS (SELECT 1 FROM conversation_settings WHERE conversation_id = new.id) BEGIN
    UPDATE conversations SET (muted_until, pinned_at, archived_at, archived_seq, unread_from) = (
        SELECT s.muted_until, s.pinned_at, s.archived_at, s.archived_seq, s.unread_from
        FROM conversation_settings AS s WHERE s.conversation_id = new.id)
    WHERE id = new.id;
END;";

pub(super) const DRAFTS: &str = "
CREATE TABLE drafts (
    conversation_id BLOB PRIMARY KEY NOT NULL,
    content TEXT NOT NULL,
    reply_to BLOB,
    mentions TEXT,
    metadata TEXT,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;";

pub(super) const LIST: &str = "
DROP INDEX conversations_by_activity;
CREATE INDEX conversations_by_place
    ON conversations (coalesce(pinned_at, 0) DESC, coalesce(last_message_at, created_at) DESC, id);
CREATE INDEX conversations_unread
    ON conversations (coalesce(pinned_at, 0) DESC, coalesce(last_message_at, created_at) DESC, id)
    WHERE unread_count > 0 OR unread_from IS NOT NULL;
CREATE INDEX conversations_archived
    ON conversations (coalesce(pinned_at, 0) DESC, coalesce(last_message_at, created_at) DESC, id)
    WHERE archived_at IS NOT NULL;
CREATE INDEX conversations_muted ON conversations (muted_until) WHERE muted_until IS NOT NULL;
-- Unread messages that may not call for attention.
CREATE INDEX conversations_hushed ON conversations (unread_count)
    WHERE unread_count > 0 AND (muted_until IS NOT NULL OR archived_at IS NOT NULL);";
