// The first load, catching up by pages, and history.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Replica, assertGapless } from "./lib/replica.mjs";
import { call, client, owner, stack } from "./lib/stack.mjs";
import { createOrg } from "./lib/tenant.mjs";

let sql;
before(() => (sql = owner()));
after(() => sql.end());

const fill = (org, count, content = "A short message, as people write them: on my way to gate ") => sql`
  insert into public.messages (conversation_id, org_id, sender_id, content, composed_at)
  select c.id, c.org_id, ${org.admin.user_id}, ${content} || n, now()
  from public.conversations c, generate_series(1, ${count}::int) n
  where c.org_id = ${org.org_id} order by n, c.id`;

test("200 conversations of 100 messages come in at most 9 pages of at most 2,500 messages and 1 MiB", async () => {
  const org = await createOrg(sql, { medics: 200, conversations: true });
  await fill(org, 100);
  const replica = new Replica(await client(org.admin.email, org.admin.password));
  const pages = await replica.bootstrap();
  assert.ok(pages.length <= 9, `${pages.length} pages`);
  for (const page of pages) {
    assert.ok(page.messages.length <= 2500);
    assert.ok(Buffer.byteLength(JSON.stringify(page)) <= 1_048_576);
    assert.equal(page.total_conversations, 200);
    assert.equal(page.cursor, pages[0].cursor);
    assert.equal(page.me.id, org.admin.user_id);
    assert.equal(page.digest === undefined, page.next_after !== undefined);
  }
  assert.equal(replica.messages.size, 20_000);
  assert.equal(replica.people.size, 201);
  assertGapless([...replica.messages.values()]);
  const one = replica.conversations.get(org.conversations[0].id);
  assert.equal(one.last_seq, 100);
  assert.equal(one.unread, 0);
  assert.equal(one.medic_name, `${org.medics[0].first_name} ${org.medics[0].last_name}`);
});

test("small pages, of rows or of bytes, bring every row once", async () => {
  const org = await createOrg(sql, { medics: 7, admins: 2, conversations: true, broadcast: true });
  await fill(org, 9);
  for (const [p_limit, p_messages] of [[1, 9], [4, 9], [10, 3], [2500, 0], [2500, 9]]) {
    const replica = new Replica(await client(org.admin.email, org.admin.password));
    const pages = await replica.bootstrap({ p_limit, p_messages });
    const ids = pages.flatMap((p) => p.messages.map((m) => m.id));
    assert.equal(new Set(ids).size, ids.length, "no message twice");
    assert.equal(ids.length, 8 * Math.min(p_messages, p_limit, 9));
    const conversations = pages.flatMap((p) => p.conversations.map((c) => c.id));
    assert.equal(conversations.length, 8);
    assert.equal(new Set(conversations).size, 8);
    assert.equal(replica.people.size, 9);
    for (const page of pages) assert.ok(page.messages.length <= p_limit);
  }
  // Messages that fill a page by their bytes: a page ends before 1 MiB, and one conversation that exceeds it gives its newest.
  await fill(org, 40, "é".repeat(4900));
  const replica = new Replica(await client(org.admin.email, org.admin.password));
  const pages = await replica.bootstrap();
  assert.ok(pages.length > 2);
  for (const page of pages) assert.ok(Buffer.byteLength(JSON.stringify(page)) <= 1_048_576);
  assert.equal(replica.conversations.size, 8);
  assert.ok(replica.messages.size >= 8 * 49);
  await fill(org, 100, "é".repeat(4900));
  const big = await new Replica(await client(org.medics[0].email, org.medics[0].password)).bootstrap();
  const own = big.flatMap((p) => p.messages).filter((m) => m.conversation_id === org.conversations[0].id).map((m) => m.seq);
  assert.ok(own.length > 50 && own.length < 110);
  assert.equal(Math.max(...own), 149, "the newest are those that came");
  assert.equal(Math.max(...own) - Math.min(...own) + 1, own.length, "without a gap");
});

test("a conversation that gets a message between two pages is not missed", async () => {
  // More than the list that a first load begins with: some are in it, the others come after it.
  const org = await createOrg(sql, { medics: 45, conversations: true });
  await fill(org, 2);
  const js = await client(org.admin.email, org.admin.password);
  for (const pages of [1, 9, 10, 11, 15]) {
    const replica = new Replica(js);
    let page = await call(js, "bootstrap", { p_limit: 4 });
    replica.take(page);
    const { cursor } = page;
    for (let i = 1; i < pages; i++) replica.take((page = await call(js, "bootstrap", { p_limit: 4, p_after: page.next_after })));
    const late = org.conversations.filter((c) => !replica.conversations.has(c.id));
    assert.ok(late.length > 0, `${pages} pages hold everything`);
    for (const c of [late[0], late.at(-1)]) {
      await sql`insert into public.messages (conversation_id, org_id, sender_id, content) values (${c.id}, ${org.org_id}, ${org.admin.user_id}, 'late')`;
    }
    while (page.next_after) replica.take((page = await call(js, "bootstrap", { p_limit: 4, p_after: page.next_after })));
    assert.equal(replica.conversations.size, 45, `after ${pages} pages`);
    replica.cursor = cursor;
    await replica.pull();
    const [{ count }] = await sql`select count(*)::int as count from public.messages where org_id = ${org.org_id}`;
    const [{ recent }] = await sql`select sum(least(last_seq, 4))::int as recent from public.conversations where org_id = ${org.org_id}`;
    assert.ok(replica.messages.size >= recent && replica.messages.size <= count);
  }
});

test("a first load begins with what was last said, newest first, and next_after is never longer than 1 KiB", async () => {
  const org = await createOrg(sql, { medics: 120, conversations: true, broadcast: true });
  await sql`insert into public.messages (conversation_id, org_id, sender_id, content)
    select id, org_id, ${org.admin.user_id}, 'hello' from public.conversations where org_id = ${org.org_id} and type = 'direct' order by md5(id::text)`;
  for (const c of org.conversations.slice(10, 25)) {
    await sql`insert into public.messages (conversation_id, org_id, sender_id, content) values (${c.id}, ${org.org_id}, ${org.admin.user_id}, 'later')`;
  }
  await sql`delete from public.messages where conversation_id = ${org.conversations[24].id}`;
  const newest = (await sql`select id from public.conversations where org_id = ${org.org_id} order by coalesce(last_message_at, created_at) desc, id limit 20`).map((c) => c.id);
  const js = await client(org.admin.email, org.admin.password);
  const glimpse = await call(js, "bootstrap", { p_limit: 20, p_messages: 1 });
  assert.deepEqual(glimpse.conversations.map((c) => c.id), newest);
  const seen = [];
  for (let p_after = null, pages = 0; p_after !== undefined; pages++) {
    assert.ok(pages < 300);
    const page = await call(js, "bootstrap", { p_limit: 7, p_after });
    assert.ok((page.next_after ?? "").length <= 1024);
    // Whoever asks again, after a lost answer or in another process, is told the same.
    const again = await call(js, "bootstrap", { p_limit: 7, p_after });
    if (p_after) assert.deepEqual([again.conversations, again.next_after], [page.conversations, page.next_after]);
    seen.push(...page.conversations.map((c) => c.id));
    p_after = page.next_after;
  }
  assert.deepEqual(seen.slice(0, 20), newest);
  assert.deepEqual([...seen].sort(), [...org.conversations.map((c) => c.id), org.broadcast.id].sort(), "each once");
});

test("a page has at most the bytes that the caller names, and at least one row, whichever call it is", async () => {
  const org = await createOrg(sql, { medics: 12, conversations: true });
  const js = await client(org.admin.email, org.admin.password);
  const before = await call(js, "bootstrap", {});
  await fill(org, 30, "x".repeat(900));
  const bytes = (page) => Buffer.byteLength(JSON.stringify(page));
  for (const p_bytes of [60_000, 16_384, 1, 0, -5]) {
    const replica = new Replica(js);
    const pages = await replica.bootstrap({ p_bytes });
    assert.ok(pages.length > (p_bytes > 20_000 ? 5 : 11), `${pages.length} pages of ${p_bytes}`);
    // The envelope and the people that a page names are not counted.
    for (const page of pages) assert.ok(bytes(page) <= p_bytes + 8192, `${bytes(page)} of ${p_bytes}`);
    assert.equal(replica.conversations.size, 12);
    // One that came without any has a gap, which history fills.
    const came = (c) => [...replica.messages.values()].some((m) => m.conversation_id === c.id);
    assert.ok(p_bytes < 16_384 || org.conversations.every(came));
  }
  const seen = new Set();
  let cursor = before.cursor;
  for (let more = true, pages = 0; more; pages++) {
    const page = await call(js, "pull", { p_cursor: cursor, p_bytes: 16_384 });
    assert.ok(bytes(page) <= 16_384 + 16_384 && pages < 60, `${bytes(page)}`);
    for (const m of page.messages) seen.add(m.id);
    ({ cursor, more } = page);
  }
  assert.equal(seen.size, 360);
  const older = await call(js, "history", { p_conversation: org.conversations[0].id, p_bytes: 5_000 });
  assert.ok(older.messages.length >= 1 && older.messages.length <= 5 && !older.complete, `${older.messages.length}`);
  const whole = await call(js, "history", { p_conversation: org.conversations[0].id });
  assert.equal(whole.messages.length, 30, "what one call asks for does not stay for the next on its connection");
});

test("whatever happens to conversations while a first load runs, it and one pull bring all there are, and none twice", async () => {
  const org = await createOrg(sql, { medics: 60, conversations: true, broadcast: true });
  const js = await client(org.admin.email, org.admin.password);
  await fill(org, 1);
  const at = (list) => list[Math.floor(Math.random() * list.length)];
  for (let round = 0; round < 6; round++) {
    const replica = new Replica(js);
    const sent = [];
    let page = await call(js, "bootstrap", { p_limit: 1 + round * 2, p_messages: 1 });
    const { cursor } = page;
    for (;;) {
      replica.take(page);
      sent.push(...page.conversations.map((c) => c.id));
      if (!page.next_after) break;
      const existing = (await sql`select id from public.conversations where org_id = ${org.org_id} and type = 'direct'`).map((c) => c.id);
      switch (Math.floor(Math.random() * 5)) {
        case 0: await sql`insert into public.messages (conversation_id, org_id, sender_id, content) select id, org_id, ${org.admin.user_id}, 'now' from public.conversations where id = any(${[at(existing), at(existing)]}::uuid[])`; break;
        case 1: if (existing.length > 40) await sql`delete from public.conversations where id = ${at(existing)}`; break;
        case 2: await sql`insert into public.conversations (org_id, medic_id) select org_id, id from public.medics m where org_id = ${org.org_id}
          and not exists (select from public.conversations c where c.medic_id = m.id) order by random() limit 1`; break;
        case 3: await sql`update public.conversations set subject = 'renamed ' || random() where id = ${at(existing)}`; break;
        case 4: await sql`update public.conversations set medic_id = (select m.id from public.medics m where m.org_id = ${org.org_id}
          and not exists (select from public.conversations c where c.medic_id = m.id) order by random() limit 1) where id = ${at(existing)}`; break;
      }
      page = await call(js, "bootstrap", { p_limit: 1 + round * 2, p_messages: 1, p_after: page.next_after });
    }
    assert.equal(new Set(sent).size, sent.length, "none twice");
    replica.cursor = cursor;
    const pages = await replica.pull();
    replica.check(pages.at(-1).digest);
    const recent = await sql`select distinct on (conversation_id) m.id from public.messages m where org_id = ${org.org_id} order by conversation_id, seq desc`;
    for (const { id } of recent) assert.ok(replica.messages.has(id), "the last message of each");
  }
});

test("a medic's first load goes by the same list and order", async () => {
  const org = await createOrg(sql, { medics: 2, conversations: true, broadcast: true });
  await fill(org, 3);
  const js = await client(org.medics[0].email, org.medics[0].password);
  const replica = new Replica(js);
  const pages = await replica.bootstrap({ p_limit: 1 });
  assert.deepEqual(pages.flatMap((p) => p.conversations.map((c) => c.id)).sort(), [org.conversations[0].id, org.broadcast.id].sort());
});

test("a cursor is never longer than is allowed, however many transactions run and however far apart they are", async () => {
  for (const [count, step] of [[10, 7], [96, 1], [500, 1], [500, 999_983], [3000, 12_345_678]]) {
    const xmin = 123_456_789_012;
    const running = Array.from({ length: count }, (_, i) => xmin + i * step);
    const [{ text, back }] = await sql`select t.text, fieldpost.snapshot_of(t.text)::text as back
      from (select fieldpost.snapshot_text(${`${xmin}:${running.at(-1) + 1}:${running.join(",")}`}::text::pg_snapshot) as text) t`;
    // Twice that and the rest of a position is what a pull carries; once and twenty ids, a first load.
    assert.ok(text.length <= 430 && 2 * text.length + 150 <= 1024, `${text.length} characters`);
    const [, xmax, list] = back.split(":");
    const kept = list.split(",").map(Number);
    assert.deepEqual(kept, running.slice(0, kept.length), "the first of them");
    assert.equal(Number(xmax), running[kept.length] ?? running.at(-1) + 1, "and what begins after them is of the next pass");
  }
});

test("catching up by pages of one row or many brings every kind of row once, in the order of a pass", async () => {
  const org = await createOrg(sql, { medics: 3, conversations: true, broadcast: true });
  await fill(org, 5);
  const js = await client(org.admin.email, org.admin.password);
  const start = (await call(js, "bootstrap")).cursor;
  await fill(org, 6);
  await sql`update public.conversations set subject = 'renamed' where id = ${org.broadcast.id}`;
  await sql`update public.medics set last_name = 'Married' where id = ${org.medics[1].medic_id}`;
  await sql`delete from public.messages where conversation_id = ${org.conversations[0].id} and seq = 2`;
  await sql`insert into public.conversation_read_status (user_id, conversation_id, org_id, last_read_at)
    values (${org.medics[0].user_id}, ${org.conversations[0].id}, ${org.org_id}, now())`;
  for (const p_limit of [1, 2, 5, 1000]) {
    const replica = new Replica(js);
    replica.cursor = start;
    const pages = await replica.pull({ p_limit });
    const rows = (kind) => pages.flatMap((p) => p[kind]);
    assert.equal(rows("messages").length, 24, `messages with pages of ${p_limit}`);
    assert.equal(new Set(rows("messages").map((m) => m.id)).size, 24);
    assert.equal(rows("tombstones").length, 1);
    assert.equal(rows("tombstones")[0].seq, 2);
    assert.equal(rows("read_markers").length, 1);
    assert.equal(replica.conversations.get(org.broadcast.id).subject, "renamed");
    assert.ok(rows("people").some((p) => p.last_name === "Married" && p.version === 2));
    for (const page of pages.slice(0, -1)) assert.ok(page.digest === undefined && page.more);
    assert.ok(pages.at(-1).digest);
    const again = await replica.pull({ p_limit });
    assert.equal(again.length, 1);
    assert.equal(again[0].messages.length + again[0].conversations.length + again[0].tombstones.length, 0);
  }
});

test("a row that changes in the middle of a pass comes once in it, and again in the next", async () => {
  const org = await createOrg(sql, { medics: 1, conversations: true });
  await fill(org, 1);
  const js = await client(org.admin.email, org.admin.password);
  const replica = new Replica(js);
  await replica.bootstrap();
  await fill(org, 6);
  const first = await call(js, "pull", { p_cursor: replica.cursor, p_limit: 2 });
  replica.take(first);
  replica.cursor = first.cursor;
  const [changed] = await sql`update public.messages set content = 'edited' where conversation_id = ${org.conversations[0].id} and seq = 7 returning id`;
  const [early] = await sql`update public.messages set content = 'edited' where conversation_id = ${org.conversations[0].id} and seq = 2 returning id`;
  await fill(org, 1);
  const rest = await replica.pull({ p_limit: 2 });
  const inPass = rest.flatMap((p) => p.messages.map((m) => m.id));
  assert.ok(!inPass.includes(changed.id), "its new state belongs to the next pass");
  const next = (await replica.pull()).flatMap((p) => p.messages.map((m) => m.id));
  assert.ok(next.includes(changed.id) && next.includes(early.id));
  assert.equal(replica.messages.size, 8);
  assert.equal(replica.messages.get(changed.id).content, "edited");
});

test("history covers its range whole, with tombstones for what is gone", async () => {
  const org = await createOrg(sql, { medics: 2, conversations: true });
  await fill(org, 30);
  const [{ id }] = org.conversations;
  await sql`delete from public.messages where conversation_id = ${id} and seq between 11 and 14`;
  const js = await client(org.medics[0].email, org.medics[0].password);
  const seen = [];
  let before = null;
  for (let i = 0; i < 10; i++) {
    const page = await call(js, "history", { p_conversation: id, p_before_seq: before, p_limit: 8 });
    const seqs = page.messages.map((m) => m.seq);
    assert.deepEqual(seqs, [...seqs].sort((a, b) => a - b), "listed ascending");
    assert.equal(page.to_seq, before ? before - 1 : 30);
    const all = [...seqs, ...page.tombstones.map((t) => t.seq)].sort((a, b) => a - b);
    assert.deepEqual(all, Array.from({ length: page.to_seq - page.from_seq + 1 }, (_, n) => page.from_seq + n));
    assert.equal(page.complete, page.from_seq === 1);
    assert.equal(page.conversation.id, id);
    assert.ok(page.people.some((p) => p.id === org.admin.user_id));
    seen.push(...seqs);
    if (page.complete) break;
    before = page.from_seq;
  }
  assert.equal(seen.length, 26);

  const empty = await call(js, "history", { p_conversation: org.conversations[1].id });
  assert.equal(empty.error.code, "not_found", "another medic's conversation");
  const fresh = await createOrg(sql, { medics: 1, conversations: true });
  const none = await call(await client(fresh.admin.email, fresh.admin.password), "history", { p_conversation: fresh.conversations[0].id });
  assert.deepEqual([none.from_seq, none.to_seq, none.complete, none.messages.length], [1, 0, true, 0]);
});

test("what is wrong with a call is said with a code, and a caller who is not signed in is refused", async () => {
  const org = await createOrg(sql, { medics: 1, conversations: true });
  const js = await client(org.admin.email, org.admin.password);
  const refusal = async (name, args) => (await call(js, name, args)).error;
  assert.equal((await refusal("pull", { p_protocol: 0 })).code, "client_too_old");
  assert.equal((await refusal("pull", { p_protocol: null })).code, "bad_request");
  assert.deepEqual(await refusal("pull", { p_cursor: "nonsense" }), { code: "cursor_expired", detail: "invalid" });
  assert.deepEqual(await refusal("pull", {}), { code: "cursor_expired", detail: "invalid" });
  const { cursor } = await call(js, "bootstrap");
  for (const bad of [cursor.replace(/\d+:\d+:/, "99999999999999999999:0:"), cursor.replace(/\d+:\d+:/, "5:2:9,3"), `${cursor}.x`, `${cursor}'`]) {
    assert.equal((await refusal("pull", { p_cursor: bad })).code, "cursor_expired", bad);
  }
  const [head, snapshot] = [cursor.split(".").slice(0, 3).join("."), cursor.split(".")[3]];
  const running = (n) => `${head}.${snapshot.split(":")[0]}:9999:${Array.from({ length: n }, (_, i) => i + 1).join(",")}`;
  const refusalOf = (p_cursor) => call(js, "pull", { p_cursor }).then((a) => a.error?.detail);
  assert.notEqual(await refusalOf(running(96)), "invalid", "as many as a cursor may name");
  assert.equal(await refusalOf(running(97)), "invalid");
  assert.equal(await refusalOf(`${running(90)}.${running(97).split(".")[3]}.1.0.${org.org_id}.${org.org_id}`), "invalid", "in its second half too");
  for (const long of [`${head}.${snapshot.split(":")[0]}:9999:${"0".repeat(1100)}1`, running(60_000)]) {
    assert.equal(await refusalOf(long), "invalid");
    assert.equal((await refusal("bootstrap", { p_after: long.replace("c1", "b2") + "..p." })).detail, "invalid");
  }
  const foreign = cursor.replace(/^c1\.[0-9a-f]{16}/, "c1.0000000000000000");
  assert.deepEqual(await refusal("pull", { p_cursor: foreign }), { code: "cursor_expired", detail: "epoch" });
  assert.deepEqual(await refusal("pull", { p_cursor: cursor, p_limit: 0 }), { code: "bad_request", detail: "p_limit" });
  assert.deepEqual(await refusal("bootstrap", { p_after: "b1.zzz" }), { code: "cursor_expired", detail: "invalid" });
  assert.deepEqual(await refusal("bootstrap", { p_messages: -1 }), { code: "bad_request", detail: "p_messages" });
  assert.deepEqual(await refusal("history", {}), { code: "bad_request", detail: "p_conversation" });
  const envelope = await call(js, "pull", { p_cursor: cursor, p_capabilities: ["a,b", 'q"z', "{}"] });
  assert.deepEqual([envelope.protocol, envelope.min_protocol, envelope.capabilities], [1, 1, ["set_digest", "ranges", "edit_message", "delete_message", "reactions", "reports", "mark_delivered", "mentions_count", "conversation_settings", "page_bytes", "records", "quiet_push", "search_server"]]);
  assert.deepEqual(envelope.limits, { push_rows: 500, push_bytes: 1048576, page_rows: 2500, page_bytes: 1048576, content_chars: 5000, metadata_bytes: 16384, metadata_depth: 64, subject_chars: 500 });
  assert.match(envelope.server_time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);

  const anonymous = await client();
  for (const name of ["bootstrap", "pull", "push", "history", "search"]) {
    await assert.rejects(call(anonymous, name), (error) => error.status === 401, name);
  }
  // A token without a person in it: hosted projects have them (the service key), and they are nobody here.
  await assert.rejects(
    sql.begin(async (tx) => {
      await tx`set local role authenticated`;
      await tx`select public.fieldpost_pull(1, 'x', '{}', 'c')`;
    }),
    (error) => error.code === "PT401" && error.message === "not signed in",
  );
  assert.ok(stack().url.startsWith("http://127.0.0.1"));
});
