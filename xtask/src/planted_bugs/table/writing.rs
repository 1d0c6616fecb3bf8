//! Pushes are applied exactly once, and a first load is complete.

use crate::planted_bugs::{
    bug::{Bug, bug, replace},
    proofs::{
        BETWEEN_PAGES, DELETED_ID, EVERY_CODE, INJECTED, MARKERS, OLD_KEY, ONCE, ONE_REFUSED, OPENED, OWN_COLUMNS,
        TOO_LARGE,
    },
};

/// Exactly once, one by one, and ids that reveal nothing.
pub(super) fn push() -> Vec<Bug> {
    vec![
        bug(
            // The lookup of known ids would hide the bug: either of the two keeps a message from being sent twice.
            "on conflict removed, and the look at known ids before it",
            ONCE,
            [
                replace(
                    "fieldpost.send_alone",
                    "  on conflict do nothing;\n  select m.* into",
                    "  ;\n  select m.* into",
                ),
                replace(
                    "fieldpost.send_all",
                    "return fieldpost.send_as_set(s, p_items, true);",
                    "return fieldpost.send_as_set(s, p_items, false);",
                ),
                replace(
                    "fieldpost.send_alone",
                    "v_result := (select k.result from fieldpost.known_messages(s, array[p_item]) k);",
                    "v_result := null;",
                ),
            ],
        ),
        bug(
            "what an older version of the app sent is not looked for, unless an id is known too",
            OLD_KEY,
            [replace(
                "fieldpost.send_as_set",
                "if p_look or fieldpost.older_keys(s, v_conversations) then",
                "if p_look then",
            )],
        ),
        bug(
            "what only looks like a time fails the whole call",
            EVERY_CODE,
            [replace("fieldpost.push", "exception when data_exception then", "exception when division_by_zero then")],
        ),
        bug("a text that nobody sees is a message", EVERY_CODE, [replace("fieldpost.is_blank", "\\ufeff", "")]),
        bug(
            "a broadcast has no recipients",
            OPENED,
            [replace("fieldpost.recipients_of_new", "if v_messages <> '{}' then", "if false then")],
        ),
        bug(
            "one transaction for all: what refuses one message fails the call",
            ONE_REFUSED,
            [replace(
                "fieldpost.send_all",
                "        v_results[v_place] := fieldpost.refused_by_project(sqlerrm, sqlstate);",
                "        raise;",
            )],
        ),
        bug(
            "40P01 answered rejected",
            INJECTED,
            [replace(
                "fieldpost.send_all",
                "when serialization_failure or deadlock_detected or lock_not_available then\n        v_stuck := v_stuck || v_item.conversation_id;",
                "when serialization_failure or lock_not_available then\n        v_stuck := v_stuck || v_item.conversation_id;",
            )],
        ),
        bug(
            "a retry does not take the rest of its lane along",
            INJECTED,
            [replace("fieldpost.send_all", "if v_item.conversation_id = any (v_stuck) then", "if false then")],
        ),
        bug(
            "the row is shown to anyone who knows its id",
            DELETED_ID,
            [replace(
                "fieldpost.known_messages",
                "when m.sender_id = s.user_id and m.conversation_id = i.conversation_id",
                "when true",
            )],
        ),
        bug(
            "tombstones are not consulted by push",
            DELETED_ID,
            [replace(
                "fieldpost.known_messages",
                "t.entity = 'message' and t.id = i.message_id\n",
                "t.entity = 'message' and t.id = i.message_id and false\n",
            )],
        ),
        bug(
            "no limit to a batch",
            TOO_LARGE,
            [replace("fieldpost.push_refused", "cardinality(p_mutations) > 500", "false")],
        ),
        bug(
            "a marker goes backwards",
            OWN_COLUMNS,
            [replace(
                "fieldpost.mark_row",
                "p_row.read_seq := greatest(p_row.read_seq, coalesce(p_old.read_seq, 0));",
                "p_row.read_seq := greatest(p_row.read_seq, 0);",
            )],
        ),
        bug(
            "a marker goes beyond the last message",
            MARKERS,
            [replace("fieldpost.mark_row", "p_row.read_seq := least(greatest(p_row.read_seq, 0), v_last);", "")],
        ),
    ]
}

/// The first load misses nothing.
pub(super) fn first_load() -> Vec<Bug> {
    vec![bug(
        "what comes after the list of a first load goes by a newest-first keyset",
        BETWEEN_PAGES,
        [
            replace(
                "fieldpost.bootstrap_others",
                "and c.id > case when o = p.org then p.id else '00000000-0000-0000-0000-000000000000' end",
                "and (o <> p.org or (-extract(epoch from coalesce(c.last_message_at, c.created_at)), c.id) \
                 > (select -extract(epoch from coalesce(l.last_message_at, l.created_at)), l.id \
                 from public.conversations l where l.id = p.id))",
            ),
            replace(
                "fieldpost.bootstrap_others",
                "      order by c.org_id, c.id limit p_limit\n    ) q",
                "      order by coalesce(c.last_message_at, c.created_at) desc, c.id limit p_limit\n    ) q",
            ),
        ],
    )]
}
