// Applying the SQL: to a new project, twice, to a project that has the tables and rows; and the end of an epoch.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";

import { INLINED } from "./lib/advisor.mjs";
import { apply, files, prepare } from "./lib/migrations.mjs";
import { OLD } from "./lib/old_project.mjs";
import { scratch } from "./lib/scratch.mjs";
import { owner } from "./lib/stack.mjs";

async function people(sql, medics = 2) {
  const org = randomUUID();
  const list = [{ user: randomUUID(), role: "org_admin" }, ...Array.from({ length: medics }, () => ({ user: randomUUID(), medic: randomUUID(), role: "medic" }))];
  await sql`insert into public.organizations (id) values (${org})`;
  for (const p of list) {
    await sql`insert into auth.users (id) values (${p.user})`;
    if (p.medic) await sql`insert into public.medics (id, org_id, user_id, first_name, last_name) values (${p.medic}, ${org}, ${p.user}, 'Ada', 'Moss')`;
    await sql`insert into public.profiles (id, org_id, role) values (${p.user}, ${org}, ${p.role})`;
  }
  return { org, admin: list[0], medics: list.slice(1) };
}

// Everything that applying the files could change: definitions, rows, and the stamps that clients would hear of.
const fingerprint = (sql) => sql`
  select
    (select md5(string_agg(pg_get_functiondef(p.oid) || coalesce(p.proacl::text, ''), '' order by p.oid::regprocedure::text)) from pg_proc p
      where p.pronamespace in ('public'::regnamespace, 'fieldpost'::regnamespace)) as functions,
    (select md5(string_agg(indexdef, '' order by indexname)) from pg_indexes where schemaname in ('public', 'fieldpost')) as indexes,
    (select md5(string_agg(pg_get_triggerdef(t.oid), '' order by t.tgname, t.tgrelid)) from pg_trigger t where not t.tgisinternal) as triggers,
    (select md5(string_agg(p::text, '' order by p::text)) from pg_policies p) as policies,
    (select md5(string_agg(c::text, '' order by c::text)) from information_schema.columns c where table_schema in ('public', 'fieldpost')) as columns,
    (select md5(string_agg(m::text, '' order by m.id)) from public.messages m) as messages,
    (select md5(string_agg(c::text, '' order by c.id)) from public.conversations c) as conversations,
    (select md5(string_agg(r::text, '' order by r.user_id, r.conversation_id)) from public.conversation_read_status r) as markers,
    (select md5(string_agg(p::text, '' order by p.user_id)) from fieldpost.people p) as people,
    (select md5(string_agg(a::text, '')) from fieldpost.access_log a) as access,
    fieldpost.epoch() as epoch`;

test("the role that applies and runs it is no superuser", async () => {
  const sql = owner();
  const [role] = await sql`select r.rolsuper, current_user as name from pg_roles r where r.rolname = current_user`;
  const owners = await sql`select distinct p.proowner::regrole::text as owner from pg_proc p where p.pronamespace = 'fieldpost'::regnamespace or p.proname like 'fieldpost\\_%'`;
  await sql.end();
  assert.deepEqual([role.rolsuper, role.name], [false, "postgres"]);
  assert.deepEqual(owners.map((o) => o.owner), ["postgres"]);
});

test("an existing project gets its messages numbered in order, and applying again is a no-op", async () => {
  const db = await scratch();
  try {
    const { sql } = db;
    await sql.unsafe(OLD);
    const { org, admin, medics } = await people(sql);
    const conversations = [];
    for (const m of medics) conversations.push((await sql`insert into public.conversations (org_id, medic_id, created_by) values (${org}, ${m.medic}, ${admin.user}) returning id`)[0].id);
    // Written in another order than that of their times, with two times alike and one idempotency key twice.
    await sql`insert into public.messages (conversation_id, org_id, sender_id, content, created_at, deleted_at, metadata)
      select (${conversations}::uuid[])[1 + n % 2], ${org}, case when n % 3 = 0 then ${admin.user}::uuid else ${medics[0].user}::uuid end, 'old ' || n,
        '2026-01-01'::timestamptz + ((n * 7919) % 20000 / 2) * interval '1 minute', case when n = 10 then now() end,
        jsonb_build_object('idempotency_key', 'key-' || n / 2)
      from generate_series(1, 20000) n`;
    await sql`insert into public.conversation_read_status (user_id, conversation_id, org_id, last_read_at)
      select ${medics[0].user}, ${conversations[0]}, ${org}, '2026-01-03'`;
    await db.apply({ adopt: true });
    const rows = await sql`select conversation_id, seq, created_at::text as created_at, id, content, version from public.messages order by conversation_id, seq`;
    for (const c of conversations) {
      const list = rows.filter((r) => r.conversation_id === c);
      assert.equal(list.length, 10000);
      list.forEach((r, i) => {
        assert.equal(Number(r.seq), i + 1);
        if (i) assert.ok(list[i - 1].created_at < r.created_at || (list[i - 1].created_at === r.created_at && list[i - 1].id < r.id));
      });
    }
    const [{ read_seq }] = await sql`select read_seq from public.conversation_read_status`;
    const [{ n }] = await sql`select count(*) as n from public.messages where conversation_id = ${conversations[0]} and created_at <= '2026-01-03'`;
    assert.equal(read_seq, n);
    const [{ keys }] = await sql`select count(distinct client_key) as keys from public.messages where client_key is not null`;
    assert.ok(Number(keys) > 9000);

    const before = await fingerprint(sql);
    await db.apply();
    assert.deepEqual(await fingerprint(sql), before, "applying it again changes nothing");

    // It works, with the project's enum type and its own triggers there.
    const page = await db.call(medics[0].user, "bootstrap");
    assert.deepEqual([page.total_conversations, page.messages.length, page.conversations[0].kind, page.conversations[0].last_seq], [1, 100, "direct", 10000]);
    const broadcast = randomUUID();
    const { results } = await db.call(admin.user, "push", { p_mutations: [
      { id: randomUUID(), kind: "send_message", conversation_id: conversations[0], message_id: randomUUID(), content: "new" },
      { id: randomUUID(), kind: "open_broadcast", conversation_id: broadcast, org_id: org, subject: "All" },
      { id: randomUUID(), kind: "send_message", conversation_id: broadcast, message_id: randomUUID(), content: "all" },
    ] });
    assert.deepEqual(results.map((r) => r.status), ["applied", "applied", "applied"]);
    assert.equal(results[0].ack.seq, 10001);
    const pulled = await db.call(medics[0].user, "pull", { p_cursor: page.cursor });
    assert.deepEqual(pulled.messages.map((m) => m.content).sort(), ["all", "new"]);
    assert.equal(pulled.conversations.find((c) => c.id === conversations[0]).version, 1);
    const wide = await sql.begin(async (tx) => {
      await tx`select set_config('request.jwt.claim.sub', ${medics[0].user}, true)`;
      await tx`set local role authenticated`;
      return tx`select distinct conversation_id from public.messages`;
    });
    assert.deepEqual(wide.map((r) => r.conversation_id).sort(), [conversations[0], broadcast].sort(), "the old organization-wide policy opens nothing");
  } finally {
    await db.drop();
  }
});

test("a large project is numbered afterwards, bit by bit, and answers \"come back later\" until it is", async () => {
  const db = await scratch();
  try {
    const { sql } = db;
    await sql.unsafe(OLD);
    const { org, admin, medics } = await people(sql, 5);
    const ids = [];
    for (const m of medics) ids.push((await sql`insert into public.conversations (org_id, medic_id, created_by) values (${org}, ${m.medic}, ${admin.user}) returning id`)[0].id);
    await sql`insert into public.messages (conversation_id, org_id, sender_id, content, created_at)
      select c, ${org}, ${admin.user}, 'old ' || n, '2026-01-01'::timestamptz + n * interval '1 s' from unnest(${ids}::uuid[]) c, generate_series(1, 50) n`;
    for (const statement of prepare()) await sql.unsafe(statement);
    // What the owner cannot do here is to make the statistics say that the table is large: the step that numbers is cut out.
    const parts = files().map(({ name, text }) => (name.includes("backfill") ? text.replace("perform fieldpost.number_what_is_new();", "null;") : text));
    await apply(sql, parts.join("\n").replace(/\nbegin;\n/, "\nbegin;\nset local fieldpost.adopt = 'all';\n"));
    await assert.rejects(db.call(admin.user, "bootstrap"), (error) => error.code === "PT503" && /being numbered/.test(error.message));
    assert.equal(Number((await sql`select fieldpost.backfill(2) as n`)[0].n), 100);
    for (const c of ids) await sql`insert into public.messages (conversation_id, org_id, sender_id, content) values (${c}, ${org}, ${admin.user}, 'in between')`;
    assert.equal(Number((await sql`select fieldpost.backfill() as n`)[0].n), 0, "the trigger has done the rest");
    assert.equal((await db.call(admin.user, "bootstrap")).messages.length, 255);
    const rows = await sql`select conversation_id, array_agg(content order by seq) as list, array_agg(seq order by seq) as seqs from public.messages group by 1`;
    for (const { list, seqs } of rows) {
      assert.deepEqual(seqs.map(Number), Array.from({ length: 51 }, (_, i) => i + 1));
      assert.equal(list[50], "in between");
      assert.equal(list[0], "old 1");
    }
  } finally {
    await db.drop();
  }
});

test("TRUNCATE, and a restored epoch row, end the epoch", async () => {
  const db = await scratch();
  try {
    const { sql } = db;
    await db.apply();
    const { org, admin, medics } = await people(sql, 1);
    await sql`insert into public.conversations (org_id, medic_id, created_by) values (${org}, ${medics[0].medic}, ${admin.user})`;
    const page = await db.call(admin.user, "bootstrap");
    assert.equal((await db.call(admin.user, "pull", { p_cursor: page.cursor })).error, undefined);
    await sql`truncate public.messages cascade`;
    assert.deepEqual((await db.call(admin.user, "pull", { p_cursor: page.cursor })).error, { code: "cursor_expired", detail: "epoch" });
    const next = await db.call(admin.user, "bootstrap");
    assert.notEqual(next.epoch, page.epoch, "a first load names the history that it is of");
    assert.equal((await db.call(admin.user, "bootstrap")).epoch, next.epoch);
    // What pg_restore does to the row of an older dump: the same content, written anew.
    const [{ id }] = await sql`select id from fieldpost.epoch`;
    await sql.begin(async (tx) => {
      await tx`delete from fieldpost.epoch`;
      await tx`insert into fieldpost.epoch (id) values (${id})`;
    });
    assert.deepEqual((await db.call(admin.user, "pull", { p_cursor: next.cursor })).error, { code: "cursor_expired", detail: "epoch" });
    assert.notEqual((await db.call(admin.user, "bootstrap")).epoch, next.epoch);
  } finally {
    await db.drop();
  }
});

test("every function is commented, pinned where it is security definer, and closed to anon and public", async (t) => {
  const sql = owner();
  t.after(() => sql.end());
  const rows = await sql`
    select p.oid::regprocedure::text as name, p.proname, p.prosrc as source, p.prosecdef, p.proconfig, obj_description(p.oid) as comment, p.provolatile,
           has_function_privilege('anon', p.oid, 'execute') as anon, p.pronamespace::regnamespace::text as schema,
           coalesce(p.proacl::text, 'default') as acl
    from pg_proc p where p.pronamespace = 'fieldpost'::regnamespace or (p.pronamespace = 'public'::regnamespace and p.proname like 'fieldpost\\_%')`;
  assert.ok(rows.length > 50);
  for (const f of rows) {
    assert.ok(f.comment, `${f.name} has no comment`);
    const path = (f.proconfig ?? []).find((c) => c.startsWith("search_path="));
    // Where triggers, constraints and policies of the project run inside of a function, they find what they find elsewhere.
    const meetsTheirs = /(insert into|update|delete from) public\.(messages|conversations|message_recipients|conversation_read_status)\b/.test(f.source) || /_as_caller|_i_see$/.test(f.proname)
      || ["record_texts", "record_references", "resolve_references", "create_records", "update_records", "delete_records", "write_audit"].includes(f.proname);
    if (!INLINED.includes(`fieldpost.${f.proname}`)) {
      const wanted = meetsTheirs && !["people_i_see", "markers_i_see"].includes(f.proname) ? "pg_catalog, public, extensions, pg_temp" : "pg_catalog, pg_temp";
      assert.equal(path, `search_path=${wanted}`, f.name);
    }
    if (f.prosecdef) assert.match(f.comment, /[Ss]ecurity definer: /, `${f.name} does not say why it is security definer`);
    // Whoever writes a message computes its entry of the index. It reads nothing.
    if (f.proname === "search_vector") continue;
    assert.equal(f.anon, false, `${f.name} may be called by anon`);
    assert.ok(f.acl !== "default" && !/[{,]=X/.test(f.acl), `${f.name} may be called by public: ${f.acl}`);
  }
  const volatility = Object.fromEntries(rows.filter((f) => f.schema === "public").map((f) => [f.name.replace(/^public\.|\(.*/g, ""), f.provolatile]));
  assert.deepEqual(volatility, { fieldpost_bootstrap: "s", fieldpost_pull: "s", fieldpost_history: "s", fieldpost_search: "s", fieldpost_push: "v", fieldpost_reports: "s", fieldpost_resolve_report: "v",
    fieldpost_records_pull: "s", fieldpost_records_push: "v", fieldpost_audit_push: "v" });
});
