//! Version 9: rows say which field was above its limit, the file records its server's version and capabilities, the
//! fingerprint of the server's conversations is updated incrementally, and a person may be a member of several orgs.
//!
//! * `omitted` (JSON) stands in place of content, metadata or a subject above its limit. An older version kept the
//!   unknown field in `extra`; it moves to the column.
//! * `sync_state` holds what the server last stated about itself, and the fingerprint of the server's conversations.
//!   Null: not known yet, to be computed once.
//! * `known_changes` lists the conversations added and removed since the fingerprint was computed. Triggers write it,
//!   so no statement can forget to.
//! * `people` has a row for each org that a person is or was a member of: role, name and medic may differ.

use crate::script::Script;

pub(crate) const MIGRATION: Script = Script { name: "m0009_server", parts: &[SERVER] };

const SERVER: &str = "
ALTER TABLE messages ADD COLUMN omitted TEXT;
ALTER TABLE conversations ADD COLUMN omitted TEXT;
UPDATE messages SET omitted = extra -> 'omitted', extra = nullif(json_remove(extra, '$.omitted'), '{}')
    WHERE extra IS NOT NULL AND json_valid(extra) AND json_type(extra, '$.omitted') = 'object';
UPDATE conversations SET omitted = extra -> 'omitted', extra = nullif(json_remove(extra, '$.omitted'), '{}')
    WHERE extra IS NOT NULL AND json_valid(extra) AND json_type(extra, '$.omitted') = 'object';

ALTER TABLE sync_state ADD COLUMN sql_version INTEGER;
ALTER TABLE sync_state ADD COLUMN capabilities TEXT;
ALTER TABLE sync_state ADD COLUMN known_count INTEGER;
ALTER TABLE sync_state ADD COLUMN known_set BLOB;

CREATE TABLE known_changes (
    pk INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    step INTEGER NOT NULL
) STRICT;
CREATE TRIGGER conversations_known_insert AFTER INSERT ON conversations WHEN new.server_id IS NOT NULL BEGIN
    INSERT INTO known_changes (id, step) VALUES (new.id, 1);
END;
CREATE TRIGGER conversations_known_delete AFTER DELETE ON conversations WHEN old.server_id IS NOT NULL BEGIN
    INSERT INTO known_changes (id, step) VALUES (old.id, -1);
END;
CREATE TRIGGER conversations_known_update AFTER UPDATE OF id, server_id ON conversations
WHEN old.id <> new.id OR (old.server_id IS NULL) <> (new.server_id IS NULL) BEGIN
    INSERT INTO known_changes (id, step) SELECT old.id, -1 WHERE old.server_id IS NOT NULL;
    INSERT INTO known_changes (id, step) SELECT new.id, 1 WHERE new.server_id IS NOT NULL;
END;
CREATE TABLE people_by_org (
    id BLOB NOT NULL,
    org_id BLOB NOT NULL,
    role TEXT NOT NULL,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    medic_id BLOB,
    removed INTEGER NOT NULL,
    confirmed INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL,
    extra TEXT,
    PRIMARY KEY (id, org_id)
) STRICT, WITHOUT ROWID;
INSERT INTO people_by_org (id, org_id, role, first_name, last_name, medic_id, removed, confirmed, version, extra)
    SELECT id, org_id, role, first_name, last_name, medic_id, removed, confirmed, version, extra FROM people;
DROP TABLE people;
ALTER TABLE people_by_org RENAME TO people;
CREATE INDEX people_by_medic ON people (medic_id, removed) WHERE medic_id IS NOT NULL;
PRAGMA user_version = 9;";
