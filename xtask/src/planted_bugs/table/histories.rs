//! The effects of a restore, a promotion or a crash on transaction numbers.

use crate::planted_bugs::{
    bug::{Bug, bug, replace, sql},
    proofs::{ACCOUNT, BACKUP, CRASH, DUMP, ELSEWHERE, POINT_IN_TIME, PUT_BACK, RESTART, STANDBY},
};

pub(super) fn histories() -> Vec<Bug> {
    let timeline = replace(
        "fieldpost.epoch",
        "case when pg_is_in_recovery() then (select r.timeline from fieldpost.runs r order by r.n desc limit 1) \
         else fieldpost.timeline() end,",
        "",
    );
    let no_epoch = replace("fieldpost.pull_picks", "if left(v_part[2], 16) <> left(v_here, 16) then", "if false then");
    let no_run = "v_seen > pg_snapshot_xmax(v_now) or not fieldpost.cursor_holds(v_part[2], v_seen)";
    let horizon = replace("fieldpost.snapshot_now", "pg_is_in_recovery() then format(", "true then format(");
    let no_notes = || {
        sql("drop trigger aa_fieldpost_run on public.conversations; drop trigger aa_fieldpost_run on public.messages; \
             drop trigger aa_fieldpost_run on public.conversation_read_status;")
    };
    vec![
        bug(
            "pull checks neither epoch nor run",
            DUMP,
            [no_epoch, replace("fieldpost.pull_picks", no_run, "v_seen > pg_snapshot_xmax(v_now)")],
        ),
        bug(
            "a restored compaction counts",
            DUMP,
            [replace(
                "fieldpost.pull_picks",
                "from fieldpost.compaction k where k.epoch = left(v_here, 16))",
                "from fieldpost.compaction k)",
            )],
        ),
        bug("the timeline is no part of the epoch", BACKUP, [timeline.clone()]),
        bug("the timeline is no part of the epoch (a point in time)", POINT_IN_TIME, [timeline]),
        bug(
            "a standby's snapshot is taken as it is",
            STANDBY,
            [replace("fieldpost.snapshot_now", "pg_is_in_recovery() then format(", "false then format(")],
        ),
        bug(
            "a cursor ahead of a standby expires",
            STANDBY,
            [replace("fieldpost.pull_picks", "elsif pg_is_in_recovery() and v_seen >", "elsif false and v_seen >")],
        ),
        bug("a plain xmin horizon (another database, prepared)", ELSEWHERE, [horizon]),
        bug(
            "runs of the server are not checked",
            CRASH,
            [replace("fieldpost.pull_picks", no_run, "v_seen > pg_snapshot_xmax(v_now)")],
        ),
        bug("runs of the server are not noted", CRASH, [no_notes()]),
        bug("runs of the server are not noted (a copy put back)", PUT_BACK, [no_notes()]),
        bug(
            "every run ends all cursors",
            RESTART,
            [replace(
                "fieldpost.note_run",
                "+ 1, v_mark, fieldpost.timeline(), pg_snapshot_xmin(pg_current_snapshot())",
                "+ 1, v_mark, fieldpost.timeline(), '0'",
            )],
        ),
        bug(
            "a conversation without a creator has none on the wire",
            ACCOUNT,
            [replace(
                "fieldpost.conversation_row",
                "coalesce(c.created_by, '00000000-0000-0000-0000-000000000000')",
                "c.created_by",
            )],
        ),
    ]
}
