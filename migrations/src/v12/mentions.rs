//! Unread mentions are counted as unread messages are: by the server, here, and over all conversations.
//!
//! * `server_mentions` is the server's count, `mentions_here` that of the messages that `unread_here` counts, and
//!   `unread_mentions` what a list shows. An older version kept the server's count in `extra`; it moves to the column.
//! * A message that is edited may mention others than before, so a change of `mentions` voids the count too.
//! * What is unread now is counted below.

pub(super) const UNREAD: &str = "
ALTER TABLE conversations ADD COLUMN server_mentions INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN mentions_here INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN unread_mentions INTEGER NOT NULL DEFAULT 0;
UPDATE conversations SET server_mentions = extra ->> 'unread_mentions', extra = nullif(json_remove(extra, '$.unread_mentions'), '{}')
    WHERE extra IS NOT NULL AND json_valid(extra) AND json_type(extra, '$.unread_mentions') = 'integer';
UPDATE conversations AS c SET (mentions_here, unread_mentions) = (SELECT count(*), count(*) FROM messages AS m
    WHERE m.conversation_id = c.id AND m.seq > coalesce((SELECT r.read_seq FROM read_markers AS r
        WHERE r.conversation_id = c.id AND r.person_id = (SELECT person_id FROM account)), 0) AND m.deleted_at IS NULL AND m.mentions IS NOT NULL
        AND instr(m.mentions, (SELECT lower(format('%s-%s-%s-%s-%s', substr(h, 1, 8), substr(h, 9, 4), substr(h, 13, 4),
            substr(h, 17, 4), substr(h, 21))) FROM (SELECT hex(person_id) AS h FROM account WHERE person_id IS NOT NULL))) > 0
        AND m.sender_id IS NOT (SELECT person_id FROM account))
    WHERE c.unread_count > 0;
ALTER TABLE unread_total ADD COLUMN mentions INTEGER NOT NULL DEFAULT 0;
UPDATE unread_total SET mentions = (SELECT coalesce(sum(unread_mentions), 0) FROM conversations);
CREATE TRIGGER unread_mentions_insert AFTER INSERT ON conversations WHEN new.unread_mentions <> 0 BEGIN
    UPDATE unread_total SET mentions = mentions + new.unread_mentions;
END;
CREATE TRIGGER unread_mentions_delete AFTER DELETE ON conversations WHEN old.unread_mentions <> 0 BEGIN
    UPDATE unread_total SET mentions = mentions - old.unread_mentions;
END;
CREATE TRIGGER unread_mentions_update AFTER UPDATE OF unread_mentions ON conversations
WHEN old.unread_mentions <> new.unread_mentions BEGIN
    UPDATE unread_total SET mentions = mentions + new.unread_mentions - old.unread_mentions;
END;
CREATE TRIGGER messages_remention AFTER UPDATE OF mentions ON messages
WHEN old.seq IS NOT NULL AND old.seq IS new.seq AND old.mentions IS NOT new.mentions
    AND new.sender_id IS NOT (SELECT person_id FROM account) BEGIN
    UPDATE conversations SET unread_above = NULL WHERE id = new.conversation_id AND unread_above IS NOT NULL;
END;";
