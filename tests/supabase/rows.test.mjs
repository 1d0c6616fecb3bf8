// Rows that nobody at Fieldpost wrote: too large, too deep, out of time, without an author. None of them stops a device.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

import { claim } from "./lib/claim.mjs";
import { members } from "./lib/members.mjs";
import { OLD } from "./lib/old_project.mjs";
import { scratch } from "./lib/scratch.mjs";

const NOBODY = "00000000-0000-0000-0000-000000000000";
const deep = (levels) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
const send = (conversation_id, content, more = {}) => ({ id: randomUUID(), kind: "send_message", conversation_id, message_id: randomUUID(), content, ...more });

// `own`: Fieldpost made the tables. `guest`: they were there before.
let own, guest;
before(async () => {
  [own, guest] = [await scratch(), await scratch()];
  await own.apply();
  await guest.sql.unsafe(`${OLD}
    alter table public.conversations enable row level security; alter table public.message_recipients enable row level security;
    alter table public.conversation_read_status enable row level security;
    alter table public.messages alter column sender_id drop not null;
    alter table public.organizations add column name text;`);
  await guest.apply();
});
after(() => Promise.all([own.drop(), guest.drop()]));

/** A statement as a signed-in person, by the API's role. */
const as = (db, who, text, values = []) =>
  db.sql.begin(async (tx) => {
    await tx`select set_config('request.jwt.claim.sub', ${who}, true)`;
    await tx`set local role authenticated`;
    return tx.unsafe(text, values);
  });

const insert = "insert into public.messages (conversation_id, org_id, sender_id, content, metadata) values ($1, $2, $3, $4, $5::text::jsonb)";

test("a row above a limit travels without what is too much, to every device, old and new", async () => {
  const org = await members(guest.sql, { medics: 1 });
  const [ada, direct] = [org.medics[0], org.conversations[0]];
  const start = await guest.call(org.admin, "bootstrap");
  const rows = [
    ["fine", deep(64), undefined], ["deep", deep(65), "metadata_too_deep"], ["deeper", deep(2000), "metadata_too_deep"],
    ["large", JSON.stringify({ blob: "x".repeat(34e6) }), "metadata_too_large"], ["many", JSON.stringify({ list: Array(9000).fill(1) }), "metadata_too_large"],
    ["x".repeat(5001), "{}", "content_too_long"], ["brackets are no depth", JSON.stringify({ t: '"[{\\"['.repeat(100) }), undefined],
  ];
  for (const [content, metadata] of rows) await as(guest, ada, insert, [direct, org.org, ada, content, metadata]);
  for (const page of [await guest.call(org.admin, "pull", { p_cursor: start.cursor }), await guest.call(org.admin, "bootstrap"), await guest.call(org.admin, "history", { p_conversation: direct })]) {
    const list = page.messages.sort((a, b) => a.seq - b.seq);
    assert.deepEqual(list.map((m) => [m.seq, m.omitted?.reason]), rows.map(([, , reason], n) => [n + 1, reason]));
    for (const m of list.filter((m) => m.omitted)) {
      assert.deepEqual([m.content, m.metadata, m.omitted.bytes > 300], [undefined, undefined, true]);
    }
    assert.ok(JSON.stringify(page).length < 100_000);
    assert.equal((page.conversation ?? page.conversations.find((c) => c.id === direct)).unread, rows.length, "they count like others");
  }
  const [{ preview }] = await guest.sql`select last_message_preview as preview from public.conversations where id = ${direct}`;
  assert.equal(preview, "brackets are no depth");
  await guest.sql`update public.messages set content = 'short again' where content = ${"x".repeat(5001)}`;
  const after = (await guest.call(org.admin, "bootstrap")).messages.find((m) => m.seq === 6);
  assert.deepEqual([after.content, after.omitted], ["short again", undefined]);
});

test("a subject of 34 MB is a conversation like others, without a subject", async () => {
  const org = await members(guest.sql, { medics: 1 });
  const start = await guest.call(org.medics[0], "bootstrap");
  await as(guest, org.admin, "update public.conversations set subject = $1 where id = $2", ["x".repeat(34e6), org.conversations[0]]);
  for (const page of [await guest.call(org.medics[0], "pull", { p_cursor: start.cursor }), await guest.call(org.medics[0], "bootstrap")]) {
    const row = page.conversations.find((c) => c.id === org.conversations[0]);
    assert.deepEqual([row.subject, row.omitted], [undefined, { reason: "subject_too_long", bytes: 34e6 }]);
  }
});

test("tables that Fieldpost made refuse such rows from clients, and pushes of them are refused everywhere", async () => {
  const org = await members(own.sql, { medics: 1 });
  const [ada, direct] = [org.medics[0], org.conversations[0]];
  for (const [content, metadata, why] of [["x", deep(65), "metadata_too_deep"], ["x", JSON.stringify({ b: "x".repeat(17000) }), "metadata_too_large"], ["x".repeat(5001), "{}", "content_too_long"]]) {
    await assert.rejects(as(own, ada, insert, [direct, org.org, ada, content, metadata]), (e) => e.code === "23514" && e.message === why);
    const { results } = await own.call(ada, "push", { p_mutations: [send(direct, content, { metadata: JSON.parse(metadata) }), send(direct, "fine")] });
    assert.deepEqual(results.map((r) => [r.status, r.code]), [["rejected", why], ["applied", undefined]]);
  }
  await assert.rejects(as(own, org.admin, "update public.conversations set subject = $1 where id = $2", ["x".repeat(501), direct]), (e) => e.message === "subject_too_long");
  const { results } = await own.call(org.admin, "push", { p_mutations: [{ id: randomUUID(), kind: "open_broadcast", conversation_id: randomUUID(), org_id: org.org, subject: "x".repeat(501) }] });
  assert.equal(results[0].code, "subject_too_long");
});

test("metadata is measured as devices write it, without blanks", async () => {
  const org = await members(own.sql, { medics: 1 });
  const [ada, direct] = [org.medics[0], org.conversations[0]];
  // 16,384 bytes and one more, of the shapes that grow most when PostgreSQL prints or stores them.
  const list = (bytes) => { const m = { list: Array(Math.floor((bytes - 12) / 2)).fill(1) }; const rest = bytes - JSON.stringify(m).length; return rest ? { ...m, list: [...m.list.slice(1), Number("1".repeat(1 + rest))] } : m; };
  const text = (bytes) => ({ t: "x".repeat(bytes - 8) });
  for (const make of [list, text]) {
    assert.deepEqual([JSON.stringify(make(16384)).length, JSON.stringify(make(16385)).length], [16384, 16385]);
    const { results } = await own.call(ada, "push", { p_mutations: [send(direct, "x", { metadata: make(16384) }), send(direct, "x", { metadata: make(16385) })] });
    assert.deepEqual(results.map((r) => r.code), [undefined, "metadata_too_large"], make.name);
  }
});

test("no row that a member can write stops another's device: random rows", async () => {
  const org = await members(guest.sql, { medics: 1 });
  const [ada, direct] = [org.medics[0], org.conversations[0]];
  const start = await guest.call(org.admin, "bootstrap");
  // A seeded generator: a failure can be repeated.
  let seed = 20261126;
  const random = (n) => ((seed = (seed * 1103515245 + 12345) % 2147483648), seed % n);
  const values = [() => deep(random(200) + 1), () => "[]", () => '"text"', () => "null", () => "1e400", () => "18446744073709551615", () => JSON.stringify({ "": "\u2028\ud83d\ude00", idempotency_key: "k".repeat(random(4000)) }),
    () => JSON.stringify({ n: Array.from({ length: random(3000) }, () => [{}]) })];
  const contents = [() => null, () => "", () => "x".repeat(random(12000)), () => "\u202e\u0301".repeat(random(50)), () => " padded "];
  const times = ["'infinity'", "'-infinity'", "'2038-01-19'", "'0001-01-01'", "'294276-12-31'", "now()", "null"];
  let written = 0;
  for (let n = 0; n < 120; n++) {
    const metadata = values[random(values.length)]();
    const text = `insert into public.messages (conversation_id, org_id, sender_id, content, metadata, composed_at, message_type)
      values ($1, $2, $3, $4, $5::text::jsonb, ${times[random(times.length)]}, ${random(2) ? "'text'" : "'attachment'"})`;
    await as(guest, ada, text, [direct, org.org, ada, contents[random(contents.length)](), metadata]);
    written++;
  }
  let [page, seen] = [{ cursor: start.cursor, more: true }, 0];
  while (page.more) {
    page = await guest.call(org.admin, "pull", { p_cursor: page.cursor, p_limit: 17 });
    for (const m of page.messages) {
      seen++;
      for (const t of [m.created_at, m.updated_at, m.composed_at].filter(Boolean)) assert.match(t, /^2\d{3}-/);
      assert.ok(JSON.stringify(m).length < 60_000);
    }
  }
  assert.equal(seen, written);
  claim(`no row stops a device: ${written} random rows of a member arrived on the other's, ${seen} of them`);
});

test("impossible times order and date nothing, and a clock that ran ahead heals", async () => {
  const db = await scratch();
  try {
    const { sql } = db;
    await sql.unsafe(`${OLD} alter table public.organizations add column name text`);
    const org = await members(sql, { medics: 1 });
    const [ada, direct] = [org.medics[0], org.conversations[0]];
    const old = (content, at) => sql.unsafe(`insert into public.messages (conversation_id, org_id, sender_id, content, created_at) values ('${direct}', '${org.org}', '${org.admin}', '${content}', ${at})`);
    await old("first", "now() - interval '2 hours'");
    await old("of 2038", "'2038-01-19'");
    await old("without end", "'infinity'");
    await old("before all", "'-infinity'");
    await old("second", "now() - interval '1 hour'");
    await db.apply({ adopt: true });
    const thread = async () => (await db.call(ada, "history", { p_conversation: direct })).messages.map((m) => [m.content, Date.parse(m.created_at)]);
    const before = await thread();
    assert.deepEqual(before.map(([c]) => c), ["before all", "first", "second", "of 2038", "without end"]);
    assert.ok(before.every(([, at]) => at <= Date.now()), "none is of the future");
    // A clock that ran ahead for a while: its row is dated in the future, those after it are not.
    await sql.unsafe("alter table public.messages disable trigger user");
    await sql`update public.messages set created_at = '2038-01-19' where content = 'without end'`; // the last one
    await sql.unsafe("alter table public.messages enable trigger user");
    await sql`update public.messages set created_at = '2038-01-19' where content = 'second'`; // not by others: restored
    // A web client clears its badge.
    await as(db, ada, "insert into public.conversation_read_status (user_id, conversation_id, org_id, last_read_at) values ($1, $2, $3, now())", [ada, direct, org.org]);
    assert.equal((await db.call(ada, "bootstrap")).conversations.find((c) => c.id === direct).unread, 0);
    const { results } = await db.call(ada, "push", { p_mutations: [send(direct, "pushed", { composed_at: "+10000-01-01T00:00:00Z" }), send(direct, "and", { composed_at: "2199-01-01T00:00:00Z" })] });
    for (const r of results) assert.ok(Math.abs(Date.parse(r.ack.created_at) - Date.now()) < 86_400_000, r.ack.created_at);
    assert.ok((await db.call(ada, "history", { p_conversation: direct })).messages.slice(-2).every((m) => m.composed_at === undefined), "what cannot be is left out");
    assert.equal(Number((await sql`select fieldpost.redate() as n`)[0].n), 1, "an operator mends what is left");
    assert.ok((await thread()).every(([, at]) => at < Date.now() + 86_400_000));
  } finally {
    await db.drop();
  }
});

test("what nobody wrote is shown to everybody, and one key names a message in each conversation", async () => {
  const org = await members(guest.sql, { medics: 2 });
  const [a, b] = org.conversations;
  await guest.sql`insert into public.messages (conversation_id, org_id, content) values (${a}, ${org.org}, 'nobody')`;
  const load = await guest.call(org.admin, "bootstrap");
  assert.deepEqual(load.messages.map((m) => [m.content, m.sender_id]), [["nobody", NOBODY]]);
  assert.equal(load.conversations.find((c) => c.id === a).unread, 1);
  const key = JSON.stringify({ idempotency_key: "batch-7" });
  for (const conversation of [a, b, b]) await as(guest, org.admin, insert, [conversation, org.org, org.admin, "of a batch", key]);
  const [{ n, keys }] = await guest.sql`select count(*)::int as n, count(client_key)::int as keys from public.messages where content = 'of a batch'`;
  assert.deepEqual([n, keys], [3, 2], "none is refused that was accepted before; the first of each conversation has the key");
  const mine = await members(own.sql, { medics: 2 });
  for (const conversation of mine.conversations) await as(own, mine.admin, insert, [conversation, mine.org, mine.admin, "of a batch", key]);
  await assert.rejects(as(own, mine.admin, insert, [mine.conversations[0], mine.org, mine.admin, "again", key]), (e) => e.code === "23505");
});

test("what a project's triggers make of a message is in the answer, what they refuse comes with their words", async () => {
  const db = await scratch();
  try {
    await db.apply();
    const org = await members(db.sql, { medics: 1 });
    const [ada, direct] = [org.medics[0], org.conversations[0]];
    await db.sql.unsafe(`create function public.theirs() returns trigger language plpgsql as $$ begin
      if new.content = 'spam' then raise exception 'You are suspended'; elsif new.content = 'gone' then return null; end if;
      new.content := replace(new.content, 'damn', '****'); return new; end $$;
      create trigger theirs before insert on public.messages for each row execute function public.theirs();`);
    const push = async (...words) => (await db.call(ada, "push", { p_mutations: words.map((w) => send(direct, w)) })).results;
    const [clean, rewritten] = await push("fine", "damn it");
    assert.deepEqual([clean.status, clean.message, rewritten.message.content, rewritten.message.seq], ["applied", undefined, "**** it", 2]);
    const mixed = await push("spam", "damn", "gone", "last");
    assert.deepEqual(mixed.map((r) => [r.status, r.code, r.message?.content]), [["rejected", "refused", undefined], ["applied", undefined, "****"], ["rejected", "refused", undefined], ["applied", undefined, undefined]]);
    assert.match(mixed[0].detail, /^You are suspended \(P0001\)$/);
    assert.match(mixed[2].detail, /dropped the message/);
    await db.sql.unsafe("alter table public.messages add column site text not null default 'x'; alter table public.messages alter column site drop default");
    assert.match((await push("without a site"))[0].detail, /null value in column "site".*\(23502\)/);
  } finally {
    await db.drop();
  }
});
