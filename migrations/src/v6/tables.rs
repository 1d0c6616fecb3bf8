//! The tables of version 6.
//!
//! Ids are 16 bytes (less than half of their text, so B-trees stay shallow). Times are microseconds since 1970 in UTC.
//!
//! `version` columns hold the server's version of the row, and above bit 53 the store's count of server histories
//! ("epochs"): all rows that the server sends after it was restored from a backup are then newer than all rows from
//! before, without an update of stored rows. −1 is a row that the server has not sent yet.
//!
//! `server_id` is null while only this device has the row; later it equals `id`.
//!
//! `messages` has its own integer key because the full-text index needs one that never changes. `seq` is null until the
//! server has assigned one; `position` orders the messages without one. No foreign key references a conversation:
//! messages that a person wrote in a conversation that they can no longer see stay until the person has decided about
//! them.

/// Frees the table names for the new tables.
pub(super) const SET_ASIDE: &str = r#"
DROP INDEX IF EXISTS "conversations_org_id";
DROP INDEX IF EXISTS "conversations__status";
DROP INDEX IF EXISTS "messages_conversation_id";
DROP INDEX IF EXISTS "messages_org_id";
DROP INDEX IF EXISTS "messages__status";
ALTER TABLE "conversations" RENAME TO "conversations_v5";
ALTER TABLE "messages" RENAME TO "messages_v5";
"#;

pub(super) const CREATE: &str = r"
-- Whose database this is; set once.
CREATE TABLE account (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    person_id BLOB NOT NULL
) STRICT;

CREATE TABLE session (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    person_id BLOB NOT NULL,
    email TEXT,
    access_token TEXT NOT NULL,
    refresh_token TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

-- How far this device has followed the server. `generation` counts bootstraps, `epoch` the server's histories.
CREATE TABLE sync_state (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    phase TEXT NOT NULL DEFAULT 'fresh' CHECK (phase IN ('fresh', 'bootstrapping', 'following')),
    after TEXT,
    done INTEGER NOT NULL DEFAULT 0,
    total INTEGER,
    cursor TEXT,
    generation INTEGER NOT NULL DEFAULT 0,
    epoch INTEGER NOT NULL DEFAULT 0,
    epoch_pending INTEGER NOT NULL DEFAULT 0,
    me_id BLOB,
    last_success_at INTEGER
) STRICT;
INSERT INTO sync_state (only) VALUES (1);

CREATE TABLE people (
    id BLOB PRIMARY KEY NOT NULL,
    org_id BLOB NOT NULL,
    role TEXT NOT NULL,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    medic_id BLOB,
    removed INTEGER NOT NULL,
    confirmed INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL,
    extra TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX people_by_medic ON people (medic_id, removed) WHERE medic_id IS NOT NULL;

-- `last_message_*`, `unread_count` and `missing_before` are derived, and rewritten in the transaction that changes what they
-- derive from; `told_*` is the server's word on them when the newest message was `told_seq`, for where local history is
-- partial. `unread_here` counts the messages of others that are here above the seq `unread_above`; new ones are added to it,
-- and null means count again. The recent range
-- [range_from, range_to] is known whole; range_from 0: nothing is. `missing_before`: fetch history below it; 0: the newest.
CREATE TABLE conversations (
    id BLOB PRIMARY KEY NOT NULL,
    server_id BLOB,
    org_id BLOB NOT NULL,
    type TEXT NOT NULL,
    subject TEXT,
    medic_id BLOB,
    medic_name TEXT,
    created_by BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    participant_name TEXT,
    last_read_at INTEGER,
    last_seq INTEGER NOT NULL DEFAULT 0,
    told_seq INTEGER NOT NULL DEFAULT 0,
    told_at INTEGER,
    told_preview TEXT,
    told_unread INTEGER NOT NULL DEFAULT 0,
    range_from INTEGER NOT NULL DEFAULT 0,
    range_to INTEGER NOT NULL DEFAULT 0,
    missing_before INTEGER,
    last_message_at INTEGER,
    last_message_preview TEXT,
    unread_count INTEGER NOT NULL DEFAULT 0,
    unread_here INTEGER NOT NULL DEFAULT 0,
    unread_above INTEGER,
    confirmed INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL,
    extra TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX conversations_by_activity ON conversations (coalesce(last_message_at, created_at) DESC, id);
CREATE INDEX conversations_by_medic ON conversations (medic_id, org_id) WHERE medic_id IS NOT NULL;
CREATE INDEX conversations_local ON conversations (org_id, medic_id) WHERE server_id IS NULL;
CREATE INDEX conversations_unread ON conversations (unread_count) WHERE unread_count > 0;
CREATE INDEX conversations_missing ON conversations (missing_before) WHERE missing_before IS NOT NULL;

-- What a conversation was called before the server gave its canonical id.
CREATE TABLE aliases (
    id BLOB PRIMARY KEY NOT NULL,
    canonical_id BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX aliases_by_canonical ON aliases (canonical_id);

CREATE TABLE messages (
    pk INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    server_id BLOB,
    conversation_id BLOB NOT NULL,
    seq INTEGER,
    position INTEGER,
    sender_id BLOB NOT NULL,
    sender_name TEXT,
    message_type TEXT NOT NULL,
    content TEXT,
    metadata TEXT,
    reply_to BLOB,
    status TEXT NOT NULL,
    composed_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    version INTEGER NOT NULL,
    extra TEXT
) STRICT;
-- Not unique: after the server was restored two histories may meet in one number until the bootstrap is through.
CREATE INDEX messages_by_seq ON messages (conversation_id, seq);

CREATE INDEX messages_unplaced ON messages (conversation_id, position) WHERE position IS NOT NULL;

CREATE VIRTUAL TABLE messages_search USING fts5 (content, content = 'messages', content_rowid = 'pk');
-- Else the words of a deleted message stay in the index until some later merge.
INSERT INTO messages_search (messages_search, rank) VALUES ('secure-delete', 1);
CREATE TRIGGER messages_search_insert AFTER INSERT ON messages WHEN new.content IS NOT NULL BEGIN
    INSERT INTO messages_search (rowid, content) VALUES (new.pk, new.content);
END;
CREATE TRIGGER messages_search_delete AFTER DELETE ON messages WHEN old.content IS NOT NULL BEGIN
    INSERT INTO messages_search (messages_search, rowid, content) VALUES ('delete', old.pk, old.content);
END;
CREATE TRIGGER messages_search_update AFTER UPDATE OF content ON messages WHEN old.content IS NOT new.content BEGIN
    INSERT INTO messages_search (messages_search, rowid, content)
        SELECT 'delete', old.pk, old.content WHERE old.content IS NOT NULL;
    INSERT INTO messages_search (rowid, content) SELECT new.pk, new.content WHERE new.content IS NOT NULL;
END;

-- Whatever else happens to a message that was counted, it is counted again; so no statement can forget to say so.
CREATE TRIGGER messages_recount_delete AFTER DELETE ON messages WHEN old.seq IS NOT NULL BEGIN
    UPDATE conversations SET unread_above = NULL WHERE id = old.conversation_id AND unread_above IS NOT NULL;
END;
CREATE TRIGGER messages_recount_update AFTER UPDATE OF conversation_id, seq, sender_id, deleted_at ON messages
WHEN (old.server_id IS NOT NULL OR new.sender_id IS NOT (SELECT person_id FROM account))
    AND (old.seq IS NOT new.seq OR (old.deleted_at IS NULL) <> (new.deleted_at IS NULL)
        OR old.sender_id <> new.sender_id OR old.conversation_id <> new.conversation_id) BEGIN
    UPDATE conversations SET unread_above = NULL
        WHERE id IN (old.conversation_id, new.conversation_id) AND unread_above IS NOT NULL;
END;

CREATE TABLE read_markers (
    conversation_id BLOB NOT NULL,
    person_id BLOB NOT NULL,
    delivered_seq INTEGER NOT NULL,
    read_seq INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (conversation_id, person_id)
) STRICT, WITHOUT ROWID;

-- Hard deletes, kept so that a late answer cannot bring a row back. `seq` of messages only.
CREATE TABLE tombstones (
    id BLOB PRIMARY KEY NOT NULL,
    conversation_id BLOB NOT NULL,
    seq INTEGER,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tombstones_by_seq ON tombstones (conversation_id, seq);

-- The newest word on whether the person may see a conversation.
CREATE TABLE access (
    conversation_id BLOB PRIMARY KEY NOT NULL,
    revoked INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What was done here and the server has not answered. `position` is the order of doing, `conversation_id` the lane.
CREATE TABLE outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    conversation_id BLOB NOT NULL,
    message_id BLOB,
    payload TEXT NOT NULL,
    wire_size INTEGER NOT NULL,
    retries INTEGER NOT NULL DEFAULT 0,
    last_retry TEXT,
    failed_code TEXT,
    failed_detail TEXT,
    recorded_at INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_by_lane ON outbox (conversation_id, position);
CREATE UNIQUE INDEX outbox_by_message ON outbox (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX outbox_pending ON outbox (position) WHERE failed_code IS NULL;

-- Rows of the server that this version cannot read, as they came and in that order; `digest` keeps a repeated one from
-- piling up. With its conversation, if it names one, a row leaves.
CREATE TABLE unreadable_rows (
    pk INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    conversation_id BLOB,
    list TEXT NOT NULL,
    payload TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX unreadable_rows_by_conversation ON unreadable_rows (conversation_id) WHERE conversation_id IS NOT NULL;
";

pub(super) const DROP_OLD: &str = r#"
DROP TABLE "conversations_v5";
DROP TABLE "messages_v5";
"#;
