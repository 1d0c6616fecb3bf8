//! Tables of records: what devices are sent of them, and which are offered.

use crate::planted_bugs::{
    bug::{Bug, bug, replace, sql},
    proofs::{
        AUDIT, NO_AUDIT, OWN_COLUMNS, RECORD_BYTES, RECORD_CHANGED, RECORD_COLUMNS, RECORD_CURSOR, RECORD_ENDS,
        RECORD_EXPIRES, RECORD_FAULTS, RECORD_FIRE, RECORD_GRANTS, RECORD_HIDDEN, RECORD_HOUSE, RECORD_KINDS,
        RECORD_MANY, RECORD_MOVING, RECORD_OFFERS, RECORD_SCALE, RECORD_WAIT,
    },
};

/// What devices are sent.
pub(super) fn feed() -> Vec<Bug> {
    vec![
        bug(
            "a cursor is the newest transaction",
            RECORD_FIRE,
            [replace(
                "fieldpost.record_walk",
                "w.from_ := fieldpost.snapshot_of(v_part[5]);",
                "w.from_ := format('%1$s:%1$s:', pg_snapshot_xmax(fieldpost.snapshot_of(v_part[5])))::pg_snapshot;",
            )],
        ),
        bug(
            "a page heeds no bytes",
            RECORD_BYTES,
            [replace("fieldpost.records_pull", "(m.bytes <= v_left or v_taken + m.rows <= 1)", "true")],
        ),
        bug(
            "a pull of many calls ends where it began",
            RECORD_MANY,
            [replace(
                "fieldpost.records_pull",
                "exit when v_more or v_begun or w.last;",
                "exit when v_more or v_begun or not w.loading;",
            )],
        ),
        bug(
            "a load ends where it began",
            RECORD_MOVING,
            [replace(
                "fieldpost.records_pull",
                "exit when v_more or v_begun or w.last;",
                "exit when v_more or v_begun or w.loading;",
            )],
        ),
        bug(
            "a deleted record has no tombstone",
            RECORD_CHANGED,
            [replace("fieldpost.record_after_delete", "where o.org_id is not null", "where false")],
        ),
        bug(
            "a record that moves leaves no tombstone",
            RECORD_CHANGED,
            [replace("fieldpost.record_after_update", "where old.org_id is not null", "where false")],
        ),
        bug(
            "a record that moved is gone everywhere",
            RECORD_CHANGED,
            [replace("fieldpost.record_after_update", "then new.version - 1 else", "then new.version else")],
        ),
        bug(
            "a change has no stamp",
            RECORD_CHANGED,
            [replace("fieldpost.record_before_update", "  new.sync_xid := pg_current_xact_id();\n", "")],
        ),
        bug(
            "a record that comes back is older than its tombstone",
            RECORD_CHANGED,
            [replace(
                "fieldpost.record_before_insert",
                "(select max(t.version) from fieldpost.record_tombstones t where t.name = v_name and t.id = new.id))",
                "0)",
            )],
        ),
        bug(
            "policies hide nothing",
            RECORD_HIDDEN,
            [sql("alter function fieldpost.record_texts(text, uuid[]) security definer")],
        ),
        bug(
            "what a policy hides stays on devices",
            RECORD_HIDDEN,
            [replace("fieldpost.records_pull", "(v_gone or p.version > 1)", "v_gone")],
        ),
        bug(
            "what was never seen is named (records)",
            RECORD_HIDDEN,
            [replace("fieldpost.records_pull", " and (v_gone or p.version > 1)", "")],
        ),
        bug(
            "what was withdrawn never comes back (records)",
            RECORD_HIDDEN,
            [replace("fieldpost.records_pull", "else p.version - 1 end", "else p.version + 1 end")],
        ),
        bug(
            "a change of policies keeps the cursor (records)",
            RECORD_EXPIRES,
            [replace("fieldpost.records_scope", "md5(s.access || coalesce(v_rules, ''))", "md5(s.access)")],
        ),
        bug(
            "a new column keeps the cursor",
            RECORD_COLUMNS,
            [replace(
                "fieldpost.records_scope",
                "from pg_attribute a where a.attrelid = o.relid",
                "from pg_attribute a where false",
            )],
        ),
        bug(
            "a grant of a column keeps the cursor",
            RECORD_COLUMNS,
            [replace("fieldpost.records_scope", "a.atttypmod, a.attacl::text,", "a.atttypmod,")],
        ),
        bug(
            "a change of memberships keeps the cursor",
            RECORD_EXPIRES,
            [replace(
                "fieldpost.records_scope",
                "md5(coalesce(string_agg(distinct m.org_id || m.role, ','), 'none'))",
                "md5('x')",
            )],
        ),
        bug(
            "a cursor is good for any tables",
            RECORD_EXPIRES,
            [replace("fieldpost.record_walk", "when v_part[4] <> p_tables then", "when false then")],
        ),
        bug(
            "a cursor of another history is continued",
            RECORD_CURSOR,
            [replace("fieldpost.record_walk", "when left(v_part[2], 16) <> left(v_here, 16) then", "when false then")],
        ),
        bug(
            "a cursor of another run is continued",
            RECORD_CURSOR,
            [replace("fieldpost.record_walk", " or not fieldpost.cursor_holds(v_part[2], v_seen)", "")],
        ),
        bug(
            "TRUNCATE is told to nobody",
            RECORD_CURSOR,
            [replace(
                "fieldpost.watch_record_table",
                "execute function fieldpost.new_epoch()",
                "execute function fieldpost.note_run()",
            )],
        ),
        bug(
            "a page looks for a visible row to the end",
            RECORD_ENDS,
            [replace("fieldpost.records_pull", "elsif v_scanned >= c_scanned then", "elsif false then")],
        ),
        bug(
            "compacted deletions of records expire nothing",
            RECORD_HOUSE,
            [replace("fieldpost.compact_records", "  perform fieldpost.note_compaction(v_newest);\n", "")],
        ),
        bug(
            "versions begin anew after housekeeping",
            RECORD_HOUSE,
            [replace("fieldpost.record_before_insert", "(select k.records_version from fieldpost.compaction k)", "0")],
        ),
        bug(
            "records are found by no index",
            RECORD_SCALE,
            [replace("fieldpost.add_record_table", "on public.%I (org_id, sync_xid, id)'", "on public.%I (org_id)'")],
        ),
        bug(
            "a load sorts the table for each page",
            RECORD_SCALE,
            [sql("alter function fieldpost.record_picks(text, uuid, boolean, fieldpost.span) reset enable_bitmapscan")],
        ),
        bug(
            "tombstones are found by no index",
            RECORD_SCALE,
            [replace(
                "fieldpost.record_before_insert",
                "v_name constant text := tg_table_name;",
                "v_name constant name := tg_table_name;",
            )],
        ),
    ]
}

/// Which tables are offered, and the audit log.
pub(super) fn tables() -> Vec<Bug> {
    vec![
        bug(
            "a table without row level security is offered",
            RECORD_FAULTS,
            [replace("fieldpost.record_table_faults", "if not c.relrowsecurity then", "if false then")],
        ),
        bug(
            "ids may be of any type",
            RECORD_FAULTS,
            [replace(
                "fieldpost.record_table_faults",
                "where a.atttypid is distinct from 'uuid'::regtype",
                "where false",
            )],
        ),
        bug(
            "columns of a project's own are taken",
            RECORD_FAULTS,
            [replace("fieldpost.record_table_faults", "    if v_row.own then", "    if false then")],
        ),
        bug(
            "a large table is offered at once",
            RECORD_FAULTS,
            [replace("fieldpost.add_record_table", "c.reltuples > c_large", "false")],
        ),
        bug(
            "where columns are granted one by one, devices cannot write",
            RECORD_GRANTS,
            [replace(
                "fieldpost.add_record_table",
                "if v_row.col in ('client_id', 'client_modified_at', 'last_mutation_id') then",
                "if false then",
            )],
        ),
        bug(
            "versions begin anew when a table is offered again",
            RECORD_GRANTS,
            [replace("fieldpost.record_columns", "1 + (select k.records_version from fieldpost.compaction k)", "1")],
        ),
        bug("everybody queues behind an offer", RECORD_WAIT, [replace("fieldpost.lock_table", "'400ms'", "'3s'")]),
        bug(
            "a table stays offered when its row level security is off",
            RECORD_OFFERS,
            [replace("fieldpost.offered_tables", " and c.relrowsecurity", "")],
        ),
        bug(
            "generated columns are written",
            RECORD_KINDS,
            [replace("fieldpost.record_shapes", "and a.attgenerated = '' and a.attidentity <> 'a'", "and true")],
        ),
        bug(
            "a generated column makes every update a change",
            RECORD_KINDS,
            [replace("fieldpost.generated_columns", "a.attgenerated <> ''", "false")],
        ),
        bug(
            "who made a record can be written",
            OWN_COLUMNS,
            [replace("fieldpost.keep_maker", "    new.created_by := old.created_by;\n", "")],
        ),
        bug(
            "an entry of the log is whose it says",
            AUDIT,
            [replace(
                "fieldpost.audit_push",
                "'user_id', fieldpost.uid()",
                "'user_id', coalesce(e ->> 'user_id', fieldpost.uid()::text)",
            )],
        ),
        bug(
            "an entry of somebody else's counts as stored",
            AUDIT,
            [replace("fieldpost.audit_push", "    if v_row.hers then", "    if true then")],
        ),
        bug(
            "a project without a log fails",
            NO_AUDIT,
            [replace("fieldpost.audit_push", "if to_regclass('public.audit_log') is null then", "if false then")],
        ),
    ]
}
