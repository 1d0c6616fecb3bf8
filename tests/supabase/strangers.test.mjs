// Other clients: what a web dashboard does with supabase-js, directly on the tables, and what it cannot do.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

import { Replica, assertGapless } from "./lib/replica.mjs";
import { call, client, owner, uuid7 } from "./lib/stack.mjs";
import { createOrg } from "./lib/tenant.mjs";

let sql, org, admin, medic, other, outside, foreign;
before(async () => {
  sql = owner();
  org = await createOrg(sql, { medics: 3, conversations: true, broadcast: true });
  foreign = await createOrg(sql, { medics: 1, conversations: true, broadcast: true });
  [admin, medic, other, outside] = await Promise.all(
    [org.admin, org.medics[0], org.medics[1], foreign.admin].map((p) => client(p.email, p.password)),
  );
});
after(() => sql.end());

const id = (n = 0) => org.conversations[n].id;
const message = (js, conversation_id, more = {}) => ({ conversation_id, org_id: org.org_id, sender_id: js.user_id, content: "from the web", ...more });

test("rows that a stranger writes get their number, their stamp and their place in the feed", async () => {
  const replica = new Replica(medic);
  await replica.bootstrap();
  const one = await admin.from("messages").insert(message(admin, id())).select().single();
  assert.equal(one.status, 201);
  const many = await admin.from("messages").insert(Array.from({ length: 5 }, (_, n) => message(admin, id(), { content: `row ${n}` }))).select();
  assert.equal(many.data.length, 5);
  await admin.from("messages").upsert([message(admin, id(), { id: one.data.id, content: "again" }), message(admin, id(), { id: randomUUID(), content: "new" })], { onConflict: "id", ignoreDuplicates: true });
  await replica.pull();
  const mine = [...replica.messages.values()].filter((m) => m.conversation_id === id()).sort((a, b) => a.seq - b.seq);
  assertGapless(mine);
  assert.equal(mine.length, 7);
  assert.deepEqual(mine.slice(1, 6).map((m) => m.content), ["row 0", "row 1", "row 2", "row 3", "row 4"]);
  const conversation = replica.conversations.get(id());
  assert.deepEqual([conversation.unread, conversation.last_seq, conversation.last_message_preview], [7, 7, "new"]);
  const { data } = await admin.from("conversations").select().eq("id", id()).single();
  assert.equal(data.last_message_preview, "new");
  assert.equal(conversation.version, 1, "messages do not change their conversation");
});

test("an edit raises the version; a soft delete erases the content and stays as its own tombstone", async () => {
  const replica = new Replica(admin);
  await replica.bootstrap();
  const { data: m } = await medic.from("messages").insert(message(medic, id(), { content: "secret", metadata: { gps: 1 } })).select().single();
  const edit = await medic.from("messages").update({ content: "  secret plan " }).eq("id", m.id).select().single();
  assert.deepEqual([edit.data.content, edit.data.version], ["secret plan", 2]);
  await replica.pull();
  assert.equal(replica.messages.get(m.id).content, "secret plan");
  assert.equal(replica.conversations.get(id()).last_message_preview, "secret plan");
  const gone = await admin.from("messages").update({ deleted_at: new Date(0).toISOString() }).eq("id", m.id).select().single();
  assert.deepEqual([gone.data.content, gone.data.metadata, gone.data.version], [null, null, 3]);
  assert.ok(new Date(gone.data.deleted_at).getTime() > Date.now() - 60_000, "by the server's clock");
  await replica.pull();
  const kept = replica.messages.get(m.id);
  assert.ok(kept.deleted_at && !("content" in kept) && !("metadata" in kept));
  assert.equal(replica.conversations.get(id()).last_message_preview, undefined);
  const everywhere = await sql`select to_jsonb(m)::text || (select to_jsonb(c)::text from public.conversations c where c.id = m.conversation_id) as t from public.messages m where id = ${m.id}`;
  assert.ok(!everywhere[0].t.includes("secret"));
  // There is nothing to bring back, and no way to write into what is deleted.
  const back = await medic.from("messages").update({ deleted_at: null, content: "back" }).eq("id", m.id).select().single();
  assert.deepEqual([back.data.deleted_at, back.data.content], [gone.data.deleted_at, null]);
  const none = await medic.from("messages").update({ content: "same" }).eq("id", m.id).select().single();
  assert.equal(none.data.version, 3, "nothing changed, nothing to tell");
});

test("opening directly gives one conversation, and the feed has it", async () => {
  const fresh = await createOrg(sql, { medics: 1 });
  const her = await client(fresh.medics[0].email, fresh.medics[0].password);
  const replica = new Replica(her);
  await replica.bootstrap();
  const row = { org_id: fresh.org_id, type: "direct", medic_id: fresh.medics[0].medic_id, created_by: her.user_id };
  const { data } = await her.from("conversations").insert(row).select().single();
  assert.equal((await her.from("conversations").insert(row)).error.code, "23505");
  await replica.pull();
  assert.equal(replica.conversations.get(data.id).medic_name, "Ada Moss");
  const [opened] = (await call(her, "push", { p_mutations: [{ id: uuid7(), kind: "open_direct", conversation_id: uuid7() }] })).results;
  assert.deepEqual([opened.status, opened.conversation.id], ["duplicate", data.id]);
  const [alias] = await sql`select alias_id from fieldpost.conversation_aliases where conversation_id = ${data.id}`;
  const boss = await client(fresh.admin.email, fresh.admin.password);
  const squat = await boss.from("conversations").insert({ id: alias.alias_id, org_id: fresh.org_id, type: "broadcast", created_by: boss.user_id });
  assert.equal(squat.error.code, "23505", "an alias is taken");
});

test("a web client's read time and a read seq agree", async () => {
  const fresh = await createOrg(sql, { medics: 1, conversations: true });
  const [her, boss] = await Promise.all([fresh.medics[0], fresh.admin].map((p) => client(p.email, p.password)));
  const c = fresh.conversations[0].id;
  const m = (n) => ({ conversation_id: c, org_id: fresh.org_id, sender_id: boss.user_id, content: `m${n}` });
  await boss.from("messages").insert([m(1), m(2), m(3)]);
  const { data } = await boss.from("messages").select("seq, created_at").order("seq");
  const mark = (at) => her.from("conversation_read_status").upsert({ user_id: her.user_id, conversation_id: c, org_id: fresh.org_id, last_read_at: at }).select().single();
  assert.equal((await mark(data[1].created_at)).data.read_seq, 2);
  assert.equal((await mark(data[0].created_at)).data.read_seq, 2, "never back");
  const replica = new Replica(her);
  await replica.bootstrap();
  assert.equal(replica.conversations.get(c).unread, 1);
  await call(her, "push", { p_mutations: [{ id: uuid7(), kind: "mark_read", conversation_id: c, read_seq: 3 }] });
  const { data: status } = await her.from("conversation_read_status").select().single();
  assert.equal(status.last_read_at, data[2].created_at, "and the web client counts the same");
  const forged = await boss.from("conversation_read_status").upsert({ user_id: her.user_id, conversation_id: c, org_id: fresh.org_id, last_read_at: new Date().toISOString() });
  assert.ok(forged.error);
});

test("the columns of a client's insert that are not hers are the server's", async () => {
  const { data: inserted, error } = await medic.from("messages").insert(message(medic, id(), {
    seq: 4711, version: 99, sync_xid: "1", created_at: "2001-01-01T00:00:00Z", updated_at: "2001-01-01T00:00:00Z", status: "read",
    client_key: "forged", deleted_at: "2001-01-01T00:00:00Z", content: "  \n trimmed\u2003",
  })).select().single();
  assert.equal(error, null);
  // What the insert itself returns is from before the numbering; the row has it.
  const { data: m } = await medic.from("messages").select().eq("id", inserted.id).single();
  assert.ok(m.seq > 0 && m.seq < 100 && m.version === 1 && m.sync_xid !== "1" && m.status === "sent" && m.client_key === null && m.deleted_at === null);
  assert.ok(new Date(m.created_at).getTime() > Date.now() - 60_000);
  assert.equal(m.content, "trimmed");
  assert.equal(new Date(m.composed_at).getUTCFullYear(), 2001, "her clock is kept as a claim");
  for (const content of ["", "  ", null, "x".repeat(5001)]) {
    // Hosted: HTTP 400 with code 23514. Lite knows fewer codes and answers 500 with the same message.
    assert.match((await medic.from("messages").insert(message(medic, id(), { content }))).error?.message ?? "", /content_(empty|too_long)/);
  }
  const { data: u } = await medic.from("messages").update({
    id: randomUUID(), seq: 1, version: 50, sync_xid: "1", created_at: "2001-01-01T00:00:00Z", conversation_id: id(1), org_id: foreign.org_id,
    sender_id: admin.user_id, message_type: "system", status: "read", client_key: "x", reply_to: randomUUID(), content: "edited",
  }).eq("id", m.id).select().single();
  for (const column of ["id", "seq", "created_at", "conversation_id", "org_id", "sender_id", "message_type", "status", "client_key", "reply_to"]) {
    assert.deepEqual(u[column], m[column], column);
  }
  assert.deepEqual([u.content, u.version], ["edited", 2]);
  const { data: c } = await medic.from("conversations").update({ subject: "mine", medic_id: org.medics[1].medic_id, created_by: medic.user_id, last_seq: 0, last_message_at: null, version: 9, org_id: foreign.org_id }).eq("id", id()).select().single();
  assert.deepEqual([c.subject, c.medic_id, c.created_by, c.version, c.org_id], [null, org.medics[0].medic_id, org.admin.user_id, 1, org.org_id]);
  assert.ok(c.last_seq > 0 && c.last_message_at);
});

test("nobody reads or writes what is not hers", async () => {
  await admin.from("messages").insert([message(admin, id(1), { content: "for Ben only" }), message(admin, org.broadcast.id, { content: "for all" })]);
  const { data: hers } = await sql`select 1`.then(() => admin.from("messages").select("id").eq("conversation_id", id(1)).limit(1).single());
  const nobody = await client();
  let tried = 0;
  const denied = async (what, promise) => {
    tried++;
    const { data, error } = await promise;
    assert.ok(error || !data?.length, `${what}: ${JSON.stringify(data)?.slice(0, 200)}`);
  };
  const attackers = { medic, outside, nobody };
  for (const [name, js] of Object.entries(attackers)) {
    for (const table of ["conversations", "messages", "conversation_read_status", "message_recipients"]) {
      await denied(`${name} reads ${table}`, js.from(table).select().eq(table === "conversations" ? "id" : table === "message_recipients" ? "org_id" : "conversation_id", table === "message_recipients" ? randomUUID() : id(1)));
    }
    await denied(`${name} writes a message`, js.from("messages").insert(message(js, id(1), { sender_id: js.user_id ?? admin.user_id })).select());
    await denied(`${name} edits it`, js.from("messages").update({ content: "x" }).eq("id", hers.id).select());
    await denied(`${name} deletes it softly`, js.from("messages").update({ deleted_at: "2026-01-01T00:00:00Z" }).eq("id", hers.id).select());
    await denied(`${name} deletes it`, js.from("messages").delete().eq("id", hers.id).select());
    await denied(`${name} marks it read`, js.from("conversation_read_status").insert({ user_id: js.user_id ?? admin.user_id, conversation_id: id(1), org_id: org.org_id }).select());
    await denied(`${name} renames`, js.from("conversations").update({ subject: "x" }).eq("id", id(1)).select());
    await denied(`${name} deletes the conversation`, js.from("conversations").delete().eq("id", id(1)).select());
    for (const table of ["people", "tombstones", "access_log", "epoch", "conversation_aliases"]) {
      await denied(`${name} reads fieldpost.${table}`, js.schema("fieldpost").from(table).select());
      await denied(`${name} reads public.${table}`, js.from(table).select());
    }
    await denied(`${name} calls access_changed`, js.schema("fieldpost").rpc("access_changed", { p_user: randomUUID() }));
  }
  await denied("a forged sender", medic.from("messages").insert(message(medic, id(), { sender_id: admin.user_id })).select());
  await denied("a system message", medic.from("messages").insert(message(medic, id(), { message_type: "system" })).select());
  await denied("an admin's system message", admin.from("messages").insert(message(admin, id(), { message_type: "system" })).select());
  await denied("a medic speaks in a broadcast", medic.from("messages").insert(message(medic, org.broadcast.id)).select());
  await denied("another org's conversation under one's own org", outside.from("messages").insert({ ...message(outside, id()), org_id: foreign.org_id }).select());
  await denied("another medic's conversation is opened", medic.from("conversations").insert({ org_id: org.org_id, type: "direct", medic_id: org.medics[2].medic_id, created_by: medic.user_id }).select());
  await denied("a medic opens a broadcast", medic.from("conversations").insert({ org_id: org.org_id, type: "broadcast", created_by: medic.user_id }).select());
  await denied("a conversation in another's name", admin.from("conversations").insert({ org_id: org.org_id, type: "direct", medic_id: org.medics[2].medic_id, created_by: medic.user_id }).select());
  await denied("another org's medic", admin.from("conversations").insert({ org_id: org.org_id, type: "direct", medic_id: foreign.medics[0].medic_id, created_by: admin.user_id }).select());
  await denied("a deleted conversation's id", admin.from("messages").delete().eq("conversation_id", id()).select());
  await denied("promoting oneself", medic.from("profiles").update({ role: "org_admin" }).eq("id", medic.user_id).select());
  await denied("becoming another medic", medic.from("medics").update({ user_id: medic.user_id }).eq("id", org.medics[1].medic_id).select());
  // an admin may delete, not rewrite
  const { data: own } = await other.from("messages").insert(message(other, id(1), { content: "Ben's words" })).select().single();
  const { data: rewritten } = await admin.from("messages").update({ content: "other words" }).eq("id", own.id).select().single();
  assert.equal(rewritten.content, "Ben's words");
  for (const js of [medic, outside]) {
    const page = await call(js, "bootstrap");
    assert.ok(!JSON.stringify(page).includes("for Ben only") && !JSON.stringify(page).includes(id(1)));
    assert.ok(!page.people.some((p) => p.id === org.medics[1].user_id));
    assert.equal((await call(js, "history", { p_conversation: id(1) })).error.code, "not_found");
  }
  console.log(`    ${tried} attacks tried, 0 allowed by mistake`);
});

test("policies that a project had, wider ones, open nothing again", async () => {
  await sql.unsafe("create policy everybody_of_the_org on public.messages for all to authenticated using (true) with check (true)");
  try {
    const { data } = await medic.from("messages").select("conversation_id");
    assert.deepEqual([...new Set(data.map((m) => m.conversation_id))].sort(), [id(), org.broadcast.id].sort());
    assert.ok((await medic.from("messages").insert(message(medic, id(1)))).error);
    assert.deepEqual((await medic.from("messages").delete().eq("conversation_id", id()).select()).data, []);
  } finally {
    await sql.unsafe("drop policy everybody_of_the_org on public.messages");
  }
});
