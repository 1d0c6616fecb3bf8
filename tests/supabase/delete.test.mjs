// Deletions: by the author and by admins, by push or directly on the table, once or again.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

import { Replica } from "./lib/replica.mjs";
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
const remove = (sent, more = {}) => ({ id: uuid7(), kind: "delete_message", conversation_id: sent.conversation_id, message_id: sent.message_id, ...more });
const edit = (sent, content) => ({ id: uuid7(), kind: "edit_message", conversation_id: sent.conversation_id, message_id: sent.message_id, content });
const push = async (js, ...p_mutations) => (await call(js, "push", { p_mutations })).results;
const hers = () => org.conversations[0].id;
const verdict = (r) => [r.status, r.code];

async function sent(js, conversation_id, content, more) {
  const message = send(conversation_id, content, more);
  const [{ status }] = await push(js, message);
  assert.equal(status, "applied");
  return message;
}

test("a deletion takes the content, and reaches everybody with a higher version; sent again it changes nothing", async () => {
  const replica = new Replica(admin);
  await replica.bootstrap();
  const message = await sent(ada, hers(), "Hall A", { metadata: { site: 7 }, mentions: [org.admin.user_id] });
  const change = remove(message);
  const [result] = await push(ada, change);
  assert.deepEqual([result.status, result.message.content, result.message.metadata, result.message.mentions, result.message.version], ["applied", undefined, undefined, undefined, 2]);
  assert.ok(Math.abs(new Date(result.message.deleted_at) - Date.now()) < 60_000, "by the server's clock");
  await replica.pull();
  assert.deepEqual(replica.messages.get(message.message_id), result.message);
  assert.ok(!replica.conversations.get(hers()).last_message_preview, "the list does not show it either");
  const again = await push(ada, change, remove(message));
  assert.deepEqual(again.map((r) => [r.status, r.message]), [["duplicate", result.message], ["duplicate", result.message]]);
  const [row] = await sql`select content, metadata, mentions from public.messages where id = ${message.message_id}`;
  assert.deepEqual([row.content || null, row.metadata, row.mentions], [null, null, null], "the table has nothing of it");
});

test("every refusal of a deletion has its code, and reveals nothing of what the caller does not see", async () => {
  const mine = await sent(ada, hers(), "mine");
  const theirs = await sent(ben, org.conversations[1].id, "theirs");
  const boss = await sent(admin, hers(), "boss");
  const announced = await sent(admin, org.broadcast.id, "to all");
  const [{ id: system }] = await sql`insert into public.messages (conversation_id, org_id, message_type, content) values (${hers()}, ${org.org_id}, 'system', 'joined') returning id`;
  const cases = [
    [remove(mine, { message_id: "x" }), "bad_request", "message_id"],
    [remove(mine, { conversation_id: null }), "bad_request", "conversation_id"],
    [remove(boss), "forbidden"],
    [remove(announced), "forbidden"],
    [remove(boss, { message_id: system }), "forbidden"],
    [remove(mine, { message_id: randomUUID() }), "not_found"],
    [remove(theirs), "not_found"],
    [remove(theirs, { conversation_id: hers() }), "not_found"],
    [remove(mine, { conversation_id: stranger.conversations[0].id }), "not_found"],
    [remove(mine, { conversation_id: randomUUID() }), "not_found"],
  ];
  const results = await push(ada, ...cases.map(([m]) => m), remove(mine));
  cases.forEach(([m, code, detail], n) => {
    assert.deepEqual([results[n].id, ...verdict(results[n])], [m.id, "rejected", code], JSON.stringify(m));
    if (detail) assert.equal(results[n].detail, detail);
    assert.ok(!results[n].message && !results[n].tombstone, "a refusal shows no row");
  });
  assert.equal(results.at(-1).status, "applied");
  const outside = await client(stranger.admin.email, stranger.admin.password);
  assert.deepEqual(verdict((await push(outside, remove(boss)))[0]), ["rejected", "not_found"], "an admin of another org sees nothing");
  const byAdmin = await push(admin, remove(theirs), remove(announced), remove(boss, { message_id: system }));
  assert.deepEqual(byAdmin.map(verdict), Array(3).fill(["applied", undefined]), "an admin deletes any message of the org");
});

test("delete beats edit in every order, and a message of the same batch can be deleted", async () => {
  for (const order of [0, 1]) {
    const message = await sent(ada, hers(), "one");
    const both = [remove(message), edit(message, "two")];
    const results = await push(ada, ...(order ? both.toReversed() : both));
    assert.deepEqual(results.map((r) => r.status), ["applied", "applied"], "edits come before deletions");
    const [late] = await push(ada, edit(message, "late"));
    assert.equal(late.code, "message_deleted");
    const direct = await ada.from("messages").update({ content: "back", deleted_at: null }).eq("id", message.message_id).select().single();
    assert.ok(!direct.data.content && direct.data.deleted_at, "nor does a direct update bring it back");
  }
  const inOne = send(hers(), "too early");
  const [first, second] = await push(ada, remove(inOne), inOne);
  assert.deepEqual([first.status, first.message.content, second.status], ["applied", undefined, "applied"]);
});

test("what is gone for good, and what an older app sent under a key, can be deleted", async () => {
  const message = await sent(ada, hers(), "one");
  await sql`delete from public.messages where id = ${message.message_id}`;
  const [gone] = await push(ada, remove(message));
  assert.deepEqual([gone.status, gone.tombstone.id], ["duplicate", message.message_id]);
  const key = uuid7();
  const { data } = await ada.from("messages")
    .insert({ conversation_id: hers(), org_id: org.org_id, sender_id: ada.user_id, content: "old way", metadata: { idempotency_key: key } }).select().single();
  const [theirs] = await push(ben, remove({ conversation_id: hers(), message_id: key }));
  assert.equal(theirs.code, "not_found");
  const [result] = await push(ada, remove({ conversation_id: hers(), message_id: key }));
  assert.deepEqual([result.status, result.message.id, result.message.content], ["applied", data.id, undefined]);
});

test("a success stays one when the author may not write any more", async () => {
  const fresh = await createOrg(sql, { medics: 1, broadcast: true });
  const boss = await client(fresh.admin.email, fresh.admin.password);
  const [one, two] = [await sent(boss, fresh.broadcast.id, "one"), await sent(boss, fresh.broadcast.id, "two")];
  const change = remove(one);
  await push(boss, change);
  await sql`insert into public.medics (org_id, user_id, first_name, last_name) values (${fresh.org_id}, ${fresh.admin.user_id}, 'Former', 'Admin')`;
  await sql`update public.profiles set role = 'medic' where id = ${fresh.admin.user_id}`;
  const results = await push(boss, change, remove(two));
  assert.deepEqual(results.map(verdict), [["duplicate", undefined], ["rejected", "forbidden"]]);
});

test("a message that somebody holds is deleted later, with its lane", async () => {
  const writer = owner();
  const message = await sent(ada, hers(), "contended");
  let release, locked;
  const [held, ready] = [new Promise((resolve) => (release = resolve)), new Promise((resolve) => (locked = resolve))];
  const transaction = writer.begin(async (tx) => {
    await tx`select from public.messages where id = ${message.message_id} for no key update`;
    locked();
    await held;
  });
  await ready;
  const started = Date.now();
  const results = await push(ada, remove(message), { id: uuid7(), kind: "mark_read", conversation_id: hers(), read_seq: 1 });
  const took = Date.now() - started;
  release();
  await transaction;
  await writer.end();
  assert.deepEqual(results.map(verdict), [["retry", "conflict"], ["retry", "after_retry"]]);
  assert.ok(took < 2000, `a push waits for nobody who holds a message: ${took} ms`);
  assert.equal((await push(ada, remove(message)))[0].status, "applied");
});
