// A project imports its people, tens of thousands in one statement: what the triggers add to that, and how many locks they take.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { claim } from "./lib/claim.mjs";
import { members } from "./lib/members.mjs";
import { scratch } from "./lib/scratch.mjs";

const MEMBERS = process.env.FIELDPOST_FULL ? 100_000 : process.env.FIELDPOST_SMALL ? 5_000 : 20_000;

let db;
before(async () => {
  db = await scratch({ max: 6 });
  await db.apply();
});
after(() => db.drop());

/** Statements that import an organization of `count` medics, each with an account and a conversation. */
const statements = (org, count) => [
  ["accounts", `insert into auth.users (id) select md5('${org}user' || n)::uuid from generate_series(1, ${count}) n`],
  ["medics", `insert into public.medics (id, org_id, user_id, first_name, last_name)
    select md5('${org}medic' || n)::uuid, '${org}', md5('${org}user' || n)::uuid, 'Medic', n::text from generate_series(1, ${count}) n`],
  ["profiles", `insert into public.profiles (id, org_id, role) select md5('${org}user' || n)::uuid, '${org}', 'medic' from generate_series(1, ${count}) n`],
  ["conversations", `insert into public.conversations (org_id, medic_id) select '${org}', md5('${org}medic' || n)::uuid from generate_series(1, ${count}) n`],
];

/** Runs them in one transaction. Answers the milliseconds of each, and the locks that are held at the end. */
async function load(count, { triggers = true } = {}) {
  const org = randomUUID();
  const times = {};
  let locks;
  await db.sql`insert into public.organizations (id) values (${org})`;
  await db.sql.begin(async (tx) => {
    const tables = ["medics", "profiles", "conversations"];
    if (!triggers) for (const t of tables) await tx.unsafe(`alter table public.${t} disable trigger user`);
    for (const [what, text] of statements(org, count)) {
      const start = performance.now();
      await tx.unsafe(text);
      times[what] = performance.now() - start;
    }
    [{ locks }] = await tx`select count(*)::int as locks from pg_locks where pid = pg_backend_pid()`;
    if (!triggers) for (const t of tables) await tx.unsafe(`alter table public.${t} enable trigger user`);
    if (!triggers) throw "undo";
  }).catch((e) => assert.equal(e, "undo"));
  return { org, times, locks, total: times.medics + times.profiles + times.conversations };
}

test("an import of many people in one statement takes no more locks than one of few", async () => {
  const few = await load(10);
  const bare = await load(MEMBERS, { triggers: false });
  const many = await load(MEMBERS);
  assert.ok(many.locks <= few.locks + 8, `${few.locks} locks for 10 people, ${many.locks} for ${MEMBERS}`);
  const [{ people, named }] = await db.sql`select count(*)::int as people, count(medic_id)::int as named from fieldpost.people where org_id = ${many.org}`;
  assert.deepEqual([people, named], [MEMBERS, MEMBERS]);
  const [{ logged }] = await db.sql`select count(*)::int as logged from fieldpost.access_log`;
  assert.equal(logged, 0, "nobody had a device yet that could hear of it");
  const each = Object.keys(many.times).filter((t) => t !== "accounts").map((t) => `${t} ${Math.round(bare.times[t])} and ${Math.round(many.times[t])}`).join(", ");
  claim(`imports: ${MEMBERS} medics, profiles and conversations, each in one statement: ${(many.total / bare.total).toFixed(2)} times what they take with our triggers off `
    + `(ms without and with: ${each}), ${many.locks} locks held (${few.locks} for 10 people)`);
});

test("an update of other columns recomputes nobody, and one of names those whose name it changes", async () => {
  const { sql } = db;
  await sql.unsafe("alter table public.profiles add column if not exists seen_at timestamptz; alter table public.medics add column if not exists phone text");
  const org = await members(sql, { medics: 3 });
  const turns = async (text) => {
    let result;
    await sql.begin(async (tx) => {
      const count = async () => (await tx`select pg_stat_get_xact_tuples_inserted('fieldpost.person_turns'::regclass)::int as n`)[0].n;
      const start = await count();
      await tx.unsafe(text);
      result = (await count()) - start;
    });
    return result;
  };
  assert.equal(await turns(`update public.profiles set seen_at = now() where org_id = '${org.org}'`), 0);
  assert.equal(await turns(`update public.medics set phone = '1' where org_id = '${org.org}'`), 0);
  assert.equal(await turns(`update public.medics set last_name = 'Moss' where org_id = '${org.org}'`), 0, "the name that they had");
  assert.equal(await turns(`update public.medics set last_name = case when user_id = '${org.medics[1]}' then 'Reyes' else last_name end where org_id = '${org.org}'`), 1);
  const people = await sql`select user_id, last_name, version from fieldpost.people where org_id = ${org.org} and last_name is not null`;
  assert.deepEqual(people.filter((p) => p.version !== "1").map((p) => [p.user_id, p.last_name]), [[org.medics[1], "Reyes"]]);
});

test("two concurrent changes of one person do not both compare with the same past, and those of two people do not meet", async () => {
  const { sql } = db;
  const org = randomUUID();
  await sql`insert into public.organizations (id) values (${org})`;
  const [ada, ben] = [randomUUID(), randomUUID()];
  await sql`insert into auth.users (id) values (${ada}), (${ben})`;
  const medic = (tx, user) => tx`insert into public.medics (org_id, user_id, first_name, last_name) values (${org}, ${user}, 'Ada', 'Moss')`;
  const profile = (tx, user) => tx`insert into public.profiles (id, org_id, role) values (${user}, ${org}, 'medic')`;
  // Her medic's row and her profile come in two transactions at once: neither sees the other's, and together they are a membership.
  let done = false;
  let second;
  await sql.begin(async (tx) => {
    await medic(tx, ada);
    second = sql.begin(async (other) => {
      await other`set local lock_timeout = '10s'`;
      await profile(other, ada);
      done = true;
    });
    await sql.begin(async (other) => {
      await other`set local lock_timeout = '2s'`;
      await profile(other, ben);  // nobody waits for a stranger's import
    });
    for (let i = 0; i < 100 && !(await sql`select 1 from pg_locks where not granted and locktype = 'transactionid'`).length; i++) await sleep(20);
    assert.equal(done, false, "the second waits for the first");
  });
  await second;
  const [person] = await sql`select first_name, medic_id from fieldpost.people where user_id = ${ada}`;
  assert.equal(person?.first_name, "Ada");
  assert.ok(person.medic_id);
  assert.equal((await sql`select from fieldpost.person_turns`).length, 0);
});

test("what goes and comes with many people at once is told to each of them", async () => {
  const { sql } = db;
  const org = await members(sql, { medics: 5 });
  const loads = await Promise.all(org.medics.map((m) => db.call(m, "bootstrap")));
  await sql`update public.medics set user_id = null where id = any(${org.medic_ids.slice(0, 2)}::uuid[])`;
  await sql`delete from public.profiles where id = any(${org.medics.slice(2, 4)}::uuid[])`;
  const heard = await Promise.all(org.medics.map((m, i) => db.call(m, "pull", { p_cursor: loads[i].cursor })));
  assert.deepEqual(heard.map((p) => p.access.map((a) => a.access)), [["revoke"], ["revoke"], ["revoke", "revoke"], ["revoke", "revoke"], []]);
  assert.deepEqual(heard.map((p) => p.digest.count), [1, 1, 0, 0, 2]);
  await sql`insert into public.profiles (id, org_id, role) select u, ${org.org}, 'medic' from unnest(${org.medics.slice(2, 4)}::uuid[]) u`;
  const back = await db.call(org.medics[2], "pull", { p_cursor: loads[2].cursor });
  assert.deepEqual(back.access.map((a) => [a.access, a.version]), [["grant", 2], ["grant", 2]], "who had not heard that she left, hears that she is back");
  assert.equal(back.conversations.length, 2);
});
