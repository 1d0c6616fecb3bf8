// Edits: by their author, by push or directly on the table, once or again.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { claim } from "./lib/claim.mjs";
import { members } from "./lib/members.mjs";
import { Replica } from "./lib/replica.mjs";
import { scratch } from "./lib/scratch.mjs";
import { call, client, owner, uuid7 } from "./lib/stack.mjs";
import { createOrg } from "./lib/tenant.mjs";

let sql, org, stranger, admin, ada, ben;
before(async () => {
  sql = owner();
  org = await createOrg(sql, { medics: 2, conversations: true, broadcast: true });
  stranger = await createOrg(sql, { medics: 1, conversations: true });
  [admin, ada, ben] = await Promise.all([org.admin, ...org.medics].map((p) => client(p.email, p.password)));
});
after(() => sql.end());

const send = (conversation_id, content = "On my way", more = {}) => ({ id: uuid7(), kind: "send_message", conversation_id, message_id: uuid7(), content, ...more });
const edit = (sent, content, more = {}) => ({ id: uuid7(), kind: "edit_message", conversation_id: sent.conversation_id, message_id: sent.message_id, content, ...more });
const push = async (js, ...p_mutations) => (await call(js, "push", { p_mutations })).results;
const stored = async (id) => (await sql`select m.*, m.edited_at::text as edited, m.mentions::text[] as meant from public.messages m where m.id = ${id}`)[0];
const hers = () => org.conversations[0].id;
const verdict = (r) => [r.status, r.code];

async function sent(js, conversation_id, content, more) {
  const message = send(conversation_id, content, more);
  const [{ status }] = await push(js, message);
  assert.equal(status, "applied");
  return message;
}

test("an edit changes text and mentions, says when, and reaches everybody with a higher version", async () => {
  const replica = new Replica(admin);
  await replica.bootstrap();
  const message = await sent(ada, hers(), "Hall A", { metadata: { site: 7 }, mentions: [org.admin.user_id] });
  await replica.pull();
  assert.deepEqual([replica.messages.get(message.message_id).mentions, replica.messages.get(message.message_id).edited_at], [[org.admin.user_id], undefined]);
  const both = [org.medics[0].user_id, org.admin.user_id].sort();
  const [result] = await push(ada, edit(message, "Hall B", { mentions: [...both, both[0]] }));
  assert.deepEqual([result.status, result.message.content, result.message.version, result.message.mentions], ["applied", "Hall B", 2, both]);
  assert.deepEqual(result.message.metadata, { site: 7 }, "what the app attached stays");
  assert.ok(Math.abs(new Date(result.message.edited_at) - Date.now()) < 60_000, "by the server's clock");
  await replica.pull();
  const row = replica.messages.get(message.message_id);
  assert.deepEqual(row, result.message);
  assert.equal(replica.conversations.get(hers()).last_message_preview, "Hall B");
  const [again] = await push(ada, edit(message, "Hall B"));
  assert.deepEqual([again.status, again.message.mentions], ["applied", undefined], "an edit without mentions takes them away");
});

test("an edit that comes again is a success and changes nothing; of two edits the later one to arrive counts", async () => {
  const message = await sent(ada, hers(), "one");
  const first = edit(message, "two");
  const [applied] = await push(ada, first);
  const [again] = await push(ada, first);
  assert.deepEqual([applied.status, again.status, again.message.version], ["applied", "duplicate", 2]);
  assert.deepEqual(again.message, applied.message);
  const people = [org.admin.user_id, org.medics[0].user_id];
  await push(ada, edit(message, "two", { mentions: people }));
  const [turned] = await push(ada, edit(message, "two", { mentions: people.toReversed() }));
  assert.equal(turned.status, "duplicate", "mentions are a set");
  await push(ada, first);
  const results = await push(ada, edit(message, "three"), edit(message, "four"));
  assert.deepEqual(results.map((r) => [r.status, r.message.content, r.message.version]), [["applied", "three", 5], ["applied", "four", 6]]);
  const inOne = send(hers(), "raw");
  const [, done] = await push(ada, inOne, edit(inOne, "cooked"));
  assert.deepEqual([done.status, done.message.content], ["applied", "cooked"], "a message of the same batch");
  claim("an edit that is sent again under its id is a success with the row as it is");
});

test("every refusal of an edit has its code, and reveals nothing of what the caller does not see", async () => {
  const mine = await sent(ada, hers(), "mine");
  const theirs = await sent(ben, org.conversations[1].id, "theirs");
  const boss = await sent(admin, hers(), "boss");
  const announced = await sent(admin, org.broadcast.id, "to all");
  const [{ id: system }] = await sql`insert into public.messages (conversation_id, org_id, message_type, content) values (${hers()}, ${org.org_id}, 'system', 'joined') returning id`;
  const soft = await sent(ada, hers(), "soft");
  const hard = await sent(ada, hers(), "hard");
  await sql`update public.messages set deleted_at = now() where id = ${soft.message_id}`;
  await sql`delete from public.messages where id = ${hard.message_id}`;
  const cases = [
    [edit(mine, ""), "content_empty"],
    [{ ...edit(mine, "x"), content: undefined }, "content_empty"],
    [edit(mine, "\u00a0 "), "content_empty"],
    [edit(mine, "\u200b\u3164"), "content_empty"],
    [edit(mine, " padded"), "not_trimmed"],
    [edit(mine, "x".repeat(5001)), "content_too_long"],
    [edit(mine, 5), "bad_request", "content"],
    [edit(mine, "x", { mentions: "all" }), "bad_request", "mentions"],
    [edit(mine, "x", { mentions: ["x"] }), "bad_request", "mentions"],
    [edit(mine, "x", { mentions: Array.from({ length: 101 }, () => randomUUID()) }), "too_many_mentions"],
    [edit(mine, "x", { message_id: "x" }), "bad_request", "message_id"],
    [edit(mine, "x", { conversation_id: null }), "bad_request", "conversation_id"],
    [edit(boss, "x"), "forbidden"],
    [edit(announced, "x"), "forbidden"],
    [edit(boss, "x", { message_id: system }), "forbidden"],
    [edit(soft, "x"), "message_deleted"],
    [edit(hard, "x"), "message_deleted"],
    [edit(mine, "x", { message_id: randomUUID() }), "not_found"],
    [edit(theirs, "x"), "not_found"],
    [edit(theirs, "x", { conversation_id: hers() }), "not_found"],
    [edit(mine, "x", { conversation_id: stranger.conversations[0].id }), "not_found"],
    [edit(mine, "x", { conversation_id: randomUUID() }), "not_found"],
  ];
  const results = await push(ada, ...cases.map(([m]) => m), edit(mine, "mine, after all"));
  cases.forEach(([m, code, detail], n) => {
    assert.deepEqual([results[n].id, ...verdict(results[n])], [m.id, "rejected", code], JSON.stringify(m).slice(0, 200));
    if (detail) assert.equal(results[n].detail, detail);
    assert.ok(!results[n].message, "a refusal shows no row");
  });
  assert.equal(results.at(-1).status, "applied");
  assert.equal((await stored(soft.message_id)).content, null, "what was deleted stays deleted");
  assert.deepEqual(verdict((await push(admin, edit(announced, "to all of you")))[0]), ["applied", undefined]);
  assert.deepEqual(verdict((await push(admin, edit(mine, "no")))[0]), ["rejected", "forbidden"], "an admin edits nobody's words");
});

test("the message is found under every id that its author knows: of an older app, and in a conversation that she calls otherwise", async () => {
  const key = uuid7();
  const { data } = await ada.from("messages")
    .insert({ conversation_id: hers(), org_id: org.org_id, sender_id: ada.user_id, content: "old way", metadata: { idempotency_key: key } }).select().single();
  const alias = uuid7();
  const [, result] = await push(ada,
    { id: uuid7(), kind: "open_direct", conversation_id: alias },
    { id: uuid7(), kind: "edit_message", conversation_id: alias, message_id: key, content: "new way" });
  assert.deepEqual([result.status, result.message.id, result.message.content, result.message.conversation_id], ["applied", data.id, "new way", hers()]);
  const [theirs] = await push(admin, edit({ conversation_id: hers(), message_id: key }, "not hers"));
  assert.equal(theirs.code, "not_found", "the key of an older app is its sender's");
  await sql`delete from public.messages where id = ${data.id}`;
  const [gone] = await push(ada, edit({ conversation_id: hers(), message_id: key }, "late"));
  assert.equal(gone.code, "message_deleted");
});

test("a success stays one when the author may not write any more", async () => {
  const fresh = await createOrg(sql, { medics: 1, broadcast: true });
  const boss = await client(fresh.admin.email, fresh.admin.password);
  const message = await sent(boss, fresh.broadcast.id, "one");
  const change = edit(message, "two");
  await push(boss, change);
  await sql`insert into public.medics (org_id, user_id, first_name, last_name) values (${fresh.org_id}, ${fresh.admin.user_id}, 'Former', 'Admin')`;
  await sql`update public.profiles set role = 'medic' where id = ${fresh.admin.user_id}`;
  const results = await push(boss, change, edit(message, "three"));
  assert.deepEqual(results.map(verdict), [["duplicate", undefined], ["rejected", "forbidden"]]);
});

test("a direct update by its author is an edit too: it says when, the rest of the row is not hers, and nobody else's words change", async () => {
  const replica = new Replica(admin);
  await replica.bootstrap();
  const message = await sent(ada, hers(), "from the phone");
  const change = { content: " from the web ", mentions: [org.admin.user_id], edited_at: "2001-01-01T00:00:00Z" };
  const { data, error } = await ada.from("messages").update(change).eq("id", message.message_id).select().single();
  assert.equal(error, null);
  assert.deepEqual([data.content, data.mentions, data.version], ["from the web", [org.admin.user_id], 2]);
  assert.ok(new Date(data.edited_at).getTime() > Date.now() - 60_000, "the time is the server's");
  await replica.pull();
  const row = replica.messages.get(message.message_id);
  assert.deepEqual([row.content, row.mentions, !!row.edited_at], ["from the web", [org.admin.user_id], true]);
  const other = await admin.from("messages").update({ content: "forged", mentions: [] }).eq("id", message.message_id).select().single();
  assert.deepEqual([other.data.content, other.data.mentions, other.data.version], ["from the web", [org.admin.user_id], 2]);
  const [{ n }] = await sql`update public.messages set mentions = array(select gen_random_uuid() from generate_series(1, 150)) where id = ${message.message_id} returning cardinality(mentions) as n`;
  assert.equal(n, 100, "no row becomes too large for a page");
  const many = { data: (await ada.from("messages").select().eq("id", message.message_id).single()).data };
  const status = await admin.from("messages").update({ status: "read" }).eq("id", message.message_id).select().single();
  assert.deepEqual([status.data.status, status.data.edited_at], ["read", many.data.edited_at], "a status is no edit");
  const gone = await ada.from("messages").update({ deleted_at: new Date().toISOString() }).eq("id", message.message_id).select().single();
  assert.deepEqual([gone.data.content, gone.data.mentions, gone.data.edited_at], [null, null, many.data.edited_at]);
  const forged = await ada.from("messages").insert({ conversation_id: hers(), org_id: org.org_id, sender_id: ada.user_id, content: "new", edited_at: "2001-01-01T00:00:00Z" }).select().single();
  assert.equal(forged.data.edited_at, null, "a new message has not been edited");
});

test("a push waits for nobody who holds a message: it is tried again, with its lane, and the other writer goes on", async () => {
  const writer = owner();
  const message = await sent(ada, hers(), "contended");
  const other = await sent(ada, hers(), "free");
  let release;
  const held = new Promise((resolve) => (release = resolve));
  let locked;
  const ready = new Promise((resolve) => (locked = resolve));
  const transaction = writer.begin(async (tx) => {
    // As a direct update does, before any trigger of its row has run.
    await tx`select from public.messages where id = ${message.message_id} for no key update`;
    locked();
    await held;
    await tx`set local lock_timeout = '10s'`;
    await tx`update public.messages set content = 'the other writer' where id = ${message.message_id}`;
  });
  await ready;
  const started = Date.now();
  const results = await push(ada, send(hers(), "before"), edit(message, "mine"), edit(other, "later"), { id: uuid7(), kind: "mark_read", conversation_id: hers(), read_seq: 1 });
  const took = Date.now() - started;
  release();
  await transaction;
  await writer.end();
  assert.deepEqual(results.map(verdict), [["applied", undefined], ["retry", "conflict"], ["retry", "after_retry"], ["retry", "after_retry"]]);
  assert.ok(took < 2000, `${took} ms`);
  const [again] = await push(ada, edit(message, "mine"));
  assert.deepEqual([again.status, again.message.content], ["applied", "mine"]);
});

test("edits by push and direct updates at once: nobody is the victim of a deadlock, and every version is there", async () => {
  const messages = [];
  for (let n = 0; n < 4; n++) messages.push(await sent(ada, hers(), `m${n}`));
  const failures = [];
  const pushing = async () => {
    for (let n = 0; n < 15; n++) {
      for (let batch = messages.map((m) => edit(m, `p${n} ${randomUUID()}`)); batch.length; await sleep(5)) {
        const results = await push(ada, ...batch);
        batch = batch.filter((_, i) => results[i].status === "retry");
        failures.push(...results.filter((r) => r.status === "rejected"));
      }
    }
  };
  const writing = async (m) => {
    for (let n = 0; n < 15; n++) {
      const { error } = await ada.from("messages").update({ content: `d${n} ${randomUUID()}` }).eq("id", m.message_id);
      if (error) failures.push(error);
    }
  };
  await Promise.all([pushing(), pushing(), ...messages.map(writing)]);
  assert.deepEqual(failures, []);
  for (const m of messages) assert.equal(Number((await stored(m.message_id)).version), 1 + 15 + 30);
});

test("where policies of a project narrow, they decide about edits too", async () => {
  const db = await scratch();
  try {
    await db.apply();
    await db.sql.unsafe(`create policy no_swearing on public.messages as restrictive for update to authenticated with check (content <> 'darn');
      create policy shown on public.messages as restrictive for select to authenticated using (coalesce(metadata ->> 'hidden', '') <> 'yes')`);
    const { admin: boss, medics: [her], conversations: [direct] } = await members(db.sql, { medics: 1 });
    const scratched = async (who, ...p_mutations) => (await db.call(who, "push", { p_mutations })).results;
    const [mine, hidden] = [send(direct, "mine", { mentions: [boss] }), send(direct, "hidden")];
    assert.deepEqual((await scratched(her, mine, hidden)).map((r) => r.status), ["applied", "applied"]);
    await db.sql`update public.messages set metadata = '{"hidden":"yes"}' where id = ${hidden.message_id}`;
    const results = await scratched(her, edit(mine, "better"), edit(mine, "darn"), edit(hidden, "found"), { id: uuid7(), kind: "mark_read", conversation_id: direct, read_seq: 1 });
    assert.deepEqual(results.map(verdict), [["applied", undefined], ["rejected", "refused"], ["rejected", "not_found"], ["applied", undefined]]);
    assert.match(results[1].detail, /row-level security/);
    assert.deepEqual([results[0].message.content, results[0].message.version, !!results[0].message.edited_at], ["better", 2, true]);
    assert.equal((await scratched(her, edit(mine, "better")))[0].status, "duplicate");
    assert.deepEqual(verdict((await scratched(boss, edit(mine, "forged")))[0]), ["rejected", "forbidden"]);
  } finally {
    await db.drop();
  }
});

test("a trigger of the project that refuses an edit refuses that one, in its words", async () => {
  await sql.unsafe(`
    create or replace function public.keeps_orders() returns trigger language plpgsql as $$ begin
      if old.content like 'order:%' then raise exception 'an order stands'; end if;
      assert old.content not like 'oath:%', 'an oath stands'; return new; end $$;
    create or replace trigger keeps_orders before update on public.messages for each row execute function public.keeps_orders();`);
  try {
    const [order, oath, note] = [await sent(ada, hers(), "order: 1"), await sent(ada, hers(), "oath: 1"), await sent(ada, hers(), "note")];
    const results = await push(ada, edit(order, "order: 2"), edit(oath, "oath: 2"), edit(note, "noted"));
    assert.deepEqual(results.map(verdict), [["rejected", "refused"], ["rejected", "refused"], ["applied", undefined]]);
    assert.match(results[0].detail, /an order stands \(P0001\)/);
    assert.match(results[1].detail, /an oath stands \(P0004\)/);
  } finally {
    await sql.unsafe("drop trigger keeps_orders on public.messages; drop function public.keeps_orders()");
  }
});
