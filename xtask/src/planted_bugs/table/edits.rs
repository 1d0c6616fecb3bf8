//! Edits: only by the author, and idempotent.

use crate::planted_bugs::{
    bug::{Bug, bug, replace},
    proofs::{EDIT_FOUND, EDIT_KEPT, EDIT_NARROWED, EDIT_REFUSED, EDIT_WAITS, EDITED, EDITED_AGAIN, EDITED_DIRECTLY},
};

/// Who may edit, where, when, and how often.
pub(super) fn edits() -> Vec<Bug> {
    vec![
        bug(
            "a push waits for a message that another writer holds",
            EDIT_WAITS,
            [replace(
                "fieldpost.judge_edit",
                "m.id = v_named and m.conversation_id = v_conversation for no key update nowait",
                "m.id = v_named and m.conversation_id = v_conversation for no key update",
            )],
        ),
        bug(
            "a retry does not take the later steps of its lane along",
            EDIT_WAITS,
            [replace("fieldpost.carry_out_all", "where x.n < v_item.n and x.lane = v_item.lane", "where false")],
        ),
        bug(
            "whoever writes in a conversation edits what others wrote",
            EDIT_REFUSED,
            [replace("fieldpost.judge_edit", "v_row.sender_id is distinct from s.user_id or ", "")],
        ),
        bug(
            "an edit finds a message of a conversation that is hidden",
            EDIT_REFUSED,
            [replace(
                "fieldpost.judge_edit",
                "m.id = v_named and m.conversation_id = v_conversation for",
                "m.id = v_named for",
            )],
        ),
        bug(
            "an edit of what was deleted for good says that it never was",
            EDIT_REFUSED,
            [replace("fieldpost.judge_edit", ") then 'message_deleted' else", ") then 'not_found' else")],
        ),
        bug(
            "an edit that comes again is one more",
            EDITED_AGAIN,
            [replace("fieldpost.judge_edit", "when coalesce(v_row.content, '') = v_content and", "when")],
        ),
        bug(
            "an edit that was carried out is refused once its author may not write any more",
            EDIT_KEPT,
            [replace(
                "fieldpost.judge_edit",
                "    when coalesce(v_row.content",
                "    when v_writes and coalesce(v_row.content",
            )],
        ),
        bug(
            "an edit of what an older app sent is not found",
            EDIT_FOUND,
            [replace(
                "fieldpost.judge_edit",
                "m.client_key = v_named::text and m.conversation_id",
                "false and m.conversation_id",
            )],
        ),
        bug(
            "the key of an older app finds anybody's message",
            EDIT_FOUND,
            [replace("fieldpost.judge_edit", "where m.sender_id = s.user_id and m.client_key", "where m.client_key")],
        ),
        bug(
            "nobody learns that a message was edited",
            EDITED,
            [replace("fieldpost.messages_before_update", "      new.edited_at := now();", "      null;")],
        ),
        bug(
            "an author says when she edited",
            EDITED_DIRECTLY,
            [replace(
                "fieldpost.messages_before_update",
                "    new.edited_at := old.edited_at;\n    if v_me",
                "    if v_me",
            )],
        ),
        bug(
            "anybody in a conversation changes who is meant",
            EDITED_DIRECTLY,
            [replace("fieldpost.messages_before_update", "      new.mentions := old.mentions;\n", "")],
        ),
        bug(
            "mentions outlive their message",
            EDITED_DIRECTLY,
            [replace("fieldpost.messages_before_update", "    new.mentions := null;\n  elsif", "  elsif")],
        ),
        bug(
            "mentions have no limit in the table",
            EDITED_DIRECTLY,
            [replace("fieldpost.few", "order by m limit 100)", "order by m)")],
        ),
        bug(
            "an edit finds what a policy of the project hides",
            EDIT_NARROWED,
            [replace(
                "fieldpost.edit_as_caller",
                "if e.message_id is not null and not exists",
                "if false and not exists",
            )],
        ),
    ]
}
