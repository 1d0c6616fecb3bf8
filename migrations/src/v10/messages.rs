//! Messages can be edited and can mention people.
//!
//! * `mentions` (a JSON array of ids) and `edited_at` come from the server. An older version kept the unknown fields in
//!   `extra`; they move to the columns.
//! * `base` holds the server's values (JSON) of the fields that pending changes have replaced; null if no change is
//!   pending. So lists, windows, search and counts read one row and need not handle pending changes.

pub(super) const EDITS: &str = "
ALTER TABLE messages ADD COLUMN mentions TEXT;
ALTER TABLE messages ADD COLUMN edited_at INTEGER;
ALTER TABLE messages ADD COLUMN base TEXT;
UPDATE messages SET mentions = extra -> 'mentions', extra = nullif(json_remove(extra, '$.mentions'), '{}')
    WHERE extra IS NOT NULL AND json_valid(extra) AND json_type(extra, '$.mentions') = 'array';
UPDATE messages SET edited_at = CAST(round(unixepoch(extra ->> 'edited_at', 'subsec') * 1000) AS INTEGER) * 1000,
    extra = nullif(json_remove(extra, '$.edited_at'), '{}')
    WHERE extra IS NOT NULL AND json_valid(extra) AND unixepoch(extra ->> 'edited_at') IS NOT NULL;
CREATE INDEX messages_changed ON messages (pk) WHERE base IS NOT NULL;";
