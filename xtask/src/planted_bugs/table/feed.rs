//! The feed: gap-free, prompt and in order.

use crate::planted_bugs::{
    bug::{Bug, bug, replace, sql},
    proofs::{COPIED, DROPPED, IDLE, LOAD, MID_PASS, ONCE, OPPOSITE},
};

/// Gap-free, and prompt.
pub(super) fn feed() -> Vec<Bug> {
    // A timestamp instead of a transaction number, and a cursor made of it: an `updated_at` keyset.
    let clock = "(extract(epoch from %) * 1000000)::bigint::text";
    let updated_at = [
        sql(&format!(
            "create function fieldpost.planted() returns trigger language plpgsql as \
             $$ begin new.sync_xid := {}::xid8; return new; end $$",
            clock.replace('%', "now()")
        )),
        sql(
            "create trigger zzz_planted before insert or update on public.messages for each row execute function fieldpost.planted()",
        ),
        sql(&format!(
            "create or replace function fieldpost.snapshot_now() returns pg_snapshot language sql stable as \
             $$ select format('%1$s:%1$s:', {})::pg_snapshot $$",
            clock.replace('%', "clock_timestamp()")
        )),
    ];
    let horizon = || [replace("fieldpost.snapshot_now", "pg_is_in_recovery() then format(", "true then format(")];
    let moving = || [replace("fieldpost.pull_picks", "f.to_ := fieldpost.snapshot_of(v_part[5]);", "")];
    vec![
        bug("the cursor is a time, as with a keyset on updated_at", LOAD, updated_at),
        bug(
            "the cursor is a high-water mark of transaction numbers",
            LOAD,
            [replace("fieldpost.stamp_ranges", "select r, r from pg_snapshot_xip(p_from) r\n  union all\n", "")],
        ),
        bug("the cursor is a plain xmin horizon", LOAD, horizon()),
        bug("the cursor is a plain xmin horizon", IDLE, horizon()),
        bug("the end of a pass moves with every page", LOAD, moving()),
        bug("the end of a pass moves with every page", MID_PASS, moving()),
    ]
}

/// seq without gaps, in commit order, without deadlocks.
pub(super) fn numbers() -> Vec<Bug> {
    let before_row = || {
        [
            replace(
                "fieldpost.messages_before_insert",
                "  new.seq := null;\n",
                "  update public.conversations c set last_seq = coalesce(c.last_seq, 0) + 1\n  \
                 where c.id = new.conversation_id returning c.last_seq into new.seq;\n",
            ),
            replace("fieldpost.messages_after_insert", "if v_conversations is null then", "if true then"),
        ]
    };
    vec![
        bug(
            "seq from a plain sequence",
            LOAD,
            [
                replace(
                    "fieldpost.messages_after_insert",
                    "h.last_seq + p.k as seq",
                    "nextval('fieldpost.planted') as seq",
                ),
                sql("create sequence fieldpost.planted"),
            ],
        ),
        bug("seq in a BEFORE row trigger (burns numbers)", LOAD, before_row()),
        bug("seq in a BEFORE row trigger (locks in the order of the rows)", OPPOSITE, before_row()),
        bug(
            "conversations are locked in no order",
            OPPOSITE,
            [replace(
                "fieldpost.messages_after_insert",
                "where c.id = any (v_conversations) order by c.id for no key update;",
                "join (select distinct n.conversation_id, min(n.content) from fieldpost_new n group by 1) x on x.conversation_id = c.id \
                 order by md5(c.id::text || pg_backend_pid()) for no key update of c;",
            )],
        ),
        bug(
            "created_at is not raised to grow with seq",
            LOAD,
            [replace(
                "fieldpost.messages_after_insert",
                "seq = n.seq, created_at = n.created_at, updated_at",
                "seq = n.seq, updated_at",
            )],
        ),
        bug(
            "created_at is not raised to grow with seq, in a push",
            ONCE,
            [replace(
                "fieldpost.send_as_set",
                "greatest(v_start, h.created_at) + p.k * interval '1 microsecond' as created_at",
                "v_start as created_at",
            )],
        ),
        bug(
            "a push is believed whatever numbers it gives",
            DROPPED,
            [replace("fieldpost.messages_after_insert", "if v_numbered > 0 and exists (", "if false and exists (")],
        ),
        bug(
            "a back end's numbers are taken as they come",
            COPIED,
            [replace(
                "fieldpost.messages_before_insert",
                "if v_client or new.sync_xid <> pg_current_xact_id() then",
                "if v_client then",
            )],
        ),
    ]
}
