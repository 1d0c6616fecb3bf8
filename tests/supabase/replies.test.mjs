// Whom a message addresses: what it replies to, and whom it mentions. By push and directly on the table.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

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
const remove = (sent) => ({ id: uuid7(), kind: "delete_message", conversation_id: sent.conversation_id, message_id: sent.message_id });
const push = async (js, ...p_mutations) => (await call(js, "push", { p_mutations })).results;
const stored = async (id) => (await sql`select m.*, m.mentions::text[] as meant from public.messages m where m.id = ${id}`)[0];
const hers = () => org.conversations[0].id;
const verdict = (r) => [r.status, r.code];
const insert = (js, content, more = {}) =>
  js.from("messages").insert({ conversation_id: hers(), org_id: org.org_id, sender_id: js.user_id, content, ...more }).select().single();

async function sent(js, conversation_id, content, more) {
  const message = send(conversation_id, content, more);
  const [{ status }] = await push(js, message);
  assert.equal(status, "applied");
  return message;
}

test("a reply names a message of its conversation that its author sees; all else is refused in one word", async () => {
  const one = await sent(ada, hers(), "one");
  const theirs = await sent(ben, org.conversations[1].id, "theirs");
  const announced = await sent(admin, org.broadcast.id, "to all");
  const [fine, hidden, elsewhere, nowhere, malformed] = await push(ada,
    ...[one, theirs, announced, { message_id: randomUUID() }, { message_id: "x" }].map((to) => send(hers(), "re", { reply_to: to.message_id })));
  assert.deepEqual(verdict(fine), ["applied", undefined]);
  assert.equal((await stored(fine.ack.message_id)).reply_to, one.message_id);
  assert.deepEqual([hidden, elsewhere, nowhere].map(verdict), Array(3).fill(["rejected", "reply_not_found"]));
  assert.deepEqual([...verdict(malformed), malformed.detail], ["rejected", "bad_request", "reply_to"]);
  const both = [send(hers(), "first"), send(hers(), "")];
  const results = await push(ada, both[0], send(hers(), "re", { reply_to: both[0].message_id }), both[1], send(hers(), "re", { reply_to: both[1].message_id }), send(hers(), "free"));
  assert.deepEqual(results.map((r) => r.code ?? r.status), ["applied", "applied", "content_empty", "reply_not_found", "applied"], "within a batch too, and the rest goes on");
});

test("what was deleted, softly or for good, can still be answered, and what an older app sent under a key", async () => {
  const [soft, hard] = [await sent(ada, hers(), "soft"), await sent(ada, hers(), "hard")];
  await push(ada, remove(soft));
  await sql`delete from public.messages where id = ${hard.message_id}`;
  const key = uuid7();
  const { data: old } = await insert(ada, "old way", { metadata: { idempotency_key: key } });
  const results = await push(ada, ...[soft.message_id, hard.message_id, key].map((reply_to) => send(hers(), "re", { reply_to })));
  assert.deepEqual(results.map((r) => r.status), Array(3).fill("applied"));
  const rows = await Promise.all(results.map((r) => stored(r.ack.message_id)));
  assert.deepEqual(rows.map((r) => r.reply_to), [soft.message_id, hard.message_id, old.id]);
});

test("nobody is mentioned who may not see the conversation; a stored message stays a success", async () => {
  const people = { "the other medic": org.medics[1].user_id, "another org's admin": stranger.admin.user_id, nobody: randomUUID() };
  for (const [who, id] of Object.entries(people)) {
    const [result, beside] = await push(ada, send(hers(), "you", { mentions: [org.admin.user_id, id] }), send(hers(), "beside"));
    assert.deepEqual([verdict(result), beside.status], [["rejected", "mention_not_allowed"], "applied"], who);
  }
  const fine = await push(admin, send(hers(), "you", { mentions: [ada.user_id, admin.user_id] }), send(org.broadcast.id, "all", { mentions: [ada.user_id, ben.user_id] }));
  assert.deepEqual(fine.map((r) => r.status), ["applied", "applied"]);
  const message = await sent(ada, hers(), "mine", { mentions: [org.admin.user_id] });
  assert.equal((await push(ada, edit(message, "x", { mentions: [org.admin.user_id, ben.user_id] })))[0].code, "mention_not_allowed");
  await sql`update public.messages set mentions = array[${ben.user_id}::uuid] where id = ${message.message_id}`;
  assert.equal((await push(ada, edit(message, "y", { mentions: [ben.user_id] })))[0].status, "applied", "whom it mentions may stay");
  const lost = send(hers(), "lost answer", { mentions: [org.admin.user_id] });
  await push(ada, lost);
  await sql`update public.messages set mentions = null where id = ${lost.message_id}`;
  assert.equal((await push(ada, { ...lost, mentions: [ben.user_id], reply_to: randomUUID() }))[0].status, "duplicate");
});

test("a direct writer's row is accepted; what it may not name is left out", async () => {
  const one = await sent(ada, hers(), "one");
  const theirs = await sent(ben, org.conversations[1].id, "theirs");
  const { data: fine } = await insert(ada, "re", { reply_to: one.message_id, mentions: [org.admin.user_id, ben.user_id, randomUUID()] });
  assert.deepEqual([fine.reply_to, fine.mentions], [one.message_id, [org.admin.user_id]]);
  const { data: odd } = await insert(ada, "re", { reply_to: theirs.message_id, mentions: [ben.user_id] });
  assert.deepEqual([odd.reply_to, odd.mentions, odd.content], [null, null, "re"]);
  const { data: changed } = await ada.from("messages").update({ mentions: [ben.user_id, ada.user_id] }).eq("id", fine.id).select().single();
  assert.deepEqual(changed.mentions, [ada.user_id]);
  const [a, b] = [uuid7(), uuid7()];
  const row = { conversation_id: hers(), org_id: org.org_id, sender_id: ada.user_id };
  const { error } = await ada.from("messages").insert([{ id: a, ...row, content: "a", reply_to: null }, { id: b, ...row, content: "b", reply_to: a }]);
  assert.deepEqual([error, (await stored(b)).reply_to], [null, a], "of one statement too");
});

test("a conversation says how many unread messages mention its reader", async () => {
  const fresh = await createOrg(sql, { medics: 1, conversations: true });
  const [boss, medic] = await Promise.all([fresh.admin, fresh.medics[0]].map((p) => client(p.email, p.password)));
  const direct = fresh.conversations[0].id;
  const replica = new Replica(boss);
  await replica.bootstrap();
  const counts = async () => {
    await replica.pull();
    const pulled = replica.conversations.get(direct);
    const loaded = (await call(boss, "bootstrap")).conversations.find((c) => c.id === direct);
    assert.deepEqual([loaded.unread, loaded.unread_mentions], [pulled.unread, pulled.unread_mentions]);
    return [pulled.unread, pulled.unread_mentions ?? 0];
  };
  const one = await sent(medic, direct, "one", { mentions: [boss.user_id] });
  await sent(medic, direct, "two");
  const three = await sent(medic, direct, "three", { mentions: [boss.user_id, medic.user_id] });
  await sent(boss, direct, "mine", { mentions: [boss.user_id] });
  assert.deepEqual(await counts(), [3, 2]);
  await push(medic, edit(one, "one"), remove(three));
  assert.deepEqual(await counts(), [2, 0], "an edit takes a mention away, a deletion the message");
  await push(medic, edit(one, "one", { mentions: [boss.user_id] }));
  assert.deepEqual(await counts(), [2, 1]);
  await push(boss, { id: uuid7(), kind: "mark_read", conversation_id: direct, read_seq: 1 });
  assert.deepEqual(await counts(), [1, 0]);
});

test("a change of what an older app sent is answered with the id that it named", async () => {
  const key = uuid7();
  const { data } = await insert(ada, "old way", { metadata: { idempotency_key: key } });
  const named = { conversation_id: hers(), message_id: key };
  const [edited, deleted] = await push(ada, edit(named, "new"), remove(named));
  assert.deepEqual([edited.message.id, edited.named, deleted.message.id, deleted.named], [data.id, key, data.id, key]);
  const [again] = await push(ada, remove({ ...named, message_id: data.id }));
  assert.deepEqual([again.status, again.named], ["duplicate", undefined]);
  await sql`delete from public.messages where id = ${data.id}`;
  const [gone] = await push(ada, remove(named));
  assert.deepEqual([gone.tombstone.id, gone.named], [data.id, key]);
});

test("where policies of a project narrow, what they hide can be neither answered nor counted", async () => {
  const db = await scratch();
  try {
    await db.apply();
    await db.sql.unsafe(`create policy shown on public.messages as restrictive for select to authenticated using (coalesce(metadata ->> 'hidden', '') <> 'yes' or sender_id = auth.uid())`);
    const { admin: boss, medics: [her], conversations: [direct] } = await members(db.sql, { medics: 1 });
    const scratched = async (who, ...p_mutations) => (await db.call(who, "push", { p_mutations })).results;
    const [hidden, shown] = [send(direct, "hidden", { metadata: { hidden: "yes" }, mentions: [her] }), send(direct, "shown", { mentions: [her] })];
    assert.deepEqual((await scratched(boss, hidden, shown)).map((r) => r.status), ["applied", "applied"]);
    const first = send(direct, "first");
    const results = await scratched(her, ...[hidden, shown].map((to) => send(direct, "re", { reply_to: to.message_id })), first, send(direct, "re", { reply_to: first.message_id }));
    assert.deepEqual(results.map(verdict), [["rejected", "reply_not_found"], ["applied", undefined], ["applied", undefined], ["applied", undefined]]);
    const load = await db.call(her, "bootstrap");
    const row = load.conversations.find((c) => c.id === direct);
    assert.deepEqual([row.unread, row.unread_mentions], [1, 1]);
  } finally {
    await db.drop();
  }
});
