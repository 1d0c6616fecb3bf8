// Fieldpost is a guest in a project that exists: what it finds, what it leaves alone, and what it keeps people from.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";

import { claim } from "./lib/claim.mjs";
import { members } from "./lib/members.mjs";
import { apply, files, released, script } from "./lib/migrations.mjs";
import { OLD } from "./lib/old_project.mjs";
import { scratch } from "./lib/scratch.mjs";

const GUEST = `${OLD}
  alter table public.conversations enable row level security; alter table public.message_recipients enable row level security;
  alter table public.conversation_read_status enable row level security; alter table public.organizations add column name text;`;

/** A database with a project in it, and Fieldpost on top unless `bare`. */
async function project(text, use, { bare = false } = {}) {
  const db = await scratch();
  try {
    await db.sql.unsafe(text);
    if (!bare) await db.apply();
    await use(db);
  } finally {
    await db.drop();
  }
}

/** A statement as a role of the API, or another one; `sub`: who is signed in. Answers its rows, or the code of the refusal. */
const as = (db, role, text, sub = null) =>
  db.sql.begin(async (tx) => {
    if (sub) await tx`select set_config('request.jwt.claim.sub', ${sub}, true)`;
    await tx.unsafe(`set local role ${role}`);
    return [...(await tx.unsafe(text))];
  }).catch((error) => error.code);

/** The check by itself, as \`fieldpost sql preflight\` prints it. */
const preflight = (sql) => {
  const text = files().find((f) => f.name === "0050_preflight.sql").text;
  const body = text.slice(text.indexOf("create or replace function"), text.indexOf("comment on function"));
  return sql.begin(async (tx) => {
    await tx.unsafe(body.replace("fieldpost.preflight()", "pg_temp.fieldpost_preflight()"));
    return [...(await tx`select * from pg_temp.fieldpost_preflight()`)];
  });
};

const acls = (sql) => sql`
  select c.oid::regclass::text as name, c.relacl::text as acl, c.relrowsecurity as rls, c.relforcerowsecurity as forced,
    (select string_agg(a.attname || a.attacl::text, ',' order by a.attnum) from pg_attribute a where a.attrelid = c.oid and a.attacl is not null) as columns,
    (select string_agg(pg_get_constraintdef(k.oid), ';' order by k.conname) from pg_constraint k
     where k.conrelid = c.oid and k.contype <> 'n') as constraints  -- (PostgreSQL 18 lists the not-null columns too, ours among them)
  from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v') order by 1`;

test("grants, row level security and constraints of tables that existed are what they were", () =>
  project(`${GUEST} alter table public.medics add column phone text;
    revoke all on public.medics, public.profiles from authenticated, anon; grant select (id, first_name, last_name) on public.medics to authenticated;
    grant all on public.messages to anon;`, async (db) => {
    const before = await acls(db.sql);
    await db.apply();
    await db.apply();
    const after = (await acls(db.sql)).filter((t) => !["message_reactions", "message_reports", "conversation_settings"].includes(t.name)); // Fieldpost's own
    assert.deepEqual([...after], [...before]);
    assert.equal(await as(db, "authenticated", "select phone from public.medics", randomUUID()), "42501");
    assert.equal((await as(db, "authenticated", "select first_name from public.medics", randomUUID())).length, 0);
    const org = await members(db.sql, { medics: 1 });
    assert.equal((await db.call(org.medics[0], "bootstrap")).me.first_name, "Ada", "it reads them all the same");
  }, { bare: true }));

test("where row level security is off the apply stops, with a sentence, until the operator agrees", () =>
  project(OLD, async (db) => {
    await assert.rejects(db.apply(), /Row level security is off on public\.conversations: whoever has the public key reads and writes all of it.*fieldpost sql export --adopt/s);
    assert.equal((await db.sql`select to_regnamespace('fieldpost') as n`)[0].n, null, "nothing was changed");
    await db.apply({ adopt: true });
    const rls = await db.sql`select relname, relrowsecurity as on from pg_class where relnamespace = 'public'::regnamespace and relname in ('conversations', 'organizations', 'medics') order by 1`;
    assert.deepEqual(rls.map((r) => [r.relname, r.on]), [["conversations", true], ["medics", false], ["organizations", false]]);
    await db.apply();
  }, { bare: true }));

test("preflight says in sentences what cannot be, before anything is installed", async () => {
  const cases = [
    ["create table public.organizations (id bigint primary key)", "blocks", /public\.organizations\.id is bigint, and Fieldpost needs uuid/],
    ["create table public.messages (id uuid primary key, conversation_id uuid)", "blocks", /public\.messages lacks columns that Fieldpost needs: content text, .* sender_id uuid/],
    [`${GUEST} alter table public.messages add column version int`, "blocks", /public\.messages has a column version of its own \(integer\)/],
    [`${GUEST} alter table public.messages alter column created_at type timestamp`, "blocks", /created_at is timestamp without time zone, and Fieldpost needs timestamptz/],
    [`${GUEST} alter table public.messages drop constraint messages_pkey cascade`, "blocks", /no primary key or unique constraint over \(id\)/],
    [`${GUEST} alter table public.messages add column site text not null`, "warns", /public\.messages\.site must be filled, and has no default/],
    [`${GUEST} alter table public.messages alter column metadata type json`, "adapts", /metadata is json/],
    ["create table public.profiles (id uuid primary key references auth.users, username text)", "adapts", /missing, or of another type: profiles\.org_id, profiles\.role/],
    [`${GUEST} alter table public.profiles enable row level security; create policy "Users can update own profile" on public.profiles for update to authenticated using (auth.uid() = id)`, "warns", /anybody can make herself an admin/],
    [`${GUEST} create policy narrow on public.messages as restrictive for select using (true)`, "fits", /The policy "narrow" narrows/],
    [`${GUEST} create trigger mine before insert on public.messages for each row execute function public.touch()`, "fits", /Your trigger mine runs/],
  ];
  for (const [text, level, finding] of cases) {
    await project(text, async (db) => {
      const said = await preflight(db.sql);
      assert.ok(said.some((p) => p.level === level && finding.test(p.finding)), `${finding}: ${JSON.stringify(said)}`);
      assert.equal((await db.sql`select to_regnamespace('fieldpost') as n`)[0].n, null);
      if (level === "blocks") await assert.rejects(db.apply(), finding);
      else await db.apply();
    }, { bare: true });
  }
  claim(`preflight: ${cases.length} kinds of projects, each told in a sentence before anything is changed`);
});

test("a project's own memberships and roster stay its own, applied again and upgraded from version 1", async () => {
  const mine = `create or replace function fieldpost.memberships(p_user uuid) returns table (org_id uuid, role text, medic_id uuid, first_name text, last_name text)
    language sql stable as $$ select m.org_id, m.role, null::uuid, 'Own', 'Function' from public.mine m where m.user_id = p_user $$`;
  for (const first of [(db) => db.apply(), async (db) => { for (const { text } of released()) await db.sql.begin((tx) => tx.unsafe(text).simple()); }]) {
    await project("create table public.mine (user_id uuid, org_id uuid, role text)", async (db) => {
      await first(db);
      await db.sql.unsafe(mine);
      const [user, org] = [randomUUID(), randomUUID()];
      await db.sql`insert into public.organizations (id) values (${org})`;
      await db.sql`insert into public.mine values (${user}, ${org}, 'org_admin')`;
      await db.sql`select fieldpost.access_changed(${user})`;
      await db.apply();
      await db.apply();
      assert.equal((await db.call(user, "bootstrap")).me.last_name, "Function");
    }, { bare: true });
  }
});

test("people cannot make themselves members where Fieldpost made the tables, nor elsewhere once it is asked", async () => {
  const own = `create policy "Users can update own profile" on public.profiles for all to authenticated using (auth.uid() = id) with check (auth.uid() = id);
    grant select, insert, update on public.profiles to authenticated;`;
  await project("select 1", async (db) => {
    await db.sql.unsafe(own);
    const [org, other] = [await members(db.sql, { medics: 1 }), await members(db.sql, { medics: 1 })];
    const [ada] = org.medics;
    assert.equal(await as(db, "authenticated", `update public.profiles set role = 'org_admin' where id = '${ada}'`, ada), "42501");
    assert.equal(await as(db, "authenticated", `update public.profiles set org_id = '${other.org}' where id = '${ada}'`, ada), "42501");
    const stranger = randomUUID();
    await db.sql`insert into auth.users (id) values (${stranger})`;
    assert.equal(await as(db, "authenticated", `insert into public.profiles (id, org_id, role) values ('${stranger}', '${org.org}', 'org_admin')`, stranger), "42501");
    assert.deepEqual(await as(db, "authenticated", `update public.profiles set role = role where id = '${ada}'`, ada), [], "what changes nothing is let through");
    await db.sql`update public.profiles set role = 'org_admin' where id = ${ada}`;
  });
  await project(`${GUEST} alter table public.profiles enable row level security; ${own}`, async (db) => {
    const org = await members(db.sql, { medics: 1 });
    const [ada] = org.medics;
    assert.deepEqual(await as(db, "authenticated", `update public.profiles set role = 'org_admin' where id = '${ada}'`, ada), [], "a guest forbids nothing unasked");
    await db.sql`update public.profiles set role = 'medic' where id = ${ada}`;
    assert.equal((await db.sql`select * from fieldpost.guard_memberships()`).length, 2);
    assert.equal(await as(db, "authenticated", `update public.profiles set role = 'org_admin' where id = '${ada}'`, ada), "42501");
    assert.ok(!(await db.sql`select * from fieldpost.preflight()`).some((p) => /herself an admin/.test(p.finding)));
  });
});

test("a grant to anon opens nothing, and back-end roles need no rights on schema fieldpost", () =>
  project(`${GUEST} create policy everybody on public.messages for all using (true) with check (true);`, async (db) => {
    const org = await members(db.sql, { medics: 1 });
    await db.sql.unsafe("grant all on all tables in schema public to anon; grant execute on all functions in schema public to anon");
    await db.sql`insert into public.messages (conversation_id, org_id, sender_id, content) values (${org.conversations[0]}, ${org.org}, ${org.admin}, 'words')`;
    assert.deepEqual(await as(db, "anon", "select * from public.messages"), []);
    for (const name of ["bootstrap", "pull", "push", "history", "search"]) assert.ok(["42501", "PT401"].includes(await as(db, "anon", `select public.fieldpost_${name}(1)`)), name);
    const role = `reporting_${randomUUID().slice(0, 8)}`;
    await db.sql.unsafe(`create role ${role} nologin; grant ${role} to postgres; grant usage on schema public to ${role};
      grant select, insert, update, delete on all tables in schema public to ${role};
      create policy theirs on public.messages for all to ${role} using (true) with check (true); create policy theirs on public.conversations for all to ${role} using (true) with check (true);
      create policy theirs on public.conversation_read_status for all to ${role} using (true) with check (true)`);
    try {
      const [c, o, a] = [org.conversations[0], org.org, org.admin];
      for (const text of [
        `insert into public.messages (conversation_id, org_id, sender_id, content) values ('${c}', '${o}', '${a}', 'by a back end')`,
        `update public.messages set content = 'edited by a back end' where content = 'by a back end'`,
        `insert into public.conversations (org_id, type, created_by) select '${o}', 'direct', '${a}'`,
        `update public.conversations set subject = 'renamed' where id = '${c}'`,
        `insert into public.conversation_read_status (user_id, conversation_id, org_id) values ('${a}', '${c}', '${o}')`,
        `delete from public.messages where content = 'words'`,
      ]) assert.deepEqual(await as(db, role, text), [], text);
      const [row] = await db.sql`select seq, version, content from public.messages`;
      assert.deepEqual([Number(row.seq), Number(row.version), row.content], [2, 2, "edited by a back end"]);
    } finally {
      await db.sql.unsafe(`drop owned by ${role}; drop role ${role}`);
    }
  }));

test("version 1 becomes version 2, whole or half applied, and takes its tables out of Realtime; a newer version is not replaced", async () => {
  const v1 = released();
  for (const upto of [3, 5, 8, 12, v1.length]) {
    await project("create publication supabase_realtime", async (db) => {
      // The tables, somebody's rows, and then the rest of what was applied.
      await db.sql.begin((tx) => tx.unsafe(v1[0].text).simple());
      const old = await members(db.sql, { medics: 1 });
      await db.sql`insert into public.messages (conversation_id, org_id, sender_id, content) select ${old.conversations[0]}, ${old.org}, ${old.admin}, n::text from generate_series(1, 3) n`;
      for (const { text } of v1.slice(1, upto)) await db.sql.begin((tx) => tx.unsafe(text).simple());
      await db.apply();
      assert.deepEqual((await db.call(old.medics[0], "bootstrap")).messages.map((m) => m.seq), [1, 2, 3], `numbered, after ${upto} files`);
      const org = await members(db.sql, { medics: 1 });
      const { results } = await db.call(org.medics[0], "push", { p_mutations: [{ id: randomUUID(), kind: "send_message", conversation_id: org.conversations[0], message_id: randomUUID(), content: "x" }] });
      assert.equal(results[0].status, "applied", `after ${upto} files`);
      const load = await db.call(org.admin, "bootstrap");
      assert.deepEqual([load.sql_version, load.messages.length], [2, 1]);
      assert.equal((await db.sql`select from pg_publication_tables where pubname = 'supabase_realtime'`).length, 0);
      const [{ hash }] = await db.sql`select hash from fieldpost.installed order by at desc limit 1`;
      const fresh = await scratch();
      try {
        await fresh.apply();
        assert.equal((await fresh.sql`select hash from fieldpost.installed`)[0].hash, hash, "the functions are those of a new project");
      } finally {
        await fresh.drop();
      }
      await db.sql`insert into fieldpost.installed (version, hash) values (3, 'x')`;
      await assert.rejects(apply(db.sql, script()), /Fieldpost version 3 is installed, and this file is version 2/);
    }, { bare: true });
  }
});

test("somebody of two organizations, and of two medics in one, sees all of hers, and opens where the medic is", () =>
  project("select 1", async (db) => {
    const [one, two] = [await members(db.sql, { medics: 1 }), await members(db.sql, { medics: 1, spare: 1 })];
    const second = randomUUID();
    await db.sql`insert into public.medics (id, org_id, user_id, first_name, last_name) values (${second}, ${one.org}, ${one.medics[0]}, 'Ada', 'Second')`;
    await db.sql`insert into public.conversations (org_id, medic_id, created_by) values (${one.org}, ${second}, ${one.admin})`;
    assert.equal((await db.call(one.medics[0], "bootstrap")).conversations.filter((c) => c.kind === "direct").length, 2);
    // The admin of the first administers the second too: by a function of the project's, since a profile has one organization.
    await db.sql.unsafe(`create table public.seats (user_id uuid, org_id uuid, role text);
      create or replace function fieldpost.memberships(p_user uuid) returns table (org_id uuid, role text, medic_id uuid, first_name text, last_name text) language sql stable as $$
        select p.org_id, p.role, case when p.role = 'medic' then m.id end, m.first_name, m.last_name from
          (select x.org_id, x.role from public.profiles x where x.id = p_user union select s.org_id, s.role from public.seats s where s.user_id = p_user) p
        left join public.medics m on m.user_id = p_user and m.org_id = p.org_id and p.role = 'medic' $$`);
    await db.sql`insert into public.seats values (${one.admin}, ${two.org}, 'org_admin')`;
    await db.sql`select fieldpost.access_changed(${one.admin})`;
    const [opened] = (await db.call(one.admin, "push", { p_mutations: [{ id: randomUUID(), kind: "open_direct", conversation_id: randomUUID(), medic_id: two.medic_ids[1], org_id: one.org }] })).results;
    assert.deepEqual([opened.status, opened.conversation?.org_id], ["applied", two.org]);
    assert.equal((await db.call(one.admin, "bootstrap")).total_conversations, 6);
  }));
