//! Quiet pushes: an answer that says that nothing is new although something is, and a cursor that has seen too much.

use crate::planted_bugs::{
    bug::{Bug, bug, replace},
    proofs::{QUIET_CURSOR, QUIET_HIDDEN, QUIET_OTHERS, QUIET_OWN, QUIET_READ, QUIET_RESULTS, QUIET_RUNNING},
};

const QUIET: &str = "fieldpost.quiet";
const TOLD: &str = "fieldpost.told_by";
const SENT: &str = "fieldpost.is_as_sent";
const SEEN: &str = "fieldpost.cursor_seen";

/// What is news, what the results tell of, and what the new cursor has seen.
pub(super) fn quiet() -> Vec<Bug> {
    let mut bugs = news();
    bugs.extend(cursors());
    bugs
}

fn news() -> Vec<Bug> {
    vec![
        bug(
            "a push is called quiet although somebody else has written",
            QUIET_OTHERS,
            [replace(
                QUIET,
                "where not exists (\n         select",
                "where n.person_id = p_user and not exists (\n         select",
            )],
        ),
        bug(
            "a push is called quiet although somebody else has read",
            QUIET_OTHERS,
            [replace(
                QUIET,
                "where n.b <> p_user or fieldpost.has_read_all(p_user, n.a) is not true\n         or not exists (select from fieldpost.told_by(p_mutations, p_results) t where t.kind = 5",
                "where n.b = p_user and not exists (select from fieldpost.told_by(p_mutations, p_results) t where t.kind = 5",
            )],
        ),
        bug(
            "a push is called quiet although a message was deleted for good",
            QUIET_OTHERS,
            [replace(QUIET, "array[1, 2, 3, 4] ||", "array[1, 2, 3] ||")],
        ),
        bug(
            "a push is called quiet although a conversation has changed",
            QUIET_OTHERS,
            [replace(QUIET, "array[1, 2, 3, 4] ||", "array[1, 2, 4] ||")],
        ),
        bug(
            "a push is called quiet whatever has become of its message",
            QUIET_RESULTS,
            [replace(QUIET, "then fieldpost.is_as_sent(n.j::jsonb, t.sent, t.told, p_user)", "then true")],
        ),
        bug(
            "a push is called quiet although other mentions were stored",
            QUIET_RESULTS,
            [replace(
                SENT,
                "and array(select jsonb_array_elements_text(coalesce(p_row -> 'mentions', '[]')) order by 1)\n      = array(",
                "and array['?'] <> array(",
            )],
        ),
        bug(
            "a push is called quiet although it has deleted what somebody else wrote",
            QUIET_RESULTS,
            [replace(QUIET, "n.person_id = p_user and n.j::jsonb = t.told", "n.j::jsonb = t.told")],
        ),
        bug(
            "a push is called quiet although something was refused",
            QUIET_RESULTS,
            [replace(TOLD, "is not true then null", "is not true then 0")],
        ),
        bug(
            "a push is called quiet although something is unread",
            QUIET_READ,
            [replace("fieldpost.has_read_all", "select c.last_seq - x.seen <= 50 and", "select true or")],
        ),
        bug(
            "a push is called quiet although it took back what was marked unread",
            QUIET_READ,
            [replace(QUIET, "or 'conversation_settings' = any (p_capabilities) and", "or false and")],
        ),
        bug(
            "a push is called quiet where a policy hides rows",
            QUIET_HIDDEN,
            [replace(QUIET, "fieldpost.narrowed('r') or", "")],
        ),
    ]
}

fn cursors() -> Vec<Bug> {
    vec![
        bug(
            "the cursor of a quiet push has seen what is still running",
            QUIET_RUNNING,
            [replace(
                QUIET,
                "s.fingerprint, fieldpost.snapshot_text(f.to_))",
                "s.fingerprint, format('%s:0:', pg_snapshot_xmax(f.to_)))",
            )],
        ),
        bug(
            "the cursor of a quiet push has not seen the push",
            QUIET_OWN,
            [replace("fieldpost.snapshot_with", "case when p_own is null", "case when true or p_own is null")],
        ),
        bug(
            "a push is quiet for a cursor of another history",
            QUIET_CURSOR,
            [replace(SEEN, "left(v_part[2], 16) <> left(v_here, 16)", "false")],
        ),
        bug(
            "a push is quiet for a cursor of another role",
            QUIET_CURSOR,
            [replace(SEEN, "v_part[3] <> s.fingerprint", "false")],
        ),
        bug(
            "a push is quiet for a cursor of a history that is gone",
            QUIET_CURSOR,
            [replace(SEEN, "or not fieldpost.cursor_holds(v_part[2], pg_snapshot_xmax(v_seen))", "")],
        ),
        bug("a push is quiet in the middle of a pass", QUIET_CURSOR, [replace(SEEN, "[0-9,]*$'", "[0-9,]*'")]),
    ]
}
