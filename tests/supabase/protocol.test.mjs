// docs/protocol.md, held against real answers: every example has the fields that come, and nothing comes that it leaves out.
// And what happens when client and server are of different ages.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { claim } from "./lib/claim.mjs";
import { call, client, owner, root, uuid7 } from "./lib/stack.mjs";
import { createOrg } from "./lib/tenant.mjs";

const FILES = readdirSync(join(root, "migrations", "supabase"));
const page = readFileSync(join(root, "docs", "protocol.md"), "utf8");

/** The JSON examples after a heading or a word in bold, as objects. What is not JSON in them stands for something named. */
function example(title) {
  const start = page.indexOf(title);
  assert.ok(start >= 0, `docs/protocol.md has "${title}"`);
  const [, text] = page.slice(start).match(/```json\n([\s\S]*?)```/);
  return JSON.parse(
    text
      .replace("{…envelope, ", '{"…envelope":true, ')
      .replaceAll("{person}", "{}").replaceAll("{…}", "{}").replaceAll("[…]", "[]")
      .replace(", …}", "}"),
  );
}

let sql, org, admin, ada;
before(async () => {
  sql = owner();
  org = await createOrg(sql, { medics: 2, conversations: true, broadcast: true });
  [admin, ada] = await Promise.all([org.admin, org.medics[0]].map((p) => client(p.email, p.password)));
});
after(() => sql.end());

const kind = (value) => (Array.isArray(value) ? "list" : value === null ? "null" : typeof value);
const OPTIONAL_ENVELOPE = ["protocol", "min_protocol", "capabilities", "sql_version", "limits", "server_time"];

/** Every field that came is in the example, of the same type; and of the example's fields, all but the optional came. */
function same(what, real, shown, optional = []) {
  if (shown["…envelope"]) {
    for (const field of OPTIONAL_ENVELOPE) assert.ok(field in real, `${what} has ${field}`);
    real = Object.fromEntries(Object.entries(real).filter(([field]) => !OPTIONAL_ENVELOPE.includes(field)));
    shown = { ...shown };
    delete shown["…envelope"];
  }
  for (const [field, value] of Object.entries(real)) {
    assert.ok(field in shown, `${what}: the server sends ${field}, which docs/protocol.md does not show`);
    assert.equal(kind(value), kind(shown[field]), `${what}.${field}`);
  }
  for (const field of Object.keys(shown)) {
    assert.ok(field in real || optional.includes(field), `${what}: docs/protocol.md shows ${field}, which the server does not send`);
  }
}

/** All that a list of rows has between them. */
const together = (rows) => Object.assign({}, ...rows);

const send = (conversation_id, more = {}) => ({ id: uuid7(), kind: "send_message", conversation_id, message_id: uuid7(), content: "On my way", ...more });
const push = async (js, ...p_mutations) => (await call(js, "push", { p_mutations })).results;

test("the examples of docs/protocol.md are what the server answers", async () => {
  const direct = org.conversations[0].id;
  const start = await call(admin, "bootstrap");
  const [first] = await push(ada, send(direct, { metadata: { a: 1 }, composed_at: "2026-01-31T08:15:00Z" }));
  const [second, marked] = await push(admin, send(direct, { reply_to: first.ack.message_id }), { id: uuid7(), kind: "mark_read", conversation_id: direct, read_seq: 1 });
  const [edited] = await push(ada, { id: uuid7(), kind: "edit_message", conversation_id: direct, message_id: first.ack.message_id, content: "On my way now", mentions: [org.admin.user_id] });
  await sql`update public.messages set deleted_at = now() where id = ${second.ack.message_id}`;
  const doomed = send(direct);
  await push(admin, doomed);
  await sql`delete from public.messages where id = ${doomed.message_id}`;
  await push(ada, send(direct, { mentions: [org.admin.user_id] }));
  await push(admin, send(direct));
  await sql`update public.conversations set subject = 'S', medic_id = medic_id where id = ${direct}`;
  await sql`delete from public.profiles where id = ${org.medics[1].user_id}`;
  // What only those who name it get; `ranges` only where policies of the project hide something (narrowing.test.mjs).
  const p_capabilities = ["set_digest", "ranges"];
  const load = await call(admin, "bootstrap", { p_capabilities });
  const first_page = await call(admin, "bootstrap", { p_limit: 1 });
  const pulled = await call(admin, "pull", { p_cursor: start.cursor, p_capabilities });
  const history = await call(admin, "history", { p_conversation: direct });
  await sql`update public.conversations set medic_id = null where id = ${direct}`;
  const revoked = await call(ada, "pull", { p_cursor: start.cursor.replace(/^(c1\.[^.]*)\.[^.]*/, `$1.${(await call(ada, "bootstrap")).cursor.split(".")[2]}`) });
  await sql`update public.conversations set medic_id = ${org.medics[0].medic_id} where id = ${direct}`;

  same("bootstrap", { ...load, next_after: first_page.next_after }, example("## `fieldpost_bootstrap"), ["ranges"]);
  same("pull", pulled, example("## `fieldpost_pull"), ["ranges"]);
  same("history", history, example("## `fieldpost_history"));
  same("search", await call(admin, "search", { p_terms: [{ words: ["way"] }], p_limit: 1 }), example("## `fieldpost_search"));
  const person = example("**person**");
  for (const p of [...load.people, load.me]) same("person", p, person, ["first_name", "last_name", "medic_id", "removed"]);
  same("all people", together(pulled.people), person);
  const conversation = example("**conversation**");
  same("all conversations", together(pulled.conversations.concat(load.conversations)), conversation);
  same("all messages", together(history.messages), example("**message**"));
  assert.ok(history.messages.every((m) => !m.deleted_at || !("content" in m || "metadata" in m)));
  same("read marker", marked.read_marker, example("**read_marker**"));
  same("tombstone", pulled.tombstones[0], example("**tombstone**"));
  same("access", revoked.access[0], example("**access**"));
  same("edited message", edited.message, example("**message**"), ["deleted_at", "reply_to"]);
  const result = example("## `fieldpost_push").results[0];
  for (const r of [first, marked, (await push(ada, { id: uuid7(), kind: "mark_read" }))[0]]) {
    for (const [field, value] of Object.entries(r)) assert.ok(field in result ? kind(value) === kind(result[field]) : ["ack", "read_marker"].includes(field), field);
    assert.ok(result.status.split("|").includes(r.status), r.status);
  }
  const [, ack] = page.match(/`ack` is `\{(.*?)\}`/);
  assert.deepEqual(Object.keys(first.ack).sort(), [...ack.matchAll(/"(\w+)"/g)].map((m) => m[1]).sort());
  const [, limits] = page.match(/\| `limits` \| `(\{.*?\})`/);
  assert.deepEqual(load.limits, JSON.parse(limits));
  assert.match(load.digest.set, /^[0-9a-f]{32}$/);
  claim("docs/protocol.md: its 11 examples, the limits and the ack have the fields and types of real answers, no more and no fewer");
});

test("every code that the server may answer is in docs/protocol.md", () => {
  const text = ["pull", "bootstrap", "history", "push", "push_messages", "push_parts", "edit_message", "react", "report_message", "read_reports", "delete_message", "receipts", "mark_delivered", "limited_sends", "set_conversation", "search", "wire_rows"]
    .map((name) => readFileSync(join(root, "migrations", "supabase", FILES.find((f) => f.endsWith(`_${name}.sql`))), "utf8")).join("\n");
  const server = new Set([...text.matchAll(/(?:rejected|refusal)\('(\w+)'|"code":"(\w+)"|then '(\w+)' else '(id_taken|not_found)'/g)].flatMap((m) => m.slice(1).filter(Boolean)));
  const documented = new Set([...page.matchAll(/^\| ((?:`\w+`(?:, )?)+) \|/gm)].flatMap((m) => [...m[1].matchAll(/`(\w+)`/g)].map((x) => x[1])));
  assert.ok(server.size >= 15, `only ${[...server]} found`);
  assert.deepEqual([...server].filter((code) => !documented.has(code)), []);
});

test("clients and servers of different ages: an old client is told, a newer one is served what this server knows", async () => {
  const { cursor } = await call(ada, "bootstrap");
  const direct = org.conversations[0].id;
  const calls = { bootstrap: {}, pull: { p_cursor: cursor }, history: { p_conversation: direct }, push: { p_mutations: [send(direct)] }, search: { p_terms: [{ words: ["way"] }] } };
  for (const [name, args] of Object.entries(calls)) {
    const old = await call(ada, name, { ...args, p_protocol: 0 });
    assert.equal(old.error.code, "client_too_old", name);
    assert.deepEqual([old.protocol, old.min_protocol], [1, 1], "and it learns what would be served");
    assert.equal((await call(ada, name, { ...args, p_protocol: null })).error.code, "bad_request", name);
    const newer = await call(ada, name, { ...args, p_protocol: 2, p_app: null, p_capabilities: ["polls", "x".repeat(1000)] });
    assert.deepEqual([newer.error, newer.protocol, newer.capabilities], [undefined, 1, ["set_digest", "ranges", "edit_message", "delete_message", "reactions", "reports", "mark_delivered", "mentions_count", "conversation_settings", "page_bytes", "records", "quiet_push", "search_server"]], `${name}: it is served, and told that this is protocol 1`);
  }
  const plain = await ada.rpc("fieldpost_pull", { p_protocol: 1, p_cursor: cursor });
  assert.equal(plain.data.error, undefined, "the app's name and the capabilities may be left out");
  const poll = { id: uuid7(), kind: "open_poll", conversation_id: direct, message_id: randomUUID(), question: "When?" };
  const results = await push(ada, send(direct, { priority: "high", nested: { a: [1] } }), poll, send(direct, { message_type: "location" }), send(direct));
  assert.deepEqual(results.map((r) => [r.status, r.code, r.detail]),
    [["applied", undefined, undefined], ["rejected", "unknown_kind", "open_poll"], ["rejected", "bad_request", "message_type"], ["applied", undefined, undefined]]);
  claim("negotiation: protocol 0 and none are refused by all 5 functions, protocol 2 with unknown capabilities, fields and kinds is served");
});
