// Reactions: by push and directly on the table, counted once for each person, hidden in broadcasts.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

import { costs, id } from "./lib/costs.mjs";
import { Replica } from "./lib/replica.mjs";
import { call, client, owner, uuid7 } from "./lib/stack.mjs";
import { createOrg } from "./lib/tenant.mjs";

const p_capabilities = ["reactions"];
let sql, org, stranger, admin, ada, ben;
before(async () => {
  sql = owner();
  org = await createOrg(sql, { medics: 2, conversations: true, broadcast: true });
  stranger = await createOrg(sql, { medics: 1, conversations: true });
  [admin, ada, ben] = await Promise.all([org.admin, ...org.medics].map((p) => client(p.email, p.password)));
});
after(() => sql.end());

const push = async (js, ...p_mutations) => (await call(js, "push", { p_mutations })).results;
const hers = () => org.conversations[0].id;
const react = (message, emoji = "👍", more = {}) => ({ id: uuid7(), kind: "react", ...message, emoji, ...more });
const verdict = (r) => [r.status, r.code];
const rows = (message) => sql`select * from public.message_reactions where message_id = ${message.message_id} order by created_at`;
const direct = (js, message, emoji, more = {}) =>
  js.from("message_reactions").upsert({ message_id: message.message_id, person_id: js.user_id, emoji, ...more }, { onConflict: "message_id,person_id,emoji" }).select();

async function said(js, conversation_id, content = "On my way") {
  const message = { conversation_id, message_id: uuid7() };
  const [{ status }] = await push(js, { id: uuid7(), kind: "send_message", ...message, content });
  assert.equal(status, "applied");
  return message;
}

async function following(...people) {
  const replicas = people.map((js) => new Replica(js));
  for (const replica of replicas) await replica.bootstrap({ p_capabilities });
  return replicas;
}

test("people react by push and by the table, take it back, and all devices show the same", async () => {
  const message = await said(admin, hers());
  const devices = await following(admin, ada, ada);
  const [before] = await sql`select version, sync_xid from public.messages where id = ${message.message_id}`;
  const change = react(message);
  const [first] = await push(ada, change);
  assert.deepEqual([first.status, first.reactions.map((r) => [r.person_id, r.emoji, r.version])], ["applied", [[ada.user_id, "👍", 1]]]);
  assert.deepEqual(verdict((await push(ada, change))[0]), ["duplicate", undefined], "a lost answer doubles nothing");
  assert.equal((await direct(admin, message, "👍")).data[0].conversation_id, hers(), "a stranger to Fieldpost names the message only");
  assert.equal((await direct(admin, message, "🎉")).error, null);
  for (const device of devices) await device.pull({ p_capabilities });
  const both = [ada.user_id, admin.user_id].sort();
  for (const device of devices) assert.deepEqual(device.shown(message.message_id), { "👍": { n: 2, people: both }, "🎉": { n: 1, people: [admin.user_id] } });

  await push(ada, react(message, "👍", { removed: true }));
  const { data } = await admin.from("message_reactions").update({ removed: true, version: 99 }).match({ message_id: message.message_id, emoji: "🎉" }).select();
  assert.deepEqual(data.map((r) => [r.removed, r.version]), [[true, 2]]);
  for (const device of devices) await device.pull({ p_capabilities });
  for (const device of devices) assert.deepEqual(device.shown(message.message_id), { "👍": { n: 1, people: [admin.user_id] } });
  const [fresh] = await following(ada);
  assert.deepEqual(fresh.shown(message.message_id), devices[1].shown(message.message_id), "a first load shows it too");
  const history = await call(ada, "history", { p_conversation: hers(), p_capabilities });
  assert.equal(history.reactions.filter((r) => r.message_id === message.message_id).length, 3, "and history, with what was taken back");
  const old = await call(ada, "bootstrap", {});
  assert.equal(old.reactions, undefined, "who does not name the capability gets no list of them");
  const [unchanged] = await sql`select version, sync_xid from public.messages where id = ${message.message_id}`;
  assert.deepEqual(unchanged, before, "the message is not touched");
});

test("in a broadcast a medic is told how many there are and of her own, and an admin of all", async () => {
  const message = await said(admin, org.broadcast.id, "Muster at gate 3");
  const devices = await following(admin, ada, ben);
  await push(ada, react(message), react(message, "🎉"));
  await direct(ben, message, "👍");
  const [mine] = await push(ada, react(message, "👍"));
  assert.deepEqual([mine.status, mine.reactions.map((r) => [r.person_id, r.count])], ["duplicate", [[ada.user_id, undefined], [undefined, 2]]]);
  for (const device of devices) await device.pull({ p_capabilities });
  const shown = (device) => device.shown(message.message_id);
  assert.deepEqual(shown(devices[0]), { "👍": { n: 2, people: [ada.user_id, ben.user_id].sort() }, "🎉": { n: 1, people: [ada.user_id] } });
  assert.deepEqual(shown(devices[1]), { "👍": { n: 2, people: [ada.user_id] }, "🎉": { n: 1, people: [ada.user_id] } });
  assert.deepEqual(shown(devices[2]), { "👍": { n: 2, people: [ben.user_id] }, "🎉": { n: 1, people: [] } });
  const { data } = await ben.from("message_reactions").select("person_id").eq("message_id", message.message_id);
  assert.deepEqual(data, [{ person_id: ben.user_id }], "nor does the table tell");
  for (const js of [ben, ada]) {
    const pages = [await call(js, "bootstrap", { p_capabilities }), await call(js, "history", { p_conversation: org.broadcast.id, p_capabilities })];
    const told = pages.flatMap((page) => page.reactions).filter((r) => r.message_id === message.message_id).map((r) => r.person_id);
    assert.ok(told.length && told.every((person) => person === undefined || person === js.user_id));
  }
  // Many at once, given and taken back: the number follows.
  await Promise.all([ada, ben, admin].flatMap((js) => ["👍", "🎉", "🔥"].map((emoji, n) => push(js, react(message, emoji, { removed: n === 0 })))));
  for (const device of devices) await device.pull({ p_capabilities });
  assert.deepEqual(Object.fromEntries(Object.entries(shown(devices[2])).map(([emoji, { n }]) => [emoji, n])), { "🎉": 3, "🔥": 3 });
  const counts = await sql`
    select k.emoji from fieldpost.reaction_counts k where k.message_id = ${message.message_id}
      and k.count <> (select count(*) from public.message_reactions r where r.message_id = k.message_id and r.emoji = k.emoji and not r.removed)`;
  assert.deepEqual([...counts], []);
});

test("every refusal has its code, and reveals nothing of what the caller does not see", async () => {
  const mine = await said(ada, hers());
  const theirs = await said(ben, org.conversations[1].id);
  const gone = await said(ada, hers());
  const buried = await said(ada, hers());
  await sql`update public.messages set deleted_at = now() where id = ${gone.message_id}`;
  await sql`delete from public.messages where id = ${buried.message_id}`;
  const cases = [
    [react(mine, ""), "bad_request", "emoji"], [react(mine, " "), "bad_request", "emoji"], [react(mine, "a b"), "bad_request", "emoji"], [react(mine, 7), "bad_request", "emoji"],
    [react(mine, "👍".repeat(17)), "bad_request", "emoji"], [react(mine, "👍", { removed: "x" }), "bad_request", "removed"],
    [react({ ...mine, message_id: "x" }), "bad_request", "message_id"], [react({ ...mine, conversation_id: null }), "bad_request", "conversation_id"],
    [react({ ...mine, message_id: randomUUID() }), "not_found"], [react(theirs), "not_found"], [react({ ...theirs, conversation_id: hers() }), "not_found"],
    [react({ ...mine, conversation_id: stranger.conversations[0].id }), "not_found"], [react(gone), "message_deleted"], [react(buried), "message_deleted"],
  ];
  const results = await push(ada, ...cases.map(([m]) => m), react(mine));
  cases.forEach(([m, code, detail], n) => assert.deepEqual([...verdict(results[n]), results[n].detail], ["rejected", code, detail], JSON.stringify(m)));
  assert.equal(results.at(-1).status, "applied");
  const outside = await client(stranger.admin.email, stranger.admin.password);
  assert.equal((await push(outside, react(mine)))[0].code, "not_found");
  // By the table.
  for (const [js, message, emoji, more, code] of [
    [ada, theirs, "👍", {}, "42501"], [outside, mine, "👍", {}, "42501"], [ada, { message_id: randomUUID() }, "👍", {}, "42501"], [ben, mine, "👍", {}, "42501"],
    [ada, mine, "👍", { person_id: admin.user_id }, "42501"], [ada, mine, "a b", {}, "23514"], [ada, mine, "", {}, "23514"], [ada, gone, "👍", {}, "23514"],
  ]) {
    const { error } = await direct(js, message, emoji, more);
    if (code === "42501") assert.equal(error?.code, code, JSON.stringify([message, emoji, more]));
    else assert.match(error?.message ?? "accepted", /message_deleted|message_reactions_emoji/, JSON.stringify([message, emoji, more]));
  }
  const { data } = await admin.from("message_reactions").update({ removed: true }).eq("message_id", mine.message_id).select();
  assert.deepEqual(data, [], "an admin does not take back what a medic gave");
  assert.equal((await ada.from("message_reactions").delete().eq("message_id", mine.message_id).select()).data.length, 0);
});

test("one person gives a message twenty reactions", async () => {
  const message = await said(ada, hers());
  const emoji = (n) => String.fromCodePoint(0x1f600 + n);
  const results = await push(ada, ...Array.from({ length: 21 }, (_, n) => react(message, emoji(n))));
  assert.deepEqual(results.map(verdict).slice(-2), [["applied", undefined], ["rejected", "too_many_reactions"]]);
  assert.match((await direct(ada, message, emoji(20))).error.message, /too_many_reactions/);
  const [, again] = await push(ada, react(message, emoji(3), { removed: true }), react(message, emoji(20)));
  assert.equal(again.status, "applied");
});

test("the reactions of a message leave with it, whoever deletes it and whoever reacts meanwhile", async () => {
  const [one, two, three] = [await said(ada, hers()), await said(ada, hers()), await said(admin, org.broadcast.id)];
  const devices = await following(admin, ada);
  await push(admin, react(one), react(two), react(three));
  await push(ada, { id: uuid7(), kind: "delete_message", ...one });
  await sql`delete from public.messages where id = ${two.message_id}`;
  await admin.from("messages").update({ deleted_at: new Date().toISOString() }).eq("id", three.message_id);
  for (const message of [one, two, three]) assert.equal((await rows(message)).length, 0);
  assert.equal((await sql`select from fieldpost.reaction_counts where message_id = ${three.message_id}`).length, 0);
  for (const device of devices) {
    await device.pull({ p_capabilities });
    for (const message of [one, two, three]) assert.deepEqual(device.shown(message.message_id), {});
  }

  // Somebody deletes and has not committed: who reacts waits, and is told.
  const message = await said(ada, hers());
  const writer = owner();
  let release, held;
  const [until, ready] = [new Promise((resolve) => (release = resolve)), new Promise((resolve) => (held = resolve))];
  const transaction = writer.begin(async (tx) => {
    await tx`update public.messages set deleted_at = now() where id = ${message.message_id}`;
    held();
    await until;
  });
  await ready;
  // A request of this client is sent when somebody waits for it.
  const reacting = direct(admin, message, "👍").then((answer) => answer);
  await new Promise((resolve) => setTimeout(resolve, 100));
  release();
  await transaction;
  assert.match((await reacting).error.message, /message_deleted/);
  assert.equal((await rows(message)).length, 0);
  await writer.end();
});

test("a pull pages through reactions, and whatever commits late comes with the next one", async () => {
  const messages = [];
  for (let n = 0; n < 3; n++) messages.push(await said(ada, hers(), `page ${n}`));
  const elsewhere = await said(admin, org.broadcast.id);  // who reacts holds the conversation
  const [device] = await following(ada);
  const late = owner();
  let release, held;
  const [until, ready] = [new Promise((resolve) => (release = resolve)), new Promise((resolve) => (held = resolve))];
  const transaction = late.begin(async (tx) => {
    await tx`insert into public.message_reactions (message_id, person_id, emoji) values (${elsewhere.message_id}, ${ada.user_id}, '⏳')`;
    held();
    await until;
  });
  await ready;
  await sql`insert into public.message_reactions (message_id, person_id, emoji) select m.id, ${admin.user_id}, e from unnest(${messages.map((m) => m.message_id)}::uuid[]) m (id), unnest(array['a','b','c']) e`;
  const pages = await device.pull({ p_capabilities, p_limit: 2 });
  assert.ok(pages.length >= 5, `${pages.length} pages`);
  for (const message of messages) assert.equal(Object.keys(device.shown(message.message_id)).length, 3);
  release();
  await transaction;
  await late.end();
  await device.pull({ p_capabilities });
  assert.deepEqual(Object.keys(device.shown(elsewhere.message_id)), ["⏳"]);
});

test("reactions are found by an index, however many there are", async () => {
  const { fill, run, drop } = await costs();
  const [orgId, who] = ["00000000-0000-7000-8001-000000000001", "00000000-0000-7000-8002-000000000001"];
  await fill(`
    insert into auth.users (id) values ('${who}') on conflict do nothing;
    insert into public.organizations (id, name) values ('${orgId}', 'One');
    insert into public.medics (id, org_id, user_id, first_name, last_name) values (${id(3, 1)}, '${orgId}', '${who}', 'Ada', 'Moss');
    insert into public.profiles (id, org_id, role) values ('${who}', '${orgId}', 'medic');
    insert into public.conversations (id, org_id, type, medic_id, last_seq) values (${id(4, 1)}, '${orgId}', 'direct', ${id(3, 1)}, 200), (${id(4, 2)}, '${orgId}', 'broadcast', null, 200);
    insert into public.messages (id, conversation_id, org_id, content, seq) select ${id(5, "n")}, ${id(4, "1 + n % 2")}, '${orgId}', 'x', (n + 1) / 2 from generate_series(1, 400) n;
    insert into public.message_reactions (message_id, person_id, emoji, conversation_id, org_id)
      select ${id(5, "1 + n % 400")}, ${id(2, "2 + n / 400")}, 'a', ${id(4, "1 + (1 + n % 400) % 2")}, '${orgId}' from generate_series(0, 39999) n;
    insert into fieldpost.reaction_counts (message_id, emoji, conversation_id, org_id, count, sync_xid) select ${id(5, "n")}, 'e' || e, ${id(4, "1 + n % 2")}, '${orgId}', 100, '0' from generate_series(1, 400) n, generate_series(1, 100) e where n % 2 = 1;
    insert into fieldpost.people (org_id, user_id, role, medic_id, sync_xid) values ('${orgId}', '${who}', 'medic', ${id(3, 1)}, '0');
    analyze`);
  const named = { p_capabilities: "{reactions}" };
  const load = await run(["message_reactions", "reaction_counts"], who, "bootstrap", { ...named, p_messages: 5 });
  const pull = await run(["message_reactions", "reaction_counts"], who, "pull", { ...named, p_cursor: load.answer.cursor });
  assert.ok(pull.pages < 400, `a pull that finds nothing touches ${pull.pages} pages`);
  assert.ok(load.answer.reactions.length > 0);
  await run(["message_reactions", "reaction_counts"], who, "history", { ...named, p_conversation: "00000000-0000-7000-8004-000000000002", p_limit: 10 });
  await drop();
});
