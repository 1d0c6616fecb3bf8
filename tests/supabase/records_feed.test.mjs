// What devices are sent of records: everything that was committed, to whoever may see it, once they ask; and nothing else.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { claim } from "./lib/claim.mjs";
import { members } from "./lib/members.mjs";
import { Device, OFFER, TABLES, create, push, remove, update } from "./lib/records.mjs";
import { scratch } from "./lib/scratch.mjs";

const SMALL = Boolean(process.env.FIELDPOST_SMALL);
const BOTH = ["sites", "visits"];

let db, sql, org, ada, ben, admin;
before(async () => {
  db = await scratch({ max: 14 });
  await db.apply();
  sql = db.sql;
  await sql.unsafe(`${TABLES} ${OFFER}`).simple();
});
after(() => db.drop());

const people = async () => {
  org = await members(sql, { medics: 2 });
  [ada, ben] = org.medics;
  admin = org.admin;
};
const fill = (n, o = org.org) => sql`insert into public.visits (org_id, notes, minutes) select ${o}, 'visit ' || n, n from generate_series(1, ${n}) n`;
const pull = (who, args) => db.call(who, "records_pull", { p_tables: BOTH, ...args });

/** What the tables hold for somebody who may see everything of the organization. */
const truth = async (o = org.org) => new Map((await sql`
  select 'visits/' || id as key, version::int as version from public.visits where org_id = ${o}
  union all select 'sites/' || id, version::int from public.sites where org_id = ${o}`).map((r) => [r.key, r.version]));
const assertEqual = async (device, o) => {
  const rows = new Map([...device.rows].map(([key, r]) => [key, r.version]));
  assert.deepEqual(new Map([...rows].sort()), new Map([...(await truth(o))].sort()));
};

test("a first load brings every row once, in pages of any size, and the next pull brings nothing", async () => {
  await people();
  await fill(57);
  for (const p_limit of [1, 7, 56, 57, 58, 2500]) {
    const device = new Device(db, ada, BOTH);
    const pages = await device.pull({ p_limit });
    await assertEqual(device);
    assert.ok(pages.every((p) => p.loading && p.records.length <= p_limit && p.tombstones.length === 0));
    assert.equal(pages.flatMap((p) => p.records).length, 57);
    assert.deepEqual(pages.map((p) => p.more), [...Array(pages.length - 1).fill(true), false]);
    const [next, ...rest] = await device.pull();
    assert.deepEqual([next.loading, next.records, next.tombstones, rest], [false, [], [], []]);
    assert.equal(next.epoch, pages[0].epoch);
  }
  const bytes = await new Device(db, ada, BOTH).pull({ p_bytes: 2000 });
  assert.ok(bytes.length >= 10 && bytes.every((p) => p.records.length >= 1 && (p.records.length === 1 || JSON.stringify(p.records).length < 2600)), "no page is larger than it was asked to be");
});

test("a pull of many calls has what is changed while it is under way", async () => {
  await people();
  const device = new Device(db, ada, BOTH);
  await device.pull();
  await fill(20);
  const [last] = await sql`select id from public.visits where org_id = ${org.org} order by id desc limit 1`;
  const first = await pull(ada, { p_cursor: device.cursor, p_limit: 5 });
  await sql`update public.visits set minutes = 77 where id = ${last.id}`;
  device.cursor = first.cursor;
  const pages = await device.pull({ p_limit: 5 });
  assert.equal(device.row("visits", last.id).fields.minutes, 77);
  assert.ok(pages.length <= 5 && pages.every((p) => !p.loading));
});

test("what changes while a load is under way is named by it, wherever the load stands", async () => {
  await people();
  await fill(30);
  const ids = (await sql`select id from public.visits where org_id = ${org.org} order by id`).map((r) => r.id);
  for (let at = 0; at < 4; at++) {
    const device = new Device(db, ada, BOTH);
    device.rows.set(`visits/${ids[3]}`, { version: 1 });
    device.rows.set("visits/from another life", { version: 1 });
    const pages = [];
    for (let n = 0, more = true; more; n++) {
      const page = await pull(ada, { p_cursor: device.cursor, p_limit: 8 });
      pages.push(page);
      for (const r of page.records) {
        device.named.add(`visits/${r.id}`);
        device.rows.set(`visits/${r.id}`, r);
      }
      for (const t of page.tombstones) device.rows.delete(`visits/${t.id}`);
      ({ cursor: device.cursor, more } = page);
      if (n === at) {
        await sql`update public.visits set minutes = minutes + 1 where id in ${sql([ids[3], ids[12], ids[28]])}`;
        await sql`delete from public.visits where id = ${ids[20 + at]}`;
        await fill(1);
      }
      assert.ok(page.loading);
    }
    for (const key of device.rows.keys()) if (!device.named.has(key)) device.rows.delete(key);
    for (const i of [3, 12, 28]) assert.ok(device.named.has(`visits/${ids[i]}`), `${i} is named, whatever page it was changed after`);
    await device.pull();
    await assertEqual(device);
  }
});

test("a pull brings what was changed, what was deleted and what has left the organization", async () => {
  await people();
  const other = await members(sql, { medics: 1 });
  const [a, b] = [new Device(db, ada, BOTH), new Device(db, other.medics[0], BOTH)];
  const made = Array.from({ length: 3 }, (_, n) => create(org.org, "visits", { minutes: n }));
  await push(db, ben, ...made);
  await Promise.all([a.pull(), b.pull()]);
  const [kept, deleted, moved] = made.map((c) => c.record_id);
  await sql`update public.visits set minutes = 7 where id = ${kept}`;
  await sql`delete from public.visits where id = ${deleted}`;
  await sql`update public.visits set org_id = ${other.org} where id = ${moved}`;
  const [page] = await a.pull();
  assert.deepEqual(page.records.map((r) => [r.id, r.version, r.fields.minutes, r.last_mutation_id]), [[kept, 2, 7, undefined]]);
  assert.deepEqual(page.tombstones.map((t) => [t.id, t.client_id, t.version]).sort(), [[deleted, deleted, 2], [moved, moved, 1]].sort());
  const [theirs] = await b.pull();
  assert.deepEqual([theirs.records.map((r) => [r.id, r.version]), theirs.tombstones], [[[moved, 2]], []]);
  await sql`update public.visits set org_id = ${org.org} where id = ${moved}`;
  await sql`insert into public.visits (id, org_id, minutes) values (${deleted}, ${org.org}, 9)`;
  await Promise.all([a.pull(), b.pull()]);
  await assertEqual(a);
  await assertEqual(b, other.org);
  assert.deepEqual([a.row("visits", moved).version, a.row("visits", deleted).version], [3, 3]);
  await sql`update public.visits set id = gen_random_uuid() where id = ${kept}`;
  await a.pull();
  await assertEqual(a);
});

test("what goes with its parent leaves a tombstone each", async () => {
  await people();
  await sql.unsafe("alter table public.visits drop constraint visits_site_id_fkey, add constraint visits_site_id_fkey foreign key (site_id) references public.sites on delete cascade");
  const site = create(org.org, "sites", { name: "North" });
  await push(db, ada, site, ...Array.from({ length: 5 }, () => create(org.org, "visits", { site_id: site.record_id })));
  const device = new Device(db, ben, BOTH);
  await device.pull();
  await push(db, ada, remove("sites", site.record_id));
  const [page] = await device.pull();
  assert.equal(page.tombstones.length, 6);
  await assertEqual(device);
});

test("what a policy hides is not sent, and withdrawn from whoever may have seen it; it comes back when it is shown again", async () => {
  await people();
  await sql.unsafe("create policy no_private on public.visits as restrictive for select to authenticated using (not private or org_id in (select fieldpost.my_admin_orgs()))");
  try {
    const [open, secret] = [create(org.org, "visits", { notes: "open" }), create(org.org, "visits", { notes: "secret", private: true })];
    await push(db, admin, open, secret);
    const [a, boss] = [new Device(db, ada, BOTH), new Device(db, admin, BOTH)];
    const load = await a.pull();
    await boss.pull();
    assert.deepEqual([[...a.rows.keys()], boss.rows.size], [[`visits/${open.record_id}`], 2]);
    await sql`insert into public.visits (org_id, notes, private) values (${org.org}, 'secret too', true)`;
    await sql`update public.visits set private = true where id = ${open.record_id}`;
    const page = await a.pull();
    await boss.pull();
    assert.deepEqual(page.flatMap((p) => p.tombstones), [{ table: "visits", id: open.record_id, client_id: open.record_id, version: 1 }], "what was never seen is not named");
    assert.deepEqual([a.rows.size, boss.rows.size], [0, 3]);
    await sql`update public.visits set private = false where id = ${open.record_id}`;
    await a.pull();
    assert.equal(a.row("visits", open.record_id).version, 3);
    assert.ok(!JSON.stringify([load, page]).includes("secret"));
  } finally {
    await sql.unsafe("drop policy no_private on public.visits");
  }
});

test("a change of policies, of memberships or of the tables expires the cursor, and says which", async () => {
  await people();
  await fill(3);
  const device = new Device(db, ada, BOTH);
  await device.pull();
  const detail = () => device.pull().then(() => null, (e) => `${e.code} ${e.detail}`);
  const again = async () => {
    device.cursor = null;
    device.rows.clear();
    device.named.clear();
    await device.pull();
  };
  await sql.unsafe("create policy more on public.visits as restrictive for select to authenticated using (true)");
  assert.equal(await detail(), "cursor_expired access");
  await again();
  await sql.unsafe("create policy write on public.visits as restrictive for update to authenticated using (true)");
  assert.equal(await detail(), null, "what only writing is about changes nothing that is seen");
  await sql.unsafe("drop policy more on public.visits; drop policy write on public.visits");
  await again();
  assert.equal((await pull(ada, { p_tables: ["visits"], p_cursor: device.cursor })).error.detail, "tables");
  assert.equal((await pull(ada, { p_tables: ["visits", "sites", "none"], p_cursor: device.cursor })).error, undefined, "in any order, and whatever is not offered");
  await sql`update public.profiles set role = 'org_admin' where id = ${ada}`;
  assert.equal(await detail(), "cursor_expired access");
  await again();
  await sql`delete from public.profiles where id = ${ada}`;
  assert.equal(await detail(), "cursor_expired access");
  await again();
  assert.equal(device.rows.size, 0, "and there is nothing for her any more");
});

test("a change of what columns a table has, or of who may read them, expires the cursor; so devices have of all rows what they name", async () => {
  await people();
  await fill(3);
  const device = new Device(db, ada, BOTH);
  const detail = () => device.pull().then(() => null, (e) => `${e.code} ${e.detail}`);
  const values = async (column) => {
    Object.assign(device, { cursor: null, named: new Set() });
    await device.pull();
    assert.equal(await detail(), null, "a load later the cursor holds");
    return [...device.rows.values()].map((r) => r.fields[column]);
  };
  await device.pull();
  const named = "id, org_id, client_id, client_modified_at, last_mutation_id, version, sync_xid, created_at, updated_at, notes";
  const cases = [
    ["alter table public.visits add column risk text not null default 'low'", "risk", "low"],
    ["alter table public.visits add column twice int generated always as (coalesce(minutes, 0) * 0 + 2) stored", "twice", 2],
    ["alter table public.visits drop column twice; alter table public.visits add column twice int not null default 3", "twice", 3],
    ["alter table public.visits alter column twice type text using 'three'", "twice", "three"],
    ["alter table public.visits drop column twice", "twice", undefined],
    [`revoke select on public.visits from authenticated; grant select (${named}, risk) on public.visits to authenticated`, "minutes", undefined],
    ["revoke select (risk) on public.visits from authenticated", "risk", undefined],
    ["grant select (risk) on public.visits to authenticated", "risk", "low"],
    ["grant select on public.visits to authenticated", "risk", "low"],
  ];
  try {
    for (const [change, column, value] of cases) {
      await sql.unsafe(change).simple();
      assert.equal(await detail(), "cursor_expired access", change);
      assert.deepEqual(await values(column), Array(3).fill(value), change);
    }
    // What moves or counts rows, or is about writing alone, changes nothing that is seen.
    for (const change of ["vacuum full public.visits", "analyze public.visits", "alter table public.visits alter column notes set statistics 10", "alter table public.visits alter column risk set default 'high'", "create index odd on public.visits (notes)"]) {
      await sql.unsafe(change);
      assert.equal(await detail(), null, change);
    }
  } finally {
    await sql.unsafe("grant all on public.visits to authenticated; alter table public.visits drop column if exists risk, drop column if exists twice; drop index if exists public.odd").simple();
  }
  claim(`records: ${cases.length} changes of columns and of who may read them made devices load again; VACUUM, statistics and defaults did not`);
});

test("a cursor that is none of ours is refused before it is read, and one of another history too", async () => {
  await people();
  const load = await pull(ada);
  const part = load.cursor.split(".");
  const odd = ["", "x", "r1", `r1.${"0".repeat(24)}.x.y.z`, part.with(4, "-").join("."), part.with(4, "5:1:9").join("."), part.with(4, `1:1:${"0,".repeat(120)}`).join("."), `${load.cursor}.`, load.cursor.padEnd(1025, "0"), part.with(4, "999999999999999999:999999999999999999:").join(".")];
  for (const p_cursor of odd) assert.match((await pull(ada, { p_cursor })).error?.detail ?? "none", /^(invalid|epoch)$/, p_cursor.slice(0, 80));
  assert.equal((await pull(ada, { p_cursor: part.with(1, `${"0".repeat(16)}${part[1].slice(16)}`).join(".") })).error.detail, "epoch");
  assert.equal((await pull(ada, { p_cursor: part.with(1, `${part[1].slice(0, 16)}00000000`).join(".") })).error.detail, "epoch");
  for (const [args, detail] of [[{ p_limit: 0 }, "p_limit"], [{ p_tables: null }, "p_tables"], [{ p_tables: Array(201).fill("x") }, "p_tables"]]) {
    assert.deepEqual((await pull(ada, args)).error, { code: "bad_request", detail });
  }
  await sql`truncate public.visits`;
  assert.equal((await pull(ada, { p_cursor: load.cursor })).error.detail, "epoch", "nothing says what a TRUNCATE took");
});

test("members of several organizations are sent the rows of each, and nobody is sent another's", async () => {
  await people();
  const other = await members(sql, { medics: 1 });
  await fill(5);
  await fill(4, other.org);
  await sql`create table if not exists public.both (user_id uuid, org_id uuid)`;
  const both = randomUUID();
  await sql.unsafe(`create or replace function fieldpost.memberships(p_user uuid) returns table (org_id uuid, role text, medic_id uuid, first_name text, last_name text) language sql stable as $$
    select b.org_id, 'org_admin', null::uuid, 'B', 'B' from public.both b where b.user_id = p_user
    union all select p.org_id, p.role::text, null::uuid, 'B', 'B' from public.profiles p where p.id = p_user $$`);
  await sql`insert into public.both values (${both}, ${org.org}), (${both}, ${other.org})`;
  for (const p_limit of [2, 2500]) {
    const device = new Device(db, both, BOTH);
    await device.pull({ p_limit });
    assert.equal(device.rows.size, 9);
  }
  const one = new Device(db, ada, BOTH);
  await one.pull();
  assert.equal(one.rows.size, 5);
});

test("a page of hidden rows ends in time, and the load goes on behind it", async () => {
  await people();
  await sql.unsafe("create policy mostly on public.visits as restrictive for select to authenticated using (minutes > 25000 or minutes = 1)");
  try {
    await fill(25_010);
    const device = new Device(db, ada, BOTH);
    const pages = await device.pull();
    assert.equal(device.rows.size, 11);
    assert.ok(pages.length >= 2 && pages.length <= 4, `${pages.length} pages`);
  } finally {
    await sql.unsafe("drop policy mostly on public.visits");
    await sql`delete from public.visits where org_id = ${org.org}`;
  }
});

const dice = (seed) => {
  let state = seed * 7919 + 1;
  return (below) => ((state = (state * 1103515 + 12345) % 2147483648) >>> 12) % below;
};

test("under eight writers with open transactions no committed change is missed by the first pull after it", async () => {
  await people();
  const GOAL = Number(process.env.FIELDPOST_RECORD_ROWS ?? (SMALL ? 1_200 : 8_000));
  const committed = new Map();  // key: the version that a pull owes at least
  const gone = new Map();
  let [writes, done] = [0, false];
  async function writer(n) {
    const next = dice(n);
    const mine = [];
    while (writes < GOAL) {
      const news = [];
      const dead = [];
      await sql.begin(async (tx) => {
        for (let k = 0; k < 1 + next(12); k++) {
          const what = mine.length ? next(10) : 0;
          if (what < 5) {
            const [r] = await tx`insert into public.visits (org_id, notes) values (${org.org}, ${`w${n}`}) returning id, version::int as version`;
            news.push(r);
          } else if (what < 9) {
            const id = mine[next(mine.length)];
            const [r] = await tx`update public.visits set minutes = coalesce(minutes, 0) + 1 where id = ${id} returning id, version::int as version`;
            if (r) news.push(r);
          } else {
            const id = mine[next(mine.length)];
            const [r] = await tx`delete from public.visits where id = ${id} returning id, version::int as version`;
            if (r) dead.push(r);
          }
        }
        if (next(2) === 0) await sleep(next(40));
        if (next(8) === 0) throw new Error("rolled back");
      }).then(() => {
        for (const r of news) {
          committed.set(r.id, Math.max(r.version, committed.get(r.id) ?? 0));
          if (!mine.includes(r.id)) mine.push(r.id);
        }
        for (const r of dead) {
          gone.set(r.id, r.version + 1);
          mine.splice(mine.indexOf(r.id), 1);
        }
        writes += news.length + dead.length;
      }, (error) => {
        if (error.message !== "rolled back") throw error;
      });
    }
  }
  async function device(who, p_limit) {
    const device = new Device(db, who, BOTH);
    await device.pull({ p_limit });
    let [late, pulls] = [0, 0];
    for (let last = false; !last; pulls++) {
      last = done;
      const owed = new Map(committed);
      const dead = new Map(gone);
      await device.pull({ p_limit });
      for (const [id, version] of owed) {
        const has = device.row("visits", id)?.version ?? device.gone.get(`visits/${id}`) ?? 0;
        // What is changed again while a pass takes many calls may be in the next one.
        if (has < version && (p_limit === 2500 || committed.get(id) === version && !gone.has(id))) late++;
      }
      for (const [id, version] of dead) if ((device.gone.get(`visits/${id}`) ?? 0) < version) late++;
      await sleep(10);
    }
    return { device, late, pulls };
  }
  const devices = [device(ada, 2500), device(ben, 40), device(admin, 300)];
  await Promise.all(Array.from({ length: 8 }, (_, n) => writer(n)));
  done = true;
  const results = await Promise.all(devices);
  for (const { device, late } of results) {
    assert.equal(late, 0, "missed");
    await assertEqual(device);
  }
  claim(`records: ${writes} changes by 8 writers with open transactions, ${results.reduce((n, r) => n + r.pulls, 0)} pulls beside them: 0 missed by the first pull after their commit`);
});

test("reading assigns no transaction id, and a pull of nothing is one row of an answer", async () => {
  await people();
  await fill(10);
  await sql.begin(async (tx) => {
    await tx`select set_config('request.jwt.claim.sub', ${ada}, true)`;
    await tx`set local role authenticated`;
    const [{ a }] = await tx`select public.fieldpost_records_pull(1, 't', '{}', ${BOTH}) as a`;
    await tx`select public.fieldpost_records_pull(1, 't', '{}', ${BOTH}, ${a.cursor})`;
    assert.equal((await tx`select pg_current_xact_id_if_assigned() as x`)[0].x, null);
  });
});
