//! Changes of records: who wins, and what one change does to another.

use crate::planted_bugs::{
    bug::{Bug, bug, replace, sql},
    proofs::{
        RECORD_AGAIN, RECORD_ARRIVAL, RECORD_BEFORE, RECORD_BESIDE, RECORD_BLIND, RECORD_CLIENT, RECORD_DEFERRED,
        RECORD_DIRECT, RECORD_DROPPED, RECORD_FAILS, RECORD_FEW, RECORD_FOLLOWS, RECORD_FOREIGN, RECORD_FUTURE,
        RECORD_LATER, RECORD_NAMING, RECORD_NOBODY, RECORD_ORDER, RECORD_POLICY, RECORD_RACE, RECORD_READ, RECORD_SAME,
        RECORD_TIE,
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
