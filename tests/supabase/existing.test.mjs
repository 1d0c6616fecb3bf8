// An existing project with 100,000 messages, whose people go on writing while Fieldpost is applied.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { claim } from "./lib/claim.mjs";
import { OLD } from "./lib/old_project.mjs";
import { scratch } from "./lib/scratch.mjs";
import { owner } from "./lib/stack.mjs";

const MESSAGES = process.env.FIELDPOST_SMALL ? 5_000 : 100_000;
const CONVERSATIONS = 200;

/** Looks at the locks until it is told to stop: how long each table was closed to readers, and to writers. */
async function watch(url, stop) {
  const db = owner({ url });
  const since = new Map();
  const longest = { readers: 0, writers: 0 };
  const kinds = { AccessExclusiveLock: ["readers", "writers"], ExclusiveLock: ["writers"], ShareRowExclusiveLock: ["writers"], ShareLock: ["writers"] };
  while (!stop.now) {
    const held = await db`select l.relation::regclass::text as name, l.mode, l.pid, l.virtualtransaction as vx from pg_locks l
      where l.granted and l.locktype = 'relation' and l.database = (select oid from pg_database where datname = current_database())
        and l.relation in ('public.messages'::regclass, 'public.conversations'::regclass, 'public.conversation_read_status'::regclass)
        and l.mode in ('AccessExclusiveLock', 'ExclusiveLock', 'ShareRowExclusiveLock', 'ShareLock')`;
    const now = performance.now();
    const seen = new Set();
    for (const l of held) {
      const key = `${l.name} ${l.mode} ${l.vx}`;
      seen.add(key);
      if (!since.has(key)) since.set(key, now);
      for (const whom of kinds[l.mode]) longest[whom] = Math.max(longest[whom], now - since.get(key));
    }
    for (const key of since.keys()) if (!seen.has(key)) since.delete(key);
    await sleep(2);
  }
  await db.end();
  return longest;
}

test("applied to a project with 100,000 messages while people write: no long lock, all numbered, and applied again nothing", async () => {
  const db = await scratch();
  const { sql } = db;
  const stop = { now: false };
  const background = [];
  try {
    await sql.unsafe(OLD);
    const [org, boss] = [randomUUID(), randomUUID()];
    await sql`insert into public.organizations (id) values (${org})`;
    await sql`insert into auth.users (id) values (${boss})`;
    await sql`insert into public.profiles (id, org_id, role) values (${boss}, ${org}, 'org_admin')`;
    await sql`insert into public.medics (id, org_id, first_name, last_name) select gen_random_uuid(), ${org}, 'M', n::text from generate_series(1, ${CONVERSATIONS}) n`;
    await sql`insert into public.conversations (org_id, medic_id, created_by) select ${org}, m.id, ${boss} from public.medics m`;
    await sql`insert into public.messages (conversation_id, org_id, sender_id, content, created_at, metadata)
      select c.id, ${org}, ${boss}, 'old ' || n, '2026-01-01'::timestamptz + n * interval '1 minute', case when n % 2 = 0 then jsonb_build_object('idempotency_key', c.id || '-' || n) end
      from public.conversations c, generate_series(1, ${MESSAGES / CONVERSATIONS}) n`;
    await sql.unsafe("analyze").simple();
    const watching = watch(db.url, stop);
    background.push(watching);
    let [written, slowest] = [0, 0];
    const refused = [];
    const writing = (async () => {
      const writer = owner({ url: db.url });
      while (!stop.now) {
        const start = performance.now();
        await writer`insert into public.messages (conversation_id, org_id, sender_id, content)
          select c.id, ${org}, ${boss}, 'new' from public.conversations c order by c.id offset ${written % CONVERSATIONS} limit 1`
          .catch((error) => refused.push(error.message));
        slowest = Math.max(slowest, performance.now() - start);
        written++;
        await sleep(20);
      }
      await writer.end();
    })();
    background.push(writing);
    const start = performance.now();
    await db.apply({ adopt: true });
    const seconds = (performance.now() - start) / 1000;
    stop.now = true;
    const longest = await watching;
    await writing;
    assert.deepEqual(refused, [], "no write fails meanwhile");
    const [{ wrong }] = await sql`select count(*)::int as wrong from (
      select m.seq, row_number() over (partition by m.conversation_id order by m.created_at, m.id) as nth, m.content, c.last_seq,
             count(*) over (partition by m.conversation_id) as total
      from public.messages m join public.conversations c on c.id = m.conversation_id) x
      where seq is null or last_seq <> total or (content <> 'new' and seq <> nth)`;
    claim(`existing project: ${MESSAGES} messages taken in within ${seconds.toFixed(1)} s while people wrote ${written} more: ` +
      `a table was closed to readers for ${Math.round(longest.readers)} ms and to writers for ${Math.round(longest.writers)} ms at most, the slowest write took ${Math.round(slowest)} ms, ${wrong} numbered wrongly`);
    assert.equal(wrong, 0);
    assert.ok(written > 1);
    assert.ok(slowest < 8000, `a write waited ${slowest} ms: hosted projects give it 8 s`);
    const before = await sql`select md5(string_agg(m::text, '' order by m.id)) as m, (select md5(string_agg(c::text, '' order by c.id)) from public.conversations c) as c from public.messages m`;
    await db.apply();
    const again = await sql`select md5(string_agg(m::text, '' order by m.id)) as m, (select md5(string_agg(c::text, '' order by c.id)) from public.conversations c) as c from public.messages m`;
    assert.deepEqual([...again], [...before], "applied again, it changes nothing");
    assert.equal(Number((await sql`select fieldpost.backfill() as n`)[0].n), 0);
  } finally {
    stop.now = true;
    await Promise.allSettled(background);
    await db.drop();
  }
});
