// A project with policies of its own that narrow: they decide too, in all four functions.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

import { claim } from "./lib/claim.mjs";
import { members } from "./lib/members.mjs";
import { scratch } from "./lib/scratch.mjs";

const HIDES = `create policy internal on public.messages as restrictive for select to authenticated
  using (coalesce(metadata ->> 'internal', 'false') <> 'true' or sender_id = auth.uid())`;

let db;
before(async () => {
  db = await scratch();
  await db.apply();
  await db.sql.unsafe(`create table public.blocked (user_id uuid primary key); grant select on public.blocked to authenticated; ${HIDES}`);
});
after(() => db.drop());

const send = (conversation_id, content, more = {}) => ({ id: randomUUID(), kind: "send_message", conversation_id, message_id: randomUUID(), content, ...more });
const push = async (who, ...p_mutations) => (await db.call(who, "push", { p_mutations })).results;
const words = (page) => page.messages.sort((a, b) => a.seq - b.seq).map((m) => m.content);

test("what a policy hides is in no bootstrap, no pull, no history, no preview and no count, and its number is no gap", async () => {
  const org = await members(db.sql, { medics: 1 });
  const [ada, direct] = [org.medics[0], org.conversations[0]];
  const start = await db.call(ada, "bootstrap");
  const results = await push(org.admin, send(direct, "one"), send(direct, "secret", { metadata: { internal: true } }), send(direct, "three"), send(direct, "last secret", { metadata: { internal: true } }));
  assert.deepEqual(results.map((r) => r.status), Array(4).fill("applied"));
  const p_capabilities = ["ranges"];
  const pull = await db.call(ada, "pull", { p_cursor: start.cursor, p_capabilities });
  assert.deepEqual(words(pull), ["one", "three"]);
  assert.deepEqual(pull.ranges.map((r) => [r.conversation_id, r.from_seq, r.to_seq]), [[direct, 2, 2], [direct, 4, 4]]);
  assert.deepEqual(pull.tombstones, [], "what was never seen is not named");
  const [row] = pull.conversations;
  assert.deepEqual([row.last_message_preview, row.unread, row.last_seq], ["three", 2, 4]);
  const history = await db.call(ada, "history", { p_conversation: direct });
  assert.deepEqual([words(history), history.from_seq, history.to_seq, history.complete, history.conversation.unread], [["one", "three"], 1, 4, true, 2]);
  const load = await db.call(ada, "bootstrap", { p_capabilities });
  assert.deepEqual([words(load), load.conversations.find((c) => c.id === direct).unread, load.ranges], [["one", "three"], 2, pull.ranges]);
  assert.ok(!JSON.stringify([pull, history, load]).includes("secret"));
  assert.deepEqual(words(await db.call(org.admin, "history", { p_conversation: direct })).length, 4, "their sender reads them");
});

test("a message that a change hides is withdrawn, and comes back when it is shown again", async () => {
  const org = await members(db.sql, { medics: 1 });
  const [ada, direct] = [org.medics[0], org.conversations[0]];
  const [{ ack }] = await push(org.admin, send(direct, "seen"));
  const start = await db.call(ada, "bootstrap");
  assert.deepEqual(words(start), ["seen"]);
  await db.sql`update public.messages set metadata = '{"internal":true}' where id = ${ack.message_id}`;
  const pull = await db.call(ada, "pull", { p_cursor: start.cursor, p_capabilities: ["ranges"] });
  assert.deepEqual([words(pull), pull.tombstones], [[], [{ entity: "message", id: ack.message_id, conversation_id: direct, seq: 1, version: 1 }]]);
  await db.sql`update public.messages set metadata = null where id = ${ack.message_id}`;
  const again = await db.call(ada, "pull", { p_cursor: pull.cursor });
  assert.deepEqual(again.messages.map((m) => [m.content, m.version]), [["seen", 3]]);
});

test("a reaction is told of with its message: not while a policy hides that, and all of them once it is shown", async () => {
  const org = await members(db.sql, { medics: 1 });
  const [ada, direct, p_capabilities] = [org.medics[0], org.conversations[0], ["reactions"]];
  const [hidden, shown] = [send(direct, "secret", { metadata: { internal: true } }), send(direct, "shown")];
  await push(org.admin, hidden, shown);
  const react = (message, emoji = "👍") => ({ id: randomUUID(), kind: "react", conversation_id: direct, message_id: message.message_id, emoji });
  const start = await db.call(ada, "bootstrap", { p_capabilities });
  assert.deepEqual((await push(org.admin, react(hidden), react(shown), react(shown))).map((r) => [r.status, r.reactions?.length]), [["applied", 1], ["applied", 1], ["duplicate", 1]]);
  assert.deepEqual((await push(ada, react(hidden), react(shown))).map((r) => [r.status, r.code]), [["rejected", "not_found"], ["applied", undefined]]);
  const insert = (message) => db.sql.begin(async (tx) => {
    await tx`select set_config('request.jwt.claim.sub', ${ada}, true)`;
    await tx`set local role authenticated`;
    return tx`insert into public.message_reactions (message_id, person_id, emoji) values (${message.message_id}, ${ada}, '🎉')`;
  });
  await insert(shown);
  await assert.rejects(insert(hidden), /row-level security/, "nor by the table");
  const told = (page) => page.reactions.map((r) => [r.message_id, r.emoji, r.person_id]).sort();
  const seen = [[shown.message_id, "👍", org.admin], [shown.message_id, "👍", ada], [shown.message_id, "🎉", ada]].sort();
  const pull = await db.call(ada, "pull", { p_cursor: start.cursor, p_capabilities });
  for (const page of [pull, await db.call(ada, "bootstrap", { p_capabilities }), await db.call(ada, "history", { p_conversation: direct, p_capabilities })]) {
    assert.deepEqual(told(page), seen);
  }
  await db.sql`update public.messages set metadata = null where id = ${hidden.message_id}`;
  const later = await db.call(ada, "pull", { p_cursor: pull.cursor, p_capabilities });
  assert.deepEqual(told(later), [[hidden.message_id, "👍", org.admin]]);
});

test("a policy that refuses writes refuses pushes, with its name, and the rest of the batch goes on", async () => {
  const org = await members(db.sql, { medics: 1, spare: 1 });
  const [ada, direct] = [org.medics[0], org.conversations[0]];
  await db.sql.unsafe(`create policy not_blocked on public.messages as restrictive for insert to authenticated
    with check (not exists (select from public.blocked b where b.user_id = auth.uid()))`);
  const twice = send(direct, "ada");
  assert.deepEqual((await push(ada, twice, send(direct, "and again"))).map((r) => [r.status, r.ack.seq]), [["applied", 1], ["applied", 2]]);
  const more = await push(ada, { ...twice, id: randomUUID() }, send(org.broadcast, "no"), { id: randomUUID(), kind: "mark_read", conversation_id: direct, read_seq: 2 });
  assert.deepEqual(more.map((r) => [r.status, r.code]), [["duplicate", undefined], ["rejected", "forbidden"], ["applied", undefined]]);
  await db.sql`insert into public.blocked values (${ada})`;
  const refused = await push(ada, send(direct, "blocked"), { id: randomUUID(), kind: "mark_read", conversation_id: direct, read_seq: 2 });
  assert.deepEqual([refused[0].status, refused[0].code, refused[1].status], ["rejected", "refused", "duplicate"]);
  assert.match(refused[0].detail, /row-level security policy.*\(42501\)/);
  const opened = await push(org.admin, { id: randomUUID(), kind: "open_direct", conversation_id: randomUUID(), medic_id: org.medic_ids[1] }, send(direct, "admin"), send(org.broadcast, "all"));
  assert.deepEqual(opened.map((r) => r.status), ["applied", "applied", "applied"]);
  const [{ n }] = await db.sql`select count(*)::int as n from public.message_recipients where org_id = ${org.org}`;
  assert.equal(n, 2, "recipients of a broadcast are written");
  // An assertion of the project's refuses what it is about, of every kind.
  await db.sql.unsafe(`
    create function public.asserts() returns trigger language plpgsql as $$ begin assert to_jsonb(new) ->> tg_argv[0] is distinct from 'odd', 'not odd'; return new; end $$;
    create trigger asserts before insert or update on public.messages for each row execute function public.asserts('content');
    create trigger asserts before insert on public.conversations for each row execute function public.asserts('subject')`).simple();
  const [kept, odd] = [send(direct, "even"), send(direct, "odd")];
  await db.sql`delete from public.conversations where id = ${org.broadcast}`;
  const asserted = await push(org.admin, kept, odd, { id: randomUUID(), kind: "open_broadcast", conversation_id: randomUUID(), org_id: org.org, subject: "odd" },
    { id: randomUUID(), kind: "edit_message", conversation_id: direct, message_id: kept.message_id, content: "odd", base_version: 1 }, send(direct, "last"));
  assert.deepEqual(asserted.map((r) => [r.status, r.code]), [["applied", undefined], ["rejected", "refused"], ["rejected", "refused"], ["rejected", "refused"], ["applied", undefined]]);
  for (const r of asserted.slice(1, 4)) assert.equal(r.detail, "not odd (P0004)");
  await db.sql.unsafe("drop trigger asserts on public.messages; drop trigger asserts on public.conversations");
  await db.sql.unsafe("drop policy not_blocked on public.messages");
});

test("a policy that hides a conversation hides it, and refuses one that may not be opened", async () => {
  const org = await members(db.sql, { medics: 1, spare: 1 });
  const before = await db.call(org.admin, "bootstrap");
  await db.sql.unsafe(`create policy no_hidden on public.conversations as restrictive for all to authenticated using (coalesce(subject, '') not like 'hidden%')`);
  try {
    assert.equal((await db.call(org.admin, "pull", { p_cursor: before.cursor })).error.detail, "access", "what is visible is another thing now");
    await db.sql`update public.conversations set subject = 'hidden' where id = ${org.conversations[0]}`;
    const load = await db.call(org.admin, "bootstrap");
    assert.deepEqual(load.conversations.map((c) => c.id), [org.broadcast]);
    assert.equal(load.digest.count, 1);
    const pull = await db.call(org.admin, "pull", { p_cursor: load.cursor });
    assert.deepEqual([pull.conversations, pull.digest], [[], load.digest]);
    assert.equal((await db.call(org.admin, "history", { p_conversation: org.conversations[0] })).error.code, "not_found");
    await db.sql`delete from public.conversations where id = ${org.broadcast}`;
    const [result] = await push(org.admin, { id: randomUUID(), kind: "open_broadcast", conversation_id: randomUUID(), org_id: org.org, subject: "hidden too" });
    assert.deepEqual([result.status, result.code], ["rejected", "refused"]);
  } finally {
    await db.sql.unsafe("drop policy no_hidden on public.conversations");
  }
});

test("without such policies none of that is asked: the functions that run as the caller are not called", async () => {
  const plain = await scratch();
  try {
    await plain.apply();
    const org = await members(plain.sql, { medics: 1 });
    const functions = await plain.sql`
      select p.proname as name, pg_get_function_arguments(p.oid) as arguments, p.provolatile = 's' as stable from pg_proc p
      where p.pronamespace = 'fieldpost'::regnamespace and p.proname like '%\_as\_caller' and p.prorettype = 'json'::regtype`;
    assert.equal(functions.length, 6);
    for (const f of functions) {
      await plain.sql.unsafe(`create or replace function fieldpost.${f.name}(${f.arguments}) returns json language plpgsql ${f.stable ? "stable" : "volatile"} as $$ begin raise 'called'; end $$`);
    }
    const load = await plain.call(org.admin, "bootstrap");
    assert.equal((await plain.call(org.admin, "pull", { p_cursor: load.cursor })).error, undefined);
    assert.equal((await plain.call(org.admin, "history", { p_conversation: org.conversations[0] })).error, undefined);
    assert.equal((await plain.call(org.admin, "push", { p_mutations: [send(org.conversations[0], "x")] })).results[0].status, "applied");
    assert.deepEqual((await plain.call(org.admin, "reports")).reports, []);
    await plain.sql`select fieldpost.enable_search()`;
    assert.equal((await plain.call(org.admin, "search", { p_terms: [{ words: ["x"], open: true }] })).messages.length, 1);
    await plain.sql.unsafe(HIDES);
    await assert.rejects(plain.call(org.admin, "bootstrap"), /called/);
  } finally {
    await plain.drop();
  }
  claim("a project's own policies: hidden rows are in no page, no preview and no count; refused writes are refused with the policy's name");
});
