// Quiet pushes: a push with a cursor learns whether a pull would bring anything that its results do not hold.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { costs, id } from "./lib/costs.mjs";
import { claim } from "./lib/claim.mjs";
import { call, client, owner, uuid7 } from "./lib/stack.mjs";
import { createOrg } from "./lib/tenant.mjs";

const p_capabilities = ["set_digest", "ranges", "reactions", "conversation_settings"];
const T = "2026-01-31T08:15:00.123456Z";
const NEWS = ["people", "conversations", "messages", "read_markers", "reactions", "settings", "tombstones", "access"];
let sql, other, org, foreign, admin, ada, tablet, ben, outside;
before(async () => {
  sql = owner();
  other = owner();
  org = await createOrg(sql, { medics: 2, conversations: true, broadcast: true });
  foreign = await createOrg(sql, { medics: 1, conversations: true });
  const sign = (p) => client(p.email, p.password);
  [admin, ada, tablet, ben, outside] = await Promise.all([org.admin, org.medics[0], ...org.medics, foreign.admin].map(sign));
});
after(() => Promise.all([sql.end(), other.end()]));

const hers = () => org.conversations[0].id;
const pull = (js, p_cursor) => call(js, "pull", { p_cursor, p_capabilities });
const push = (js, p_cursor, ...p_mutations) => call(js, "push", { p_mutations, p_cursor, p_capabilities });
const quiet = async (js, p_cursor, ...p_mutations) => (await push(js, p_cursor, ...p_mutations)).quiet?.cursor;
const here = async (js) => (await pull(js, (await call(js, "bootstrap", { p_capabilities })).cursor)).cursor;
const news = (page) => NEWS.flatMap((list) => page[list] ?? []);
const mutation = (kind, fields) => ({ id: uuid7(), kind, conversation_id: hers(), ...fields });
const send = (content = "On my way", fields = {}) => mutation("send_message", { message_id: uuid7(), content, ...fields });
const mark = (read_seq) => mutation("mark_read", { read_seq });
const last = async () => (await sql`select last_seq::int as n from public.conversations where id = ${hers()}`)[0].n;
const write = (tx, sender_id = org.admin.user_id, conversation_id = hers()) =>
  tx`insert into public.messages (conversation_id, org_id, sender_id, content) values (${conversation_id}, ${org.org_id}, ${sender_id}, 'North gate') returning id`.then((r) => r[0].id);

test("what one sent oneself is no news, now and in the next pull", async () => {
  let cursor = await here(ada);
  for (const batch of [[send()], [send("1", { metadata: { a: [1, null] }, mentions: [org.admin.user_id], composed_at: T }), send("2")], []]) {
    cursor = await quiet(ada, cursor, ...batch);
    assert.match(cursor, /^c1\./);
    assert.deepEqual(news(await pull(ada, cursor)), []);
  }
  const [first] = (await push(ada, cursor, send("Question"))).results;
  cursor = await here(ada);
  assert.ok(await quiet(ada, cursor, send("Answer", { reply_to: first.ack.message_id })), "an answer to a message");
  const theirs = await write(sql);
  assert.deepEqual((await pull(ada, cursor)).messages.map((m) => m.id).includes(theirs), true);
  assert.equal((await call(ada, "push", { p_mutations: [send()], p_capabilities })).quiet, undefined, "nobody asked");
});

test("what others did is news, and the old cursor brings it", async () => {
  const cases = {
    "a message": () => write(sql),
    "a message to all": () => write(sql, org.admin.user_id, org.broadcast.id),
    "an edit": async () => sql`update public.messages set content = 'South gate' where id = ${await write(sql)}`,
    "a receipt": async () => call(admin, "push", { p_mutations: [mark(await last())] }),
    "another device of hers": () => call(tablet, "push", { p_mutations: [send("From the tablet")] }),
    "what another device has read": async () => call(tablet, "push", { p_mutations: [mark(await last())] }),
    "what another device has set": () => call(tablet, "push", { p_mutations: [mutation("set_conversation", { pinned_at: new Date().toISOString() })] }),
    "a new name": () => sql`update public.medics set first_name = ${uuid7()} where user_id = ${org.medics[0].user_id}`,
    "a subject": () => sql`update public.conversations set subject = ${uuid7()} where id = ${hers()}`,
  };
  const missed = [];
  for (const [what, act] of Object.entries(cases)) {
    const cursor = await here(ada);
    await act();
    if (await quiet(ada, cursor, send())) missed.push(what);
    else if (news(await pull(ada, cursor)).length < 2) missed.push(`${what}: not pulled`);
  }
  assert.deepEqual(missed, []);
  const cursor = await here(ada);
  await sql`delete from public.messages where id = ${await write(sql)}`;
  assert.equal(await quiet(ada, cursor, send()), undefined, "a message that was deleted for good");
});

test("what one may not see is no news", async () => {
  const cursor = await here(ada);
  await write(sql, org.medics[1].user_id, org.conversations[1].id);
  await call(outside, "push", { p_mutations: [{ ...send(), conversation_id: foreign.conversations[0].id }] });
  assert.ok(await quiet(ada, cursor, send()));
  assert.equal(await quiet(admin, await here(admin).then(async (c) => (await write(sql, org.medics[1].user_id, org.conversations[1].id), c)), send()), undefined, "an admin sees it");
});

test("a transaction that is running is not seen: the next pull brings what it commits", async () => {
  const cursor = await here(ada);
  let release, begun;
  const held = new Promise((r) => (release = r));
  const started = new Promise((r) => (begun = r));
  const open = other.begin(async (tx) => {
    const written = await write(tx, org.admin.user_id, org.broadcast.id);
    begun();
    await held;
    return written;
  });
  await started;
  // Transactions that begin and end meanwhile, before and after the push gets its number.
  await write(sql, org.medics[1].user_id, org.conversations[1].id);
  const next = await quiet(ada, cursor, send("While it runs"), send("Twice"));
  await write(sql, org.medics[1].user_id, org.conversations[1].id);
  assert.ok(next, "nothing that is committed is new");
  assert.deepEqual(news(await pull(ada, next)), []);
  const after = await quiet(ada, next, send("Again"));
  release();
  const late = await open;
  for (const c of [next, after]) assert.ok((await pull(ada, c)).messages.some((m) => m.id === late), "the message that was committed later");
  assert.deepEqual((await pull(ada, after)).messages.map((m) => m.id), [late], "and nothing else");
});

test("a snapshot that sees its own transaction lists all others that were running", async () => {
  const seen = async (snapshot, own) => (await sql`select fieldpost.snapshot_with(${snapshot}::pg_snapshot, ${own}::text::xid8)::text as s`)[0].s;
  assert.equal(await seen("100:100:", "100"), "100:101:");
  assert.equal(await seen("100:103:100,101", "105"), "100:106:100,101,103,104");
  assert.equal(await seen("99:103:99", "101"), "99:103:99", "it is not listed, and so seen");
  assert.equal(await seen("100:103:100", null), "100:103:100");
});

test("a push that is repeated is quiet: its results hold the rows", async () => {
  await push(ada, null, mark(await last()));
  const cursor = await here(ada);
  const batch = [send("Once"), mutation("set_conversation", { muted_until: "9999-12-31T00:00:00Z" })];
  const first = await push(ada, cursor, ...batch);
  const again = await push(ada, cursor, ...batch);
  assert.deepEqual(again.results.map((r) => r.status), ["duplicate", "duplicate"]);
  assert.ok(first.quiet && again.quiet);
  assert.deepEqual(news(await pull(ada, again.quiet.cursor)), []);
  const message_id = batch[0].message_id;
  const cursor2 = await here(ada);
  const edit = mutation("edit_message", { message_id, content: "Changed" });
  assert.ok(await quiet(ada, cursor2, edit, send(), mutation("delete_message", { message_id })), "the last row of a message counts");
  await sql`update public.messages set content = 'by somebody else' where id = ${(await push(ada, null, send())).results[0].ack.message_id}`;
});

test("a read mark is quiet once all is read, and settings where the results tell of them", async () => {
  await write(sql);
  await write(sql);
  const seq = await last();
  assert.equal(await quiet(ada, await here(ada), mark(seq - 1)), undefined, "one is unread");
  assert.ok(await quiet(ada, await here(ada), send("I see"), mark(seq)), "what is above the marker is hers");
  assert.ok(await quiet(ada, await here(ada), mutation("set_conversation", { pinned_at: T })));
  assert.equal(await quiet(ada, await here(ada), mutation("set_conversation", { unread_from: seq })), undefined, "the count changes");
  await write(sql);
  const cursor = await here(ada);
  assert.equal(await quiet(ada, cursor, mark(seq + 2)), undefined, "what the mark has taken back is in no result");
  assert.equal((await pull(ada, cursor)).settings.length, 1);
  const arrived = mutation("mark_delivered", { delivered_seq: await last() });
  assert.ok(await quiet(ada, await here(ada), arrived));
});

test("what is not in the results makes a push loud, also if a trigger of the project did it", async () => {
  const [message] = (await push(ada, null, send())).results;
  const theirs = await write(sql);
  await push(ada, null, mark(await last()));
  const react = mutation("react", { message_id: message.ack.message_id, emoji: "👍" });
  assert.equal(await quiet(ada, await here(ada), react), undefined, "a reaction");
  assert.equal(await quiet(ada, await here(ada), send(), send("x".repeat(5001))), undefined, "a refusal");
  assert.equal(await quiet(admin, await here(admin), mutation("delete_message", { message_id: message.ack.message_id })), undefined, "a message of somebody else");
  const open = { id: uuid7(), kind: "open_direct", conversation_id: uuid7(), medic_id: org.medics[0].medic_id };
  assert.equal(await quiet(ada, await here(ada), open), undefined, "an opening, also of what is open");
  assert.ok(await quiet(ada, await here(ada), mutation("report_message", { message_id: theirs, reason: "spam" })), "a report tells of nothing");
  await sql.unsafe(`create function public.quiet_bot() returns trigger language plpgsql as $$ begin
    if new.content = 'bot' then update public.messages set metadata = '{"seen": true}' where id = new.id; end if;
    if new.content = 'loud' then insert into public.messages (conversation_id, org_id, sender_id, content) values (new.conversation_id, new.org_id, new.sender_id, 'I am loud'); end if;
    if new.content = 'named' then new.mentions := null; end if; return new; end $$;
    create trigger quiet_bot after insert on public.messages for each row execute function public.quiet_bot();
    create trigger quiet_bot_before before insert on public.messages for each row when (new.content = 'named') execute function public.quiet_bot();`).simple();
  try {
    for (const text of ["bot", "loud"]) assert.equal(await quiet(ada, await here(ada), send(text)), undefined, text);
    assert.equal(await quiet(ada, await here(ada), send("named", { mentions: [org.admin.user_id] })), undefined, "other mentions than were sent");
  } finally {
    await sql.unsafe("drop function public.quiet_bot() cascade").simple();
  }
});

test("a cursor that a pull would refuse, and any text, is not quiet and harms no push", async () => {
  const cursor = await here(ada);
  const [version, run, access, snapshot] = cursor.split(".");
  const [xmin] = snapshot.split(":");
  const forged = [
    "", "nonsense", "c1", `${cursor}.`, `${cursor}'`, "c1.x", cursor.padEnd(2000, "1"),
    [version, run.replace(/^./, (c) => (c === "0" ? "1" : "0")), access, snapshot].join("."),
    [version, run.replace(/.$/, (c) => (c === "0" ? "1" : "0")), access, snapshot].join("."),
    [version, run, "0".repeat(12), snapshot].join("."),
    [version, run, access, `${BigInt(xmin) + 100000n}:0:`].join("."),
    [version, run, access, `${xmin}:0:9,9,1`].join("."),
    [version, run, access, `${xmin}:2:${Array(97).fill("1").join(",")}`].join("."),
    [version, run, access, "999999999999999999:999999999999999999:"].join("."),
    await here(outside), await here(admin),
  ];
  assert.equal((await push(ada, cursor)).quiet?.cursor.split(".")[1], run, "this one is good");
  for (const p_cursor of forged) assert.deepEqual([p_cursor, (await push(ada, p_cursor)).quiet], [p_cursor, undefined]);
  assert.deepEqual(new Set(await Promise.all(forged.map(async (c) => (await push(ada, c, send())).results[0].status))), new Set(["applied"]));
  const before = await here(ada);
  await Promise.all([write(sql), write(sql)]);
  const middle = (await call(ada, "pull", { p_cursor: before, p_capabilities, p_limit: 1 })).cursor;
  assert.ok(middle.split(".").length > 4);
  assert.equal((await push(ada, middle)).quiet, undefined, "the middle of a pass");
  // A cursor of the future of nobody but herself: she may skip what she likes, and learns nothing.
  const bens = await here(ben);
  assert.deepEqual(Object.keys((await push(ada, bens, send())).quiet ?? {}), ["cursor"]);
  await sql`update public.profiles set role = 'org_admin' where id = ${org.medics[1].user_id}`;
  assert.equal((await push(ben, bens, { ...send(), conversation_id: org.conversations[1].id })).quiet, undefined, "her access has changed");
});

test("where a policy of the project hides rows, nothing is quiet", async () => {
  await sql.unsafe("create policy quiet_hides on public.messages as restrictive for select to authenticated using (content <> 'hidden')");
  try {
    assert.equal(await quiet(ada, await here(ada), send()), undefined);
  } finally {
    await sql.unsafe("drop policy quiet_hides on public.messages");
  }
});

test("the question costs the same in a large organization, by indexes", async () => {
  const c = await costs();
  try {
    const sizes = [100, 4_000];
    const pages = [];
    for (const [k, size] of sizes.entries()) {
      const o = id(k, 1);
      await c.fill(`
        insert into public.organizations (id, name) values (${o}, 'Large');
        insert into auth.users (id) select ${id(k, "g")} from generate_series(10, ${10 + size}) g;
        insert into public.medics (id, org_id, user_id, first_name, last_name) select ${id(k, "1000000 + g")}, ${o}, ${id(k, "g")}, 'M', g from generate_series(11, ${10 + size}) g;
        insert into public.profiles (id, org_id, role) select ${id(k, "g")}, ${o}, case g when 10 then 'org_admin' else 'medic' end from generate_series(10, ${10 + size}) g;
        insert into fieldpost.people (org_id, user_id, role, medic_id, sync_xid) select p.org_id, p.id, p.role, m.id, '0' from public.profiles p left join public.medics m on m.user_id = p.id where p.org_id = ${o};
        insert into public.conversations (id, org_id, type, medic_id, created_by, last_seq, sync_xid)
          select ${id(k, "2000000 + g")}, ${o}, 'direct', ${id(k, "1000000 + g")}, ${id(k, 10)}, 10, '0' from generate_series(11, ${10 + size}) g;
        insert into public.messages (id, conversation_id, org_id, sender_id, content, seq, sync_xid)
          select ${id(k, "4000000 + 10 * g + s")}, ${id(k, "2000000 + g")}, ${o}, ${id(k, 10)}, 'm', s, '0' from generate_series(11, ${10 + size}) g, generate_series(1, 10) s;
        insert into public.conversation_read_status (user_id, conversation_id, org_id, read_seq, sync_xid)
          select ${id(k, 10)}, ${id(k, "2000000 + g")}, ${o}, 10, '0' from generate_series(11, ${10 + size}) g;`);
      await c.boss.unsafe("analyze");
      const row = {};
      for (const n of [10, 11]) {
        const [{ who, conversation }] = await c.boss.unsafe(`select ${id(k, n)} as who, ${id(k, "2000011")} as conversation`);
        const args = { p_capabilities: `{${p_capabilities}}` };
        const cursor = (await c.run([], who, "bootstrap", { ...args, p_limit: 1 })).answer.cursor;
        const batch = JSON.stringify({ id: uuid7(), kind: "send_message", conversation_id: conversation, message_id: uuid7(), content: "Hello" });
        const p_mutations = `{${JSON.stringify(batch)}}`;
        const big = k ? ["messages", "conversations", "conversation_read_status", "people"] : [];
        const loud = await c.run(big, who, "push", { ...args, p_mutations });
        const asked = await c.run(big, who, "push", { ...args, p_mutations, p_cursor: cursor });
        assert.ok(asked.answer.quiet, "the scratch database is quiet");
        row[n] = [loud.pages, asked.pages];
      }
      pages.push(row);
    }
    const [small, large] = pages;
    for (const n of [10, 11]) assert.ok(large[n][1] < small[n][1] + 100, `${JSON.stringify(pages)}`);
    claim(`a push that asks whether all is quiet touches ${large[10][1]} pages of memory in an organization of 4,000 (admin; without the question ${large[10][0]}), ${small[10][1]} in one of 100`);
  } finally {
    await c.drop();
  }
});
