// Messages that are older than an age go away, on the server and on every device, and nobody who writes meanwhile notices.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

import { claim } from "./lib/claim.mjs";
import { device, everything, tablesWith } from "./lib/devices.mjs";
import { members } from "./lib/members.mjs";
import { scratch } from "./lib/scratch.mjs";
import { owner, stack, uuid7 } from "./lib/stack.mjs";

let db, sql, impatient;
before(async () => {
  db = await scratch({ max: 12 });
  await db.apply();
  sql = db.sql;
  // Whoever waits for a lock without end fails.
  impatient = owner({ url: db.url, connection: { statement_timeout: 8000 } });
});
after(async () => {
  await impatient.end();
  await db.drop();
});

const push = async (who, ...p_mutations) => (await db.call(who, "push", { p_mutations })).results;
const send = (conversation_id, content, more) => ({ id: uuid7(), kind: "send_message", conversation_id, message_id: uuid7(), content, ...more });
const verdict = (r) => [r.status, r.code];

/** A message of so many days ago, as a back end or an import writes it. */
async function said(org, conversation_id, sender_id, content, days = 0, more = {}) {
  const row = { id: uuid7(), conversation_id, org_id: org.org, sender_id, content, created_at: new Date(Date.now() - days * 86_400_000), ...more };
  await sql`insert into public.messages ${sql(row)}`;
  return row.id;
}

const expire = async (org, age = "90 days", batch = 1000, tx = sql) => (await tx`select fieldpost.expire_messages(${org.org}, ${age}::interval, ${batch}) as done`)[0].done;
const preview = async (org, age = "90 days") => (await sql`select fieldpost.expire_messages(${org.org}, ${age}::interval, p_preview => true) as found`)[0].found;

/** Calls until there is no more, as the howto says. */
async function expireAll(org, age, batch, tx) {
  const done = { calls: 0, messages: 0, reports: 0 };
  for (let more = true; more; done.calls += 1) {
    assert.ok(done.calls < 500, "a retention that does not end");
    const part = await expire(org, age, batch, tx);
    done.messages += part.messages;
    done.reports += part.reports;
    more = part.more;
  }
  return done;
}

/** An organization with old and young messages, and everything that hangs on them. */
async function history() {
  const org = await members(sql, { medics: 2 });
  const [ada, ben] = org.medics;
  const [hers, his] = org.conversations;
  const old = [
    await said(org, hers, ada, "old plover", 200, { metadata: { note: "metadata plover" }, mentions: [org.admin] }),
    await said(org, hers, org.admin, "older than that: plover", 150),
    await said(org, his, ben, "all that he wrote, plover", 120),
    await said(org, org.broadcast, org.admin, "to all, plover", 100),
  ];
  const young = [
    await said(org, hers, ada, "young heron", 20, { reply_to: old[1] }),
    await said(org, hers, ada, "younger heron", 1, { mentions: [org.admin] }),
    await said(org, org.broadcast, org.admin, "to all, heron", 2),
  ];
  await sql`insert into public.message_reactions ${sql([[old[0], org.admin], [old[3], ada], [young[0], org.admin]].map(([message_id, person_id]) => ({ message_id, person_id, emoji: "👍" })))}`;
  await push(ada, { id: uuid7(), kind: "mark_read", conversation_id: org.broadcast, read_seq: 1 });
  await sql`insert into public.conversation_settings ${sql({ user_id: org.admin, conversation_id: hers, unread_from: 1, pinned_at: new Date() })}`;
  return { ...org, old, young };
}

/** The rows of an organization, with their versions and stamps. */
const rowsOf = async (org) => JSON.stringify(await sql`
  select (select jsonb_agg(m order by m.id) from public.messages m where m.org_id = ${org.org}) as messages,
    (select jsonb_agg(r order by r.id) from public.message_reactions r where r.org_id = ${org.org}) as reactions,
    (select jsonb_agg(c order by c.id) from public.conversations c where c.org_id = ${org.org}) as conversations,
    (select jsonb_agg(r order by r.id) from public.message_recipients r where r.org_id = ${org.org}) as recipients`);

test("what is older than the age is in no table and on no device afterwards, and what is younger is as it was", async () => {
  await sql`select fieldpost.enable_search()`;
  const [org, other] = [await history(), await history()];
  const untouched = await rowsOf(other);
  const people = [org.admin, ...org.medics];
  await sql`insert into fieldpost.redated values (${org.old[0]}, '1970-01-01')`;
  const devices = await Promise.all(people.map((who) => device(db, who)));
  assert.equal(devices[0].conversations.get(org.conversations[0]).unread, 3);
  assert.deepEqual(await expireAll(org, "90 days", 1), { calls: 4, messages: 4, reports: 0 });
  for (const one of devices) {
    await one.converges();
    assert.ok([...one.messages.values()].every((m) => !m.content.includes("plover")), "devices have nothing of it");
  }
  const [boss, ada, ben] = devices;
  assert.deepEqual([...boss.messages.keys()].sort(), org.young.toSorted());
  assert.equal((await sql`select from fieldpost.redated where message_id = ${org.old[0]}`).length, 0);
  const row = boss.conversations.get(org.conversations[0]);
  assert.deepEqual([row.unread, row.unread_mentions, row.last_message_preview, row.last_seq], [2, 1, "younger heron", 4]);
  const emptied = ben.conversations.get(org.conversations[1]);
  assert.deepEqual([emptied.unread, emptied.last_message_preview, emptied.last_message_at, emptied.last_seq], [0, undefined, undefined, 1]);
  assert.equal(boss.messages.get(org.young[0]).reply_to, org.old[1], "a reply still names what it answered");
  assert.ok(boss.deleted.has(org.old[1]), "and the device knows that it is gone");
  assert.equal(ada.shown(org.young[0])["👍"].n, 1);
  const at = (await sql`select r.conversation_id, r.at from fieldpost.recency r where r.org_id = ${org.org}`).map((r) => r.conversation_id);
  assert.deepEqual(at.sort(), [org.conversations[0], org.broadcast].sort(), "an emptied conversation is not a recent one");

  assert.equal(await rowsOf(other), untouched, "another organization is untouched");
  await expireAll(other);
  const left = (await sql`select id from public.messages where org_id = ${other.org}`).map((m) => m.id);
  assert.deepEqual(left.sort(), other.young.toSorted(), "nothing that is young goes in a batch with what is old");
  assert.deepEqual(await tablesWith(sql, "plover"), []);
  assert.ok((await tablesWith(sql, "heron")).includes("messages"));
  for (const who of people) {
    const all = await everything(db, who, [...org.conversations, org.broadcast].filter((c) => who === org.admin || c === org.broadcast));
    assert.ok(!all.includes("plover") && all.includes("heron"));
  }
});

test("a preview counts what the calls then delete, and changes nothing; called again, they change nothing either", async () => {
  const org = await history();
  const boss = await device(db, org.admin);
  const before = await rowsOf(org);
  const found = await preview(org);
  assert.deepEqual([found.messages, found.conversations, found.kept_for_open_reports, found.reports], [4, 3, 0, 0]);
  assert.ok(Math.abs(new Date(found.oldest) - (Date.now() - 200 * 86_400_000)) < 60_000);
  assert.equal(await rowsOf(org), before);
  assert.equal((await expireAll(org)).messages, found.messages);
  await boss.pull();
  const after = await rowsOf(org);
  assert.deepEqual(await expire(org).then(({ messages, reports, more }) => [messages, reports, more]), [0, 0, false]);
  assert.equal((await preview(org)).messages, 0);
  assert.equal(await rowsOf(org), after);
  const [page] = await boss.pull();
  assert.deepEqual([page.tombstones.length, page.messages.length, page.conversations.length], [0, 0, 0], "no device hears of that");
});

test("an age below a day, no age, and an organization that is none are refused", async () => {
  const org = await members(sql);
  await said(org, org.conversations[0], org.admin, "today");
  for (const age of ["0", "-1 day", "23 hours", null]) await assert.rejects(expire(org, age), /one day or more/, age);
  for (const batch of [0, -1, 100_001, null]) await assert.rejects(expire(org, "1 day", batch), /p_batch/);
  await assert.rejects(expire({ org: randomUUID() }), /no such organization/);
  assert.equal((await expire(org, "1 day")).messages, 0);
});

test("what a device still wants to do with a message that has expired is answered sanely, and its lane goes on", async () => {
  const org = await members(sql);
  const [hers] = org.conversations;
  const [ada] = org.medics;
  const mutation = send(hers, "sent long ago");
  await push(ada, mutation);
  const theirs = await said(org, hers, org.admin, "the admin's");
  await sql.unsafe("alter table public.messages disable trigger user");
  await sql`update public.messages set created_at = now() - interval '100 days' where org_id = ${org.org}`;
  await sql.unsafe("alter table public.messages enable trigger user");
  assert.equal((await expireAll(org)).messages, 2);
  const on = (kind, message_id, more) => ({ id: uuid7(), kind, conversation_id: hers, message_id, ...more });
  const mine = mutation.message_id;
  const results = await push(ada, mutation, on("edit_message", mine, { content: "new" }), on("delete_message", mine), on("react", theirs, { emoji: "👍" }),
    on("report_message", theirs, { reason: "spam" }), { id: uuid7(), kind: "mark_read", conversation_id: hers, read_seq: 2 }, send(hers, "an answer", { reply_to: theirs }));
  assert.deepEqual(results.map(verdict), [["duplicate", undefined], ["rejected", "message_deleted"], ["duplicate", undefined], ["rejected", "message_deleted"],
    ["rejected", "message_deleted"], ["applied", undefined], ["applied", undefined]]);
  assert.equal(results[0].tombstone.id, mine, "a message whose answer was lost does not come back");
  assert.equal(results.at(-1).ack.seq, 3, "numbers go on");
});

test("what a reported message said is kept while the report is open, and goes when it was dealt with and is as old", async () => {
  const org = await members(sql, { medics: 1 });
  const [ada] = org.medics;
  const id = await said(org, org.conversations[0], ada, "rude bittern", 100);
  await sql`insert into public.message_reports (message_id, reporter_id, reason, note, reported_at) values (${id}, ${org.admin}, 'harassment', 'note of a bittern', now() - interval '99 days')`;
  assert.deepEqual([(await preview(org)).kept_for_open_reports, (await preview(org)).reports], [1, 0]);
  assert.deepEqual(await expireAll(org), { calls: 1, messages: 1, reports: 0 });
  const reports = async () => (await db.call(org.admin, "reports", { p_all: true })).reports;
  const [report] = await reports();
  assert.deepEqual([report.content, report.note], ["rude bittern", "note of a bittern"], "the admin can still judge it");
  await db.call(org.admin, "resolve_report", { p_report: report.id });
  assert.equal((await expireAll(org, "100 days")).reports, 0, "the report is younger than that");
  assert.equal((await preview(org)).reports, 1);
  assert.equal((await expireAll(org)).reports, 1);
  const [left] = await reports();
  assert.deepEqual([left.id, left.reason, left.content, left.note], [report.id, "harassment", undefined, undefined], "that it was reported stays");
  assert.deepEqual(await tablesWith(sql, "bittern"), []);
  assert.equal((await expireAll(org)).reports, 0);
});

/** Does `work` while somebody holds what `lock` locks. */
async function whileHeld(lock, work) {
  await sql.begin(async (holder) => {
    await lock(holder);
    await work();
  });
}

test("what somebody holds is passed by and goes with a later call; nobody is waited for without end", async () => {
  const held = {
    "a conversation": (tx, org) => tx`select from public.conversations where id = ${org.conversations[0]} for no key update`,
    "a message": (tx, org) => tx`select from public.messages where id = ${org.old[0]} for no key update`,
    "a recipient row": (tx, org) => tx`select from public.message_recipients where message_id = ${org.old[3]} for update`,
    "a reaction": (tx, org) => tx`select from public.message_reactions where message_id = ${org.old[0]} for update`,
    "all conversations": (tx, org) => tx`select from public.conversations where org_id = ${org.org} for no key update`,
  };
  const meanwhile = { "a conversation": 2, "a message": 3, "a recipient row": 0, "a reaction": 0, "all conversations": 0 };
  for (const [what, lock] of Object.entries(held)) {
    const org = await history();
    await whileHeld((tx) => lock(tx, org), async () => {
      const done = await expire(org, "90 days", 1000, impatient);
      assert.deepEqual([done.messages, done.more], [meanwhile[what], true], what);
    });
    assert.equal((await expireAll(org)).messages, 4 - meanwhile[what], what);
  }
});

test("beside people who write, edit, react, read and pull, nobody fails, and nothing is lost that was not meant", async () => {
  const org = await members(sql, { medics: 3 });
  const lanes = [...org.conversations, org.broadcast];
  const ids = { old: [], young: [] };
  for (const lane of lanes) {
    for (let n = 0; n < 60; n++) ids.old.push(await said(org, lane, org.admin, `old ${n}`, 200 - n));
    for (let n = 0; n < 10; n++) ids.young.push(await said(org, lane, org.admin, `young ${n}`, 10));
  }
  const devices = await Promise.all([org.admin, ...org.medics].map((who) => device(db, who)));
  let over = false;
  const sent = [];
  const known = new Set(["message_deleted", "conflict", "after_retry", undefined]);
  const some = (list) => list[Math.floor(Math.random() * list.length)];
  /** By push, and by clients of the tables: all that locks what a deletion locks. */
  const pushes = async () => {
    const message = send(some(lanes), "written meanwhile");
    const touched = some(ids.old);
    const [{ conversation_id } = { conversation_id: lanes[0] }] = await sql`select conversation_id from public.messages where id = ${touched}`;
    const results = await push(org.admin, message, { id: uuid7(), kind: "edit_message", conversation_id, message_id: touched, content: "edited" },
      { id: uuid7(), kind: "react", conversation_id, message_id: some(ids.old), emoji: "👍" });
    for (const r of results) assert.ok(known.has(r.code) || r.code === "not_found", JSON.stringify(r));
    if (results[0].status === "applied") sent.push(message.message_id);
  };
  const reads = async (n) => {
    const [{ last }] = await sql`select last_seq as last from public.conversations where id = ${org.broadcast}`;
    const [r] = await push(org.medics[n], { id: uuid7(), kind: "mark_read", conversation_id: org.broadcast, read_seq: Math.ceil(Number(last) * Math.random()) });
    assert.ok(["applied", "duplicate", "retry"].includes(r.status), JSON.stringify(r));
  };
  const dashboard = () => sql`update public.messages set metadata = jsonb_build_object('n', random()) where id = ${some(ids.old)}`;
  const receipts = () => sql`update public.message_recipients set read_at = now() where message_id = ${some(ids.old)} and recipient_id = ${org.medics[0]}`;
  const loop = async (work) => {
    while (!over) await work();
  };
  const others = [loop(pushes), loop(pushes), loop(() => reads(0)), loop(() => reads(1)), loop(dashboard), loop(receipts), ...devices.map((d) => loop(() => d.pull()))];
  let done;
  try {
    done = await expireAll(org, "90 days", 5);
  } finally {
    over = true;
    await Promise.all(others);
  }
  assert.equal(done.messages, ids.old.length, "each was deleted once");
  const left = (await sql`select id from public.messages where org_id = ${org.org}`).map((m) => m.id).sort();
  assert.deepEqual(left, [...ids.young, ...sent].sort());
  assert.equal((await sql`select from public.message_reactions r where not exists (select from public.messages m where m.id = r.message_id)`).length, 0);
  for (const one of devices) await one.converges();
  claim(`retention: ${done.messages} messages in ${done.calls} calls beside ${sent.length} sends of others: nobody failed`);
});

test("a batch counts the recipients of a broadcast, and takes at least one message", async () => {
  const org = await members(sql, { medics: 9 });
  for (let n = 0; n < 5; n++) await said(org, org.broadcast, org.admin, `to all ${n}`, 100);
  assert.deepEqual(await expireAll(org, "90 days", 20), { calls: 3, messages: 5, reports: 0 });
  for (let n = 0; n < 3; n++) await said(org, org.broadcast, org.admin, `to all ${n}`, 100);
  assert.deepEqual(await expireAll(org, "90 days", 1), { calls: 3, messages: 3, reports: 0 });
});

test("a trigger of the project that keeps messages is named, instead of calls without end", async () => {
  const own = await scratch();
  try {
    await own.apply();
    const org = await members(own.sql);
    await own.sql`insert into public.messages (conversation_id, org_id, content, created_at) values (${org.conversations[0]}, ${org.org}, 'kept', now() - interval '100 days')`;
    await own.sql.unsafe(`create function public.keep() returns trigger language plpgsql as $$ begin return null; end $$;
      create trigger keep before delete on public.messages for each row execute function public.keep()`).simple();
    await assert.rejects(expire(org, "90 days", 1000, own.sql), /a trigger of this project keeps messages/);
  } finally {
    await own.drop();
  }
});

test("a batch goes by the indexes, and reads nothing of what is young", async () => {
  const org = await members(sql, { medics: 40 });
  const url = new URL(stack().superuser_url);
  url.pathname = new URL(db.url).pathname;
  const plans = [];
  const boss = owner({ url: url.href, onnotice: (n) => plans.push(n.message) });
  try {
    await boss.begin(async (tx) => {
      await tx.unsafe("set local session_replication_role = replica");
      await tx`insert into public.messages (conversation_id, org_id, sender_id, content, seq, created_at)
        select c.id, c.org_id, ${org.admin}, 'text ' || n, n, now() - (400 - n) * interval '12 hours'
        from public.conversations c, generate_series(1, 400) n where c.org_id = ${org.org}`;
      await tx`update public.conversations set last_seq = 400 where org_id = ${org.org}`;
      await tx`insert into public.conversations (org_id, type, last_seq) select ${(await members(sql)).org}, 'direct', 0 from generate_series(1, 5000)`;
      // What others have of everything, so that it is cheaper to look up than to read.
      const other = randomUUID();
      await tx`insert into public.message_recipients (message_id, recipient_id, org_id) select gen_random_uuid(), gen_random_uuid(), ${other} from generate_series(1, 20000)`;
      await tx`insert into public.message_reactions (message_id, person_id, emoji, conversation_id, org_id) select gen_random_uuid(), gen_random_uuid(), '👍', gen_random_uuid(), ${other} from generate_series(1, 20000)`;
      await tx`with r as (insert into public.message_reports (message_id, reporter_id, reason, conversation_id, org_id, resolved_at)
        select gen_random_uuid(), gen_random_uuid(), 'spam', gen_random_uuid(), ${other}, now() from generate_series(1, 20000) returning id)
        insert into fieldpost.reported_texts select r.id, 'text' from r`;
    });
    for (const table of ["public.messages", "public.conversations", "public.message_recipients", "public.message_reactions", "public.message_reports", "fieldpost.reported_texts"]) await sql.unsafe(`analyze ${table}`);
    const planned = async (age, batch) => {
      plans.length = 0;
      let pages;
      await boss.begin(async (tx) => {
        await tx.unsafe(`load 'auto_explain'; set local auto_explain.log_min_duration = 0; set local auto_explain.log_nested_statements = on;
          set local auto_explain.log_level = 'notice'; set local auto_explain.log_triggers = off`).simple();
        const [row] = await tx`explain (analyze, buffers, timing off, format json) select fieldpost.expire_messages(${org.org}, ${age}::interval, ${batch})`;
        pages = row["QUERY PLAN"][0].Plan["Shared Hit Blocks"] + row["QUERY PLAN"][0].Plan["Shared Read Blocks"];
      });
      // Without those of the triggers of a deletion, whose plans depend on how many rows it has.
      return { pages, text: plans.filter((p) => p.includes("plan:") && !p.includes("fieldpost_old")).join("\n") };
    };
    const batch = await planned("190 days", 100);
    assert.match(batch.text, /Index (Only )?Scan using fieldpost_messages_seq on messages/);
    assert.match(batch.text, /Index (Only )?Scan using fieldpost_conversations_org on conversations|Bitmap Index Scan on fieldpost_conversations/);
    const whole = batch.text.match(/Seq Scan on (messages|conversations|message_recipients|message_reactions|message_reports|reported_texts|tombstones) .*/);
    assert.equal(whole, null, `reads a table from end to end: ${whole?.[0]}\n${plans.find((p) => p.includes(whole?.[0]))}`);
    await expireAll(org, "190 days", 1000);
    await sql`vacuum public.messages`;
    const nothing = await planned("190 days", 1000);
    assert.ok(nothing.pages < 41 * 12, `a call that finds nothing touches few pages of each conversation: ${nothing.pages}`);
    claim(`retention: a batch of 100 messages touched ${batch.pages} pages of 16,400 messages, a call that finds nothing ${nothing.pages}`);
  } finally {
    await boss.end();
  }
});

test("nobody can call it through the API", async () => {
  const mine = await sql`
    select p.oid::regprocedure::text as name, r.rolname as role from pg_proc p, pg_roles r
    where p.pronamespace = 'fieldpost'::regnamespace and p.proname ~ '^(expire|erase|hold_|stored_of|messages_to_erase|rows_of|markers_erased)'
      and r.rolname in ('anon', 'authenticated', 'service_role') and has_function_privilege(r.oid, p.oid, 'execute')`;
  assert.deepEqual(mine.map((p) => `${p.role}: ${p.name}`), []);
  const org = await history();
  for (const role of ["anon", "authenticated"]) {
    for (const text of [`fieldpost.expire_messages('${org.org}', '1 day')`, `fieldpost.erase_person('${org.medics[0]}', 'remove')`, `fieldpost.stored_of('${org.medics[0]}')`]) {
      const refused = sql.begin(async (tx) => {
        await tx`select set_config('request.jwt.claim.sub', ${org.admin}, true)`;
        await tx.unsafe(`set local role ${role}`);
        await tx.unsafe(`select ${text}`);
      });
      await assert.rejects(refused, { code: "42501" }, `${role}: ${text}`);
    }
  }
});
