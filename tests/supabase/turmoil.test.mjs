// Push while others hold locks, fail and deadlock: every mutation is settled, once, in its place. In a database of its own,
// because failures are injected by a trigger.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

import { claim } from "./lib/claim.mjs";
import { members } from "./lib/members.mjs";
import { assertGapless } from "./lib/replica.mjs";
import { scratch } from "./lib/scratch.mjs";
import { uuid7 } from "./lib/stack.mjs";

let db;
before(async () => {
  db = await scratch({ max: 12 });
  await db.apply();
  await db.sql.unsafe(`
    create function public.fail_on_demand() returns trigger language plpgsql as $$
    begin
      if new.content like 'fail _____' then
        raise exception 'injected' using errcode = right(new.content, 5);
      elsif new.content = 'vanish' then
        return null;
      elsif new.content like 'fail at random%' and random() < 0.1 then
        raise exception 'injected' using errcode = (array['40001', '40P01', '55P03', '53100', '53200'])[1 + floor(random() * 5)];
      end if;
      return new;
    end $$;
    create trigger fail_on_demand before insert on public.messages for each row execute function public.fail_on_demand();`);
});
after(() => db.drop());

const send = (conversation_id, content) => ({ id: randomUUID(), kind: "send_message", conversation_id, message_id: uuid7(), content });
const push = async (who, mutations) => (await db.call(who, "push", { p_mutations: mutations })).results;

const CODES = { "40001": "conflict", "40P01": "conflict", "55P03": "conflict", "53100": "busy", "53200": "busy", "53300": "busy" };

test("a lock, deadlock, serialization or space failure is a retry of its lane; any other failure refuses its own message", async () => {
  const org = await members(db.sql, { medics: 2 });
  const [a, b] = org.conversations;
  for (const [state, code] of Object.entries(CODES)) {
    const results = await push(org.admin, [send(a, `fail ${state}`), send(b, "b1"), send(a, "a2"), send(b, "b2")]);
    assert.deepEqual(results.map((r) => [r.status, r.code]),
      [["retry", code], ["applied", undefined], ["retry", "after_retry"], ["applied", undefined]], state);
  }
  for (const state of ["22000", "23514", "P0001", "P0004", "42501", "XX000"]) {
    const results = await push(org.admin, [send(a, "before"), send(a, `fail ${state}`), send(a, "after"), send(b, "b")]);
    assert.deepEqual(results.map((r) => [r.status, r.code]),
      [["applied", undefined], ["rejected", "refused"], ["applied", undefined], ["applied", undefined]], state);
  }
  claim(`one bad mutation never undoes another: ${Object.keys(CODES).length} transient failures injected were retries of their lane, 6 others refused their own message`);
});

test("a trigger of the project that drops a message without a word leaves no hole in the numbers", async () => {
  const org = await members(db.sql, { medics: 1 });
  const [a] = org.conversations;
  const results = await push(org.admin, [send(a, "first"), send(a, "vanish"), send(a, "last")]);
  assert.deepEqual(results.map((r) => [r.status, r.ack?.seq]), [["applied", 1], ["rejected", undefined], ["applied", 2]]);
  const rows = await db.sql`select conversation_id, seq, created_at::text as created_at from public.messages where conversation_id = ${a}`;
  assertGapless([...rows]);
  assert.equal(rows.length, 2);
});

test("a row that a back end copies with its number and stamp gets the next number, and the stamp of now", async () => {
  const org = await members(db.sql, { medics: 1 });
  const [a] = org.conversations;
  await push(org.admin, [send(a, "first")]);
  const { xid } = await db.sql.begin(async (tx) => {
    await tx`insert into public.messages (conversation_id, org_id, sender_id, content, seq, version, sync_xid)
      values (${a}, ${org.org}, ${org.admin}, 'copied', 41, 7, '3')`;
    return (await tx`select pg_current_xact_id()::text as xid`)[0];
  });
  const [row] = await db.sql`select seq, version, sync_xid::text as xid from public.messages where conversation_id = ${a} and content = 'copied'`;
  assert.deepEqual([Number(row.seq), Number(row.version), row.xid], [2, 1, xid]);
});

test("a message makes no new entry in the indexes of its conversation, where its page has room", async () => {
  const org = await members(db.sql, { medics: 1 });
  const [a] = org.conversations;
  let hot = 0;
  for (let n = 0; n < 5; n++) {
    await db.sql.begin(async (tx) => {
      await tx`insert into public.messages (conversation_id, org_id, sender_id, content) values (${a}, ${org.org}, ${org.admin}, 'hello')`;
      hot += (await tx`select pg_stat_get_xact_tuples_hot_updated('public.conversations'::regclass)::int as hot`)[0].hot;
    });
  }
  assert.ok(hot >= 3, `${hot} of 5`);  // the others had to go to a new page
});

test("batches A,B,A against B,A,B under load, with failures at random and direct writers, lose nothing, double nothing and keep their order", async () => {
  const org = await members(db.sql, { medics: 4 });
  const [a, b, c, d] = org.conversations;
  const orders = [[a, b, a, c], [b, a, b, d], [d, c, a, b], [c, d, b, a]];
  const sent = [];
  let [retries, rounds] = [0, 0];
  async function worker(n) {
    for (let i = 0; i < 6; i++) {
      const batch = Array.from({ length: 12 }, (_, k) => send(orders[n % 4][k % 4], `fail at random ${n}/${i}/${k}`));
      sent.push(batch);
      for (let left = batch; left.length; rounds++) {
        assert.ok(rounds < 5000, "it never settles");
        // As a client does: what has to be retried is sent again, all of it and in its order; sometimes an answer was lost.
        const results = await push(org.admin, left);
        const again = left.filter((_, k) => results[k].status === "retry");
        for (const r of results) assert.ok(["applied", "duplicate", "retry"].includes(r.status), JSON.stringify(r));
        retries += again.length;
        left = i % 3 === 0 && again.length ? left : again;
      }
    }
  }
  async function stranger(list) {
    for (let i = 0; i < 6; i++) {
      await db.sql.begin(async (tx) => {
        for (const id of list) await tx`insert into public.messages (conversation_id, org_id, sender_id, content) values (${id}, ${org.org}, ${org.admin}, 'direct')`;
      }).catch((error) => assert.equal(error.code, "40P01")); // two strangers may deadlock with each other
    }
  }
  await Promise.all([0, 1, 2, 3, 4, 5].map(worker).concat(stranger([a, b, c, d]), stranger([d, c, b, a])));
  const rows = await db.sql`select id, conversation_id, seq, content, created_at::text as created_at from public.messages where org_id = ${org.org}`;
  assertGapless([...rows]);
  const seq = new Map(rows.map((r) => [r.id, Number(r.seq)]));
  const all = sent.flat();
  assert.equal(rows.filter((r) => r.content !== "direct").length, all.length);
  for (const batch of sent) {
    for (const lane of org.conversations) {
      const seqs = batch.filter((m) => m.conversation_id === lane).map((m) => seq.get(m.message_id));
      assert.deepEqual(seqs, [...seqs].sort((x, y) => x - y), "a lane keeps its order");
    }
  }
  claim(`batches in opposite order under load: ${all.length} messages in ${rounds} pushes with ${retries} retries and injected failures: each stored once, in lane order`);
});
