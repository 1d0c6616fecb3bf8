// What grows is bounded, what is forgotten is forgotten safely, and what an operator may be asked to do works as written.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { claim } from "./lib/claim.mjs";
import { members } from "./lib/members.mjs";
import { scratch } from "./lib/scratch.mjs";
import { root, uuid7 } from "./lib/stack.mjs";

let db, sql;
before(async () => {
  db = await scratch({ max: 8 });
  await db.apply();
  sql = db.sql;
});
after(() => db.drop());

const open = (medic_id, conversation_id = randomUUID()) => ({ id: randomUUID(), kind: "open_direct", conversation_id, medic_id });
const send = (conversation_id, content, more) => ({ id: randomUUID(), kind: "send_message", conversation_id, message_id: uuid7(), content, ...more });
const mark = (conversation_id, read_seq) => ({ id: randomUUID(), kind: "mark_read", conversation_id, read_seq });
const push = async (who, mutations) => (await db.call(who, "push", { p_mutations: mutations })).results;
const house = async (age) => Object.fromEntries((await sql`select * from fieldpost.housekeeping(${age}::interval)`).map((r) => [r.what, Number(r.rows)]));
/** Everything that there is by now was long ago. */
const age = () => sql.unsafe(`
  update fieldpost.tombstones set deleted_at = '2001-01-01'; update fieldpost.access_log set changed_at = '2001-01-01';
  update fieldpost.people set removed_at = '2001-01-01' where removed; update fieldpost.conversation_aliases set created_at = '2001-01-01'`).simple();

test("whoever makes many aliases waits, and only she", async () => {
  const org = await members(sql, { medics: 2 });
  const results = [];
  for (let i = 0; i < 6; i++) results.push(...await push(org.admin, Array.from({ length: 100 }, () => open(org.medic_ids[0]))));
  const counts = Object.groupBy ? Object.groupBy(results, (r) => r.code ?? r.status) : results.reduce((m, r) => ({ ...m, [r.code ?? r.status]: [...(m[r.code ?? r.status] ?? []), r] }), {});
  assert.deepEqual([counts.duplicate.length, counts.busy.length], [500, 100]);
  const lane = randomUUID();
  const [opened, sent, other] = await push(org.admin, [open(org.medic_ids[0], lane), send(lane, "hello"), send(org.conversations[1], "goes on")]);
  assert.deepEqual([opened.status, opened.code, sent.status, sent.code, other.status], ["retry", "busy", "retry", "after_retry", "applied"]);
  assert.equal((await push(org.admin, [open(org.medic_ids[0], org.conversations[0])]))[0].status, "duplicate", "what needs no alias is answered");
  assert.equal((await push(org.medics[0], [open(null)]))[0].status, "duplicate", "somebody else's");
  await sql`update fieldpost.conversation_aliases set created_at = now() - interval '25 hours'`;
  assert.equal((await push(org.admin, [open(org.medic_ids[0], lane)]))[0].status, "duplicate", "the next day");
});

test("housekeeping forgets what is old and says so to whoever may have missed it, and versions go on", async () => {
  const org = await members(sql, { medics: 3, spare: 1 });
  const [ada, ben] = org.medics;
  const { cursor: away } = await db.call(ada, "bootstrap");
  await push(org.admin, [send(org.conversations[0], "one"), send(org.conversations[1], "two"), open(org.medic_ids[0])]);
  await push(ben, [send(org.conversations[1], "and I")]);
  await sql`update public.conversations set medic_id = ${org.medic_ids[3]} where id = ${org.conversations[0]}`;
  await sql`update public.conversations set medic_id = ${org.medic_ids[0]} where id = ${org.conversations[0]}`;
  await sql`delete from public.messages where conversation_id = ${org.conversations[0]}`;
  await sql`delete from public.profiles where id in (${ben}, ${org.medics[2]})`;
  const { cursor } = await db.call(ada, "bootstrap");
  const young = await house("90 days");
  assert.deepEqual(Object.values(young).slice(0, 4), [0, 0, 0, 0], JSON.stringify(young));
  await age();
  const old = await house("90 days");
  assert.ok(old["deletions forgotten"] >= 1);
  assert.ok(old["changes of access forgotten"] >= 4);
  assert.ok(old["aliases forgotten"] >= 1);
  assert.equal(old["digests put right"], 0);
  assert.deepEqual((await sql`select user_id from fieldpost.people where org_id = ${org.org} and removed`).map((p) => p.user_id), [ben], "who wrote something is kept");
  assert.deepEqual((await db.call(ada, "pull", { p_cursor: away })).error, { code: "cursor_expired", detail: "compacted" });
  assert.equal((await db.call(ada, "pull", { p_cursor: cursor })).error, undefined);
  // Her device has the access of version 2, and of the other medic who left version 2: what comes now is newer than both.
  await sql`update public.conversations set medic_id = ${org.medic_ids[3]} where id = ${org.conversations[0]}`;
  const told = await db.call(ada, "pull", { p_cursor: cursor });
  assert.deepEqual(told.access.map((a) => [a.access, a.version]), [["revoke", 3]]);
  await sql`insert into public.profiles (id, org_id, role) values (${org.medics[2]}, ${org.org}, 'medic')`;
  const { people } = await db.call(org.admin, "bootstrap");
  assert.ok(people.find((p) => p.id === org.medics[2]).version >= 3);
});

test("whoever may have missed a change of access, or that somebody left, is told to start again", async () => {
  const pull = (who, p_cursor) => db.call(who, "pull", { p_cursor });
  for (const change of ["access", "people"]) {
    const org = await members(sql, { medics: 1, spare: 2 });
    const { cursor } = await db.call(org.admin, "bootstrap");
    if (change === "access") await sql`update public.conversations set medic_id = ${org.medic_ids[1]} where id = ${org.conversations[0]}`;
    else await sql`delete from public.profiles where id = ${org.medics[2]}`;
    const { cursor: after } = await db.call(org.admin, "bootstrap");
    if (change === "people") await sql`delete from fieldpost.access_log`;
    await age();
    await house("90 days");
    assert.deepEqual((await pull(org.admin, cursor)).error, { code: "cursor_expired", detail: "compacted" }, change);
    assert.equal((await pull(org.admin, after)).error, undefined, change);
  }
});

test("a conversation is never opened again under an id that was deleted, however long ago", async () => {
  const org = await members(sql, { medics: 1 });
  const [id] = org.conversations;
  await sql`delete from public.conversations where id = ${id}`;
  await age();
  await house("90 days");
  assert.equal((await sql`select from fieldpost.tombstones where id = ${id}`).length, 0);
  const [opened, sent] = await push(org.medics[0], [open(null, id), send(id, "hello")]);
  assert.deepEqual([opened.code, sent.code], ["conversation_deleted", "conversation_deleted"]);
  const stranger = await members(sql, { medics: 0, spare: 1 });
  assert.equal((await push(stranger.medics[0], [open(null, id)]))[0].code, "id_taken", "who never saw it learns nothing");
  const direct = await sql`insert into public.conversations (id, org_id, medic_id) values (${id}, ${org.org}, ${org.medic_ids[0]})`.catch((e) => e);
  assert.equal(direct.code, "23505");
  assert.equal((await push(org.medics[0], [open(null)]))[0].status, "applied", "under another id she may");
});

test("a person is erased as docs/howto/erasing.md says", async () => {
  const page = readFileSync(join(root, "docs", "howto", "erasing.md"), "utf8").split(/^## /m).find((part) => part.startsWith("A person"));
  const blocks = [...page.matchAll(/```sql\n([\s\S]*?)```/g)].map((m) => m[1]);
  assert.equal(blocks.length, 3);
  const org = await members(sql, { medics: 4 });
  const [ada, ben, cleo, dara] = org.medics;
  const load = await db.call(org.admin, "bootstrap");
  assert.ok(JSON.stringify(load.people).includes("Ada"));
  for (const [n, who] of org.medics.entries()) await push(who, [send(org.conversations[n], `secret ${n}`)]);
  await push(ada, [open(null)]);
  await assert.rejects(sql`select * from fieldpost.erase_person(${ada})`, /still a member/);
  for (const block of blocks) await sql.unsafe(block, [ada]);
  const pull = await db.call(org.admin, "pull", { p_cursor: load.cursor });
  const person = pull.people.find((p) => p.id === ada);
  assert.deepEqual([person.removed, person.first_name, person.last_name, person.medic_id], [true, undefined, undefined, undefined]);
  assert.ok(pull.messages.some((m) => m.content === "secret 0" && m.sender_id === ada), "what she wrote is there");
  const left = async (who) => (await sql`
    select 1 from fieldpost.people where user_id = ${who} and (first_name, last_name) is distinct from (null, null)
    union all select 1 from fieldpost.conversation_aliases where created_by = ${who}`).length;
  assert.equal(await left(ada), 0);
  for (const [who, how, rest] of [[ben, "erase", [null]], [cleo, "remove", []]]) {
    for (const block of blocks.slice(0, 2)) await sql.unsafe(block, [who]);
    await sql`insert into public.message_reactions (message_id, person_id, emoji) select m.id, ${who}, '👍' from public.messages m where m.content = 'secret 3'`;
    await sql`insert into public.conversation_settings (user_id, conversation_id, pinned_at) values (${who}, ${org.conversations[3]}, now())`;
    await sql`insert into public.message_reports (message_id, reporter_id, reason, note) select m.id, ${who}, 'spam', 'a note' from public.messages m where m.content = 'secret 3'`;
    await sql`insert into public.message_reports (message_id, reporter_id, reason) select m.id, ${org.admin}, 'spam' from public.messages m where m.sender_id = ${who}`;
    const done = await sql`select * from fieldpost.erase_person(${who}, ${how})`;
    assert.equal((await sql`select from public.message_reports where reporter_id = ${who} and note is not null`).length, 0);
    assert.equal((await sql`select from fieldpost.reported_texts t join public.message_reports r on r.id = t.report_id where r.sender_id = ${who}`).length, 0);
    assert.equal((await sql`select from public.conversation_settings where user_id = ${who}`).length, 0);
    assert.equal((await sql`select from public.message_reactions where person_id = ${who} and not removed`).length, 0);
    assert.deepEqual(done.map((r) => r.rows), ["1", "0", "1", "1", "1", "1", "1", "0", "0", "0"]);
    assert.deepEqual((await sql`select content from public.messages where sender_id = ${who}`).map((m) => m.content), rest);
  }
  const all = JSON.stringify([await db.call(org.admin, "bootstrap"), await db.call(org.admin, "pull", { p_cursor: load.cursor })]);
  assert.ok(!all.includes("secret 1") && !all.includes("secret 2") && all.includes("secret 3"));
  await assert.rejects(sql`select * from fieldpost.erase_person(${dara}, 'whatever')`, /keep, erase or remove/);
});

test("a message that was deleted for good is restored, and devices that know of its deletion see it", async () => {
  const org = await members(sql, { medics: 1 });
  const [id] = org.conversations;
  const sent = ["one", "two", "three"].map((text) => send(id, text));
  await push(org.admin, sent);
  const { cursor: before } = await db.call(org.medics[0], "bootstrap");
  await sql`update public.messages set content = 'two, edited' where id = ${sent[1].message_id}`;
  await sql`delete from public.messages where id = ${sent[1].message_id}`;
  const heard = await db.call(org.medics[0], "pull", { p_cursor: before });
  const [tombstone] = heard.tombstones;
  assert.deepEqual([tombstone.seq, tombstone.version], [2, 3]);
  const insert = () => sql`insert into public.messages (id, conversation_id, org_id, sender_id, content) values (${sent[1].message_id}, ${id}, ${org.org}, ${org.admin}, 'x')`;
  await assert.rejects(insert(), { code: "23505" });
  const [{ seq }] = await sql`select fieldpost.restore_message(${sent[1].message_id}, ${org.admin}, 'two, edited') as seq`;
  assert.equal(seq, "4");
  for (const p_cursor of [heard.cursor, before]) {
    const pull = await db.call(org.medics[0], "pull", { p_cursor });
    const [row] = pull.messages.filter((m) => m.id === sent[1].message_id);
    assert.deepEqual([row.content, row.seq, pull.tombstones.length], ["two, edited", 4, 0]);
    assert.ok(row.version > tombstone.version, "newer than its deletion");
  }
  // It goes on as any message does, and the number it had stays closed.
  await sql`update public.messages set content = 'again' where id = ${sent[1].message_id}`;
  const [{ version }] = await sql`select version from public.messages where id = ${sent[1].message_id}`;
  assert.equal(version, "5");
  await push(org.admin, [send(id, "five")]);
  const history = await db.call(org.medics[0], "history", { p_conversation: id });
  assert.deepEqual(history.messages.map((m) => [m.seq, m.version]), [[1, 1], [3, 1], [4, 5], [5, 1]]);
  await assert.rejects(sql`select fieldpost.restore_message(${randomUUID()}, ${org.admin}, 'x')`, /no deletion of this message is known/);
});

test("openings and read marks of a batch wait for locks once, not each", async () => {
  const org = await members(sql, { medics: 4, spare: 4 });
  await push(org.admin, org.conversations.map((c) => send(c, "hello")));
  await push(org.admin, org.conversations.map((c) => mark(c, 1)));
  await push(org.admin, org.conversations.map((c) => send(c, "again")));
  const held = async (lock, mutations) => {
    let results;
    const start = performance.now();
    await sql.begin(async (holder) => {
      await lock(holder);
      results = await push(org.admin, mutations);
    });
    for (const r of results) assert.deepEqual([r.status, r.code], ["retry", "conflict"]);
    return performance.now() - start;
  };
  const organization = (tx) => tx`select pg_advisory_xact_lock(hashtextextended('fieldpost.open:' || ${org.org}::text, 0))`;
  const markers = (tx) => tx`select from public.conversation_read_status where user_id = ${org.admin} for update`;
  const [one, four] = [await held(organization, [open(org.medic_ids[4])]), await held(organization, org.medic_ids.slice(4).map((m) => open(m)))];
  const [first, all] = [await held(markers, [mark(org.conversations[0], 2)]), await held(markers, org.conversations.map((c) => mark(c, 2)))];
  assert.ok(four < one * 1.5, `four openings waited ${four / one} times as long as one`);
  assert.ok(all < first * 1.5, `four marks waited ${all / first} times as long as one`);
  const results = await push(org.admin, [...org.medic_ids.slice(4).map((m) => open(m)), ...org.conversations.map((c) => mark(c, 2))]);
  assert.ok(results.every((r) => r.status === "applied"));
  claim(`waits: four openings behind a lock waited ${(four / one).toFixed(2)} times as long as one, four read marks ${(all / first).toFixed(2)} times`);
});

test("500 sends that all say the same id or key cost a fraction of what they cost one by one", async () => {
  const org = await members(sql, { medics: 1 });
  /** Milliseconds for each message, the best of five: what else the machine does is not what is measured. */
  const best = async (pushes, size, more) => {
    const times = [];
    for (let i = 0; i < 5; i++) {
      const [id, key] = [uuid7(), randomUUID()];
      const batches = Array.from({ length: pushes }, () => Array.from({ length: size }, () => send(org.conversations[0], "hello", more(id, key))));
      const start = performance.now();
      for (const batch of batches) await push(org.admin, batch);
      times.push((performance.now() - start) / pushes / size);
    }
    return Math.min(...times);
  };
  const alone = await best(20, 1, () => ({}));
  const [same, keyed] = [await best(1, 500, (message_id) => ({ message_id })), await best(1, 500, (_, idempotency_key) => ({ metadata: { idempotency_key } }))];
  assert.ok(same < alone / 2, `one id: ${same} ms each, and ${alone} ms one by one`);
  assert.ok(keyed < alone / 4, `one key: ${keyed} ms each, and ${alone} ms one by one`);
  claim(`500 sends in a batch, of one id: ${(alone / same).toFixed(0)} times as fast as one by one; of one key: ${(alone / keyed).toFixed(0)} times`);
});
