// docs/howto/supabase.md says how to use other member tables and how to remove Fieldpost. Both are done here, as written.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { scratch } from "./lib/scratch.mjs";
import { root } from "./lib/stack.mjs";

const page = readFileSync(join(root, "docs", "howto", "supabase.md"), "utf8");
const section = (title) => {
  const text = page.split(/^## /m).find((part) => part.startsWith(title));
  assert.ok(text, `docs/howto/supabase.md has a section "${title}"`);
  return [...text.matchAll(/```sql\n([\s\S]*?)```/g)].map((m) => m[1]);
};

test("a project keeps its members in tables of its own", async () => {
  const db = await scratch();
  try {
    const { sql } = db;
    await db.apply();
    const [org, boss, ada, medic] = Array.from({ length: 4 }, () => randomUUID());
    await sql.unsafe(`
      create table public.staff (account uuid, company_id uuid, kind text, medic_id uuid, given_name text, family_name text, active boolean default true);
      alter table public.conversations drop constraint conversations_medic_id_fkey;`);
    await sql`insert into public.organizations (id) values (${org})`;
    await sql`insert into auth.users (id) values (${boss}), (${ada})`;
    await sql`insert into public.staff values (${boss}, ${org}, 'manager', null, 'Bo', 'Ss'), (${ada}, ${org}, 'nurse', ${medic}, 'Ada', 'Moss')`;
    for (const block of section("When your members are kept")) await sql.unsafe(block);
    const id = randomUUID();
    const { results } = await db.call(boss, "push", { p_mutations: [
      { id: randomUUID(), kind: "open_direct", conversation_id: id, medic_id: medic },
      { id: randomUUID(), kind: "send_message", conversation_id: id, message_id: randomUUID(), content: "hello" },
    ] });
    assert.deepEqual(results.map((r) => r.status), ["applied", "applied"]);
    const load = await db.call(ada, "bootstrap");
    assert.deepEqual([load.me.role, load.conversations[0].medic_name, load.messages[0].content], ["medic", "Ada Moss", "hello"]);
    assert.ok(load.people.some((p) => p.first_name === "Bo" && p.role === "org_admin"));
    await sql`update public.staff set active = false where account = ${ada}`;
    const pull = await db.call(ada, "pull", { p_cursor: load.cursor });
    assert.deepEqual([pull.access.map((a) => a.access), pull.digest.count], [["revoke"], 0]);
  } finally {
    await db.drop();
  }
});

test("it can be removed, and the messages stay", async () => {
  const db = await scratch();
  try {
    const { sql } = db;
    await db.apply();
    const [org, user] = [randomUUID(), randomUUID()];
    await sql`insert into public.organizations (id) values (${org})`;
    await sql`insert into auth.users (id) values (${user})`;
    const [{ id }] = await sql`insert into public.conversations (org_id, type, created_by) values (${org}, 'broadcast', ${user}) returning id`;
    const write = (content) => sql`insert into public.messages (conversation_id, org_id, sender_id, content) values (${id}, ${org}, ${user}, ${content})`;
    await write("before");
    await db.clinical();
    await sql`insert into public.near_misses (org_id, reported_by, category, severity, description) values (${org}, ${user}, 'trip', 'minor', 'a cable')`;
    await sql.begin((tx) => tx.unsafe(section("Removing it").join("\n")).simple());
    await write("after");
    assert.deepEqual((await sql`select content from public.messages order by created_at`).map((m) => m.content), ["before", "after"]);
    const left = await sql`
      select p.proname as name from pg_proc p where p.proname like '%fieldpost%' union all select n.nspname from pg_namespace n where n.nspname like '%fieldpost%'
      union all select t.tgname from pg_trigger t where t.tgname like '%fieldpost%' union all select p.policyname from pg_policies p where p.policyname like 'fieldpost%'
      union all select i.indexname from pg_indexes i where i.indexname like 'fieldpost%'`;
    assert.deepEqual([...left], []);
    const [near] = await sql`select * from public.near_misses`;
    assert.deepEqual([near.description, near.sync_xid, near.client_id], ["a cable", undefined, undefined], "records stay, without what was added");
    // and it can come back: the row from in between is numbered with the others
    await db.apply();
    assert.deepEqual((await sql`select content, seq from public.messages order by seq`).map((m) => [m.content, m.seq]), [["before", "1"], ["after", "2"]]);
  } finally {
    await db.drop();
  }
});
