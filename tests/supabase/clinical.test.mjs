// The clinical tables of the reference schema: made where they are missing, left alone where they are not, and who may do what in them.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

import { broken } from "./lib/advisor.mjs";
import { claim } from "./lib/claim.mjs";
import { members } from "./lib/members.mjs";
import { apply, clinical } from "./lib/migrations.mjs";
import { Device, change, create, push, remove, said, update } from "./lib/records.mjs";
import { scratch } from "./lib/scratch.mjs";

const FOUR = ["treatments", "workers", "near_misses", "safety_checks"];

let db, sql, org, ada, ben, admin;
before(async () => {
  db = await scratch({ max: 6 });
  await db.apply();
  await db.clinical();
  sql = db.sql;
  org = await members(sql, { medics: 2 });
  [ada, ben] = org.medics;
  admin = org.admin;
});
after(() => db.drop());

const worker = (more = {}) => create(org.org, "workers", { first_name: "Wat", last_name: "Son", company: "Crane", role: "rigger", ...more });
const treatment = (worker_id, more = {}) => create(org.org, "treatments", { worker_id, medic_id: org.medic_ids[0], reference_number: "SITE-20260131-001", injury_type: "cut", severity: "minor", ...more });
const near = (more = {}) => create(org.org, "near_misses", { reported_by: ada, category: "trip", severity: "minor", description: "a cable", ...more });
const check = (more = {}) => create(org.org, "safety_checks", { medic_id: org.medic_ids[0], check_date: "2026-01-31", items: [{ name: "kit", ok: true }], overall_status: "pass", ...more });

/** A statement as somebody who is signed in. Answers the count of rows, or the code of the refusal. */
const as = (who, text) => sql.begin(async (tx) => {
  await tx`select set_config('request.jwt.claim.sub', ${who}, true)`;
  await tx.unsafe("set local role authenticated");
  return (await tx.unsafe(text)).count;
}).catch((error) => error.code);

test("a device writes all four, in one batch, and another device of the organization has them", async () => {
  const w = worker();
  const batch = [treatment(w.record_id, { is_riddor_reportable: true, treatment_types: ["plaster"], vertical_extra_fields: { shift: 2 } }), w, near({ gps_lat: 51.5 }), check()];
  const results = await push(db, ada, ...batch);
  assert.deepEqual(said(results), Array(4).fill("won"), JSON.stringify(results));
  const device = new Device(db, ben, FOUR);
  await device.pull();
  assert.equal(device.rows.size, 4);
  const row = device.row("treatments", batch[0].record_id);
  assert.deepEqual([row.fields.worker_id, row.fields.is_riddor_reportable, row.fields.treatment_types, row.fields.created_by, row.fields.status], [w.record_id, true, ["plaster"], ada, "draft"]);
  assert.ok(Math.abs(new Date(row.created_at) - new Date(row.modified_at)) < 1000, "it was made when it was made, not when it arrived");
});

test("members read and write, an admin or the maker deletes, and nobody else does anything", async () => {
  const other = await members(sql, { medics: 1 });
  const stranger = other.medics[0];
  for (const [table, make] of Object.entries({ workers: worker, near_misses: near, safety_checks: check })) {
    const [mine, second] = [make(), make()];
    assert.deepEqual(said(await push(db, ada, mine, second)), ["won", "won"]);
    const id = mine.record_id;
    const all = `where org_id = '${org.org}'`;
    const set = `photo_uris = photo_uris`;
    const touch = table === "workers" ? "phone = '1'" : "photo_uris = '[1]'";
    assert.deepEqual(await Promise.all([as(ben, `select from public.${table} ${all}`), as(stranger, `select from public.${table} ${all}`)]).then(([a, b]) => [a > 1, b]), [true, 0], `${table}${set ? "" : ""}`);
    assert.deepEqual([await as(ben, `update public.${table} set ${touch} where id = '${id}'`), await as(admin, `update public.${table} set ${touch} where id = '${id}'`), await as(stranger, `update public.${table} set ${touch} where id = '${id}'`)], [1, 1, 0]);
    for (const column of ["org_id", "id", "created_by", "created_at"]) assert.equal(await as(ada, `update public.${table} set ${column} = default where id = '${id}'`), "42501", column);
    assert.deepEqual(said(await push(db, ben, remove(table, id))), ["refused: forbidden"], "neither hers nor an admin's");
    assert.deepEqual([await as(ben, `delete from public.${table} where id = '${id}'`), await as(stranger, `delete from public.${table} where id = '${id}'`)], [0, 0]);
    assert.deepEqual(said(await push(db, stranger, { ...make(), org_id: other.org }, { ...make(), org_id: org.org }, remove(table, id), update(table, id, {}))), ["won", "refused: forbidden", "won", "missing"]);
    assert.deepEqual(said(await push(db, ada, remove(table, id))), ["won"]);
    assert.deepEqual(said(await push(db, admin, remove(table, second.record_id))), ["won"]);
    assert.equal((await sql.unsafe(`select count(*)::int as n from public.${table} ${all} and id in ('${id}', '${second.record_id}')`))[0].n, 0);
    assert.equal((await push(db, ada, { ...make(), fields: { ...make().fields, created_by: ben } }))[0].code, "forbidden", "in nobody else's name");
  }
  await sql.unsafe("set local role anon").catch(() => {});
  for (const table of [...FOUR, "audit_log"]) {
    const error = await sql.begin((tx) => tx.unsafe(`set local role anon; select from public.${table}`)).catch((e) => e);
    assert.equal(error.code, "42501", table);
  }
});

test("a change of nothing is none, also where the project has added a generated column", async () => {
  const w = worker();
  await push(db, ada, w);
  await sql.unsafe("alter table public.workers add column full_name text generated always as (first_name || ' ' || last_name) stored");
  try {
    const look = async () => (await sql`select updated_at, version::int as version, full_name from public.workers where id = ${w.record_id}`)[0];
    const was = await look();
    await sql`update public.workers set first_name = first_name where id = ${w.record_id}`;
    assert.deepEqual(await look(), was);
    await sql`update public.workers set first_name = 'Shirley' where id = ${w.record_id}`;
    const now = await look();
    assert.deepEqual([now.version, now.full_name, now.updated_at > was.updated_at], [was.version + 1, "Shirley Son", true]);
  } finally {
    await sql.unsafe("alter table public.workers drop column full_name");
  }
});

test("a worker with treatments stays, and the refusal says why", async () => {
  const w = worker();
  const t = treatment(w.record_id);
  await push(db, ada, w, t);
  const [result] = await push(db, ada, remove("workers", w.record_id));
  assert.deepEqual([result.status, result.code], ["refused", "refused"]);
  assert.match(result.detail, /treatments_worker_id_fkey.*\(23503\)/);
  assert.deepEqual(said(await push(db, ada, remove("workers", w.record_id), remove("treatments", t.record_id))), ["won", "won"]);
  assert.match((await push(db, ada, treatment(worker().record_id)))[0].detail, /treatments_worker_id_fkey" \(23503\)/);
  for (const bad of [{ severity: "odd" }, { status: "odd" }]) {
    const again = worker();
    assert.deepEqual(said(await push(db, ada, again, treatment(again.record_id, bad))), ["won", "refused: refused"]);
  }
});

const entry = (more = {}) => ({ id: randomUUID(), table: "treatments", record_id: randomUUID(), operation: "READ", context: "list", age_ms: 60_000, ...more });
const upload = async (who, ...p_entries) => {
  const { error, stored, refused } = await db.call(who, "audit_push", { p_entries });
  return { error, stored, refused };
};

test("the audit log takes a person's own entries once, and only admins read it", async () => {
  const w = worker();
  await push(db, ada, w);
  const [a, b] = [entry({ table: "workers", record_id: w.record_id, user_id: ben }), entry()];
  assert.deepEqual(await upload(ada, a, b), { error: undefined, stored: [a.id, b.id], refused: [] });
  assert.deepEqual((await upload(ada, a, b, a)).stored.sort(), [a.id, b.id].sort(), "again");
  assert.deepEqual((await upload(ben, { ...a, context: "mine" })).refused, [{ id: a.id, detail: "id_taken" }]);
  const rows = await sql`select * from public.audit_log where id in ${sql([a.id, b.id])}`;
  assert.deepEqual(rows.map((r) => [r.user_id, r.org_id, r.operation, r.context]), Array(2).fill([ada, org.org, "READ", "list"]), "whatever they say");
  assert.ok(rows.every((r) => Math.abs(Date.now() - 60_000 - r.created_at) < 20_000));
  assert.deepEqual([await as(ada, "select from public.audit_log"), await as(admin, "select from public.audit_log") >= 2, await as(ada, "update public.audit_log set context = 'x'"), await as(admin, "delete from public.audit_log")], [0, true, "42501", "42501"]);
  assert.equal(await as(ada, `insert into public.audit_log (user_id, table_name, record_id, operation) values ('${ben}', 'workers', gen_random_uuid(), 'READ')`), "42501");
  const bad = [[{ id: "x" }, "id"], [{ table: "" }, "table"], [{ record_id: 7 }, "record_id"], [{ operation: "LOOK" }, "operation"], [{ context: "x".repeat(501) }, "context"], [{ context: 7 }, "context"], [{ age_ms: "x" }, "age_ms"]];
  const { stored, refused } = await upload(ada, ...bad.map(([more]) => entry(more)), b, "x");
  assert.deepEqual([stored, refused.map((r) => r.detail).sort()], [[b.id], [...bad.map(([, detail]) => detail), "id"].sort()]);
  assert.equal((await upload(ada, entry({ context: undefined }), entry({ context: null }), entry({ context: "x".repeat(500) }))).stored.length, 3);
  assert.deepEqual((await upload(ada, ...Array.from({ length: 501 }, () => entry()))).error, { code: "too_large", detail: "push_rows" });
  assert.equal((await upload(ada, ...Array.from({ length: 500 }, () => entry()))).stored.length, 500);
  // A log that is the project's: what its own rules refuse is said, and the rest is stored.
  await sql.unsafe("alter table public.audit_log add constraint polite check (context is distinct from 'rude')");
  const [rude, fine] = [entry({ context: "rude" }), entry()];
  const mixed = await upload(ada, rude, fine);
  assert.deepEqual([mixed.stored, mixed.refused[0].id], [[fine.id], rude.id]);
  assert.match(mixed.refused[0].detail, /polite.*\(23514\)/);
  await sql.unsafe(`
    create function public.asserts() returns trigger language plpgsql as $$ begin assert new.context <> 'loud', 'be quiet'; return new; end $$;
    create trigger asserts before insert on public.audit_log for each row execute function public.asserts()`).simple();
  const [loud, low] = [entry({ context: "loud" }), entry()];
  assert.deepEqual(await upload(ada, loud, low), { error: undefined, stored: [low.id], refused: [{ id: loud.id, detail: "be quiet (P0004)" }] });
  await sql.unsafe("drop trigger asserts on public.audit_log; drop function public.asserts()");
});

test("without the table, or with one that lacks what an entry has, every entry is refused with the reason", async () => {
  const bare = await scratch();
  try {
    await bare.apply();
    const o = await members(bare.sql, { medics: 1 });
    const send = async () => (await bare.call(o.medics[0], "audit_push", { p_entries: [entry()] })).refused[0].detail;
    assert.equal(await send(), "this project has no table public.audit_log");
    await bare.sql.unsafe("create table public.audit_log (id uuid primary key, table_name text, record_id uuid, operation text)");
    assert.equal(await send(), "public.audit_log has no column user_id");
    await bare.sql.unsafe("alter table public.audit_log add user_id uuid; alter table public.audit_log enable row level security; grant all on public.audit_log to authenticated");
    assert.match(await send(), /row-level security policy for table "audit_log" \(42501\)/);
    await bare.sql.unsafe("create policy mine on public.audit_log for insert to authenticated with check (user_id = auth.uid())");
    await bare.sql.unsafe("grant usage on schema auth to authenticated");
    assert.equal((await bare.call(o.medics[0], "audit_push", { p_entries: [entry()] })).stored.length, 1, "with the columns that it has");
  } finally {
    await bare.drop();
  }
});

const print = (s) => s`
  select c.relname, c.relacl::text as acl, c.relrowsecurity as rls, c.relfilenode::int as file,
    array(select p.polname || coalesce(pg_get_expr(p.polqual, c.oid), '') from pg_policy p where p.polrelid = c.oid order by 1) as policies,
    array(select pg_get_constraintdef(k.oid) from pg_constraint k where k.conrelid = c.oid and k.contype <> 'n' order by 1) as constraints,
    array(select pg_get_triggerdef(t.oid) from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal and t.tgname not like '%fieldpost%' order by 1) as triggers,
    array(select a.attname || format_type(a.atttypid, a.atttypmod) || a.attnotnull from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
          and coalesce(col_description(c.oid, a.attnum), '') not like 'Fieldpost%' order by 1) as columns
  from pg_class c where c.relnamespace = 'public'::regnamespace and c.relname in ('treatments', 'workers', 'near_misses', 'safety_checks', 'audit_log') and c.relkind = 'r' order by 1`;

test("tables that are there already stay what they are, whatever their shape; those that fit are offered", async () => {
  const old = await scratch();
  try {
    const { sql: s } = old;
    // Workers as the older app had them; treatments keyed by numbers; near misses without row level security; a log of another kind.
    await s.unsafe(`
      create type public.severity as enum ('minor', 'moderate', 'major', 'critical');
      create table public.workers (id uuid primary key default gen_random_uuid(), org_id uuid not null, client_id uuid unique, first_name text, last_name text not null, certifications json, updated_at timestamptz default now(), full_name text generated always as (first_name || ' ' || last_name) stored);
      alter table public.workers enable row level security;
      create policy everybody on public.workers for all to authenticated using (true);
      create table public.treatments (id bigint generated always as identity primary key, org_id uuid, worker_id uuid references public.workers, severity public.severity);
      alter table public.treatments enable row level security;
      create table public.near_misses (id uuid primary key, org_id uuid, what text);
      create table public.audit_log (n bigserial primary key, what jsonb);
      create function public.mine() returns trigger language plpgsql as $$ begin new.updated_at := now(); return new; end $$;
      create trigger mine before update on public.workers for each row execute function public.mine();`).simple();
    const org_id = randomUUID();
    await s`insert into public.workers (org_id, first_name, last_name, client_id) values (${org_id}, 'Old', 'Hand', ${randomUUID()})`;
    const before = await print(s);
    await old.apply();
    const warnings = [];
    const telling = (await import("./lib/stack.mjs")).owner({ url: old.url, onnotice: (n) => warnings.push(`${n.message} ${n.hint}`) });
    await apply(telling, clinical());
    await apply(telling, clinical());
    await telling.end();
    const after = (await print(s)).filter((t) => t.relname !== "safety_checks");
    assert.deepEqual([...after], [...before]);
    const offered = await s`select name from fieldpost.offered_tables() order by 1`;
    assert.deepEqual(offered.map((o) => o.name), ["safety_checks", "workers"]);
    assert.equal(warnings.length, 4);
    assert.match(warnings[0], /public\.treatments stays as it is, and is not offered to devices\.\n  public\.treatments\.id is bigint, and Fieldpost needs uuid/);
    assert.match(warnings[1], /Row level security is off on public\.near_misses.*select fieldpost\.add_record_table\('public\.near_misses'\)/s);
    // And devices use the one that fits, with the columns that it has.
    const o = await members(s, { medics: 1 });
    const made = create(o.org, "workers", { first_name: "New", last_name: "Hand", certifications: ["crane"], company: "Crane" });
    const [result] = await push(old, o.medics[0], made);
    assert.deepEqual([result.status, result.ignored], ["won", ["company"]]);
    const device = new Device(old, o.medics[0], FOUR);
    const [page] = await device.pull();
    assert.deepEqual(page.unknown_tables, ["near_misses", "treatments"]);
    assert.deepEqual(device.row("workers", made.record_id).fields, { first_name: "New", last_name: "Hand", certifications: ["crane"], full_name: "New Hand" });
    assert.equal((await old.call(o.medics[0], "audit_push", { p_entries: [entry()] })).refused.length, 1);
  } finally {
    await old.drop();
  }
  claim("clinical tables: beside tables of other shapes nothing of theirs changes; what fits is offered, and what does not is told in a sentence");
});

test("applied again it changes nothing, and without Fieldpost it says what comes first", async () => {
  const all = () => sql`select (select md5(string_agg(t.oid || pg_get_triggerdef(t.oid), '' order by t.oid)) from pg_trigger t) as triggers, (select md5(string_agg(p::text, '' order by p::text)) from pg_policies p) as policies,
    (select md5(string_agg(c::text, '' order by c::text)) from information_schema.columns c where table_schema = 'public') as columns`;
  const before = await all();
  await db.clinical();
  await db.apply();
  assert.deepEqual(await all(), before);
  assert.deepEqual(await broken(sql, true), [], "and Supabase's advisor has nothing to say");
  const bare = await scratch();
  await assert.rejects(bare.clinical(), /Fieldpost is not installed, or an older version of it.*fieldpost sql export/s);
  await bare.drop();
});

test("a change that names a record by the id of another device's create finds it", async () => {
  const w = worker();
  await push(db, ada, w);
  assert.deepEqual(said(await push(db, ben, change("create", "workers", w.record_id, { last_name: "x" }, { org_id: org.org }))), ["won"]);
});
