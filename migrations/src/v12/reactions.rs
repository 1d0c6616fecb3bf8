//! Reactions, as the server tells them.

/// One row for each person and emoji; of everybody together, where the server counts, under the id of nobody. A row may come
/// before its message does.
pub(super) const REACTIONS: &str = "
CREATE TABLE reactions (
    message_id BLOB NOT NULL,
    emoji TEXT NOT NULL,
    person_id BLOB NOT NULL,
    conversation_id BLOB NOT NULL,
    count INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (message_id, emoji, person_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX reactions_of_conversation ON reactions (conversation_id);
";
