// Deletes, and gaining and losing sight: the right people are told, and nobody else learns anything.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { Replica } from "./lib/replica.mjs";
import { call, client, owner } from "./lib/stack.mjs";
import { createOrg } from "./lib/tenant.mjs";

let sql;
before(() => (sql = owner()));
after(() => sql.end());

async function setting(spec = {}) {
  const org = await createOrg(sql, { medics: 3, admins: 2, conversations: true, broadcast: true, ...spec });
  await sql`
    insert into public.messages (conversation_id, org_id, sender_id, content)
    select c.id, c.org_id, ${org.admin.user_id}, 'Message ' || n || ' in ' || c.id from public.conversations c, generate_series(1, 4) n
    where c.org_id = ${org.org_id} order by c.id, n`;
  const people = { admin: org.admin, second: org.admins[1], ada: org.medics[0], ben: org.medics[1] };
  const replicas = {};
  for (const [name, p] of Object.entries(people)) {
    replicas[name] = new Replica(await client(p.email, p.password));
    await replicas[name].bootstrap();
  }
  return { org, ...replicas };
}

const all = (pages, kind) => pages.flatMap((p) => p[kind]);

test("a hard delete is a tombstone with its seq, for those who could see the message and for nobody else", async () => {
  const { org, admin, ada, ben } = await setting();
  const [gone] = await sql`delete from public.messages where conversation_id = ${org.conversations[0].id} and seq = 4 returning id, version`;
  for (const replica of [admin, ada]) {
    const [t, ...rest] = all(await replica.pull(), "tombstones");
    assert.deepEqual(t, { entity: "message", id: gone.id, conversation_id: org.conversations[0].id, seq: 4, version: Number(gone.version) + 1 });
    assert.equal(rest.length, 0);
  }
  assert.equal(all(await ben.pull(), "tombstones").length, 0);
  const again = await sql`insert into public.messages (id, conversation_id, org_id, sender_id, content)
    values (${gone.id}, ${org.conversations[0].id}, ${org.org_id}, ${org.admin.user_id}, 'back') returning id`.catch((e) => e);
  assert.equal(again.code, "23505", "a deleted id stays deleted");
  await sql`insert into public.messages (conversation_id, org_id, sender_id, content) values (${org.conversations[0].id}, ${org.org_id}, ${org.admin.user_id}, 'next')`;
  await ada.pull();
  assert.equal([...ada.messages.values()].find((m) => m.content === "next").seq, 5, "its number is not given again");
  const [c] = await sql`select last_message_preview from public.conversations where id = ${org.conversations[0].id}`;
  assert.equal(c.last_message_preview, "next");
});

test("the delete of a conversation is one tombstone, however many messages it had", async () => {
  const { org, admin, ada, ben } = await setting();
  const [{ id }] = org.conversations;
  await sql`insert into public.messages (conversation_id, org_id, sender_id, content)
    select ${id}, ${org.org_id}, ${org.admin.user_id}, 'many ' || n from generate_series(1, 5000) n`;
  await sql`delete from public.conversations where id = ${id}`;
  for (const replica of [admin, ada]) {
    const pages = await replica.pull();
    assert.equal(pages.length, 1);
    assert.deepEqual(pages[0].tombstones.map((t) => [t.entity, t.id]), [["conversation", id]]);
    assert.equal(pages[0].messages.length, 0);
    assert.ok(!replica.conversations.has(id));
    replica.check(pages[0].digest);
  }
  assert.equal(all(await ben.pull(), "tombstones").length, 0);
});

test("a conversation that is handed to another medic is revoked from one and granted to the other, with its messages", async () => {
  const { org, ada, ben, admin } = await setting({ medics: 3 });
  await sql`delete from public.conversations where id = ${org.conversations[1].id}`;
  await sql`insert into public.conversation_read_status (user_id, conversation_id, org_id) values (${org.admin.user_id}, ${org.conversations[0].id}, ${org.org_id})`;
  await Promise.all([ada.pull(), ben.pull()]);
  await sql`update public.conversations set medic_id = ${org.medics[1].medic_id} where id = ${org.conversations[0].id}`;
  const lost = await ada.pull();
  assert.deepEqual(all(lost, "access").map((a) => [a.conversation_id, a.access]), [[org.conversations[0].id, "revoke"]]);
  ada.check(lost.at(-1).digest);
  assert.ok(![...ada.messages.values()].some((m) => m.conversation_id === org.conversations[0].id));
  const won = await ben.pull();
  assert.deepEqual(all(won, "access").map((a) => [a.conversation_id, a.access]), [[org.conversations[0].id, "grant"]]);
  ben.check(won.at(-1).digest);
  assert.deepEqual(all(won, "read_markers").map((r) => [r.person_id, r.read_seq]), [[org.admin.user_id, 4]], "the markers in it come along");
  const recent = await call(ben.js, "history", { p_conversation: org.conversations[0].id });
  assert.equal(recent.messages.length, 4);
  assert.equal((await call(ada.js, "history", { p_conversation: org.conversations[0].id })).error.code, "not_found");
  assert.equal((await admin.pull()).flatMap((p) => p.conversations).find((c) => c.id === org.conversations[0].id).medic_name, "Ben Moss");
  // and back: the grant is newer than the revocation
  await sql`update public.conversations set medic_id = ${org.medics[0].medic_id} where id = ${org.conversations[0].id}`;
  const [a] = all(await ada.pull(), "access");
  assert.deepEqual([a.access, a.version], ["grant", 2]);
});

test("a member who is removed loses everything with her next pull, and others keep her name", async () => {
  const { org, admin, ada } = await setting();
  await sql`delete from public.profiles where id = ${org.medics[0].user_id}`;
  const pages = await ada.pull();
  assert.deepEqual(all(pages, "access").map((a) => a.access), ["revoke", "revoke"]);
  assert.equal(all(pages, "messages").length + all(pages, "conversations").length + all(pages, "people").filter((p) => p.id !== org.medics[0].user_id).length, 0);
  assert.equal(ada.conversations.size, 0);
  ada.check(pages.at(-1).digest);
  await admin.pull();
  const person = admin.people.get(org.medics[0].user_id);
  assert.deepEqual([person.removed, person.first_name, person.version], [true, "Ada", 2]);
  // She comes back: her device starts again.
  await sql`insert into public.profiles (id, org_id, role) values (${org.medics[0].user_id}, ${org.org_id}, 'medic')`;
  await assert.rejects(ada.pull(), (e) => e.code === "cursor_expired" && e.detail === "access");
  await ada.bootstrap();
  assert.equal(ada.conversations.size, 2);
});

test("a change of role or organization expires the cursor, in the middle of a first load too", async () => {
  const { org, ada, second } = await setting();
  const started = await call(ada.js, "bootstrap", { p_limit: 1 });
  await sql`update public.profiles set role = 'org_admin' where id = ${org.medics[0].user_id}`;
  await assert.rejects(ada.pull(), (e) => e.code === "cursor_expired" && e.detail === "access");
  assert.deepEqual((await call(ada.js, "bootstrap", { p_after: started.next_after })).error, { code: "cursor_expired", detail: "access" });
  await ada.bootstrap();
  assert.equal(ada.conversations.size, 4);
  await sql`update public.profiles set role = 'medic' where id = ${org.admins[1].user_id}`;
  await assert.rejects(second.pull(), (e) => e.detail === "access");
  await second.bootstrap();
  assert.equal(second.conversations.size, 1, "the broadcast");
  const other = await createOrg(sql, { medics: 1 });
  await sql`update public.profiles set org_id = ${other.org_id} where id = ${org.admins[1].user_id}`;
  await assert.rejects(second.pull(), (e) => e.detail === "access");
  await second.bootstrap();
  assert.equal(second.conversations.size, 0);
});

test("a medic who loses or gains her account's tie to a conversation is told", async () => {
  const { org, ada, ben } = await setting();
  await sql`update public.medics set user_id = null where id = ${org.medics[0].medic_id}`;
  assert.deepEqual(all(await ada.pull(), "access").map((a) => [a.conversation_id, a.access]), [[org.conversations[0].id, "revoke"]]);
  assert.equal(ada.conversations.size, 1);
  await sql`update public.medics set user_id = ${org.medics[0].user_id} where id = ${org.medics[0].medic_id}`;
  assert.deepEqual(all(await ada.pull(), "access").map((a) => a.access), ["grant"]);
  await sql`delete from public.medics where id = ${org.medics[1].medic_id}`;
  const pages = await ben.pull();
  assert.deepEqual(all(pages, "access").map((a) => [a.conversation_id, a.access]), [[org.conversations[1].id, "revoke"]]);
  ben.check(pages.at(-1).digest);
});

test("who sees whose reading: herself and her direct partners; an admin everybody of the organization", async () => {
  const { org, admin, ada, ben } = await setting();
  const read = (person, conversation) => sql`insert into public.conversation_read_status (user_id, conversation_id, org_id)
    values (${person.user_id}, ${conversation.id}, ${org.org_id})`;
  await read(org.admin, org.conversations[0]);
  await read(org.medics[0], org.conversations[0]);
  await read(org.medics[0], org.broadcast);
  await read(org.medics[1], org.broadcast);
  await read(org.medics[1], org.conversations[1]);
  const who = (replica) => [...replica.markers.values()].map((m) => m.person_id).sort();
  const expected = [
    [ada, [org.admin.user_id, org.medics[0].user_id, org.medics[0].user_id].sort()],
    [ben, [org.medics[1].user_id, org.medics[1].user_id]],
    [admin, [org.admin.user_id, ...Array(2).fill(org.medics[0].user_id), ...Array(2).fill(org.medics[1].user_id)].sort()],
  ];
  for (const [replica, list] of expected) {
    await replica.pull({ p_limit: 1 });
    assert.deepEqual(who(replica), list);
    const fresh = new Replica(replica.js);
    await fresh.bootstrap({ p_limit: 3 });
    assert.deepEqual(who(fresh), list, "and in a first load");
  }
});

test("compacted tombstones expire the cursors that may have missed them, and no others", async () => {
  const { org, ada } = await setting();
  const old = ada.cursor;
  await sql`delete from public.messages where conversation_id = ${org.conversations[0].id} and seq = 1`;
  await sql`insert into public.messages (conversation_id, org_id, sender_id, content) values (${org.conversations[0].id}, ${org.org_id}, ${org.admin.user_id}, 'after')`;
  await ada.pull();
  await sql`update fieldpost.tombstones set deleted_at = now() - interval '100 years' where conversation_id = ${org.conversations[0].id}`;
  // A tombstone that a running transaction of anybody may not see yet is kept for the next time.
  let compacted = 0;
  for (let i = 0; i < 100 && !compacted; i++) {
    compacted = Number((await sql`select fieldpost.compact_tombstones('99 years') as n`)[0].n);
    if (!compacted) await sleep(50);
  }
  assert.equal(compacted, 1);
  assert.deepEqual((await call(ada.js, "pull", { p_cursor: old })).error, { code: "cursor_expired", detail: "compacted" });
  await ada.pull();
  const page = await call(ada.js, "history", { p_conversation: org.conversations[0].id });
  assert.deepEqual([page.from_seq, page.to_seq, page.messages.length, page.tombstones.length], [1, 5, 4, 0]);
});

test("a medic who is renamed has the new name on every device, with and without an account", async () => {
  const org = await createOrg(sql, { medics: 2, conversations: true });
  await sql`update public.medics set user_id = null where id = ${org.medics[1].medic_id}`;
  const admin = new Replica(await client(org.admin.email, org.admin.password));
  await admin.bootstrap();
  await sql`update public.medics set last_name = 'Married' where org_id = ${org.org_id}`;
  await admin.pull();
  for (const c of org.conversations) assert.match(admin.conversations.get(c.id).medic_name, / Married$/);
  const pages = await admin.pull();
  assert.equal(pages[0].conversations.length, 0, "told once");
  await sql`update public.medics set last_name = last_name where org_id = ${org.org_id}`;
  assert.equal((await admin.pull())[0].conversations.length, 0, "and not when nothing changed");
});
