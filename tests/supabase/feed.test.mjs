// The feed under fire, and what it costs.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { assertGapless } from "./lib/replica.mjs";
import { owner } from "./lib/stack.mjs";
import { createOrg } from "./lib/tenant.mjs";

let sql;
before(() => (sql = owner()));
after(() => sql.end());

/** A function as a person, over SQL: as fast as the server allows, for many at a time. */
const as = (db, user_id, text, values = []) =>
  db.begin(async (tx) => {
    await tx`select set_config('request.jwt.claim.sub', ${user_id}, true)`;
    await tx`set local role authenticated`;
    return tx.unsafe(text, values);
  });

const WRITERS = 8;
const TRANSACTIONS = 150;

test("8 writers, transactions held open, rollbacks, small pages: each puller sees every row once, by the first pull after its commit", async () => {
  const org = await createOrg(sql, { medics: 4, conversations: true });
  const pool = owner({ max: WRITERS + 3 });
  const committed = new Map(); // id -> when its commit was known
  let writing = WRITERS;
  const conversations = org.conversations.map((c) => c.id);

  async function writer(n) {
    let random = n * 7919 + 1;
    const next = (below) => (random = (random * 1103515245 + 12345) % 2147483648) % below;
    for (let i = 0; i < TRANSACTIONS; i++) {
      const ids = [];
      // Transactions of several statements take their conversations in order: a person's own deadlocks are not the feed's.
      const targets = [...new Set([next(4), next(4)])].sort().map((t) => conversations.slice().sort()[t]);
      await pool.begin(async (tx) => {
        for (const c of targets) {
          const rows = await tx`insert into public.messages (conversation_id, org_id, sender_id, content)
            select ${c}, ${org.org_id}, ${org.admin.user_id}, 'w' from generate_series(1, ${1 + next(3)}) returning id`;
          ids.push(...rows.map((r) => r.id));
          if (next(5) === 0) {
            await tx.savepoint(async (sp) => {
              await sp`insert into public.messages (conversation_id, org_id, sender_id, content) values (${c}, ${org.org_id}, ${org.admin.user_id}, 'gone')`;
              throw new Error("rolled back");
            }).catch(() => {});
          }
        }
        if (next(3) === 0) await sleep(next(50));
        if (next(10) === 0) throw new Error("rolled back");
      }).then(() => ids.forEach((id) => committed.set(id, performance.now())), () => {});
    }
    writing--;
  }

  async function puller(user_id) {
    // What was there before the cursor came with the first load; everything after it must come with a pull.
    const [{ load }] = await as(pool, user_id, "select public.fieldpost_bootstrap(1, 't') as load");
    const seen = new Map(load.messages.map((m) => [m.id, 1]));
    let { cursor } = load;
    let late = 0;
    let last = false;
    for (;;) {
      last = writing === 0;
      const due = [...committed.keys()].filter((id) => !seen.has(id));
      let more = true;
      while (more) {
        const [{ page }] = await as(pool, user_id, "select public.fieldpost_pull(1, 't', '{}', $1, 17) as page", [cursor]);
        assert.equal(page.error, undefined);
        for (const m of page.messages) seen.set(m.id, (seen.get(m.id) ?? 0) + 1);
        ({ cursor, more } = page);
      }
      late += due.filter((id) => !seen.has(id)).length;
      if (last) return { seen, late };
    }
  }

  const writers = Array.from({ length: WRITERS }, (_, n) => writer(n + 1));
  const results = await Promise.all([puller(org.admin.user_id), puller(org.admin.user_id)]).finally(() => Promise.all(writers));
  await pool.end();
  const rows = await sql`select id, conversation_id, seq, created_at::text as created_at from public.messages where org_id = ${org.org_id}`;
  assertGapless([...rows]);
  assert.equal(rows.length, committed.size);
  for (const { seen, late } of results) {
    const missed = rows.filter((r) => !seen.has(r.id)).length;
    const doubled = [...seen.values()].filter((n) => n > 1).length;
    console.log(`    ${rows.length} rows: ${missed} missed, ${doubled} doubled, ${late} later than the first pull after their commit`);
    assert.deepEqual([missed, doubled, late, seen.size], [0, 0, 0, rows.length]);
  }
});

test("a transaction that idles elsewhere delays nothing but its own rows, and costs nothing", async () => {
  const org = await createOrg(sql, { medics: 1, conversations: true });
  const [{ id }] = org.conversations;
  const idle = owner();
  const insert = (db, content) => db`insert into public.messages (conversation_id, org_id, sender_id, content) values (${id}, ${org.org_id}, ${org.admin.user_id}, ${content})`;
  let release;
  const held = new Promise((r) => (release = r));
  const begun = {};
  begun.promise = new Promise((r) => (begun.resolve = r));
  const transaction = idle.begin(async (tx) => {
    await tx`insert into public.organizations (name) values ('idle')`;
    begun.resolve();
    await held;
  });
  await begun.promise;
  let [{ cursor }] = await as(sql, org.admin.user_id, "select public.fieldpost_bootstrap(1, 't') ->> 'cursor' as cursor");
  for (let i = 0; i < 20; i++) {
    await insert(sql, `m${i}`);
    const [{ page }] = await as(sql, org.admin.user_id, "select public.fieldpost_pull(1, 't', '{}', $1) as page", [cursor]);
    assert.deepEqual(page.messages.map((m) => m.content), [`m${i}`], "at once, and once");
    cursor = page.cursor;
  }
  release();
  await transaction;
  await idle.end();
});

test("concurrent statements that touch the same conversations in opposite order do not deadlock", async () => {
  const org = await createOrg(sql, { medics: 6, conversations: true });
  const pool = owner({ max: 6 });
  const ids = org.conversations.map((c) => c.id);
  const round = async (list) => {
    for (let i = 0; i < 40; i++) {
      await pool`insert into public.messages (conversation_id, org_id, sender_id, content)
        select c, ${org.org_id}, ${org.admin.user_id}, 'x' from unnest(${list}::uuid[]) with ordinality t (c, n), generate_series(1, 3) order by n`;
    }
  };
  await Promise.all([round(ids), round([...ids].reverse()), round(ids), round([...ids].reverse())]).finally(() => pool.end());
  assertGapless([...(await sql`select conversation_id, seq, created_at::text as created_at from public.messages where org_id = ${org.org_id}`)]);
});

test("20,000 rows in one statement are numbered in order within 8 s", async () => {
  const org = await createOrg(sql, { medics: 20, conversations: true });
  const start = performance.now();
  await sql`insert into public.messages (conversation_id, org_id, sender_id, content)
    select c.id, c.org_id, ${org.admin.user_id}, g.n::text from generate_series(1, 1000) g (n), public.conversations c where c.org_id = ${org.org_id} order by g.n`;
  const ms = performance.now() - start;
  console.log(`    20,000 rows in ${Math.round(ms)} ms`);
  assert.ok(ms < 8000, `${ms} ms`);
  const [{ wrong }] = await sql`select count(*) as wrong from public.messages where org_id = ${org.org_id} and seq::text <> content`;
  assert.equal(wrong, "0");
});

test("reading assigns no transaction id, and a pull that finds nothing costs the same with few messages and with many", async () => {
  const time = async (user_id, cursor) => {
    const list = [];
    for (let i = 0; i < 25; i++) {
      const start = performance.now();
      await as(sql, user_id, "select public.fieldpost_pull(1, 't', '{}', $1)", [cursor]);
      list.push(performance.now() - start);
    }
    return list.sort((a, b) => a - b)[12];
  };
  const small = await createOrg(sql, { medics: 1, conversations: true });
  const big = await createOrg(sql, { medics: 1, conversations: true });
  await sql`insert into public.messages (conversation_id, org_id, sender_id, content)
    select ${big.conversations[0].id}, ${big.org_id}, ${big.admin.user_id}, 'x' from generate_series(1, 20000)`;
  const medians = {};
  for (const [name, org] of Object.entries({ small, big })) {
    for (const p of [org.admin, org.medics[0]]) {
      const [row] = await as(sql, p.user_id, `select public.fieldpost_bootstrap(1, 't') ->> 'cursor' as cursor, pg_current_xact_id_if_assigned()::text as xid`);
      const rest = await as(sql, p.user_id, `select public.fieldpost_pull(1, 't', '{}', $1) is not null,
        public.fieldpost_history(1, 't', '{}', $2) is not null, pg_current_xact_id_if_assigned()::text as xid`, [row.cursor, org.conversations[0].id]);
      assert.deepEqual([row.xid, rest[0].xid], [null, null]);
      medians[`${name} ${p.role}`] = await time(p.user_id, row.cursor);
    }
  }
  // Neither reads messages but through an index, and few of them: a pull of one new message among 20,000.
  for (const p of [big.admin, big.medics[0]]) {
    const [{ cursor }] = await as(sql, p.user_id, "select public.fieldpost_bootstrap(1, 't', p_messages => 0) ->> 'cursor' as cursor");
    await sql`update public.messages set content = 'changed ' || clock_timestamp() where conversation_id = ${big.conversations[0].id} and seq = 7`;
    // One message was changed; marked read, so that counting the unread is not what is measured.
    await sql`insert into public.conversation_read_status (user_id, conversation_id, org_id) values (${p.user_id}, ${big.conversations[0].id}, ${big.org_id}) on conflict do nothing`;
    const rows = await as(sql, p.user_id, `select public.fieldpost_pull(1, 't', '{}', $1) as page`, [cursor]).then(async ([{ page }]) => {
      assert.equal(page.messages.length, 1);
      return sql.begin(async (tx) => {
        const count = async () => (await tx`select seq_scan::int as scans, (seq_tup_read + idx_tup_fetch)::int as rows
          from pg_stat_xact_user_tables where relid = 'public.messages'::regclass`)[0];
        await tx`select set_config('request.jwt.claim.sub', ${p.user_id}, true)`;
        const before = await count();  // what this session did before and has not reported yet
        await tx`select public.fieldpost_pull(1, 't', '{}', ${cursor})`;
        const after = await count();
        return { scans: after.scans - before.scans, rows: after.rows - before.rows };
      });
    });
    assert.equal(rows.scans, 0, "a pull scans messages");
    assert.ok(rows.rows < 20, `a pull of one message reads ${rows.rows}`);
  }
  console.log(`    no-change pull, median ms: ${JSON.stringify(medians, (_, v) => (typeof v === "number" ? Math.round(v * 10) / 10 : v))}`);
  assert.ok(medians["big org_admin"] < 3 * medians["small org_admin"] + 5);
  assert.ok(medians["big medic"] < 3 * medians["small medic"] + 5);
});
