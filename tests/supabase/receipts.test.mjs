// Receipts: what devices say by markers, other clients read in `messages.status` and `message_recipients`, and the other way round.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

import { Replica } from "./lib/replica.mjs";
import { call, client, owner, uuid7 } from "./lib/stack.mjs";
import { createOrg } from "./lib/tenant.mjs";

let sql, org, admin, ada, ben;
before(async () => {
  sql = owner();
  org = await createOrg(sql, { medics: 2, conversations: true, broadcast: true });
  [admin, ada, ben] = await Promise.all([org.admin, ...org.medics].map((p) => client(p.email, p.password)));
});
after(() => sql.end());

const push = async (js, ...p_mutations) => (await call(js, "push", { p_mutations })).results;
const send = (conversation_id, content = "On my way") => ({ id: uuid7(), kind: "send_message", conversation_id, message_id: uuid7(), content });
const delivered = (conversation_id, delivered_seq) => ({ id: uuid7(), kind: "mark_delivered", conversation_id, delivered_seq });
const read = (conversation_id, read_seq) => ({ id: uuid7(), kind: "mark_read", conversation_id, read_seq });
const say = async (js, conversation_id, n = 1) => {
  const sent = Array.from({ length: n }, (_, k) => send(conversation_id, `line ${k}`));
  const results = await push(js, ...sent);
  assert.deepEqual(results.map((r) => r.status), sent.map(() => "applied"));
  return results.map((r) => ({ id: r.ack.message_id, seq: r.ack.seq }));
};
const statuses = async (sent) => {
  const rows = await sql`select id, status from public.messages where id in ${sql(sent.map((m) => m.id))}`;
  return sent.map((m) => rows.find((r) => r.id === m.id).status);
};
const recipients = async (sent, who) => {
  const rows = await sql`select message_id, delivered_at, read_at from public.message_recipients where message_id in ${sql(sent.map((m) => m.id))} and recipient_id = ${who}`;
  return sent.map((m) => rows.filter((r) => r.message_id === m.id).map((r) => `${r.delivered_at ? "d" : "-"}${r.read_at ? "r" : "-"}`).join());
};
const fresh = async (spec) => {
  const made = await createOrg(sql, { medics: 1, conversations: true, broadcast: true, ...spec });
  const [boss, ...medics] = await Promise.all([made.admin, ...made.medics.slice(0, 2)].map((p) => client(p.email, p.password)));
  return { made, boss, medics };
};

test("a message goes from sent to delivered to read by the markers of others, and no device is told again", async () => {
  const hers = org.conversations[0].id;
  const sent = await say(admin, hers, 3);
  const replica = new Replica(admin);
  await replica.bootstrap();
  const rows = await sql`select id, version, sync_xid, updated_at from public.messages where conversation_id = ${hers} order by seq`;

  assert.deepEqual((await push(admin, read(hers, sent[2].seq)))[0].status, "applied");
  assert.deepEqual(await statuses(sent), ["sent", "sent", "sent"], "her own marker says nothing");
  const [first, again, past] = await push(ada, delivered(hers, sent[1].seq), delivered(hers, 1), delivered(hers, 0));
  assert.deepEqual([first.status, first.read_marker.delivered_seq, first.read_marker.read_seq], ["applied", sent[1].seq, 0]);
  assert.deepEqual([again.status, past.status], ["duplicate", "duplicate"], "it never goes back");
  assert.deepEqual(await statuses(sent), ["delivered", "delivered", "sent"]);
  const [{ read_marker: marker }] = await push(ada, read(hers, sent[0].seq));
  assert.ok(Math.abs(new Date(marker.read_at) - Date.now()) < 60_000 && new Date(marker.delivered_at) <= new Date(marker.read_at));
  assert.deepEqual(await statuses(sent), ["read", "delivered", "sent"]);
  await push(ada, delivered(hers, 999));
  assert.deepEqual(await statuses(sent), ["read", "delivered", "delivered"]);

  const now = await sql`select id, version, sync_xid, updated_at from public.messages where conversation_id = ${hers} order by seq`;
  assert.deepEqual(now, rows, "neither version nor stamp nor time has moved");
  const page = await replica.pull();
  assert.deepEqual([...new Set([page].flat().flatMap((p) => p?.messages ?? []).map((m) => m.id))], [], "nothing of them comes again");
});

test("a device's mark is refused where it has no business, and reveals nothing", async () => {
  const foreign = await createOrg(sql, { medics: 1, conversations: true });
  const cases = [
    [delivered("x", 1), "bad_request"], [delivered(org.conversations[0].id, -1), "bad_request"], [delivered(org.conversations[0].id, "1"), "bad_request"],
    [delivered(org.conversations[1].id, 1), "not_found"], [delivered(foreign.conversations[0].id, 1), "not_found"], [delivered(randomUUID(), 1), "not_found"],
  ];
  const results = await push(ada, ...cases.map(([m]) => m));
  assert.deepEqual(results.map((r) => [r.status, r.code]), cases.map(([, code]) => ["rejected", code]));
});

test("a stranger's last_read_at moves the marker, and with it status and recipients", async () => {
  const { made, boss, medics: [medic] } = await fresh();
  const all = made.broadcast.id;
  const sent = await say(boss, all, 3);
  assert.deepEqual(await recipients(sent, medic.user_id), ["--", "--", "--"], "one row each, with the message");
  const { data: times } = await medic.from("messages").select("created_at").eq("id", sent[1].id).single();
  const { error } = await medic.from("conversation_read_status").insert({ user_id: medic.user_id, conversation_id: all, org_id: made.org_id, last_read_at: times.created_at });
  assert.equal(error, null);
  assert.deepEqual(await statuses(sent), ["read", "read", "sent"]);
  assert.deepEqual(await recipients(sent, medic.user_id), ["dr", "dr", "--"]);
});

test("a stranger who writes her recipient row moves her marker, once, and no further back", async () => {
  const { made, boss, medics: [medic] } = await fresh();
  const all = made.broadcast.id;
  const sent = await say(boss, all, 4);
  const mark = async () => (await sql`select delivered_seq::int, read_seq::int, version::int from public.conversation_read_status where user_id = ${medic.user_id} and conversation_id = ${all}`)[0];
  const row = (n) => medic.from("message_recipients").update({ [n[0]]: "2001-01-01T00:00:00Z" }).eq("message_id", n[1].id).select().single();
  await row(["delivered_at", sent[1]]);
  assert.deepEqual(await mark(), { delivered_seq: 2, read_seq: 0, version: 1 });
  assert.deepEqual(await recipients(sent, medic.user_id), ["d-", "d-", "--", "--"], "what was before it has arrived too");
  const { data } = await row(["read_at", sent[2]]);
  assert.ok(data.delivered_at, "what was read has arrived");
  assert.deepEqual(await mark(), { delivered_seq: 3, read_seq: 3, version: 2 });
  assert.deepEqual([await recipients(sent, medic.user_id), await statuses(sent)], [["dr", "dr", "dr", "--"], ["read", "read", "read", "sent"]]);
  await row(["read_at", sent[0]]);
  assert.deepEqual(await mark(), { delivered_seq: 3, read_seq: 3, version: 2 });
  const replica = new Replica(boss);
  await replica.bootstrap();
  await row(["read_at", sent[3]]);
  await replica.pull();
  assert.deepEqual((await mark()).read_seq, 4, "devices see it as a marker");
  const theirs = await boss.from("message_recipients").update({ read_at: "2001-01-01T00:00:00Z" }).eq("message_id", sent[0].id).select();
  assert.deepEqual(theirs.data, [], "nobody reads for another");
});

test("a broadcast that an old app writes has its recipients once, also when it writes them itself", async () => {
  const { made, boss, medics } = await fresh({ medics: 3 });
  const row = { conversation_id: made.broadcast.id, org_id: made.org_id, sender_id: boss.user_id, content: "to all" };
  const { data: m } = await boss.from("messages").insert(row).select().single();
  const there = async () => (await sql`select recipient_id, delivered_at, read_at from public.message_recipients where message_id = ${m.id}`).map((r) => r);
  assert.equal((await there()).length, 3);
  const hers = made.medics.map((p) => ({ message_id: m.id, recipient_id: p.user_id, org_id: made.org_id, read_at: new Date().toISOString() }));
  const { error } = await boss.from("message_recipients").insert(hers);
  assert.equal(error, null, "the old app does not learn of it");
  assert.deepEqual((await there()).map((r) => [r.delivered_at, r.read_at]), Array(3).fill([null, null]), "and reads for nobody");
  const late = await createOrg(sql, { medics: 0 });
  assert.ok((await medics[0].from("message_recipients").insert({ ...hers[0] })).error, "a medic makes none");
  assert.ok((await (await client(late.admin.email, late.admin.password)).from("message_recipients").insert(hers[0])).error, "nor does another org's admin");
  // Who joins later gets no rows for what was said before; what she reads counts by her marker.
  await sql`insert into public.medics (org_id, user_id, first_name, last_name) values (${made.org_id}, ${late.admin.user_id}, 'Late', 'Comer')`;
  await sql`update public.profiles set org_id = ${made.org_id}, role = 'medic' where id = ${late.admin.user_id}`;
  const comer = await client(late.admin.email, late.admin.password);
  const [mark] = await push(comer, read(made.broadcast.id, 1));
  assert.deepEqual([mark.status, mark.read_marker.read_seq, (await there()).length], ["applied", 1, 3]);
  // A back end that brings rows of its own keeps what they say.
  await sql`insert into public.message_recipients (message_id, recipient_id, org_id, read_at) values (${m.id}, ${made.medics[1].user_id}, ${made.org_id}, now())`;
  assert.deepEqual([(await there()).length, await recipients([m], made.medics[1].user_id)], [3, ["dr"]]);
});

test("whoever calls itself the deriving one stamps all the same: a client's update of a status is a change", async () => {
  const [m] = await say(ada, org.conversations[0].id);
  const [{ version }] = await sql.begin(async (tx) => {
    await tx`select set_config('request.jwt.claims', ${JSON.stringify({ sub: org.admin.user_id, role: "authenticated" })}, true), set_config('request.jwt.claim.sub', ${org.admin.user_id}, true), set_config('fieldpost.deriving', 'on', true)`;
    await tx.unsafe("set local role authenticated");
    return tx`update public.messages set status = 'read' where id = ${m.id} returning version`;
  });
  assert.equal(Number(version), 2);
});

test("in a broadcast to a thousand, a mark costs what lies between its two positions, by the indexes", async () => {
  const { made, boss, medics: [medic] } = await fresh();
  const all = made.broadcast.id;
  await sql`insert into public.medics (org_id, user_id, first_name, last_name) select ${made.org_id}, null, 'Crowd', n::text from generate_series(1, 10) n`;
  const users = await sql`insert into auth.users (id, email) select gen_random_uuid(), gen_random_uuid() || '@crowd.test' from generate_series(1, 999) returning id`;
  await sql`insert into public.medics (org_id, user_id, first_name, last_name) select ${made.org_id}, u, 'Crowd', 'Member' from unnest(${users.map((u) => u.id)}::uuid[]) u`;
  await say(boss, all, 60);
  const [{ n }] = await sql`select count(*)::int as n from public.message_recipients where org_id = ${made.org_id}`;
  assert.equal(n, 60_000);
  await sql`insert into public.conversation_read_status (user_id, conversation_id, org_id, read_seq) select u, ${all}, ${made.org_id}, 50 from unnest(${users.map((u) => u.id)}::uuid[]) u`;
  const [counted] = await sql`select count(*) filter (where read_at is not null)::int as read, count(*) filter (where delivered_at is not null)::int as delivered from public.message_recipients where org_id = ${made.org_id}`;
  assert.deepEqual({ ...counted }, { read: 50 * 999, delivered: 50 * 999 });
  await push(medic, read(all, 50));
  await sql`analyze public.messages, public.message_recipients, public.conversation_read_status`;
  const touched = async (mutation) => {
    const [row] = await sql.begin(async (tx) => {
      await tx`select set_config('request.jwt.claims', ${JSON.stringify({ sub: medic.user_id, role: "authenticated" })}, true), set_config('request.jwt.claim.sub', ${medic.user_id}, true)`;
      await tx`select fieldpost.push(1, 'test', '{}', array[${sql.json(mutation)}]::jsonb[])`; // plans and caches
      const plan = await tx.unsafe(`explain (analyze, buffers, format json) select fieldpost.push(1, 'test', '{}', array['${JSON.stringify({ ...mutation, [Object.keys(mutation).at(-1)]: mutation.read_seq + 1 })}']::jsonb[])`);
      throw { rows: [plan[0]["QUERY PLAN"][0].Plan] };
    }).catch((e) => e.rows ?? Promise.reject(e));
    return row["Shared Hit Blocks"] + row["Shared Read Blocks"];
  };
  // A connection reads catalogs before it knows its plans, and again whenever another one has changed statistics: the least is the cost.
  const each = [];
  while (each.length < 5) each.push(await touched(read(all, 51)));
  assert.ok(Math.min(...each) < 320, `one more message read touches ${each.join(", ")} pages`);
});

test("above the limit of a minute a push waits with its lane, and a direct insert is refused; without one nothing is counted", async () => {
  const { made, boss, medics: [medic] } = await fresh();
  const thread = made.conversations[0].id;
  const row = { conversation_id: thread, org_id: made.org_id, sender_id: medic.user_id, content: "from the web" };
  await sql`select fieldpost.limit_sends(5)`;
  try {
    const batch = [...Array.from({ length: 7 }, () => send(thread)), read(thread, 1)];
    const results = await push(medic, ...batch);
    assert.deepEqual(results.map((r) => r.code ?? r.status), [...Array(5).fill("applied"), "too_many", "too_many", "after_retry"]);
    assert.ok(results[5].status === "retry" && results[5].retry_after > 0 && results[5].retry_after <= 60, "it says when");
    const { error, status } = await medic.from("messages").insert(row);
    assert.deepEqual([status, error.message], [429, "a person sends at most 5 messages a minute"]);
    assert.equal((await push(boss, send(thread)))[0].status, "applied", "another person's count is another");
    await sql`update fieldpost.sent set minute = minute - interval '1 minute'`;
    const again = await push(medic, ...batch.slice(5));
    assert.deepEqual(again.map((r) => r.status), ["applied", "applied", "duplicate"].with(2, again[2].status), "in the next minute they go");
    const many = await medic.from("messages").insert(Array(4).fill(row));
    assert.equal(many.status, 429, "all of a statement or nothing");
    assert.equal((await medic.from("messages").insert([row])).status, 201);
  } finally {
    await sql`select fieldpost.limit_sends(null)`;
  }
  assert.deepEqual((await push(medic, ...Array.from({ length: 7 }, () => send(thread)))).map((r) => r.status), Array(7).fill("applied"));
  assert.equal((await sql`select from fieldpost.sent`).length, 0);
});
