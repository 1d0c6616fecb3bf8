//! Version 13: a message that is changed twice before the search index is built further does not fail its second change.
//!
//! The trigger of version 12 said `INSERT OR IGNORE`. Inside a trigger the conflict clause of the outer statement takes the place of the
//! trigger's own (<https://sqlite.org/lang_createtrigger.html>): where an upsert changed the message, the second row failed it, and with
//! it the answer of the server that was being recorded.

use crate::script::Script;

pub(crate) const MIGRATION: Script = Script { name: "m0013_search", parts: &[SEARCH] };

const SEARCH: &str = "
DROP TRIGGER messages_search_update;
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
    DELETE FROM messages_search_pending WHERE message = new.pk;
    INSERT INTO messages_search_pending SELECT new.pk WHERE new.content IS NOT NULL AND new.deleted_at IS NULL;
END;
PRAGMA user_version = 13;
";
