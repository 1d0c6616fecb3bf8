//! Receipts: what other clients read of the markers, and what they say by it.

use crate::planted_bugs::{
    bug::{Bug, bug, drop_trigger, replace},
    proofs::{RECEIPT_CLAIMS, RECEIPT_COST, RECEIPT_FAULTS, RECEIPT_ROWS, RECEIPT_TIMES, RECEIPTS, RECIPIENTS},
};

const FOLLOW: &str = "fieldpost.follow_markers";
const MARK: &str = "fieldpost.mark_row";
const EDITED: &str = "fieldpost.messages_before_update";

/// Statuses, recipients and markers.
pub(super) fn receipts() -> Vec<Bug> {
    vec![
        bug(
            "a status that follows the markers is told to every device",
            RECEIPTS,
            [replace(EDITED, "current_setting('fieldpost.deriving', true) = 'on'", "false")],
        ),
        bug(
            "a client may say that it derives a status",
            RECEIPT_CLAIMS,
            [replace(
                EDITED,
                "if not v_client then\n    -- A status",
                "if v_client and current_setting('fieldpost.deriving', true) = 'on' then\n    return new;\n  end if;\n  if not v_client then\n    -- A status",
            )],
        ),
        bug(
            "one's own marker is a receipt of one's own messages",
            RECEIPTS,
            [replace(FOLLOW, " and m.sender_id is distinct from x.user_id", "")],
        ),
        bug(
            "what was delivered goes backwards",
            RECEIPTS,
            [
                replace(MARK, "p_row.read_seq, coalesce(p_old.delivered_seq, 0))", "p_row.read_seq)"),
                replace("fieldpost.mark_delivered", "or v_before.delivered_seq < d.delivered_seq", "or true"),
                replace(
                    "fieldpost.mark_delivered",
                    "greatest(r.delivered_seq, excluded.delivered_seq)",
                    "excluded.delivered_seq",
                ),
            ],
        ),
        bug(
            "something arrives from a conversation that is hidden",
            RECEIPT_FAULTS,
            [replace(
                "fieldpost.judge_delivery",
                " and (c.org_id = any (s.admin_orgs) or c.id = any (s.conversations))",
                "",
            )],
        ),
        bug(
            "a reader's rows do not follow her marker",
            RECEIPT_TIMES,
            [replace(FOLLOW, "where r.message_id = x.id and", "where false and")],
        ),
        bug("a first marker moves nothing", RECEIPT_TIMES, [drop_trigger("conversation_read_status", "after_insert")]),
        bug("a recipient row moves no marker", RECEIPT_ROWS, [drop_trigger("message_recipients", "after_update")]),
        bug(
            "a broadcast that is written directly has no recipients",
            RECIPIENTS,
            [drop_trigger("messages", "after_insert_recipients")],
        ),
        bug(
            "an old app's own recipient rows are refused",
            RECIPIENTS,
            [drop_trigger("message_recipients", "before_insert_client")],
        ),
        bug(
            "an admin reads for a medic",
            RECIPIENTS,
            [replace("fieldpost.recipients_before_insert", "new.read_at := null;", "")],
        ),
        bug(
            "a mark looks at the whole conversation",
            RECEIPT_COST,
            [replace(
                FOLLOW,
                "and m.seq > case when y.read_to > y.read_from then y.read_from else y.delivered_from end\n        and m.seq <= greatest(y.delivered_to, y.read_to)",
                "",
            )],
        ),
    ]
}
