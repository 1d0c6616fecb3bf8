//! Records: who wins, what one change does to another, what devices are sent, and which tables are offered.

use crate::planted_bugs::{
    bug::{Bug, bug, replace, sql},
    proofs::{
        AUDIT, NO_AUDIT, OWN_COLUMNS, RECORD_AGAIN, RECORD_ARRIVAL, RECORD_BEFORE, RECORD_BESIDE, RECORD_BLIND,
        RECORD_BYTES, RECORD_CHANGED, RECORD_CLIENT, RECORD_COLUMNS, RECORD_CURSOR, RECORD_DEFERRED, RECORD_DIRECT,
        RECORD_DROPPED, RECORD_ENDS, RECORD_EXPIRES, RECORD_FAILS, RECORD_FAULTS, RECORD_FEW, RECORD_FIRE,
        RECORD_FOLLOWS, RECORD_FOREIGN, RECORD_FUTURE, RECORD_GRANTS, RECORD_HIDDEN, RECORD_HOUSE, RECORD_KINDS,
        RECORD_LATER, RECORD_MANY, RECORD_MOVING, RECORD_NAMING, RECORD_NOBODY, RECORD_OFFERS, RECORD_ORDER,
        RECORD_POLICY, RECORD_RACE, RECORD_READ, RECORD_SAME, RECORD_SCALE, RECORD_TIE, RECORD_WAIT,
    },
};

/// Who wins, and what is recognised.
pub(super) fn winners() -> Vec<Bug> {
    vec![
        bug(
            "nothing is compared",
            RECORD_LATER,
            [replace(
                "fieldpost.update_records",
                "'and (i.arrival or t.last_mutation_id = i.after or (%4$s,",
                "'and (true or (%4$s,",
            )],
        ),
        bug(
            "what is equally late is decided by the arrival",
            RECORD_TIE,
            [replace(
                "fieldpost.update_records",
                "< (i.modified_at, i.id))',",
                "<= (i.modified_at, coalesce(t.last_mutation_id, i.id)))',",
            )],
        ),
        bug(
            "last-write-wins reads, then writes",
            RECORD_RACE,
            [
                replace(
                    "fieldpost.update_records",
                    " order by t.id for no key update)', s.name)",
                    " order by t.id)', s.name)",
                ),
                replace(
                    "fieldpost.update_records",
                    "'and (i.arrival or t.last_mutation_id = i.after or (%4$s,",
                    "'and (exists (select from fieldpost.record_targets(i.name, array[i.key]) q where q.modified_at < i.modified_at) or false and (%4$s,",
                ),
            ],
        ),
        bug(
            "a device's clock that runs ahead wins",
            RECORD_FUTURE,
            [
                replace("fieldpost.told_time", "least(p_now, v_time)", "v_time"),
                replace(
                    "fieldpost.record_before_update",
                    "least(coalesce(new.client_modified_at, clock_timestamp()), clock_timestamp())",
                    "new.client_modified_at",
                ),
            ],
        ),
        bug(
            "a direct writer's change keeps the device's name",
            RECORD_DIRECT,
            [replace("fieldpost.record_before_update", "      new.last_mutation_id := null;\n", "")],
        ),
        bug(
            "a direct writer's change has the time of the one before",
            RECORD_DIRECT,
            [replace(
                "fieldpost.record_before_update",
                "      new.client_modified_at := greatest(clock_timestamp(), old.client_modified_at);\n",
                "",
            )],
        ),
        bug(
            "a client writes versions",
            RECORD_CLIENT,
            [replace("fieldpost.record_before_update", "  new.version := old.version;\n", "")],
        ),
        bug(
            "a client takes a device's id",
            RECORD_CLIENT,
            [replace("fieldpost.record_before_update", "    new.client_id := old.client_id;\n", "    null;\n")],
        ),
        bug(
            "rows from before are older than everything",
            RECORD_BEFORE,
            [replace(
                "fieldpost.record_modified",
                "unnest(array['updated_at', 'created_at'])",
                "unnest(array['']::text[])",
            )],
        ),
        bug(
            "a change is applied once more",
            RECORD_BESIDE,
            [replace("fieldpost.update_records", " and t.last_mutation_id is distinct from i.id '", " '")],
        ),
        bug(
            "the time of a row goes back",
            RECORD_ARRIVAL,
            [replace(
                "fieldpost.update_records",
                "greatest(i.modified_at, case when i.arrival or t.last_mutation_id = i.after then %4$s end)",
                "i.modified_at",
            )],
        ),
        bug(
            "a change is compared with the one before it",
            RECORD_FOLLOWS,
            [replace(
                "fieldpost.update_records",
                "'and (i.arrival or t.last_mutation_id = i.after or (%4$s,",
                "'and (i.arrival or (%4$s,",
            )],
        ),
        bug(
            "a change is lost to the one after it",
            RECORD_AGAIN,
            [replace("fieldpost.update_records", " or t.last_mutation_id = any (i.later)", "")],
        ),
        bug(
            "a late create brings a record back",
            RECORD_AGAIN,
            [replace(
                "fieldpost.create_records",
                "when d.hers then fieldpost.record_won",
                "when false then fieldpost.record_won",
            )],
        ),
        bug(
            "a device's id names no row",
            RECORD_SAME,
            [replace("fieldpost.record_targets", "where b.client_id = r limit 1", "where false limit 1")],
        ),
        bug(
            "a record by its two names is two lanes",
            RECORD_SAME,
            [replace(
                "fieldpost.records_read",
                "coalesce(v_keys ->> (r.name || '/' || r.record_id), r.record_id::text)",
                "r.record_id::text",
            )],
        ),
        bug(
            "references stay as devices wrote them",
            RECORD_SAME,
            [replace(
                "fieldpost.resolve_references",
                "i.fields || jsonb_build_object(v_column, v_found ->> v.value::text)",
                "i.fields",
            )],
        ),
    ]
}

/// What one change does to another, and what is refused.
pub(super) fn batches() -> Vec<Bug> {
    vec![
        bug(
            "a table comes before what it refers to",
            RECORD_ORDER,
            [replace(
                "fieldpost.records_push",
                "case when i.operation = 'delete' then -s.rank else s.rank end",
                "case when i.operation = 'delete' then s.rank else -s.rank end",
            )],
        ),
        bug(
            "what named a later record is not tried again",
            RECORD_ORDER,
            [replace("fieldpost.records_push", "for v_pass in 1 .. 3 loop", "for v_pass in 1 .. 0 loop")],
        ),
        bug(
            "a reference to what is hidden is stored",
            RECORD_NAMING,
            [replace(
                "fieldpost.resolve_references",
                "or v_same ->> i.key::text = v.value::text then i",
                "or true then i",
            )],
        ),
        bug(
            "a reference that is there is looked at again",
            RECORD_NAMING,
            [replace("fieldpost.resolve_references", " or v_same ->> i.key::text = v.value::text then i", " then i")],
        ),
        bug(
            "another organization's deletions are told",
            RECORD_FOREIGN,
            [replace(
                "fieldpost.record_deletions",
                "bool_or(t.org_id in (select m.org_id from fieldpost.memberships(auth.uid()) m))",
                "true",
            )],
        ),
        bug(
            "whoever has no membership is told what is there",
            RECORD_NOBODY,
            [replace("fieldpost.records_read", "when cardinality(v_orgs) = 0 then", "when false then")],
        ),
        bug(
            "records are written past the policies",
            RECORD_POLICY,
            [sql(
                "alter function fieldpost.create_records(fieldpost.record_shape, fieldpost.record_change[]) security definer; alter function fieldpost.update_records(fieldpost.record_shape, fieldpost.record_change[]) security definer; alter function fieldpost.delete_records(fieldpost.record_shape, fieldpost.record_change[]) security definer",
            )],
        ),
        bug(
            "what she may not read was never hers",
            RECORD_BLIND,
            [replace("fieldpost.create_records", " or t.last_mutation_id = i.id) then", ") then")],
        ),
        bug(
            "a failure of the moment is final",
            RECORD_FAILS,
            [replace("fieldpost.record_failed", "when p_state in ('40001', '40P01', '55P03') then", "when false then")],
        ),
        bug(
            "one bad change undoes the others",
            RECORD_FAILS,
            [replace(
                "fieldpost.try_records",
                "  exception when assert_failure or others then\n    null;\n  end;\n",
                "  end;\n",
            )],
        ),
        bug(
            "an assertion of the project's fails the whole batch",
            RECORD_FAILS,
            [replace("fieldpost.try_records", "when assert_failure or others then", "when others then")],
        ),
        bug(
            "a retry does not hold its record back",
            RECORD_FAILS,
            [replace("fieldpost.records_push", "if v_group.lane = any (v_stuck) then", "if false then")],
        ),
        bug(
            "a refusal does not hold its record back",
            RECORD_FAILS,
            [replace("fieldpost.records_push", "elsif v_group.lane = any (v_refusals) then", "elsif false then")],
        ),
        bug(
            "what refers to a retry is refused for good",
            RECORD_FAILS,
            [replace(
                "fieldpost.try_record",
                "    v_result := '{\"status\":\"retry\",\"code\":\"after_retry\"}';\n",
                "    null;\n",
            )],
        ),
        bug(
            "what a trigger dropped counts as stored",
            RECORD_DROPPED,
            [replace(
                "fieldpost.create_records",
                "fieldpost.record_refused('refused', 'a trigger of this project dropped the record (no row)')",
                "fieldpost.record_won(i.record_id, 1, i.modified_at)",
            )],
        ),
        bug(
            "what a trigger adds to a change is somebody else's",
            RECORD_BESIDE,
            [replace(
                "fieldpost.record_before_update",
                "if not (v_push and old.sync_xid",
                "if not (false and old.sync_xid",
            )],
        ),
        bug(
            "constraints wait for the end of the call",
            RECORD_DEFERRED,
            [replace("fieldpost.records_push", "set constraints all immediate;", "null;")],
        ),
        bug(
            "records have no limit",
            RECORD_READ,
            [replace(
                "fieldpost.records_read",
                "when pg_column_size(l.fields) > 16384 and fieldpost.json_bytes(l.fields) > 262144 then",
                "when false then",
            )],
        ),
        bug(
            "every change has a savepoint",
            RECORD_FEW,
            [replace(
                "fieldpost.try_records",
                "    return fieldpost.carry_out_records(s, p_items);\n",
                "    raise 'one by one';\n",
            )],
        ),
    ]
}

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
