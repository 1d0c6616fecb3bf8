// Restoring data into a project that has Fieldpost, as docs/howto/supabase.md says.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";

import { claim } from "./lib/claim.mjs";
import { members } from "./lib/members.mjs";
import { scratch } from "./lib/scratch.mjs";
import { owner, stack } from "./lib/stack.mjs";

const TABLES = [
  "public.organizations", "auth.users", "public.medics", "public.profiles", "public.conversations", "public.messages", "public.conversation_read_status",
  "fieldpost.managed", "fieldpost.replaceable", "fieldpost.installed", "fieldpost.epoch", "fieldpost.compaction", "fieldpost.runs", "fieldpost.people",
  "fieldpost.tombstones", "fieldpost.access_log", "fieldpost.deleted_conversations", "fieldpost.digest_parts", "fieldpost.digest_marks", "fieldpost.recency",
];

/** What a dump of data holds: rows as text, in the order in which they lie in the table. */
const dump = async (sql) => Object.fromEntries(await Promise.all(TABLES.map(async (t) =>
  [t, (await sql.unsafe(`select t::text as row from ${t} t`)).map((r) => r.row)])));

/** Puts the rows in, with triggers or without them. */
async function restore(sql, rows, { replica }) {
  await sql.begin(async (tx) => {
    if (replica) await tx.unsafe("set local session_replication_role = replica");
    for (const [table, list] of Object.entries(rows)) {
      for (const row of list) await tx.unsafe(`insert into ${table} overriding system value select (($1::text)::${table}).*`, [row]);
    }
  });
}

for (const replica of [true, false]) {
  test("a dump of data goes into a project that has Fieldpost, and devices load anew: triggers " + (replica ? "off" : "on"), async () => {
    const [from, to] = [await scratch(), await scratch()];
    try {
      await from.apply();
      await to.apply();
      const org = await members(from.sql, { medics: 2 });
      for (const n of [1, 2, 3]) await from.sql`insert into public.messages (conversation_id, org_id, sender_id, content) values (${org.conversations[0]}, ${org.org}, ${org.admin}, ${`m${n}`})`;
      await from.sql`delete from public.messages where content = 'm2'`;
      const before = await to.call(randomUUID(), "bootstrap");
      const rows = await dump(from.sql);
      await to.sql`select fieldpost.prepare_restore()`;
      // Only a superuser may switch triggers off; on a hosted project the role of the CLI may too.
      const url = new URL(replica ? stack().superuser_url : to.url);
      url.pathname = new URL(to.url).pathname;
      const restoring = owner({ url: url.href });
      await restore(restoring, rows, { replica }).finally(() => restoring.end());
      await to.sql`select fieldpost.begin_epoch()`;
      assert.deepEqual((await to.call(org.admin, "pull", { p_cursor: before.cursor })).error, { code: "cursor_expired", detail: "epoch" });
      const load = await to.call(org.admin, "bootstrap", { p_capabilities: ["set_digest"] });
      assert.deepEqual(load.messages.map((m) => m.content).sort(), ["m1", "m3"]);
      assert.deepEqual([load.conversations.length, load.people.length, load.digest.count], [3, 3, 3]);
      assert.equal((await to.sql`select * from fieldpost.check_digest()`).length, 0, "the digests are those of the rows");
      const [{ results: [sent] }] = [await to.call(org.medics[0], "push", { p_mutations: [{ id: randomUUID(), kind: "send_message", conversation_id: org.conversations[0], message_id: randomUUID(), content: "after" }] })];
      assert.equal(sent.status, "applied");
    } finally {
      await from.drop();
      await to.drop();
    }
  });
}

test("rows that came past the triggers are heard of after begin_epoch()", async () => {
  const db = await scratch();
  try {
    await db.apply();
    const org = await members(db.sql, { medics: 1 });
    const { cursor } = await db.call(org.admin, "bootstrap");
    await db.sql.begin(async (tx) => {
      await tx.unsafe("alter table public.messages disable trigger user");
      await tx`insert into public.messages (conversation_id, org_id, sender_id, content, seq) values (${org.conversations[0]}, ${org.org}, ${org.admin}, 'past them', 1)`;
      await tx.unsafe("alter table public.messages enable trigger user");
    });
    assert.equal((await db.call(org.admin, "pull", { p_cursor: cursor })).messages.length, 0, "nobody hears of it");
    await db.sql`select fieldpost.begin_epoch()`;
    assert.equal((await db.call(org.admin, "pull", { p_cursor: cursor })).error.detail, "epoch");
    assert.deepEqual((await db.call(org.admin, "bootstrap")).messages.map((m) => m.content), ["past them"]);
    claim("a restore of data into a project that has Fieldpost meets no duplicate keys; begin_epoch() ends all cursors");
  } finally {
    await db.drop();
  }
});
