// A search over the server's history: who finds what, by which words, what is never found, and what it costs.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

import { claim } from "./lib/claim.mjs";
import { costs, id } from "./lib/costs.mjs";
import { members } from "./lib/members.mjs";

let c, db, org, other, ada, ben;
before(async () => {
  c = await costs();
  db = c.db;
  org = await members(db.sql, { medics: 2 });
  other = await members(db.sql, { medics: 1 });
  [ada, ben] = org.medics;
  await db.sql`select fieldpost.enable_search()`;
});
after(() => c.drop());

const word = (...words) => ({ words, open: false });
const typed = (...words) => ({ words, open: true });
const search = (who, p_terms, more = {}) => db.call(who, "search", { p_terms, ...more });
const texts = async (who, terms, more) => (await search(who, terms, more)).messages.map((m) => m.content);
const push = async (who, ...p_mutations) => (await db.call(who, "push", { p_mutations })).results;

async function say(who, conversation_id, ...contents) {
  const batch = contents.map((content) => ({ id: randomUUID(), kind: "send_message", conversation_id, message_id: randomUUID(), content }));
  assert.ok((await push(who, ...batch)).every((r) => r.status === "applied"));
  return batch.map((m) => m.message_id);
}

test("it is off until the operator switches it on, and no role that writes is kept from it", async () => {
  const named = async () => (await db.call(ada, "bootstrap")).capabilities.includes("search_server");
  await db.sql`select fieldpost.disable_search()`;
  assert.equal(await named(), false);
  assert.deepEqual((await search(ada, [word("gate")])).error, { code: "bad_request", detail: "search_server" });
  const [{ index }] = await db.sql`select fieldpost.search_index('concurrently') as index`;
  await db.sql.unsafe(index);
  assert.equal(await named(), true);
  assert.equal((await db.sql`select fieldpost.enable_search() as said`)[0].said, "search is on");
  // A back end of the project, with a role of its own, which may use nothing of Fieldpost's.
  const role = `backend_${randomUUID().slice(0, 8)}`;
  await c.boss.unsafe(`create role ${role} bypassrls; grant ${role} to postgres; grant usage on schema public to ${role}; grant insert, select on public.messages to ${role}`);
  for (const writer of ["service_role", role]) {
    await c.boss.begin(async (tx) => {
      await tx.unsafe(`set local role ${writer}`);
      await tx`insert into public.messages (conversation_id, org_id, sender_id, content) values (${org.conversations[1]}, ${org.org}, ${org.admin}, ${"written by " + writer})`;
    });
  }
  await db.sql.begin(async (tx) => {
    await tx`select set_config('request.jwt.claim.sub', ${ben}, true)`;
    await tx`set local role authenticated`;
    await tx`insert into public.messages (conversation_id, org_id, sender_id, content) values (${org.conversations[1]}, ${org.org}, ${ben}, 'written by a client')`;
  });
  assert.deepEqual(await texts(ben, [word("written", "by")]), ["written by a client", `written by ${role}`, "written by service_role"]);
  await c.boss.unsafe(`drop owned by ${role}; drop role ${role}`);
});

test("texts are found as a person types them, in any case and Unicode form", async () => {
  const message = "Stop at Gate-3: the crane’s hook, NEAR the “red door”. Straße STRAẞE İstanbul Zoë Ὀδυσσεύς Łódź ｆｉｌｌ 会議室 हिन्दी 캘린더 👍🏽 👨‍👩‍👧 กำลัง ½";
  await say(ada, org.conversations[0], message);
  // As the device sends them: folded, and cut (crates/domain/src/search).
  const found = [[typed("g")], [typed("gate")], [word("gate"), typed("3")], [word("3"), typed("gate")], [word("hook"), typed("cra")], [word("the", "crane")], [typed("the", "cra")], [word("gate", "3")],
    [typed("crane", "s")], [word("near")], [word("strasse")], [word("istanbul")], [word("zoe")], [word("οδυσσευσ")], [word("lodz")], [typed("fill")], [word("議", "室")], [word("हिन्दी")], [typed("캘린")], [typed("👍")], [word("👨👩👧")], [typed("กํา")], [word("1"), word("2")]];
  const nothing = [[word("gat")], [word("crane", "the")], [word("3", "gate")], [word("会", "室")], [word("gate"), word("or")], [word("gate"), word("missing")], []];
  for (const terms of found) assert.deepEqual(await texts(ada, terms), [message], JSON.stringify(terms));
  for (const terms of nothing) assert.deepEqual(await texts(ada, terms), [], JSON.stringify(terms));
  // What is typed is words, whatever it says.
  for (const text of ["gate'", "gate' | 'x", "'", "\\", "gate:*", "!gate", "gate & crane", "gate <-> crane", "@o", "(gate", "gate\\'", "'); drop table public.messages; --", "%", "*"]) {
    const answer = await search(ada, [word(text)]);
    const cut = text.toLowerCase().match(/[a-z0-9]+/g);
    assert.deepEqual(answer.error, cut ? undefined : { code: "bad_request", detail: "p_terms" }, text);
    if (cut) assert.equal(answer.messages.length, ["gate"].includes(cut.join(" ")) ? 1 : 0, text);
  }
});

test("an edit is found by its new text only, and what was deleted is not found", async () => {
  const [first, second, third] = await say(ada, org.conversations[0], "marmalade one", "marmalade two", "marmalade three");
  await push(ada, { id: randomUUID(), kind: "edit_message", conversation_id: org.conversations[0], message_id: first, content: "quince" });
  await push(ada, { id: randomUUID(), kind: "delete_message", conversation_id: org.conversations[0], message_id: second });
  await db.sql`delete from public.messages where id = ${third}`;
  await say(org.admin, org.conversations[0], "no marmalade");
  assert.deepEqual(await texts(ada, [word("marmalade")]), ["no marmalade"]);
  assert.deepEqual(await texts(ada, [word("quince")]), ["quince"]);
  // A row above the limit travels without its text.
  await c.fill(`update public.messages set content = 'more marmalade', omitted = '{"reason":"metadata_too_large","bytes":70000}' where id = '${first}'`);
  assert.deepEqual(await texts(ada, [word("marmalade")]), ["no marmalade"]);
});

test("everybody finds what a pull would bring, and nothing else", async () => {
  await say(ada, org.conversations[0], "pelican of Ada");
  await say(ben, org.conversations[1], "pelican of Ben");
  await say(org.admin, org.broadcast, "pelican for all");
  await say(other.medics[0], other.conversations[0], "pelican elsewhere");
  const pelican = [word("pelican")];
  assert.deepEqual(await texts(ada, pelican), ["pelican for all", "pelican of Ada"]);
  assert.deepEqual(await texts(ben, pelican), ["pelican for all", "pelican of Ben"]);
  assert.deepEqual(await texts(org.admin, pelican), ["pelican for all", "pelican of Ben", "pelican of Ada"]);
  assert.deepEqual(await texts(other.admin, pelican), ["pelican elsewhere"]);
  assert.deepEqual(await texts(randomUUID(), pelican), [], "somebody without a membership");
  for (const p_conversation of [org.conversations[1], other.conversations[0], randomUUID()]) assert.deepEqual(await texts(ada, pelican, { p_conversation }), []);
  const page = await search(ada, pelican);
  assert.deepEqual(page.people.map((p) => p.id).sort(), [ada, org.admin].sort(), "with those who wrote");
  await db.sql`delete from public.profiles where id = ${ben}`;
  await db.sql`delete from public.medics where user_id = ${ben}`;
  assert.deepEqual(await texts(ben, pelican), [], "who was removed");
  await db.sql`insert into public.profiles (id, org_id, role) values (${ben}, ${org.org}, 'medic')`;
});

test("filters, pages and months: nothing twice, nothing missing, newest first", async () => {
  await c.fill(`
    insert into public.messages (id, conversation_id, org_id, sender_id, content, message_type, created_at, seq, version, status)
    select ${id(8, "n")}, '${other.conversations[0]}', '${other.org}', case when n % 2 = 0 then '${other.admin}'::uuid else '${other.medics[0]}'::uuid end, 'needle ' || n,
           case when n % 10 = 0 then 'system' else 'text' end,
           -- Many share a time; some are of a clock that ran ahead, or of no time at all.
           case when n <= 3 then '0001-02-03' when n > 298 then '2140-01-01' when n > 296 then now() + interval '5 years' else timestamptz '2001-03-01' + (n / 7) * interval '19 days' end,
           1000 + n, 1, 'sent'
    from generate_series(1, 300) n`);
  const all = await db.sql`select content from public.messages where content like 'needle %' order by created_at desc, id desc`;
  const found = [];
  let [p_after, pages] = [undefined, 0];
  do {
    const page = await search(other.admin, [typed("need")], { p_limit: 17, ...(p_after && { p_after }) });
    found.push(...page.messages.map((m) => m.content));
    p_after = page.next_after;
    pages++;
  } while (p_after && pages < 50);
  assert.deepEqual(found, all.map((m) => m.content));
  assert.ok(pages >= 18);
  assert.equal((await search(other.admin, [word("needle")], { p_limit: 2000 })).messages.length, 50, "at most so many");
  const small = await search(other.admin, [word("needle")], { p_bytes: 1000 });
  assert.ok(small.messages.length > 0 && small.messages.length < 5 && small.next_after);
  const count = async (more) => (await search(other.admin, [word("needle")], more)).messages.length;
  assert.equal(await count({ p_kind: "system" }), 30);
  assert.equal(await count({ p_kind: "none" }), 0);
  assert.equal(await count({ p_since: "2001-03-01T00:00:00Z", p_until: "2001-05-01T00:00:00Z" }), (await db.sql`select from public.messages where content like 'needle %' and created_at >= '2001-03-01T00:00:00Z' and created_at < '2001-05-01T00:00:00Z'`).length);
  const hers = await search(other.admin, [word("needle")], { p_sender: other.medics[0], p_conversation: other.conversations[0] });
  assert.ok(hers.messages.length === 50 && hers.messages.every((m) => m.sender_id === other.medics[0]));
});

test("bad input is refused by the name of its argument", async () => {
  const refused = async (more, p_terms = [word("gate")]) => (await search(ada, p_terms, more)).error;
  const bad = (detail) => ({ code: "bad_request", detail });
  for (const terms of [[1], ["gate"], [{}], [{ words: "gate" }], [{ words: [1] }], [{ words: [] }], [{ words: ["gate"], open: 1 }], [word(...Array(10_000).fill("a"))], Array(10_000).fill(word("a")), [word("x".repeat(70_000))]]) {
    assert.deepEqual(await refused({}, terms), bad("p_terms"), JSON.stringify(terms).slice(0, 60));
  }
  for (const p_limit of [0, -1]) assert.deepEqual(await refused({ p_limit }), bad("p_limit"));
  for (const p_after of ["", "s1", "s1/now/7", `s1/yesterday's/${ada}`, `s2/2026-01-01/${ada}`, "x".repeat(5000)]) assert.deepEqual(await refused({ p_after }), bad("p_after"), p_after.slice(0, 40));
  assert.equal(await refused({}, [word("x".repeat(5000)), word(..."abcdefghij".repeat(40))]), undefined, "all that a person can type");
  // Words that no index has room for are cut there, and compared all the same.
  const long = "ä".repeat(2500);
  await say(ada, org.conversations[0], long, "日".repeat(5000), "\u{fdfa}".repeat(5000));
  assert.deepEqual(await texts(ada, [word("a".repeat(2500))]), [long]);
});

test("a project's own policies decide too, and what they hide leaves no trace", async () => {
  await db.sql.unsafe(`create policy internal on public.messages as restrictive for select to authenticated using (content not like '%secret%' or sender_id = auth.uid())`);
  try {
    await say(org.admin, org.conversations[0], ...Array.from({ length: 210 }, (_, n) => `heron ${n} secret`), "heron at last");
    const first = await say(org.admin, org.conversations[0], ...Array.from({ length: 210 }, (_, n) => `heron again ${n} secret`));
    assert.equal(first.length, 210);
    const page = await search(ada, [word("heron")], { p_limit: 1 });
    assert.deepEqual([page.messages.map((m) => m.content), page.next_after], [["heron at last"], undefined]);
    const none = await search(ada, [word("again")]);
    assert.deepEqual([none.messages, none.next_after, none.people], [[], undefined, []], "not even by a page that is short");
    assert.equal((await search(org.admin, [word("heron")])).messages.length, 50, "who wrote them finds them");
  } finally {
    await db.sql.unsafe(`drop policy internal on public.messages`);
  }
});

test("a search costs about the same for a rare word and for the commonest, and reads the index", async () => {
  const many = process.env.FIELDPOST_SMALL ? 20_000 : 100_000;
  const big = await members(db.sql, { medics: 1 });
  const one = (n, m) => `
    insert into public.messages (id, conversation_id, org_id, sender_id, content, created_at, seq, version, status)
    select ${id(9, n)}, '${big.broadcast}', '${big.org}', '${big.admin}',
           'the crane is at gate ' || n % 40 || ' and the crew of shift ' || n % 3 || ' waits for delivery ' || n % 5000 || case when n = 17 then ' walrus' else '' end,
           now() - (${m} - n) * interval '1 hour', n, 1, 'sent'
    from generate_series(1, ${m}) n`;
  const timed = async (text) => {
    const begin = performance.now();
    await c.fill(text);
    return performance.now() - begin;
  };
  await db.sql`select fieldpost.disable_search()`;
  const without = await timed(one("n", many));
  await c.fill(`delete from public.messages where org_id = '${big.org}'`);
  await c.boss.unsafe("vacuum public.messages");
  await db.sql.unsafe((await db.sql`select fieldpost.search_index() as s`)[0].s);
  const [{ empty }] = await db.sql`select pg_relation_size('public.fieldpost_messages_search') as empty`;
  const with_it = await timed(one("n", many));
  await c.boss.unsafe("vacuum analyze public.messages");
  const [{ size, table }] = await db.sql`select pg_relation_size('public.fieldpost_messages_search') as size, pg_table_size('public.messages') as table`;
  claim(`search: ${many} messages: the index takes ${Math.round((size - empty) / many)} bytes a message (the table ${Math.round(table / many)}), and a write ${Math.round(((with_it - without) * 1000) / many)} µs more (${Math.round((without * 1000) / many)} µs without)`);

  const terms = (text) => `array['${JSON.stringify(word(text))}'::jsonb]`;
  const run = async (text, who = big.admin) => {
    // `run` quotes strings: the array goes in as an expression.
    const named = { p_terms: { toString: () => terms(text) } };
    const r = await c.run(["messages"], who, "search", named);
    assert.ok(r.plans.some((p) => p.includes("Bitmap Index Scan on fieldpost_messages_search")), r.plans.join("\n"));
    return r;
  };
  const [rare, common, medics, nothing] = [await run("walrus"), await run("crane"), await run("crane", big.medics[0]), await run("absent")];
  assert.deepEqual([rare, common, medics, nothing].map((r) => r.answer.messages.length), [1, 50, 50, 0]);
  claim(`search: among ${many} messages a rare word touches ${rare.pages} pages (${rare.ms.toFixed(0)} ms), one that is in all ${common.pages} (${common.ms.toFixed(0)} ms), one that is in none ${nothing.pages} (${nothing.ms.toFixed(0)} ms)`);
  for (const r of [rare, common, medics, nothing]) assert.ok(r.pages < 550, `${r.pages} pages`);
});
