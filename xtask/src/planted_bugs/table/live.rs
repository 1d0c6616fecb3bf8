//! Live hints: who is told, how often, who may join, and that no write fails or waits.

use crate::planted_bugs::{
    bug::{Bug, bug, replace, replace_in_block, sql},
    proofs::{
        LIVE_ABSENT, LIVE_CHEAP, LIVE_EARLIER, LIVE_EMPTY, LIVE_HALF, LIVE_JOIN, LIVE_LOCKED, LIVE_MANY, LIVE_NAMESAKE,
        LIVE_NARROWED, LIVE_NO_RLS, LIVE_ONCE, LIVE_OPEN, LIVE_OTHERS, LIVE_RAISES, LIVE_REFUSED, LIVE_TAG, LIVE_WHO,
    },
};

const ONLY_THESE_TYPE: &str = "or (select fieldpost.may_hear_as_caller(realtime.topic(), true)));";
const EVERYBODY: &str = "or true);";

/// Who hears of what, and how often.
pub(super) fn hints() -> Vec<Bug> {
    let mut list = vec![
        bug(
            "a hint for each statement of a transaction",
            LIVE_ONCE,
            [replace("fieldpost.hint_once", "where t <> all (coalesce(v_sent, '{}')) order by t);", "order by t);")],
        ),
        bug(
            "a direct message is told to everybody of the org",
            LIVE_WHO,
            [replace(
                "fieldpost.conversation_topics",
                "select 'fieldpost:admins:' || c.org_id",
                "select 'fieldpost:org:' || c.org_id",
            )],
        ),
        bug(
            "a direct message is told to every medic of the org",
            LIVE_WHO,
            [replace("fieldpost.conversation_topics", "and r.medic_id = c.medic_id and r.user_id", "and r.user_id")],
        ),
        bug(
            "a delivery of a broadcast is told, when it is the first",
            LIVE_WHO,
            [replace(
                "fieldpost.hint",
                "array_agg('fieldpost:user:' || n.user_id) filter (where c.type = 'broadcast' and n.read_seq > 0)",
                "array_agg('fieldpost:user:' || n.user_id) filter (where c.type = 'broadcast')",
            )],
        ),
        bug(
            "a delivery of a broadcast is told, when it is a later one",
            LIVE_WHO,
            [replace(
                "fieldpost.hint",
                "array_agg('fieldpost:admins:' || c.org_id) filter (where c.type = 'broadcast' and n.read_seq > o.read_seq)",
                "array_agg('fieldpost:admins:' || c.org_id) filter (where c.type = 'broadcast')",
            )],
        ),
        bug(
            "what changes nothing is told",
            LIVE_WHO,
            [replace(
                "fieldpost.hint",
                "into v_conversations, v_orgs from fieldpost_new n where n.sync_xid = v_stamp;\n      else",
                "into v_conversations, v_orgs from fieldpost_new n;\n      else",
            )],
        ),
        bug(
            "who loses her access does not hear of it",
            LIVE_WHO,
            [replace(
                "fieldpost.hint",
                "select array_agg(distinct 'fieldpost:user:' || n.user_id)\n               || array_agg(distinct case when n.role",
                "select array_agg(distinct case when n.role",
            )],
        ),
        bug(
            "an import is told to each person",
            LIVE_MANY,
            [replace("fieldpost.hint_once", "cardinality(v_new) > 50 then", "cardinality(v_new) > 5000 then")],
        ),
        bug(
            "a hint stays in the transaction's settings",
            LIVE_EMPTY,
            [replace("fieldpost.send_hints", "perform set_config('realtime.topic', v_before, true);", "")],
        ),
        bug(
            "a hint says what was written",
            LIVE_EMPTY,
            [replace(
                "fieldpost.send_hints",
                "send(v_payload,",
                "send(v_payload || jsonb_build_object('topic', v_topic),",
            )],
        ),
        bug(
            "a hint names no push",
            LIVE_TAG,
            [replace("fieldpost.send_hints", "current_setting('fieldpost.push', true)", "null")],
        ),
        bug("all pushes have one tag", LIVE_TAG, [replace("fieldpost.push_tag", "p_mutations[1] ->> 'id'", "'push'")]),
        bug(
            "what has arrived at an admin's device is told to all admins, when it is the first",
            LIVE_WHO,
            [replace(
                "fieldpost.hint",
                "select array_agg(distinct n.conversation_id) filter (where c.type = 'direct' and n.read_seq > 0)",
                "select array_agg(distinct n.conversation_id) filter (where c.type = 'direct')",
            )],
        ),
        bug(
            "what has arrived at an admin's device is told to all admins, when it is a later one",
            LIVE_WHO,
            [replace(
                "fieldpost.hint",
                "select array_agg(distinct n.conversation_id) filter (where c.type = 'direct' and n.read_seq > o.read_seq)",
                "select array_agg(distinct n.conversation_id) filter (where c.type = 'direct')",
            )],
        ),
        bug(
            "what has arrived at the medic's device is told to no admin",
            LIVE_WHO,
            [replace("fieldpost.delivery_topics", "where t.by_medic or left", "where left")],
        ),
    ];
    let tables = [
        "public.messages",
        "public.conversations",
        "public.conversation_read_status",
        "public.message_reactions",
        "public.conversation_settings",
        "fieldpost.tombstones",
        "fieldpost.access_log",
        "fieldpost.people",
    ];
    // What is inserted there is told by another table too, or is never updated.
    let told_twice = ["access_log insert", "access_log update", "tombstones update", "conversation_settings update"];
    list.extend(
        tables
            .into_iter()
            .flat_map(|table| ["insert", "update"].map(|write| (table, write)))
            .filter(|(table, write)| !told_twice.iter().any(|known| format!("{table} {write}").ends_with(known)))
            .map(|(table, write)| {
                bug(
                    &format!("no hint of an {write} of {table}"),
                    LIVE_WHO,
                    [sql(&format!("drop trigger zz_fieldpost_hint_{write} on {table}"))],
                )
            }),
    );
    list
}

/// Who may join, and that a project without Realtime, or with half of it, does not notice.
pub(super) fn guests() -> Vec<Bug> {
    vec![
        bug(
            "a medic joins the topic of the admins",
            LIVE_JOIN,
            [replace(
                "fieldpost.may_hear",
                "where m.role = 'org_admin' and p_topic = 'fieldpost:admins:'",
                "where p_topic = 'fieldpost:admins:'",
            )],
        ),
        bug(
            "a medic joins the conversation of another",
            LIVE_JOIN,
            [replace("fieldpost.may_hear", "c.type = 'direct' and c.medic_id = m.medic_id", "c.type = 'direct'")],
        ),
        bug(
            "another org's admin joins a conversation",
            LIVE_JOIN,
            [replace("fieldpost.may_hear", "on c.org_id = m.org_id and (", "on (")],
        ),
        bug(
            "a medic types in a broadcast",
            LIVE_JOIN,
            [replace("fieldpost.may_type", "and (c.type = 'direct' or fieldpost.is_admin_of(c.org_id))", "")],
        ),
        bug(
            "people send on topics of hints",
            LIVE_JOIN,
            [
                replace(
                    "fieldpost.enable_live",
                    "with check (extension = 'broadcast' and (select fieldpost.may_hear_as_caller(realtime.topic(), true)));",
                    "with check (extension = 'broadcast' and (select fieldpost.may_hear_as_caller(realtime.topic(), false)));",
                ),
                replace("fieldpost.enable_live", ONLY_THESE_TYPE, EVERYBODY),
            ],
        ),
        bug(
            "a topic that names no id is an error",
            LIVE_JOIN,
            [
                replace(
                    "fieldpost.may_hear",
                    "fieldpost.uuid_or_null(substr(p_topic, 24))",
                    "substr(p_topic, 24)::uuid",
                ),
                replace("fieldpost.may_hear", "exception when others then\n  return false;", ""),
                replace("fieldpost.may_hear_as_caller", "exception when others then\n  return false;", ""),
            ],
        ),
        bug(
            "presence is let through",
            LIVE_JOIN,
            [
                replace(
                    "fieldpost.enable_live",
                    "using (extension = 'broadcast' and (select fieldpost.may_hear_as_caller(realtime.topic(), false)))",
                    "using ((select fieldpost.may_hear_as_caller(realtime.topic(), false)))",
                ),
                replace("fieldpost.enable_live", "'authenticated' and extension = 'broadcast'))", "'authenticated'))"),
            ],
        ),
        bug(
            "whom the project lets hear everything hears Fieldpost's topics",
            LIVE_OPEN,
            [replace(
                "fieldpost.enable_live",
                "or (select fieldpost.may_hear_as_caller(realtime.topic(), false)));",
                EVERYBODY,
            )],
        ),
        bug(
            "whom the project lets send everything sends hints",
            LIVE_OPEN,
            [replace("fieldpost.enable_live", ONLY_THESE_TYPE, EVERYBODY)],
        ),
        bug(
            "other roles hear Fieldpost's topics where the project lets them",
            LIVE_OPEN,
            [replace("fieldpost.enable_live", "(current_user = 'authenticated' and", "(true and")],
        ),
        bug(
            "hints go out where everybody may hear them",
            LIVE_NO_RLS,
            [replace("fieldpost.live_is_on", "and (select c.relrowsecurity from", "and (select true from")],
        ),
        bug(
            "a policy that raises is not named",
            LIVE_RAISES,
            [replace("fieldpost.raised_at_a_join", "return nullif(sqlerrm, '');", "return null;")],
        ),
        bug(
            "which function sends is left open",
            LIVE_NAMESAKE,
            [replace("fieldpost.send_hints", "send(v_payload,", "send('{}',")],
        ),
        bug(
            "who cannot make the newer policies has no hints",
            LIVE_EARLIER,
            [replace(
                "fieldpost.live_is_on",
                "p.polname in ('fieldpost_hear', 'fieldpost_type'))",
                "p.polname in ('fieldpost_hear', 'fieldpost_only'))",
            )],
        ),
        bug(
            "topics of the project's own are opened",
            LIVE_OTHERS,
            [replace(
                "fieldpost.enable_live",
                "using (extension = 'broadcast' and (select",
                "using (extension = 'broadcast' or (select",
            )],
        ),
        bug(
            "a conversation that the project hides is joined",
            LIVE_NARROWED,
            [replace("fieldpost.may_hear_as_caller", "and fieldpost.narrowed('r') then", "and false then")],
        ),
        bug(
            "hints are named where nobody may hear them",
            LIVE_ABSENT,
            [replace("fieldpost.live_is_on", "(select count(*) = 2 from", "(select true or count(*) = 2 from")],
        ),
        bug(
            "an apply switches on what the operator has switched off",
            LIVE_ABSENT,
            [replace_in_block("if (select l.off from fieldpost.live l) or to_regnamespace", "if to_regnamespace")],
        ),
        bug(
            "a schema that may not be looked into fails the call",
            LIVE_HALF,
            [replace("fieldpost.live_is_on", "or not has_schema_privilege(v_schema, 'usage') or", "or")],
        ),
        bug(
            "what sending raises fails the write",
            LIVE_HALF,
            [replace(
                "fieldpost.hint",
                "exception when assert_failure or others then",
                "exception when assert_failure then",
            )],
        ),
        bug(
            "what raises is tried again with each statement",
            LIVE_HALF,
            [replace(
                "fieldpost.hint",
                "sqlstate;\n  perform set_config('fieldpost.hinted', 'off', true);",
                "sqlstate;",
            )],
        ),
        bug(
            "a write waits for whoever holds realtime.messages",
            LIVE_LOCKED,
            [replace("fieldpost.send_hints", "set lock_timeout = '50ms'", "")],
        ),
        bug(
            "a write waits once for each topic",
            LIVE_LOCKED,
            [replace("fieldpost.send_hints", "exit when clock_timestamp() > v_until;", "")],
        ),
        bug(
            "an apply fails where it may not make policies",
            LIVE_REFUSED,
            [replace_in_block(
                "  when others then\n    raise warning 'Fieldpost sends no live hints yet: %. Later: select fieldpost.enable_live();', sqlerrm;\n",
                "",
            )],
        ),
        bug(
            "the roster is read from end to end for each message",
            LIVE_CHEAP,
            [replace(
                "fieldpost.conversation_topics",
                "and r.medic_id = c.medic_id and r.user_id",
                "and r.medic_id::text = c.medic_id::text and r.user_id",
            )],
        ),
    ]
}
