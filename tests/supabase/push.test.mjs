// Push: exactly once, one bad mutation alone, ids that tell nothing.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

import { Replica, assertGapless } from "./lib/replica.mjs";
import { call, client, owner, uuid7 } from "./lib/stack.mjs";
import { createOrg } from "./lib/tenant.mjs";

let sql, org, admin, medic, other;
before(async () => {
  sql = owner();
  org = await createOrg(sql, { medics: 3, conversations: true, broadcast: true });
  admin = await client(org.admin.email, org.admin.password);
  medic = await client(org.medics[0].email, org.medics[0].password);
  other = await client(org.medics[1].email, org.medics[1].password);
});
after(() => sql.end());

const send = (conversation_id, content = "On my way", more = {}) => ({
  id: uuid7(), kind: "send_message", conversation_id, message_id: uuid7(), content, composed_at: "2026-01-31T08:15:00.123456+02:00", ...more,
});
const push = async (js, ...p_mutations) => (await call(js, "push", { p_mutations })).results;
const direct = (n) => org.conversations[n].id;
const rows = (conversation_id) => sql`
  select m.*, m.created_at::text as created_at from public.messages m where m.conversation_id = ${conversation_id} order by m.seq`;

test("a batch is applied once, however often and however many at a time it is sent", async () => {
  const batch = Array.from({ length: 120 }, (_, n) => send(direct(n % 2 ? 0 : 1), `Message ${n}`));
  const answers = await Promise.all(Array.from({ length: 10 }, () => push(admin, ...batch)));
  const applied = answers.flat().filter((r) => r.status === "applied");
  const duplicate = answers.flat().filter((r) => r.status === "duplicate");
  assert.equal(applied.length, 120);
  assert.equal(duplicate.length, 1080);
  const stored = [...(await rows(direct(0))), ...(await rows(direct(1)))];
  assert.equal(stored.length, 120);
  assertGapless(stored);
  for (const r of applied) {
    const row = stored.find((m) => m.id === r.ack.message_id);
    assert.deepEqual([r.ack.seq, r.ack.version, r.ack.conversation_id], [Number(row.seq), 1, row.conversation_id]);
  }
  for (const r of duplicate) assert.equal(r.message.sender_id, org.admin.user_id);
  // lane order: seq order is the order in the batch
  const order = (await rows(direct(0))).map((m) => m.content);
  assert.deepEqual(order, batch.filter((m) => m.conversation_id === direct(0)).map((m) => m.content));
  assert.equal(new Date(stored[0].composed_at).toISOString(), "2026-01-31T06:15:00.123Z");
});

test("every code of rejection, in one batch, undoes none of the rest", async () => {
  const stranger = await createOrg(sql, { medics: 1, conversations: true });
  const foreign = await client(stranger.admin.email, stranger.admin.password);
  const [taken] = await push(foreign, send(stranger.conversations[0].id, "secret"));
  const good = [send(direct(0), "first"), send(direct(0), "  ".trim() + "second"), send(direct(0), "", { message_type: "attachment", metadata: { url: "x", n: null } })];
  const cases = [
    [{ ...send(direct(0)), message_id: "nope" }, "bad_request", "message_id"],
    [{ ...send(direct(0)), conversation_id: 5 }, "bad_request", "conversation_id"],
    [{ ...send(direct(0)), message_type: "system" }, "bad_request", "message_type"],
    [{ ...send(direct(0)), content: { a: 1 } }, "bad_request", "content"],
    [{ ...send(direct(0)), metadata: [1] }, "bad_request", "metadata"],
    [{ ...send(direct(0)), composed_at: "2026-02-30T00:00:00Z" }, "bad_request", "composed_at"],
    [{ ...send(direct(0)), composed_at: "infinity" }, "bad_request", "composed_at"],
    [{ ...send(direct(0)), reply_to: "x" }, "bad_request", "reply_to"],
    [send(direct(0), ""), "content_empty"],
    [send(direct(0), "\u00a0 \t\n"), "content_empty"],
    [send(direct(0), "\u200b\u2060 \ufeff\u{e0041}"), "content_empty"],
    [send(direct(0), "x".repeat(5001)), "content_too_long"],
    [send(direct(0), " padded"), "not_trimmed"],
    [send(direct(0), "padded\u3000"), "not_trimmed"],
    [send(direct(1)), "not_found"],
    [send(randomUUID()), "not_found"],
    [send(stranger.conversations[0].id), "not_found"],
    [send(org.broadcast.id), "forbidden"],
    [{ ...send(direct(0)), message_id: taken.ack.message_id }, "id_taken"],
    [{ id: uuid7(), kind: "teleport" }, "unknown_kind"],
    [{ id: uuid7() }, "bad_request", "kind"],
    [{ id: uuid7(), kind: "mark_read", conversation_id: direct(0), read_seq: -1 }, "bad_request", "read_seq"],
    [{ id: uuid7(), kind: "mark_read", conversation_id: direct(0), read_seq: 1.5 }, "bad_request", "read_seq"],
    [{ id: uuid7(), kind: "mark_read", conversation_id: direct(1), read_seq: 1 }, "not_found"],
    [{ id: uuid7(), kind: "open_broadcast", conversation_id: uuid7(), org_id: org.org_id }, "forbidden"],
    [{ id: uuid7(), kind: "open_direct", conversation_id: uuid7(), medic_id: org.medics[1].medic_id }, "not_found"],
    [{ id: uuid7(), kind: "open_direct", conversation_id: uuid7(), org_id: stranger.org_id }, "not_found"],
    [{ id: uuid7(), kind: "open_broadcast", conversation_id: uuid7(), org_id: stranger.org_id }, "not_found"],
    [{ id: uuid7(), kind: "open_direct", conversation_id: direct(1) }, "id_taken"],
    [{ id: uuid7(), kind: "open_direct", conversation_id: "x" }, "bad_request", "conversation_id"],
  ];
  const before = (await rows(direct(0))).length;
  const batch = [good[0], ...cases.map(([m]) => m), 5, "text", null, [1], {}, { id: 7, kind: "mark_read" }, good[1], good[2]];
  const results = await push(medic, ...batch);
  assert.equal(results.length, batch.length);
  cases.forEach(([m, code, detail], i) => {
    const r = results[i + 1];
    assert.deepEqual([r.id, r.status, r.code], [m.id, "rejected", code], JSON.stringify(m).slice(0, 200));
    if (detail) assert.equal(r.detail, detail);
    assert.ok(!r.message && !r.tombstone && !r.conversation, "a rejection shows no row");
  });
  for (const r of results.slice(1 + cases.length, -2)) assert.deepEqual([r.id, r.status, r.code], [null, "rejected", "bad_request"]);
  assert.deepEqual([results[0], ...results.slice(-2)].map((r) => [r.status, r.ack.seq]), [before + 1, before + 2, before + 3].map((s) => ["applied", s]));
  const stored = await rows(direct(0));
  assert.deepEqual(stored.at(-1).metadata, { url: "x", n: null }, "nulls inside metadata are the app's");
  const page = await call(medic, "history", { p_conversation: direct(0), p_limit: 1 });
  assert.deepEqual(page.messages[0].metadata, { url: "x", n: null });
  assert.equal(JSON.stringify(results).includes("secret"), false);
});

test("batches of the wrong size are refused whole", async () => {
  const { error } = await call(medic, "push", { p_mutations: Array.from({ length: 501 }, () => send(direct(0))) });
  assert.deepEqual(error, { code: "too_large", detail: "push_rows" });
  const heavy = await call(medic, "push", { p_mutations: Array.from({ length: 300 }, () => send(direct(0), "x".repeat(4900))) });
  assert.deepEqual(heavy.error, { code: "too_large", detail: "push_bytes" });
  assert.deepEqual((await call(medic, "push", { p_mutations: [] })).results, []);
});

test("an id that was deleted stays deleted, and the id of a stranger's message tells nothing", async () => {
  const m = send(direct(0), "to be deleted");
  await push(medic, m);
  await sql`delete from public.messages where id = ${m.message_id}`;
  const [again] = await push(medic, m);
  assert.equal(again.status, "duplicate");
  assert.deepEqual([again.tombstone.entity, again.tombstone.id, again.tombstone.version], ["message", m.message_id, 2]);
  assert.equal((await sql`select from public.messages where id = ${m.message_id}`).length, 0);

  const theirs = send(direct(1), "theirs");
  await push(other, theirs);
  const [probe] = await push(medic, { ...send(direct(0)), message_id: theirs.message_id });
  assert.deepEqual([probe.status, probe.code, probe.message], ["rejected", "id_taken", undefined]);
  await sql`delete from public.messages where id = ${theirs.message_id}`;
  const [late] = await push(medic, { ...send(direct(0)), message_id: theirs.message_id });
  assert.deepEqual([late.status, late.code, late.tombstone], ["rejected", "id_taken", undefined]);
  // the same id for another conversation of one's own is no way to move a message
  const mine = send(direct(0), "mine");
  await push(admin, mine);
  const [moved] = await push(admin, { ...mine, id: uuid7(), conversation_id: direct(1) });
  assert.equal(moved.code, "id_taken");
});

test("opening a direct conversation twice, from two devices and offline, gives the same one", async () => {
  const fresh = await createOrg(sql, { medics: 1 });
  const her = await client(fresh.medics[0].email, fresh.medics[0].password);
  const boss = await client(fresh.admin.email, fresh.admin.password);
  const [mineId, theirsId] = [uuid7(), uuid7()];
  const open = (conversation_id, more = {}) => ({ id: uuid7(), kind: "open_direct", conversation_id, ...more });
  const [[a, sent], [b]] = await Promise.all([
    push(her, open(mineId), send(mineId, "offline hello")),
    push(boss, open(theirsId, { medic_id: fresh.medics[0].medic_id, org_id: fresh.org_id })),
  ]);
  assert.deepEqual([a.status, b.status].sort(), ["applied", "duplicate"]);
  assert.equal(a.conversation.id, b.conversation.id);
  assert.equal(sent.ack.conversation_id, a.conversation.id);
  assert.equal(sent.ack.seq, 1);
  // Both ids go on leading there: in retries, in sends, in history.
  for (const [js, id] of [[her, mineId], [boss, theirsId]]) {
    const [open2, send2] = await push(js, open(id, { medic_id: fresh.medics[0].medic_id }), send(id));
    assert.deepEqual([open2.status, open2.conversation.id, send2.ack.conversation_id], ["duplicate", a.conversation.id, a.conversation.id]);
    assert.equal((await call(js, "history", { p_conversation: id })).conversation.id, a.conversation.id);
  }
  const broadcast = uuid7();
  const [opened, spoken] = await push(boss, { id: uuid7(), kind: "open_broadcast", conversation_id: broadcast, org_id: fresh.org_id, subject: "All" }, send(broadcast, "hello all"));
  assert.deepEqual([opened.status, opened.conversation.kind, opened.conversation.subject, spoken.status], ["applied", "broadcast", "All", "applied"]);
  const [second] = await push(boss, { id: uuid7(), kind: "open_broadcast", conversation_id: uuid7(), org_id: fresh.org_id });
  assert.deepEqual([second.status, second.conversation.id], ["duplicate", broadcast]);
  const recipients = await sql`select * from public.message_recipients where message_id = ${spoken.ack.message_id}`;
  assert.deepEqual(recipients.map((r) => r.recipient_id), [fresh.medics[0].user_id]);
  // An alias of a conversation that is gone is told so.
  await sql`delete from public.conversations where id = ${a.conversation.id}`;
  assert.equal((await push(her, send(mineId)))[0].code, "conversation_deleted");
  assert.equal((await push(her, send(a.conversation.id)))[0].code, "conversation_deleted");
  assert.equal((await push(medic, send(a.conversation.id)))[0].code, "not_found", "to a stranger it never was");
});

test("sending never moves the sender's own marker; reading moves it forward only, and no further than there are rows", async () => {
  const fresh = await createOrg(sql, { medics: 1, conversations: true });
  const id = fresh.conversations[0].id;
  const her = await client(fresh.medics[0].email, fresh.medics[0].password);
  const boss = await client(fresh.admin.email, fresh.admin.password);
  await push(boss, send(id, "one"), send(id, "two"), send(id, "three"));
  await push(her, send(id, "four"));
  const replica = new Replica(her);
  await replica.bootstrap();
  assert.equal(replica.markers.size, 0);
  assert.equal(replica.conversations.get(id).unread, 3);
  const mark = (read_seq) => ({ id: uuid7(), kind: "mark_read", conversation_id: id, read_seq });
  const [r2, r1, r2again, r99] = await push(her, mark(2), mark(1), mark(2), mark(99));
  assert.deepEqual([r2.status, r2.read_marker.read_seq, r2.read_marker.person_id], ["applied", 2, fresh.medics[0].user_id]);
  assert.deepEqual([r1.status, r1.read_marker.read_seq], ["duplicate", 2]);
  assert.equal(r2again.status, "duplicate");
  assert.deepEqual([r99.status, r99.read_marker.read_seq, r99.read_marker.delivered_seq], ["applied", 4, 4]);
  const [pulled] = await replica.pull();
  assert.equal(pulled.read_markers.at(-1).version, 2);
  const seenByBoss = new Replica(boss);
  await seenByBoss.bootstrap();
  assert.equal(seenByBoss.markers.get(`${id}/${fresh.medics[0].user_id}`).read_seq, 4);
  const none = await createOrg(sql, { medics: 1, conversations: true });
  const [zero] = await push(await client(none.medics[0].email, none.medics[0].password), { ...mark(5), conversation_id: none.conversations[0].id });
  assert.deepEqual([zero.status, zero.read_marker.read_seq], ["duplicate", 0]);
});

test("what cannot be had now is retried with its whole lane, and holds up no other", async () => {
  const blocker = owner();
  const fresh = await createOrg(sql, { medics: 2, conversations: true });
  const boss = await client(fresh.admin.email, fresh.admin.password);
  const [a, b] = fresh.conversations.map((c) => c.id);
  let release;
  const held = new Promise((r) => (release = r));
  const locked = Promise.withResolvers ? Promise.withResolvers() : (() => { const d = {}; d.promise = new Promise((r) => (d.resolve = r)); return d; })();
  const transaction = blocker.begin(async (tx) => {
    await tx`select from public.conversations where id = ${a} for update`;
    locked.resolve();
    await held;
  });
  await locked.promise;
  const batch = [send(a, "a1"), send(b, "b1"), send(a, "a2"), { id: uuid7(), kind: "mark_read", conversation_id: a, read_seq: 1 }, send(b, "b2")];
  const results = await push(boss, ...batch);
  release();
  await transaction;
  await blocker.end();
  assert.deepEqual(results.map((r) => [r.status, r.code]), [["retry", "conflict"], ["applied", undefined], ["retry", "after_retry"], ["retry", "after_retry"], ["applied", undefined]]);
  const again = await push(boss, ...batch);
  assert.deepEqual(again.map((r) => r.status), ["applied", "duplicate", "applied", "applied", "duplicate"]);
  assert.deepEqual((await rows(a)).map((m) => m.content), ["a1", "a2"]);
});

test("a trigger of the project that refuses one message refuses that one", async () => {
  const fresh = await createOrg(sql, { medics: 1, conversations: true });
  await sql.unsafe(`
    create or replace function public.no_swearing() returns trigger language plpgsql as
      $$ begin if new.content = 'darn' then raise exception 'not here'; end if; return new; end $$;
    create or replace trigger no_swearing before insert on public.messages for each row execute function public.no_swearing();`);
  try {
    const boss = await client(fresh.admin.email, fresh.admin.password);
    const id = fresh.conversations[0].id;
    const results = await push(boss, send(id, "good"), send(id, "darn"), send(id, "better"));
    assert.deepEqual(results.map((r) => r.status), ["applied", "rejected", "applied"]);
    assertGapless(await rows(id));
  } finally {
    await sql.unsafe("drop trigger no_swearing on public.messages; drop function public.no_swearing()");
  }
});

test("a message that an older version of the app sent under its key is the same message", async () => {
  const key = uuid7();
  const { data } = await medic.from("messages")
    .insert({ conversation_id: direct(0), org_id: org.org_id, sender_id: org.medics[0].user_id, content: "old way", metadata: { idempotency_key: key } })
    .select().single();
  const race = await medic.from("messages")
    .insert({ conversation_id: direct(0), org_id: org.org_id, sender_id: org.medics[0].user_id, content: "old way", metadata: { idempotency_key: key } });
  assert.equal(race.error.code, "23505", "which the older app takes for success");
  const [result] = await push(medic, { ...send(direct(0), "old way"), message_id: key });
  assert.deepEqual([result.status, result.message.id], ["duplicate", data.id]);

  await sql`delete from public.messages where id = ${data.id}`;
  const [gone] = await push(medic, { ...send(direct(0), "old way"), message_id: key });
  assert.deepEqual([gone.status, gone.tombstone.id], ["duplicate", key], "the only id that the sender knows: she takes no other");
  const again = await medic.from("messages")
    .insert({ conversation_id: direct(0), org_id: org.org_id, sender_id: org.medics[0].user_id, content: "old way", metadata: { idempotency_key: key } });
  assert.equal(again.error.code, "23505", "deleted is deleted, under whatever key it comes");
});

test("somebody without a membership may pull and may not push", async () => {
  const gone = await createOrg(sql, { medics: 1, conversations: true });
  const her = await client(gone.medics[0].email, gone.medics[0].password);
  await sql`delete from public.profiles where id = ${gone.medics[0].user_id}`;
  const results = await push(her, send(gone.conversations[0].id), { id: uuid7(), kind: "mark_read", conversation_id: gone.conversations[0].id, read_seq: 1 }, { id: uuid7(), kind: "open_direct", conversation_id: uuid7() });
  assert.deepEqual(results.map((r) => r.code), ["forbidden", "forbidden", "forbidden"]);
  const page = await call(her, "bootstrap");
  assert.deepEqual([page.me, page.total_conversations, page.messages.length, page.people.length], [undefined, 0, 0, 0]);
  assert.equal((await call(her, "pull", { p_cursor: page.cursor })).more, false);
});
