//! A full-text index that is built behind the writes, in large steps: nothing of it costs a page or a send anything.
//!
//! Messages up to the row `indexed_to` are in the index, but for those that are listed in `messages_search_pending`; a
//! message without text is in no index. Whatever happens to the text, the author, the conversation or the time of a message
//! takes it out at once, in the same statement, by the words that went in: its folded text, which is kept where it is not
//! its content. So no word of a text stays that is not there any more, whoever changes it.
//!
//! `key` orders the index by time: it is the message's `created_at` in milliseconds, or the next free number. `words` are
//! what the text is made of, `marks` find the messages of a conversation or an author: the end of the id, so few others too.

pub(super) const SEARCH: &str = "
DROP TRIGGER messages_search_insert;
DROP TRIGGER messages_search_delete;
DROP TRIGGER messages_search_update;
DROP TABLE messages_search;

CREATE TABLE messages_search_state (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    indexed_to INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO messages_search_state (only) VALUES (1);

CREATE TABLE messages_search_pending (
    message INTEGER PRIMARY KEY
) STRICT;

CREATE TABLE messages_search_entries (
    key INTEGER PRIMARY KEY,
    message INTEGER NOT NULL UNIQUE,
    folded TEXT
) STRICT;

CREATE VIEW messages_searchable AS
SELECT s.key, coalesce(s.folded, m.content) AS words,
    'c' || lower(substr(hex(m.conversation_id), 25)) || ' p' || lower(substr(hex(m.sender_id), 25)) AS marks
FROM messages_search_entries AS s JOIN messages AS m ON m.pk = s.message;

CREATE VIRTUAL TABLE messages_search USING fts5 (
    words, marks, content = 'messages_searchable', content_rowid = 'key', tokenize = 'ascii', columnsize = 0
);
-- Else the words of a deleted message stay in the index until some later merge.
INSERT INTO messages_search (messages_search, rank) VALUES ('secure-delete', 1);

CREATE TRIGGER messages_search_delete AFTER DELETE ON messages BEGIN
    INSERT INTO messages_search (messages_search, rowid, words, marks)
        SELECT 'delete', s.key, coalesce(s.folded, old.content),
            'c' || lower(substr(hex(old.conversation_id), 25)) || ' p' || lower(substr(hex(old.sender_id), 25))
        FROM messages_search_entries AS s WHERE s.message = old.pk;
    DELETE FROM messages_search_entries WHERE message = old.pk;
    DELETE FROM messages_search_pending WHERE message = old.pk;
    -- SQLite gives the number of the last row again.
    UPDATE messages_search_state SET indexed_to = coalesce((SELECT max(m.pk) FROM messages AS m WHERE m.pk < old.pk), 0)
        WHERE only = 1 AND indexed_to = old.pk;
END;

CREATE TRIGGER messages_search_update
AFTER UPDATE OF content, deleted_at, conversation_id, sender_id, created_at ON messages
WHEN new.pk <= (SELECT indexed_to FROM messages_search_state WHERE only = 1) AND (
    old.content IS NOT new.content OR old.deleted_at IS NOT new.deleted_at OR old.created_at <> new.created_at
    OR old.conversation_id <> new.conversation_id OR old.sender_id <> new.sender_id
) BEGIN
    INSERT INTO messages_search (messages_search, rowid, words, marks)
        SELECT 'delete', s.key, coalesce(s.folded, old.content),
            'c' || lower(substr(hex(old.conversation_id), 25)) || ' p' || lower(substr(hex(old.sender_id), 25))
        FROM messages_search_entries AS s WHERE s.message = old.pk;
    DELETE FROM messages_search_entries WHERE message = old.pk;
    INSERT OR IGNORE INTO messages_search_pending SELECT new.pk WHERE new.content IS NOT NULL AND new.deleted_at IS NULL;
    DELETE FROM messages_search_pending WHERE message = new.pk AND (new.content IS NULL OR new.deleted_at IS NOT NULL);
END;
";
