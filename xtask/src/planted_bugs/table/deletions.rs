//! Deletions by people: by the author and by admins, and idempotent.

use crate::planted_bugs::{
    bug::{Bug, bug, replace},
    proofs::{DELETE_BEATS, DELETE_GONE, DELETE_KEPT, DELETE_REFUSED, DELETE_WAITS, DELETED},
};

const JUDGE: &str = "fieldpost.judge_deletion";

/// Who may delete, what, and how often.
pub(super) fn deletions() -> Vec<Bug> {
    vec![
        bug(
            "whoever writes in a conversation deletes what others wrote",
            DELETE_REFUSED,
            [replace(JUDGE, "v_row.sender_id is distinct from s.user_id or ", "")],
        ),
        bug("an admin deletes only her own messages", DELETE_REFUSED, [replace(JUDGE, "when v_admin then null", "")]),
        bug(
            "a deletion finds a message of a conversation that is hidden",
            DELETE_REFUSED,
            [replace(JUDGE, "m.id = v_named and m.conversation_id = v_conversation for", "m.id = v_named for")],
        ),
        bug(
            "a deletion that comes again is one more",
            DELETED,
            [replace(JUDGE, "when v_row.deleted_at is not null then jsonb", "when false then jsonb")],
        ),
        bug(
            "a deletion that was carried out is refused once its author may not write any more",
            DELETE_KEPT,
            [replace(
                JUDGE,
                "when v_row.deleted_at is not null then",
                "when v_writes and v_row.deleted_at is not null then",
            )],
        ),
        bug(
            "deletions are carried out before edits",
            DELETE_BEATS,
            [replace(
                "fieldpost.later_kinds",
                "array['edit_message', 'react', 'report_message', 'delete_message', 'mark_delivered', 'mark_read', 'set_conversation']",
                "array['react', 'report_message', 'delete_message', 'edit_message', 'mark_delivered', 'mark_read', 'set_conversation']",
            )],
        ),
        bug(
            "a deletion of what is gone for good is not found",
            DELETE_GONE,
            [replace(JUDGE, "where t.conversation_id = v_conversation and (", "where false and (")],
        ),
        bug(
            "a deletion of what an older app sent is not found",
            DELETE_GONE,
            [replace(JUDGE, "m.client_key = v_named::text and", "false and")],
        ),
        bug(
            "a deletion waits for a message that another writer holds",
            DELETE_WAITS,
            [replace(
                JUDGE,
                "m.id = v_named and m.conversation_id = v_conversation for no key update nowait",
                "m.id = v_named and m.conversation_id = v_conversation for no key update",
            )],
        ),
    ]
}
