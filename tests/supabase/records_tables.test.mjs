// Which tables can be offered to devices, what offering does to them, and what is left when they are taken back.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

import { claim } from "./lib/claim.mjs";
import { members } from "./lib/members.mjs";
import { Device, OFFER, TABLES, create, push, remove, said, update } from "./lib/records.mjs";
import { scratch } from "./lib/scratch.mjs";

let db, sql;
before(async () => {
  db = await scratch({ max: 8 });
  await db.apply();
  sql = db.sql;
  await sql.unsafe(`${TABLES} ${OFFER}`).simple();
});
after(() => db.drop());

/** Makes a table `t`, uses it, and takes everything back. */
const table = (text, use) => sql.begin(async (tx) => {
  await tx.unsafe(text).simple();
  await use(tx);
  throw "undone";
}).catch((reason) => {
  if (reason !== "undone") throw reason;
});

const RLS = "alter table public.t enable row level security;";

test("a table that cannot be offered is refused in a sentence, and nothing of it is changed", async () => {
  const cases = [
    ["create table public.t (id text primary key, org_id uuid)", /public\.t\.id is text, and Fieldpost needs uuid: ids are made on devices/],
    ["create table public.t (id bigint primary key, org_id uuid)", /public\.t\.id is bigint/],
    ["create table public.t (id uuid primary key)", /public\.t has no column org_id of type uuid/],
    ["create table public.t (id uuid primary key, org_id text)", /public\.t\.org_id is text, and Fieldpost needs uuid/],
    ["create table public.t (id uuid, org_id uuid)", /public\.t needs a primary key over the column id alone/],
    ["create table public.t (id uuid, org_id uuid, primary key (org_id, id))", /a primary key over the column id alone/],
    ["create table public.t (id uuid primary key, org_id uuid, version int)", /a column version of its own \(integer\)/],
    ["create table public.t (id uuid primary key, org_id uuid, client_modified_at timestamptz)", /a column client_modified_at of its own/],
    ["create table public.t (id uuid primary key, org_id uuid, client_id text)", /public\.t\.client_id is text, and Fieldpost needs uuid/],
    ["create table public.t (id uuid, org_id uuid) partition by hash (id); select 1", /no plain table/],
    ["create view public.t as select gen_random_uuid() as id, gen_random_uuid() as org_id", /no plain table/],
  ];
  for (const [text, sentence] of cases) {
    await table(`${text}; ${/view|partition/.test(text) ? "" : RLS}`, async (tx) => {
      await assert.rejects(tx.savepoint((sp) => sp.unsafe("select fieldpost.add_record_table('public.t')")), sentence);
      const [{ n }] = await tx`select count(*)::int as n from pg_attribute where attrelid = 'public.t'::regclass and attname in ('sync_xid', 'last_mutation_id') and not attisdropped`;
      assert.equal(n, 0, text);
    });
  }
  await table("create table public.t (id uuid primary key, org_id uuid)", async (tx) => {
    await assert.rejects(tx.savepoint((sp) => sp.unsafe("select fieldpost.add_record_table('public.t')")), /Row level security is off on public\.t, so that everybody reads and writes all of it/);
  });
  await table(`create table public."Odd Name" (id uuid primary key, org_id uuid)`, async (tx) => {
    await assert.rejects(tx.savepoint((sp) => sp.unsafe(`select fieldpost.add_record_table('public."Odd Name"')`)), /a name that devices cannot use/);
  });
  for (const name of ["public.messages", "public.medics"]) {
    await assert.rejects(sql.unsafe(`select fieldpost.add_record_table('${name}')`), /is a table of the messages/);
  }
  await table(`create table public.t (id uuid primary key, org_id uuid, client_id uuid); ${RLS} insert into public.t select gen_random_uuid(), null, '00000000-0000-0000-0000-000000000001' from generate_series(1, 2)`, async (tx) => {
    await assert.rejects(tx.savepoint((sp) => sp.unsafe("select fieldpost.add_record_table('public.t')")), /Several rows of public\.t have one client_id/);
  });
  await table(`create table public.t (id uuid primary key, org_id uuid); ${RLS}`, async (tx) => {
    await tx.unsafe("insert into public.t select gen_random_uuid() from generate_series(1, 200100)");
    await tx.unsafe("analyze public.t");
    const error = await tx.savepoint((sp) => sp.unsafe("select fieldpost.add_record_table('public.t')")).catch((e) => e);
    assert.match(error.message, /more than 200000 rows: building its indexes would keep your app waiting/);
    assert.match(error.hint, /prepare_record_table\('public\.t'\)/);
  });
  claim(`records: ${cases.length + 6} kinds of tables that cannot be offered, each refused in a sentence, nothing changed`);
});

/** Everything of a table that somebody could notice. */
const look = async (tx, name) => (await tx.unsafe(`
  select c.relacl::text as acl, c.relrowsecurity as rls, c.relfilenode as file,
    array(select a.attname || a.attacl::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and coalesce(col_description(c.oid, a.attnum), '') not like 'Fieldpost%' order by 1) as columns,
    array(select pg_get_constraintdef(k.oid) from pg_constraint k where k.conrelid = c.oid and k.contype <> 'n' order by 1) as constraints,
    array(select pg_get_triggerdef(t.oid) from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal and t.tgname not like '%fieldpost%' order by 1) as triggers,
    array(select p.polname || pg_get_expr(p.polqual, c.oid) from pg_policy p where p.polrelid = c.oid order by 1) as policies,
    array(select indexdef from pg_indexes i where i.tablename = c.relname and i.indexname not like '%fieldpost%' order by 1) as indexes
  from pg_class c where c.oid = 'public.${name}'::regclass`))[0];

test("offering a table rewrites nothing, alters nothing of the project's, and offering it again does nothing; taken back, it is what it was", async () => {
  await table(`create table public.t (id uuid primary key, org_id uuid, words text); ${RLS} create policy p on public.t for select to authenticated using (words = 'x');
    insert into public.t select gen_random_uuid(), gen_random_uuid(), 'x' from generate_series(1, 50); revoke all on public.t from authenticated; grant select (id, words), insert (id, words) on public.t to authenticated;`, async (tx) => {
    const was = await look(tx, "t");
    await tx.unsafe("select fieldpost.add_record_table('public.t')");
    assert.deepEqual(await look(tx, "t"), was);
    const granted = await tx`select attname from pg_attribute where attrelid = 'public.t'::regclass and has_column_privilege('authenticated', attrelid, attnum, 'insert') and attnum > 0 order by 1`;
    assert.deepEqual(granted.map((g) => g.attname), ["client_id", "client_modified_at", "id", "last_mutation_id", "words"], "where columns are granted one by one, so are the new ones");
    const xmin = () => tx`select max(xmin::text::bigint) as x, count(*) as n from pg_trigger where tgrelid = 'public.t'::regclass`;
    const [triggers] = await xmin();
    await tx.unsafe("select fieldpost.add_record_table('public.t')");
    assert.deepEqual((await xmin())[0], triggers);
    await tx.unsafe("update public.t set words = 'y'");
    assert.deepEqual((await tx`select distinct version::int from public.t`).map((r) => r.version), [2]);
    await tx.unsafe("select fieldpost.remove_record_table('public.t')");
    assert.deepEqual(await look(tx, "t"), was);
    const columns = await tx`select attname from pg_attribute where attrelid = 'public.t'::regclass and attnum > 0 and not attisdropped order by attnum`;
    assert.deepEqual(columns.map((c) => c.attname), ["id", "org_id", "words"]);
    await tx.unsafe("select fieldpost.add_record_table('public.t')");
    assert.deepEqual((await tx`select distinct version::int from public.t`).map((r) => r.version), [3], "versions go on where they were");
  });
});

test("a client_id that the project has already stays the project's, with its own constraint", () =>
  table(`create table public.t (id uuid primary key default gen_random_uuid(), org_id uuid, client_id uuid unique); ${RLS}`, async (tx) => {
    await tx.unsafe("select fieldpost.add_record_table('public.t')");
    const indexes = await tx`select indexname from pg_indexes where tablename = 't' order by 1`;
    assert.deepEqual(indexes.map((i) => i.indexname), ["fieldpost_t_feed", "t_client_id_key", "t_pkey"]);
    await tx.unsafe("select fieldpost.remove_record_table('public.t')");
    const columns = await tx`select attname from pg_attribute where attrelid = 'public.t'::regclass and attnum > 0 and not attisdropped order by attnum`;
    assert.deepEqual(columns.map((c) => c.attname), ["id", "org_id", "client_id"]);
  }));

test("a large table is prepared while people write it, statement by statement, and offered then", async () => {
  await sql.unsafe(`create table public.big (id uuid primary key default gen_random_uuid(), org_id uuid, n int); alter table public.big enable row level security; insert into public.big (org_id) select gen_random_uuid() from generate_series(1, 200100); analyze public.big`).simple();
  await assert.rejects(sql.unsafe("select fieldpost.add_record_table('public.big')"), /more than 200000 rows/);
  const statements = (await sql`select fieldpost.prepare_record_table('public.big') as s`).map((r) => r.s);
  assert.equal(statements.filter((s) => /concurrently/.test(s)).length, 2);
  for (const s of statements) await sql.unsafe(s);
  for (const s of (await sql`select fieldpost.prepare_record_table('public.big') as s`)) await sql.unsafe(s.s); // again
  await sql.unsafe("select fieldpost.add_record_table('public.big')");
  const [{ offered }] = await sql`select exists (select from fieldpost.offered_tables() where name = 'big') as offered`;
  assert.ok(offered);
  await sql.unsafe("select fieldpost.remove_record_table('public.big'); drop table public.big").simple();
});

test("whoever holds a table keeps its offer waiting, and nobody queues behind the offer", async () => {
  await sql.unsafe("create table public.held (id uuid primary key default gen_random_uuid(), org_id uuid); alter table public.held enable row level security").simple();
  let release;
  const holding = sql.begin(async (tx) => {
    await tx.unsafe("select * from public.held");
    await new Promise((resolve) => (release = resolve));
  });
  while (!release) await new Promise((resolve) => setImmediate(resolve));
  const offering = sql.unsafe("select fieldpost.add_record_table('public.held')");
  offering.catch(() => {});
  const waits = [];
  for (let n = 0; n < 6; n++) {
    const begun = performance.now();
    await sql.unsafe("select count(*) from public.held");
    waits.push(performance.now() - begun);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  release();
  await holding;
  await offering;
  assert.ok(Math.max(...waits) < 2000, `${waits}`);
  await sql.unsafe("select fieldpost.remove_record_table('public.held'); drop table public.held").simple();
});

test("applying Fieldpost again, with tables offered, changes nothing of them", async () => {
  const print = async () => JSON.stringify(await sql`
    select (select md5(string_agg(t.oid || pg_get_triggerdef(t.oid), '' order by t.oid)) from pg_trigger t) as triggers, (select json_agg(r order by r.name) from fieldpost.record_tables r) as tables,
      (select md5(string_agg(indexdef, '' order by indexname)) from pg_indexes where schemaname = 'public') as indexes, (select count(*) from fieldpost.installed) as installed`);
  const before = await print();
  await db.apply();
  assert.equal(await print(), before);
});

test("a table that was dropped, renamed or whose row level security is off is not offered, and disturbs no other", async () => {
  const org = await members(sql, { medics: 1 });
  const ada = org.medics[0];
  const unknown = async () => (await db.call(ada, "records_pull", { p_tables: ["sites", "visits", "gone"] })).unknown_tables;
  assert.deepEqual(await unknown(), ["gone"]);
  const device = new Device(db, ada, ["sites", "visits"]);
  await device.pull();
  await sql.unsafe("alter table public.visits disable row level security");
  assert.deepEqual(await unknown(), ["gone", "visits"]);
  assert.deepEqual(said(await push(db, ada, create(org.org, "visits", {}), create(org.org, "sites", { name: "x" }))), ["refused: unknown_table", "won"]);
  await assert.rejects(device.pull(), /cursor_expired tables/, "what is offered is another set");
  await sql.unsafe("alter table public.visits enable row level security; alter table public.visits rename to calls");
  assert.deepEqual(await unknown(), ["gone", "visits"]);
  await sql.unsafe("alter table public.calls rename to visits");
  assert.deepEqual(await unknown(), ["gone"]);
  await device.pull();
});

test("columns of every kind travel there and back", async () => {
  const org = await members(sql, { medics: 1 });
  const ada = org.medics[0];
  await sql.unsafe(`
    create type public.mood as enum ('good', 'bad'); create domain public.code as text check (value ~ '^[A-Z]+$');
    create table public.kinds (id uuid primary key, org_id uuid not null, word text, mood public.mood, code public.code, day date, at timestamptz, local timestamp, span interval, amount numeric(10, 2), big bigint,
      ratio double precision, yes boolean, j json, jb jsonb, tags text[], other uuid, n int generated always as identity, m int generated by default as identity, twice int generated always as (coalesce(amount, 0)::int * 2) stored,
      must text not null default 'filled', "Odd name" text, stay daterange, shift tstzrange, stays datemultirange, days date[]);
    alter table public.kinds enable row level security; create policy m on public.kinds for all to authenticated using (org_id in (select fieldpost.my_medic_orgs()));
    select fieldpost.add_record_table('public.kinds')`).simple();
  const fields = { word: "a \"quoted\"\n\\ wörd ✓", mood: "good", code: "ABC", day: "2026-01-31", at: "2026-01-31T08:15:00.123456+02:00", local: "2026-01-31T08:15:00", span: "01:30:00", amount: 12.5, big: 9007199254740993n.toString(),
    ratio: 0.1, yes: true, j: { b: 1, a: [1, null] }, jb: { b: 1, a: [1, null] }, tags: ["x", "y z"], other: randomUUID(), n: 7, m: 9, twice: 1, "Odd name": "odd", stay: "[2026-01-31,2026-02-03)", shift: "[\"2026-01-31 08:00:00+00\",)", stays: "{[2026-01-31,2026-02-03),[2026-03-01,)}", days: ["2026-01-31", "2026-02-01"], weather: "rain", version: 77, created_at: "2001-01-01T00:00:00Z" };
  const made = create(org.org, "kinds", fields);
  const [result] = await push(db, ada, made);
  assert.deepEqual([result.status, result.ignored], ["won", ["created_at", "n", "twice", "version", "weather"]], JSON.stringify(result));
  const device = new Device(db, ada, ["kinds"]);
  await device.pull();
  const row = device.row("kinds", made.record_id);
  assert.deepEqual(row.fields, { ...Object.fromEntries(Object.entries(fields).filter(([k]) => !["weather", "version", "created_at"].includes(k))),
    big: Number("9007199254740993"), at: "2026-01-31T06:15:00.123456+00:00", n: 1, twice: 26, must: "filled" });
  assert.equal(row.created_at, undefined, "the table has no such column");
  // A null is a value, and a generated column follows.
  const [changed] = await push(db, ada, update("kinds", made.record_id, { word: null, mood: null, j: null, jb: null, tags: null, amount: 3 }, { age_ms: 0 }));
  assert.equal(changed.status, "won", JSON.stringify(changed));
  await device.pull();
  const { word, mood, j, jb, tags, twice } = device.row("kinds", made.record_id).fields;
  assert.deepEqual([word, mood, j, jb, tags, twice], [null, null, null, null, null, 6]);
  const bad = [["mood", "odd", "22P02"], ["code", "abc", "23514"], ["day", "some day", "22007"], ["day", "yesterday", "22007"], ["local", "now", "22007"], ["stay", "[x,y)", "22007"], ["stay", "2026-01-31", "22P02"], ["at", "infinity", "22007"], ["amount", 1e12, "22003"], ["big", 1.5, "22P02"], ["other", "x", "22P02"], ["must", null, "23502"], ["yes", "maybe", "22P02"], ["tags", "no list", "22P02"]];
  const results = await push(db, ada, create(org.org, "kinds", { word: "before" }), ...bad.map(([k, v]) => create(org.org, "kinds", { [k]: v })), create(org.org, "kinds", { word: "after" }));
  assert.deepEqual(said(results), ["won", ...bad.map(() => "refused: refused"), "won"]);
  results.slice(1, -1).forEach((r, n) => assert.ok(r.detail.endsWith(`(${bad[n][2]})`), `${bad[n][0]}: ${r.detail}`));
  // A direct writer's change of nothing is none, generated columns or not.
  const version = () => sql`select version::int as v from public.kinds where id = ${made.record_id}`.then((r) => r[0].v);
  const was = await version();
  await sql`update public.kinds set word = word where id = ${made.record_id}`;
  assert.equal(await version(), was);
  await sql.unsafe("alter table public.kinds add column thrice int generated always as (coalesce(amount, 0)::int * 3) stored");
  await sql`update public.kinds set word = word where id = ${made.record_id}`;
  assert.equal(await version(), was, "with a column that is generated since");
  await sql.unsafe("alter table public.kinds alter column twice drop expression");
  await sql`update public.kinds set twice = 99 where id = ${made.record_id}`;
  assert.equal(await version(), was + 1, "a column that is not generated any more has values like any other");
  claim(`records: columns of 24 kinds travel there and back; ${bad.length} kinds of values that do not fit are refused with their SQLSTATE, the rest of the batch is stored`);
});

test("a device's own value comes back: whole numbers of 64 bits to the last digit, and times without a zone as the UTC that they were", async () => {
  const org = await members(sql, { medics: 1 });
  const [ada] = org.medics;
  // As text: what JavaScript reads, it rounds.
  const call = (name, args) => sql.begin(async (tx) => {
    await tx`select set_config('request.jwt.claim.sub', ${ada}, true)`;
    await tx`set local role authenticated`;
    await tx`set local timezone = 'Asia/Tokyo'`;
    return (await tx.unsafe(`select public.fieldpost_${name}(p_protocol => 1, ${args})::text as answer`))[0].answer;
  });
  for (const big of ["9007199254740993", "-9007199254740993", "9223372036854775807", "-9223372036854775808"]) {
    const made = create(org.org, "kinds", {});
    const text = JSON.stringify(made).replace('"fields":{}', `"fields":{"big":${big},"local":"2026-01-31T08:15:00.123456Z"}`);
    assert.match(await call("records_push", `p_changes => array['${text}']::jsonb[]`), /"status": ?"won"/);
    const [row] = await sql`select big::text as big, local::text as local from public.kinds where id = ${made.record_id}`;
    assert.deepEqual({ ...row }, { big, local: "2026-01-31 08:15:00.123456" });
    const pulled = await call("records_pull", "p_tables => array['kinds']");
    assert.ok(pulled.includes(`"big":${big},`), big);
    assert.ok(pulled.includes('"local":"2026-01-31T08:15:00.123456"'), "without a zone, which a device reads as UTC");
    const text2 = JSON.stringify(update("kinds", made.record_id, {}, { age_ms: 0 })).replace('"fields":{}', `"fields":{"big":${big.replace(/.$/, (d) => d - 1)}}`);
    assert.match(await call("records_push", `p_changes => array['${text2}']::jsonb[]`), /"status": ?"won"/);
    assert.equal((await sql`select big::text as big from public.kinds where id = ${made.record_id}`)[0].big, big.replace(/.$/, (d) => d - 1));
  }
});

test("a numeric keeps all its digits where devices have it as a text, by a generated column either way", async () => {
  const org = await members(sql, { medics: 1 });
  const [ada] = org.medics;
  await sql.unsafe(`
    create table public.prices (id uuid primary key, org_id uuid not null, paid numeric, paid_text text generated always as (paid::text) stored, asked_text text, asked numeric generated always as (asked_text::numeric) stored);
    alter table public.prices enable row level security; create policy m on public.prices for all to authenticated using (org_id in (select fieldpost.my_medic_orgs()));
    select fieldpost.add_record_table('public.prices')`).simple();
  const exact = "1234567890123456789.250";
  const made = create(org.org, "prices", { asked_text: exact });
  const bad = create(org.org, "prices", { asked_text: "a lot" });
  assert.deepEqual(said(await push(db, ada, made, bad)), ["won", "refused: refused"]);
  await sql`update public.prices set paid = ${exact}::text::numeric where id = ${made.record_id}`;
  const device = new Device(db, ada, ["prices"]);
  await device.pull();
  const { paid_text, asked_text } = device.row("prices", made.record_id).fields;
  assert.deepEqual([paid_text, asked_text], [exact, exact]);
  assert.equal((await sql`select asked::text as asked from public.prices where id = ${made.record_id}`)[0].asked, exact);
});

test("of creates of one batch, those that leave a field out have the default of its column, and those that name it have what they name", async () => {
  const org = await members(sql, { medics: 1 });
  const [ada] = org.medics;
  const made = [{ word: "a" }, { word: "b", must: "mine" }, { word: "c" }, { must: "hers" }, { word: "d", must: null }].map((fields) => create(org.org, "kinds", fields));
  const results = await push(db, ada, ...made);
  assert.deepEqual(said(results), ["won", "won", "won", "won", "refused: refused"]);
  assert.match(results[4].detail, /null value in column "must".*\(23502\)/, "a null that is written is one");
  const rows = await sql`select id, must, word from public.kinds where id in ${sql(made.map((c) => c.record_id))}`;
  assert.deepEqual(made.map((c) => rows.find((r) => r.id === c.record_id)).map((r) => r && [r.word, r.must]), [["a", "filled"], ["b", "mine"], ["c", "filled"], [null, "hers"], undefined]);
});

test("housekeeping forgets old deletions, says so to whoever may have missed one, and versions go on", async () => {
  const org = await members(sql, { medics: 1 });
  const ada = org.medics[0];
  const device = new Device(db, ada, ["sites"]);
  const made = create(org.org, "sites", { name: "one" });
  await push(db, ada, made);
  await device.pull();
  const old = new Device(db, ada, ["sites"]);
  old.cursor = device.cursor;
  await push(db, ada, update("sites", made.record_id, { name: "two" }, { age_ms: 0 }), remove("sites", made.record_id));
  await device.pull();
  const gone = device.gone.get(`sites/${made.record_id}`);
  assert.ok(gone >= 3);
  await sql`update fieldpost.record_tombstones set deleted_at = '2001-01-01'`;
  const rows = await sql`select * from fieldpost.housekeeping()`;
  assert.ok(Number(rows.find((r) => r.what === "deletions of records forgotten").rows) >= 1);
  await assert.rejects(old.pull(), /cursor_expired compacted/);
  await device.pull().catch((e) => assert.equal(e.detail, "compacted"));
  await sql`insert into public.sites (id, org_id, name) values (${made.record_id}, ${org.org}, 'three')`;
  const [{ v }] = await sql`select version::int as v from public.sites where id = ${made.record_id}`;
  assert.ok(v > gone, `${v} after ${gone}`);
});
