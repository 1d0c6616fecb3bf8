//! Other people's projects and rows: limits, their own policies, and a guest that changes nothing.

use crate::planted_bugs::{
    bug::{Bug, bug, drop_trigger, replace, replace_in_block, sql},
    proofs::{
        ANON, BIG_SUBJECT, CONVERSATION_POLICY, DIGESTS, EPOCH_BEGUN, GRANTS, GUARD, HIDDEN, IMPORT, IMPOSSIBLE_TIMES,
        KEYS, LIMITS, LIMITS_OF_OWN, OWN_FUNCTIONS, PREFLIGHT, RENAMED, RESTORED, RLS_OFF, TWO_ORGS, UPGRADED,
        WITHDRAWN, WORDS, WRITES_REFUSED,
    },
};

/// Rows that were not written through Fieldpost.
pub(super) fn rows() -> Vec<Bug> {
    let no_excess =
        || [replace("fieldpost.excess", "return case when v_reason is not null then", "return case when false then")];
    vec![
        bug("rows have no limits", LIMITS, no_excess()),
        bug("rows have no limits (tables of one's own)", LIMITS_OF_OWN, no_excess()),
        bug(
            "metadata may be nested without end",
            LIMITS,
            [replace(
                "fieldpost.excess",
                "when v_metadata is not null and fieldpost.deeper_than(v_metadata, 64)",
                "when false",
            )],
        ),
        bug(
            "brackets inside of strings are depth",
            LIMITS,
            [replace("fieldpost.deeper_than", "regexp_replace(p_json, '\"(\\\\.|[^\"\\\\])*\"', '', 'g')", "p_json")],
        ),
        bug(
            "subjects have no limit",
            BIG_SUBJECT,
            [replace("fieldpost.subject_excess", "when char_length(p_subject) > 500 then", "when false then")],
        ),
        bug(
            "a push refuses no metadata",
            LIMITS_OF_OWN,
            [replace(
                "fieldpost.send_fault",
                "when m -> 'metadata' is not null and fieldpost.excess(null, m -> 'metadata') is not null",
                "when false",
            )],
        ),
        bug(
            "every time is possible",
            IMPOSSIBLE_TIMES,
            [sql(
                "create or replace function fieldpost.is_sane(p_time timestamptz) returns boolean language sql stable set search_path = pg_catalog, pg_temp as $$ select true $$",
            )],
        ),
        bug(
            "a clock that ran ahead dates what follows",
            IMPOSSIBLE_TIMES,
            [replace("fieldpost.heads", "p on p.created_at < now() + interval '1 day'", "p on true")],
        ),
        bug(
            "what is dated in the future cannot be read today",
            IMPOSSIBLE_TIMES,
            [replace(
                "fieldpost.mark_row",
                "and (m.created_at <= p_row.last_read_at or m.created_at > now() + interval '1 day')",
                "and m.created_at <= p_row.last_read_at",
            )],
        ),
        bug(
            "what nobody wrote has no sender on the wire",
            KEYS,
            [replace(
                "fieldpost.message_text",
                "coalesce(m.sender_id, '00000000-0000-0000-0000-000000000000')",
                "m.sender_id",
            )],
        ),
        bug(
            "what nobody wrote is unread for nobody",
            KEYS,
            [replace("fieldpost.conversation_json", "m.sender_id is distinct from p_user", "m.sender_id <> p_user")],
        ),
        bug(
            "a key is unique over all conversations",
            KEYS,
            [sql(
                "create unique index planted on public.messages (sender_id, client_key) where client_key is not null",
            )],
        ),
        bug(
            "a second row of a key is refused in a project's own table",
            KEYS,
            [replace(
                "fieldpost.messages_before_insert",
                "if length(v_key) <= 200 and not (v_guest and exists (",
                "if length(v_key) <= 200 and not (false and exists (",
            )],
        ),
        bug(
            "an answer says nothing of what a trigger made of a message",
            WORDS,
            [replace("fieldpost.send_as_set", "if v_rewritten is not null then", "if false then")],
        ),
        bug(
            "what a trigger dropped is called taken",
            WORDS,
            [sql(
                "create or replace function fieldpost.refused_by_project(p_text text, p_state text) returns jsonb language sql immutable set search_path = pg_catalog, pg_temp as $$ select fieldpost.rejected('id_taken') $$",
            )],
        ),
        bug("the renaming of a medic is told to nobody", RENAMED, [drop_trigger("medics", "changed_update")]),
    ]
}

/// A project's own policies.
pub(super) fn policies() -> Vec<Bug> {
    vec![
        bug(
            "a project's policies are ignored",
            HIDDEN,
            [replace("fieldpost.narrowed", "strpos(p_commands || '*', p.polcmd::text) > 0", "false")],
        ),
        bug(
            "hidden numbers are gaps",
            HIDDEN,
            [replace(
                "fieldpost.hidden",
                "g.conversation_id, g.run\n  )",
                "g.conversation_id, g.run having false\n  )",
            )],
        ),
        bug(
            "unread counts what is hidden",
            HIDDEN,
            [replace(
                "fieldpost.conversations_i_see",
                "fieldpost.conversation_row(c, n.name, coalesce(u.unread, 0), l.created_at, l.preview)",
                "fieldpost.conversation_row(c, n.name, c.last_seq, l.created_at, l.preview)",
            )],
        ),
        bug(
            "the preview shows what is hidden",
            HIDDEN,
            [replace(
                "fieldpost.conversations_i_see",
                "coalesce(u.unread, 0), l.created_at, l.preview)",
                "coalesce(u.unread, 0), c.last_message_at, c.last_message_preview)",
            )],
        ),
        bug(
            "what a change hides stays on devices",
            WITHDRAWN,
            [replace("fieldpost.hidden", "from gone g where g.version > 1)", "from gone g where false)")],
        ),
        bug(
            "what was withdrawn never comes back",
            WITHDRAWN,
            [replace("fieldpost.hidden", "'version', g.version - 1)", "'version', g.version + 1)")],
        ),
        bug(
            "what was never seen is named",
            HIDDEN,
            [replace("fieldpost.hidden", "from gone g where g.version > 1)", "from gone g)")],
        ),
        bug(
            "a push writes past the policies",
            WRITES_REFUSED,
            [
                replace(
                    "public.fieldpost_push",
                    "select case when fieldpost.narrowed(case when exists (",
                    "select case when false and fieldpost.narrowed(case when exists (",
                ),
                replace("fieldpost.push", "elsif fieldpost.narrowed('aw') then", "elsif false then"),
            ],
        ),
        bug(
            "a change of policies keeps the cursor",
            CONVERSATION_POLICY,
            [replace("fieldpost.scope_of", "if v_policies is not null then", "if false then")],
        ),
        bug(
            "the digest counts conversations that are hidden",
            CONVERSATION_POLICY,
            [sql(
                "create or replace function fieldpost.narrowed_on(p_table regclass) returns boolean language sql stable set search_path = pg_catalog, pg_temp as $$ select false $$",
            )],
        ),
    ]
}

/// A guest changes nothing that existed before, and gives nobody access.
pub(super) fn projects() -> Vec<Bug> {
    let mut list = vec![
        bug(
            "grants come back that a project took away",
            GRANTS,
            [sql("grant select on public.medics, public.profiles to authenticated")],
        ),
        bug(
            "row level security is switched on where it was off",
            GRANTS,
            [sql("alter table public.organizations enable row level security")],
        ),
        bug("anon loses what a project granted", GRANTS, [sql("revoke all on public.messages from anon")]),
        bug(
            "a project's table gets a constraint",
            GRANTS,
            [sql("alter table public.messages add constraint planted check (char_length(content) < 10000)")],
        ),
        bug(
            "row level security is switched on unasked",
            RLS_OFF,
            [replace(
                "fieldpost.preflight",
                "case when v_adopted in ('all', v_table) then 'adapts' else 'adopt' end",
                "'adapts'",
            )],
        ),
        bug(
            "what cannot be installed is tried",
            PREFLIGHT,
            [replace_in_block(
                "from fieldpost.preflight() p where p.level in ('blocks', 'adopt');",
                "from fieldpost.preflight() p where false;",
            )],
        ),
        bug(
            "preflight does not see who can make herself an admin",
            PREFLIGHT,
            [replace(
                "fieldpost.preflight",
                "and not exists (select from pg_trigger t where t.tgrelid = p.polrelid and t.tgname = 'zz_fieldpost_guard');",
                "and false;",
            )],
        ),
        bug(
            "a project's own functions are replaced",
            OWN_FUNCTIONS,
            [replace(
                "fieldpost.is_own",
                "and md5(p.prosrc) <> (select r.hash",
                "and false and md5(p.prosrc) <> (select r.hash",
            )],
        ),
        bug("people write their own membership", GUARD, [drop_trigger("profiles", "guard")]),
        bug(
            "the guard looks at updates only",
            GUARD,
            [replace(
                "fieldpost.guard_memberships",
                "zz_fieldpost_guard before insert or update on public.profiles",
                "zz_fieldpost_guard before update on public.profiles",
            )],
        ),
        bug(
            "the functions serve anon",
            ANON,
            [
                replace("fieldpost.refused", "if fieldpost.uid() is null then", "if false then"),
                sql(
                    "grant usage on schema fieldpost to anon; grant execute on all functions in schema fieldpost to anon",
                ),
            ],
        ),
        bug(
            "somebody's role in one organization is all that counts",
            TWO_ORGS,
            [replace_in_block(
                "left join public.medics m on m.user_id = p.id and m.org_id = p.org_id\n",
                "left join lateral (select x.* from public.medics x where x.user_id = p.id and x.org_id = p.org_id order by x.id limit 1) m on true\n",
            )],
        ),
        bug(
            "a conversation is opened where the client says",
            TWO_ORGS,
            [replace(
                "fieldpost.judge_opening",
                "  if v_kind = 'direct' and v_medic is not null and not (",
                "  if false and not (",
            )],
        ),
        bug(
            "the tables stay in Realtime's publication",
            UPGRADED,
            [replace_in_block(
                "execute format('alter publication supabase_realtime drop table public.%I', v_table);",
                "null;",
            )],
        ),
        bug(
            "an older version replaces a newer one",
            UPGRADED,
            [replace_in_block("if v_installed > c_version then", "if false then")],
        ),
        bug(
            "what version 1 left half done is not numbered",
            UPGRADED,
            [replace_in_block(
                "c.last_seq is null) then\n    perform fieldpost.number_what_is_new();\n",
                "c.last_seq is null) then\n    null;\n",
            )],
        ),
        bug(
            "a restore meets rows that are there",
            RESTORED,
            [replace(
                "fieldpost.keep_what_is_there",
                "return case when v_there then null else new end;",
                "return new;",
            )],
        ),
        bug(
            "rows that are there stay only where triggers run",
            RESTORED,
            [replace_in_block(
                "execute format('alter table %s enable always trigger aa_fieldpost_keep', v_row.tab);",
                "null;",
            )],
        ),
        bug(
            "an epoch begins in name only",
            EPOCH_BEGUN,
            [replace("fieldpost.begin_epoch", "  update fieldpost.epoch set id = gen_random_uuid();\n", "")],
        ),
    ];
    list.push(bug(
        "policy fieldpost_only_anon of messages dropped",
        ANON,
        [sql("drop policy fieldpost_only_anon on public.messages")],
    ));
    for function in [
        "messages_before_insert",
        "messages_before_update",
        "conversations_before_insert",
        "conversations_before_update",
        "read_status_before_write",
    ] {
        list.push(bug(
            &format!("{function} runs as the writer"),
            ANON,
            [sql(&format!("alter function fieldpost.{function}() security invoker"))],
        ));
    }
    list
}

/// Large organizations.
pub(super) fn organizations() -> Vec<Bug> {
    vec![
        bug(
            "a deleted conversation stays in the digest",
            DIGESTS,
            [replace("fieldpost.digest_after_write", "select x.org_id, -count(*),", "select x.org_id, count(*),")],
        ),
        bug(
            "an import locks each person",
            IMPORT,
            [replace(
                "fieldpost.members_changed",
                "  insert into fieldpost.person_turns (user_id) select u from unnest(v_users) u order by u;\n",
                "  perform pg_advisory_xact_lock(hashtextextended(u::text, 0)) from unnest(v_users) u;\n  \
                 insert into fieldpost.person_turns (user_id) select u from unnest(v_users) u order by u;\n",
            )],
        ),
    ]
}
