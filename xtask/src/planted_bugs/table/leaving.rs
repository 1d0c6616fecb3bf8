//! Deletes, lost access, and the end of a cursor.

use crate::planted_bugs::{
    bug::{Bug, bug, drop_trigger, replace},
    proofs::{
        COMPACTED, DELETED_CONVERSATION, HANDED_OVER, HARD_DELETE, HISTORY, OLD_KEY, REMOVED, ROLE, TIE, TRUNCATE,
    },
};

/// Tombstones, revocations, grants.
pub(super) fn deletes() -> Vec<Bug> {
    vec![
        bug("no tombstone of a message", HARD_DELETE, [drop_trigger("messages", "after_delete")]),
        bug("no tombstone of a conversation", DELETED_CONVERSATION, [drop_trigger("conversations", "after_delete")]),
        bug(
            "one tombstone for every message of a deleted conversation",
            DELETED_CONVERSATION,
            [replace(
                "fieldpost.messages_after_delete",
                "  from fieldpost_old o\n  where exists (select from public.conversations c where c.id = o.conversation_id)\n",
                "  from fieldpost_old o\n",
            )],
        ),
        bug(
            "a deleted message comes back under its old key, by a push",
            OLD_KEY,
            [replace("fieldpost.known_messages", "on d.client_key = i.message_id::text", "on false")],
        ),
        bug(
            "a deleted message is told under an id that its sender does not know",
            OLD_KEY,
            [replace("fieldpost.known_messages", " || jsonb_build_object('id', i.message_id)", "")],
        ),
        bug(
            "a deleted message comes back under its old key, by an insert",
            OLD_KEY,
            [replace("fieldpost.messages_after_insert", "t.client_key = n.client_key)", "false)")],
        ),
        bug(
            "a deleted id may come back",
            HARD_DELETE,
            [replace(
                "fieldpost.messages_after_insert",
                "where t.entity = 'message' and t.id = any (array(select n.id from fieldpost_new n)))",
                "where false)",
            )],
        ),
        bug(
            "history leaves tombstones out",
            HISTORY,
            [replace(
                "fieldpost.history_picks",
                "t.entity = 'message' and t.seq <= v_to",
                "t.entity = 'message' and false and t.seq <= v_to",
            )],
        ),
        bug(
            "a reassigned conversation is neither revoked nor granted",
            HANDED_OVER,
            [drop_trigger("conversations", "reassigned")],
        ),
        bug("nobody is told of a change of medics", TIE, [drop_trigger("medics", "changed_update")]),
        bug("nobody is told of a change of profiles", REMOVED, [drop_trigger("profiles", "changed_delete")]),
    ]
}

/// What expires a cursor.
pub(super) fn epochs() -> Vec<Bug> {
    vec![
        bug(
            "pull does not check the epoch",
            TRUNCATE,
            [replace("fieldpost.pull_picks", "if left(v_part[2], 16) <> left(v_here, 16) then", "if false then")],
        ),
        bug(
            "every first load names the same epoch",
            TRUNCATE,
            [replace("fieldpost.bootstrap_picks", "'epoch', left(v_here, 16)", "'epoch', ''")],
        ),
        bug("TRUNCATE leaves the epoch as it is", TRUNCATE, [drop_trigger("messages", "truncate")]),
        bug(
            "a restored row leaves the epoch as it is",
            TRUNCATE,
            [replace("fieldpost.epoch", "::regclass::oid, e.id, e.xmin)", "::regclass::oid, e.id)")],
        ),
        bug(
            "another role or organization keeps the cursor",
            ROLE,
            [replace("fieldpost.pull_picks", "elsif s.member and v_part[3] <> s.fingerprint then", "elsif false then")],
        ),
        bug(
            "compaction expires nobody",
            COMPACTED,
            [replace(
                "fieldpost.pull_picks",
                "pg_snapshot_xmin(f.from_) <= (select k.compacted_xid",
                "false and '0' = (select k.compacted_xid",
            )],
        ),
    ]
}
