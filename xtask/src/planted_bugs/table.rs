//! The bugs, and what catches each.

use std::fmt;

/// A guarantee undone, and the test that must notice.
pub(super) struct Bug {
    pub(super) name: String,
    pub(super) plants: Vec<Plant>,
    pub(super) proof: Proof,
}

/// One change to the SQL.
#[derive(Clone)]
pub(super) enum Plant {
    /// In the file whose name ends with `_fieldpost_<file>.sql`.
    Replace { file: &'static str, find: &'static str, with: &'static str },
    /// After all files.
    Sql(String),
}

/// A test, named by its file in `tests/supabase` and the beginning of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Proof {
    pub(super) file: &'static str,
    pub(super) test: &'static str,
    /// It makes its databases itself.
    pub(super) own_database: bool,
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} \"{}\"", self.file.trim_end_matches(".test.mjs"), self.test)
    }
}

const fn proof(file: &'static str, test: &'static str) -> Proof {
    Proof { file, test, own_database: false }
}

/// A test that makes its databases itself, and needs no stack but for the cluster.
const fn scratch(file: &'static str, test: &'static str) -> Proof {
    Proof { file, test, own_database: true }
}

const LOAD: Proof = proof("feed.test.mjs", "8 writers, transactions held open");
const IDLE: Proof = proof("feed.test.mjs", "a transaction that idles elsewhere");
const OPPOSITE: Proof = proof("feed.test.mjs", "concurrent statements that touch the same conversations");
const MID_PASS: Proof = proof("first_load.test.mjs", "a row that changes in the middle of a pass");
const BETWEEN_PAGES: Proof = proof("first_load.test.mjs", "a conversation that gets a message between two pages");
const WRONG_CALLS: Proof = proof("first_load.test.mjs", "what is wrong with a call");
const HISTORY: Proof = proof("first_load.test.mjs", "history covers its range whole");
const ONCE: Proof = proof("push.test.mjs", "a batch is applied once");
const DELETED_ID: Proof = proof("push.test.mjs", "an id that was deleted stays deleted");
const TOO_LARGE: Proof = proof("push.test.mjs", "batches of the wrong size");
const ONE_REFUSED: Proof = proof("push.test.mjs", "a trigger of the project that refuses one message");
const MARKERS: Proof = proof("push.test.mjs", "sending never moves the sender's own marker");
const INJECTED: Proof = scratch("turmoil.test.mjs", "a lock, deadlock, serialization or space failure");
const POLICIES: Proof = scratch("policies.test.mjs", "every policy lets its own through");
const TRUNCATE: Proof = scratch("install.test.mjs", "TRUNCATE, and a restored epoch row");
const DUMP: Proof = scratch("clusters.test.mjs", "a dump restored into a new cluster");
const BACKUP: Proof = scratch("clusters.test.mjs", "an older physical backup restored in place");
const POINT_IN_TIME: Proof = scratch("clusters.test.mjs", "recovery to a point in time");
const STANDBY: Proof = scratch("clusters.test.mjs", "pulls that a standby serves");
const ELSEWHERE: Proof = scratch("clusters.test.mjs", "a transaction that idles in another database");
const CRASH: Proof = scratch("clusters.test.mjs", "a crash gives numbers out again");
const PUT_BACK: Proof = scratch("clusters.test.mjs", "a copy of the files put back");
const RESTART: Proof = scratch("clusters.test.mjs", "a restart, and a crash that lost nothing");
const ACCOUNT: Proof = proof("accounts.test.mjs", "a conversation whose creator");
const HARD_DELETE: Proof = proof("access.test.mjs", "a hard delete is a tombstone");
const DELETED_CONVERSATION: Proof = proof("access.test.mjs", "the delete of a conversation is one tombstone");
const HANDED_OVER: Proof = proof("access.test.mjs", "a conversation that is handed to another medic");
const REMOVED: Proof = proof("access.test.mjs", "a member who is removed loses everything");
const ROLE: Proof = proof("access.test.mjs", "a change of role or organization");
const TIE: Proof = proof("access.test.mjs", "a medic who loses or gains her account's tie");
const COMPACTED: Proof = proof("access.test.mjs", "compacted tombstones expire the cursors");
const STRANGER_ROWS: Proof = proof("strangers.test.mjs", "rows that a stranger writes");
const STRANGER_EDITS: Proof = proof("strangers.test.mjs", "an edit raises the version");
const STRANGER_OPENS: Proof = proof("strangers.test.mjs", "opening directly gives one conversation");
const STRANGER_READS: Proof = proof("strangers.test.mjs", "a web client's read time");
const OLD_KEY: Proof = proof("push.test.mjs", "a message that an older version of the app sent");
const EVERY_CODE: Proof = proof("push.test.mjs", "every code of rejection");
const CLOSED: Proof = proof("install.test.mjs", "every function is commented");
const ATTACKS: Proof = proof("matrix.test.mjs", "whoever has no business there");
const OWN_COLUMNS: Proof = proof("matrix.test.mjs", "people who belong there change");
const SCALE: Proof = scratch("scale.test.mjs", "a pull, a push and a page of history cost the same");
const STRANGER_COLUMNS: Proof = proof("strangers.test.mjs", "the columns of a client's insert");

pub(super) fn bugs() -> Vec<Bug> {
    [
        feed(),
        numbers(),
        push(),
        first_load(),
        deletes(),
        epochs(),
        histories(),
        privacy(),
        triggers(),
        policies(),
        indexes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Gap-free, and prompt.
fn feed() -> Vec<Bug> {
    // A stamp of time instead of a transaction's number, and a cursor that is one: what an `updated_at` keyset is.
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
    let horizon = || [replace("cursor", "pg_is_in_recovery() then format(", "true then format(")];
    let moving = || [replace("pull", "f.to_ := fieldpost.snapshot_of(v_part[5]);", "")];
    vec![
        bug("the cursor is a time, as with a keyset on updated_at", LOAD, updated_at),
        bug(
            "the cursor is a high-water mark of transaction numbers",
            LOAD,
            [replace("cursor", "select r, r from pg_snapshot_xip(p_from) r\n  union all\n", "")],
        ),
        bug("the cursor is a plain xmin horizon", LOAD, horizon()),
        bug("the cursor is a plain xmin horizon", IDLE, horizon()),
        bug("the end of a pass moves with every page", LOAD, moving()),
        bug("the end of a pass moves with every page", MID_PASS, moving()),
    ]
}

/// seq without holes, in commit order, without deadlocks.
fn numbers() -> Vec<Bug> {
    let before_row = || {
        [
            replace(
                "message_triggers",
                "  new.seq := null;\n",
                "  update public.conversations c set last_seq = coalesce(c.last_seq, 0) + 1\n  \
                 where c.id = new.conversation_id returning c.last_seq into new.seq;\n",
            ),
            replace("message_triggers", "if v_conversations is null then", "if true then"),
        ]
    };
    vec![
        bug(
            "seq from a plain sequence",
            LOAD,
            [
                replace("message_triggers", "h.last_seq + p.k as seq", "nextval('fieldpost.planted') as seq"),
                sql("create sequence fieldpost.planted"),
            ],
        ),
        bug("seq in a BEFORE row trigger (burns numbers)", LOAD, before_row()),
        bug("seq in a BEFORE row trigger (locks in the order of the rows)", OPPOSITE, before_row()),
        bug(
            "conversations are locked in no order",
            OPPOSITE,
            [replace(
                "message_triggers",
                "where c.id = any (v_conversations) order by c.id for no key update;",
                "join (select distinct n.conversation_id, min(n.content) from fieldpost_new n group by 1) x on x.conversation_id = c.id \
                 order by md5(c.id::text || pg_backend_pid()) for no key update of c;",
            )],
        ),
        bug(
            "created_at is not raised to grow with seq",
            ONCE,
            [replace(
                "message_triggers",
                "seq = n.seq, created_at = n.created_at, updated_at",
                "seq = n.seq, updated_at",
            )],
        ),
    ]
}

/// Exactly once, one by one, and the id no oracle.
fn push() -> Vec<Bug> {
    vec![
        bug(
            // The look at known ids hides it otherwise: either of the two keeps a message from being stored twice.
            "on conflict removed, and the look at known ids before it",
            ONCE,
            [
                replace("push", "    order by i.n\n    on conflict do nothing\n", "    order by i.n\n"),
                replace("push", ") x where not exists (select from unnest(v_known) k where k.n = x.n);", ") x;"),
                replace(
                    "push",
                    "result := (select k.result from fieldpost.known_messages(s, array[v_item]) k);",
                    "result := null;",
                ),
            ],
        ),
        bug(
            "one transaction for all: what refuses one message fails the call",
            ONE_REFUSED,
            [replace(
                "push",
                "        result := fieldpost.rejected('bad_request', 'refused by the database: ' || sqlstate);",
                "        raise;",
            )],
        ),
        bug(
            "40P01 answered rejected",
            INJECTED,
            [replace(
                "push",
                "when serialization_failure or deadlock_detected or lock_not_available then\n        v_stuck := v_stuck || v_item.conversation_id;",
                "when serialization_failure or lock_not_available then\n        v_stuck := v_stuck || v_item.conversation_id;",
            )],
        ),
        bug(
            "a retry does not take the rest of its lane along",
            INJECTED,
            [replace("push", "if v_item.conversation_id = any (v_stuck) then", "if false then")],
        ),
        bug(
            "the row is shown to anyone who knows its id",
            DELETED_ID,
            [replace("push", "when m.sender_id = s.user_id and m.conversation_id = i.conversation_id", "when true")],
        ),
        bug(
            "tombstones are not consulted by push",
            DELETED_ID,
            [replace(
                "push",
                "t.entity = 'message' and t.id = i.message_id\n",
                "t.entity = 'message' and t.id = i.message_id and false\n",
            )],
        ),
        bug("no limit to a batch", TOO_LARGE, [replace("push", "cardinality(p_mutations) > 500", "false")]),
        bug(
            "a marker goes backwards",
            OWN_COLUMNS,
            [replace(
                "read_markers",
                "p_row.read_seq := greatest(p_row.read_seq, coalesce(p_old.read_seq, 0));",
                "p_row.read_seq := greatest(p_row.read_seq, 0);",
            )],
        ),
        bug(
            "a marker goes beyond the last message",
            MARKERS,
            [replace("read_markers", "p_row.read_seq := least(greatest(p_row.read_seq, 0), v_last);", "")],
        ),
    ]
}

/// The first load misses nothing.
fn first_load() -> Vec<Bug> {
    vec![bug(
        "bootstrap goes by a newest-first keyset instead of its list",
        BETWEEN_PAGES,
        [
            replace(
                "bootstrap",
                "fieldpost.ids_packed(p_list[v_taken + 1:])",
                "fieldpost.ids_packed(p_list[v_taken:v_taken])",
            ),
            replace(
                "bootstrap",
                "v_list := fieldpost.ids_unpacked(v_rest);",
                "select coalesce(array_agg(c.id order by coalesce(c.last_message_at, c.created_at) desc, c.id), '{}') into v_list \
                 from public.conversations c, public.conversations l \
                 where l.id = (fieldpost.ids_unpacked(v_rest))[1] and c.id = any (fieldpost.bootstrap_list(s)) \
                 and (-extract(epoch from coalesce(c.last_message_at, c.created_at)), c.id) \
                 > (-extract(epoch from coalesce(l.last_message_at, l.created_at)), l.id);",
            ),
        ],
    )]
}

/// Tombstones, revocations, grants.
fn deletes() -> Vec<Bug> {
    vec![
        bug("no tombstone of a message", HARD_DELETE, [drop_trigger("messages", "after_delete")]),
        bug("no tombstone of a conversation", DELETED_CONVERSATION, [drop_trigger("conversations", "after_delete")]),
        bug(
            "one tombstone for every message of a deleted conversation",
            DELETED_CONVERSATION,
            [replace(
                "message_triggers",
                "  from fieldpost_old o\n  where exists (select from public.conversations c where c.id = o.conversation_id)\n",
                "  from fieldpost_old o\n",
            )],
        ),
        bug(
            "a deleted message comes back under its old key, by a push",
            OLD_KEY,
            [replace("push", "on d.client_key = i.message_id::text", "on false")],
        ),
        bug(
            "a deleted message comes back under its old key, by an insert",
            OLD_KEY,
            [replace("message_triggers", "t.client_key = n.client_key)", "false)")],
        ),
        bug(
            "a deleted id may come back",
            HARD_DELETE,
            [replace(
                "message_triggers",
                "on t.entity = 'message' and t.id = n.id)",
                "on t.entity = 'message' and t.id = n.id and false)",
            )],
        ),
        bug(
            "history leaves tombstones out",
            HISTORY,
            [replace(
                "history",
                "t.entity = 'message' and t.seq <= v_to",
                "t.entity = 'message' and false and t.seq <= v_to",
            )],
        ),
        bug(
            "a reassigned conversation is neither revoked nor granted",
            HANDED_OVER,
            [drop_trigger("conversations", "reassigned")],
        ),
        bug("nobody is told of a change of medics", TIE, [drop_trigger("medics", "changed")]),
        bug("nobody is told of a change of profiles", REMOVED, [drop_trigger("profiles", "changed")]),
    ]
}

/// What ends a cursor.
fn epochs() -> Vec<Bug> {
    vec![
        bug(
            "pull does not check the epoch",
            TRUNCATE,
            [replace("pull", "if left(v_part[2], 16) <> left(v_here, 16) then", "if false then")],
        ),
        bug("TRUNCATE leaves the epoch as it is", TRUNCATE, [drop_trigger("messages", "truncate")]),
        bug(
            "a restored row leaves the epoch as it is",
            TRUNCATE,
            [replace("cursor", "::regclass::oid, e.id, e.xmin)", "::regclass::oid, e.id)")],
        ),
        bug(
            "another role or organization keeps the cursor",
            ROLE,
            [replace("pull", "elsif s.member and v_part[3] <> s.fingerprint then", "elsif false then")],
        ),
        bug(
            "compaction expires nobody",
            COMPACTED,
            [replace(
                "pull",
                "pg_snapshot_xmin(f.from_) <= (select k.compacted_xid",
                "false and '0' = (select k.compacted_xid",
            )],
        ),
    ]
}

/// What a restore, a promotion or a crash does to transaction numbers.
fn histories() -> Vec<Bug> {
    let timeline = replace(
        "cursor",
        "case when pg_is_in_recovery() then (select r.timeline from fieldpost.runs r order by r.n desc limit 1) \
         else fieldpost.timeline() end,",
        "",
    );
    let no_epoch = replace("pull", "if left(v_part[2], 16) <> left(v_here, 16) then", "if false then");
    let no_run = "v_seen > pg_snapshot_xmax(v_now) or not fieldpost.cursor_holds(v_part[2], v_seen)";
    let horizon = replace("cursor", "pg_is_in_recovery() then format(", "true then format(");
    let no_notes = || {
        sql("drop trigger aa_fieldpost_run on public.conversations; drop trigger aa_fieldpost_run on public.messages; \
             drop trigger aa_fieldpost_run on public.conversation_read_status;")
    };
    vec![
        bug(
            "pull checks neither epoch nor run",
            DUMP,
            [no_epoch, replace("pull", no_run, "v_seen > pg_snapshot_xmax(v_now)")],
        ),
        bug(
            "a restored compaction counts",
            DUMP,
            [replace(
                "pull",
                "from fieldpost.compaction k where k.epoch = left(v_here, 16))",
                "from fieldpost.compaction k)",
            )],
        ),
        bug("the timeline is no part of the epoch", BACKUP, [timeline.clone()]),
        bug("the timeline is no part of the epoch (a point in time)", POINT_IN_TIME, [timeline]),
        bug(
            "a standby's snapshot is taken as it is",
            STANDBY,
            [replace("cursor", "pg_is_in_recovery() then format(", "false then format(")],
        ),
        bug(
            "a cursor ahead of a standby expires",
            STANDBY,
            [replace("pull", "elsif pg_is_in_recovery() and v_seen >", "elsif false and v_seen >")],
        ),
        bug("a plain xmin horizon (another database, prepared)", ELSEWHERE, [horizon]),
        bug("runs of the server are not checked", CRASH, [replace("pull", no_run, "v_seen > pg_snapshot_xmax(v_now)")]),
        bug("runs of the server are not noted", CRASH, [no_notes()]),
        bug("runs of the server are not noted (a copy put back)", PUT_BACK, [no_notes()]),
        bug(
            "every run ends all cursors",
            RESTART,
            [replace(
                "sync_columns",
                "+ 1, v_mark, fieldpost.timeline(), pg_snapshot_xmin(pg_current_snapshot())",
                "+ 1, v_mark, fieldpost.timeline(), '0'",
            )],
        ),
        bug(
            "a conversation without a creator has none on the wire",
            ACCOUNT,
            [replace("wire_rows", "coalesce(c.created_by, '00000000-0000-0000-0000-000000000000')", "c.created_by")],
        ),
    ]
}

/// What the functions, which read past the policies, decide themselves.
fn privacy() -> Vec<Bug> {
    vec![
        bug(
            "history of any conversation",
            HISTORY,
            [replace(
                "history",
                "    and (c.org_id = any (s.admin_orgs) or c.id = any (s.conversations));",
                "    and true;",
            )],
        ),
        bug(
            "a medic is shown all direct conversations of the org",
            ATTACKS,
            [replace(
                "tenancy",
                "where c.medic_id = any (s.medic_ids) and c.org_id = any (s.medic_orgs) and c.type = 'direct';",
                "where c.org_id = any (s.medic_orgs) and c.type = 'direct';",
            )],
        ),
        bug(
            "a first load takes the ids in next_after on trust",
            ATTACKS,
            [replace(
                "bootstrap",
                "join public.conversations c on c.id = l.id\n    where c.org_id = any (s.admin_orgs) or c.id = any (s.conversations)\n",
                "join public.conversations c on c.id = l.id\n",
            )],
        ),
        bug(
            "a push writes wherever its author can read",
            EVERY_CODE,
            [replace(
                "push",
                "when not (c.org_id = any (s.admin_orgs) or c.id = any (s.directs)) then",
                "when false then",
            )],
        ),
        bug(
            "the functions are left to everybody",
            CLOSED,
            [replace(
                "grants",
                "execute format('revoke all on function %s from public, anon, service_role', v_function);",
                "",
            )],
        ),
        bug(
            "a member edits another's words",
            OWN_COLUMNS,
            [replace("message_triggers", "      new.content := old.content;\n", "")],
        ),
        bug(
            "nobody is refused for not being signed in",
            WRONG_CALLS,
            [replace("wire_rows", "if fieldpost.uid() is null then", "if false then")],
        ),
    ]
}

/// What other clients rely on, trigger by trigger.
fn triggers() -> Vec<Bug> {
    [
        ("messages", "before_insert", STRANGER_COLUMNS),
        ("messages", "after_insert", STRANGER_ROWS),
        ("messages", "before_update", STRANGER_EDITS),
        ("messages", "after_update", STRANGER_EDITS),
        ("conversations", "before_insert", STRANGER_OPENS),
        ("conversations", "after_insert", STRANGER_OPENS),
        ("conversations", "before_update", STRANGER_COLUMNS),
        ("conversation_read_status", "before_write", STRANGER_READS),
    ]
    .into_iter()
    .map(|(table, name, proof)| bug(&format!("trigger {name} of {table} dropped"), proof, [drop_trigger(table, name)]))
    .collect()
}

/// Each policy in turn. `fieldpost_delete` is not among them: it says in a permissive way what no policy says too.
fn policies() -> Vec<Bug> {
    let tables = ["conversations", "messages", "message_recipients", "conversation_read_status"];
    let names = ["select", "insert", "update", "only_select", "only_insert", "only_update", "only_delete"];
    let ours = tables.into_iter().flat_map(|table| names.map(|name| (table, format!("fieldpost_{name}"))));
    let theirs =
        [("medics", "medics_read_self"), ("medics", "medics_read_as_admin"), ("profiles", "profiles_read_self")];
    ours.chain(theirs.map(|(table, name)| (table, name.to_owned())))
        .map(|(table, policy)| {
            bug(
                &format!("policy {policy} of {table} dropped"),
                POLICIES,
                [sql(&format!("drop policy {policy} on public.{table}"))],
            )
        })
        .collect()
}

/// Each hot index in turn, and a scan that begins at its first row.
fn indexes() -> Vec<Bug> {
    let names = [
        "public.fieldpost_messages_seq",
        "public.fieldpost_messages_feed_conversation",
        "public.fieldpost_messages_feed_org",
        "public.fieldpost_conversations_feed",
        "public.fieldpost_markers_feed_org",
        "public.fieldpost_markers_feed_conversation",
        "fieldpost.tombstones_feed_org",
        "fieldpost.tombstones_feed_conversation",
        "fieldpost.people_feed",
        "fieldpost.access_log_feed",
    ];
    let mut list: Vec<_> = names
        .into_iter()
        .map(|name| bug(&format!("index {name} dropped"), SCALE, [sql(&format!("drop index {name}"))]))
        .collect();
    list.push(bug(
        "index public.fieldpost_messages_client_key dropped",
        OLD_KEY,
        [sql("drop index public.fieldpost_messages_client_key")],
    ));
    list.push(bug(
        "a pull's index scan begins at the first row that there ever was",
        SCALE,
        [replace(
            "pull",
            "and q.seq is not null\n        order by q.sync_xid, q.id limit f.rows\n      ) m\n      union all",
            "and q.seq is not null and (q.sync_xid, q.id) > (f.xid, f.a)\n        \
             order by q.sync_xid, q.id limit f.rows\n      ) m\n      union all",
        )],
    ));
    list
}

fn bug<const N: usize>(name: &str, proof: Proof, plants: [Plant; N]) -> Bug {
    Bug { name: name.to_owned(), plants: plants.into(), proof }
}

const fn replace(file: &'static str, find: &'static str, with: &'static str) -> Plant {
    Plant::Replace { file, find, with }
}

fn sql(text: &str) -> Plant {
    Plant::Sql(text.to_owned())
}

fn drop_trigger(table: &str, name: &str) -> Plant {
    sql(&format!("drop trigger zz_fieldpost_{name} on public.{table}"))
}
