// The digest of an organization's conversations, kept up by whoever writes: right in every snapshot, and nobody waits for it.
import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

import { claim } from "./lib/claim.mjs";
import { members } from "./lib/members.mjs";
import { scratch } from "./lib/scratch.mjs";

let db;
before(async () => {
  db = await scratch({ max: 12 });
  await db.apply();
});
after(() => db.drop());

/** As docs/protocol.md says it: nothing here is shared with the SQL. */
function digest(ids) {
  const set = Buffer.alloc(16);
  for (const id of ids) {
    const hash = createHash("sha256").update(Buffer.from(id.replaceAll("-", ""), "hex")).digest();
    for (let i = 0; i < 16; i++) set[i] ^= hash[i];
  }
  return { count: ids.length, set: set.toString("hex") };
}

const names = (who, p_cursor, p_capabilities = ["set_digest"]) => db.call(who, "pull", { p_cursor, p_capabilities });
const visible = async (org) => (await db.sql`select id from public.conversations where org_id = ${org}`).map((c) => c.id);
const parts = async (org) => (await db.sql`select count(*)::int as n from fieldpost.digest_parts where org_id = ${org}`)[0].n;
/** Runs as a restore may do: no trigger sees it. */
const unseen = (text) => db.sql.begin(async (tx) => {
  await tx.unsafe("alter table public.conversations disable trigger user");
  await tx.unsafe(text);
  await tx.unsafe("alter table public.conversations enable trigger user");
});

test("admins, medics and who is both get the set of what they see, and clients that do not name it the hash of before", async () => {
  const org = await members(db.sql, { medics: 5, spare: 2 });
  const other = await members(db.sql, { medics: 3 });
  const nobody = randomUUID();
  await db.sql`insert into auth.users (id) values (${nobody})`;
  const seen = async () => [[org.admin, await visible(org.org)], [org.medics[0], [org.conversations[0], org.broadcast]], [other.medics[2], [other.conversations[2], other.broadcast]],
    [org.medics[5], [org.broadcast]], [nobody, []]];
  const check = async () => {
    for (const [who, ids] of await seen()) {
      const load = await db.call(who, "bootstrap", { p_capabilities: ["set_digest"] });
      assert.deepEqual([load.digest, load.total_conversations], [digest(ids), ids.length]);
      assert.deepEqual((await names(who, load.cursor)).digest, digest(ids));
      const old = await names(who, load.cursor, []);
      assert.deepEqual(old.digest, { count: ids.length, sha256: createHash("sha256").update([...ids].sort().join("")).digest("hex") });
      assert.deepEqual((await names(who, load.cursor, null)).digest, old.digest);
    }
  };
  await check();
  await db.sql`insert into public.conversations (org_id, medic_id) values (${org.org}, ${org.medic_ids[6]})`;
  await db.sql`delete from public.conversations where id = any(${org.conversations.slice(1, 3)}::uuid[])`;
  await db.sql`update public.conversations set subject = 'renamed' where org_id = ${org.org}`;
  await check();
  assert.deepEqual(digest([]).set, "0".repeat(32));
  // Somebody who administers one organization and is a medic of the other; a conversation that she sees twice counts once.
  const [{ d }] = await db.sql`
    select fieldpost.digest_of(jsonb_populate_record(fieldpost.scope_of(${org.admin}), jsonb_build_object('conversations', ${[other.broadcast, other.broadcast, org.broadcast]}::uuid[])), '{set_digest}') as d`;
  assert.deepEqual(d, digest([...await visible(org.org), other.broadcast]));
  assert.equal((await db.sql`select from fieldpost.check_digest()`).length, 0, "nothing to put right");
});

test("writers do not wait for each other, with somebody else's parts folded and not committed", async () => {
  const org = await members(db.sql, { medics: 0, spare: 400 });
  let next = 0;
  const insert = (tx) => tx`insert into public.conversations (org_id, medic_id) values (${org.org}, ${org.medic_ids[next++]})`;
  while ((await parts(org.org)) < 64) await insert(db.sql);
  await db.sql.begin(async (holder) => {
    await insert(holder);
    assert.ok(await holder`select from fieldpost.digest_parts where org_id = ${org.org}`.then((rows) => rows.length < 3), "it has folded them");
    for (let i = 0; i < 150; i++) {
      await db.sql.begin(async (tx) => {
        await tx`set local lock_timeout = '100ms'`;
        await insert(tx);
      });
    }
  });
  for (let i = 0; i < 80; i++) await insert(db.sql);
  assert.ok((await parts(org.org)) <= 66, "there are never many");
  assert.equal((await db.sql`select from fieldpost.check_digest()`).length, 0);
});

test("in every snapshot the digest is that of the conversations, with writers, deletes and rollbacks at once", async () => {
  const org = await members(db.sql, { medics: 0, spare: 900 });
  let [next, looks] = [0, 0];
  let writing = true;
  async function writer(n) {
    for (let i = 0; i < 25; i++) {
      await db.sql.begin(async (tx) => {
        const medics = Array.from({ length: 1 + (i % 4) }, () => org.medic_ids[next++]);
        await tx`insert into public.conversations (org_id, medic_id) select ${org.org}, m from unnest(${medics}::uuid[]) m`;
        if (i % 3 === 0) await tx`delete from public.conversations where id in (select id from public.conversations where org_id = ${org.org} and type = 'direct' order by id limit 2 for update skip locked)`;
        if ((n + i) % 5 === 0) throw "undo";
      }).catch((e) => assert.equal(e, "undo"));
    }
  }
  async function reader() {
    while (writing) {
      await db.sql.begin("isolation level repeatable read", async (tx) => {
        const ids = (await tx`select id from public.conversations where org_id = ${org.org}`).map((c) => c.id);
        const [{ d }] = await tx`select fieldpost.digest_of(fieldpost.scope_of(${org.admin}), '{set_digest}') as d`;
        assert.deepEqual(d, digest(ids));
        looks++;
      });
    }
  }
  const readers = [reader(), reader(), reader()];
  await Promise.all([0, 1, 2, 3, 4].map(writer)).finally(() => (writing = false));
  await Promise.all(readers);
  assert.ok(looks > 20);
  assert.equal((await db.sql`select from fieldpost.check_digest()`).length, 0);
  claim(`digests: 5 writers with deletes and rollbacks, ${looks} snapshots looked at: each digest was that of the conversations in it`);
});

test("what came past the triggers is found, said and put right by check_digest", async () => {
  const org = await members(db.sql, { medics: 3 });
  const { cursor } = await db.call(org.admin, "bootstrap");
  await unseen(`delete from public.conversations where id = '${org.conversations[0]}'; insert into public.conversations (org_id, type, last_seq) values ('${org.org}', 'direct', 0), ('${org.org}', 'direct', 0)`);
  const ids = await visible(org.org);
  assert.notDeepEqual((await names(org.admin, cursor)).digest, digest(ids), "nobody has noticed");
  assert.deepEqual([...(await db.sql`select * from fieldpost.check_digest()`)], [{ org_id: org.org, conversations: "5", recorded: "4" }]);
  assert.deepEqual((await names(org.admin, cursor)).digest, digest(ids));
  assert.equal((await db.sql`select from fieldpost.check_digest()`).length, 0);
});

test("in another history nobody trusts the parts, and the next writer puts them right", async () => {
  const org = await members(db.sql, { medics: 3, spare: 1 });
  await unseen(`delete from public.conversations where id = '${org.conversations[0]}'`);
  await db.sql`update fieldpost.epoch set id = id`;  // as a restore does: the row is written anew
  const { cursor, digest: first } = await db.call(org.admin, "bootstrap", { p_capabilities: ["set_digest"] });
  assert.deepEqual(first, digest(await visible(org.org)));
  await db.sql`insert into public.conversations (org_id, medic_id) values (${org.org}, ${org.medic_ids[3]})`;
  const [{ marked }] = await db.sql`select history = fieldpost.digest_history() as marked from fieldpost.digest_marks where org_id = ${org.org}`;
  assert.equal(marked, true);
  assert.deepEqual((await names(org.admin, cursor)).digest, digest(await visible(org.org)));
  assert.ok(!(await db.sql`select * from fieldpost.check_digest()`).some((r) => r.org_id === org.org));
});

test("TRUNCATE begins the digests anew", async () => {
  const org = await members(db.sql, { medics: 2 });
  await db.sql`truncate public.conversations cascade`;
  const empty = await db.call(org.admin, "bootstrap", { p_capabilities: ["set_digest"] });
  assert.deepEqual([empty.digest, empty.total_conversations], [digest([]), 0]);
  await db.sql`insert into public.conversations (org_id, medic_id) values (${org.org}, ${org.medic_ids[0]})`;
  const load = await db.call(org.admin, "bootstrap", { p_capabilities: ["set_digest"] });
  assert.deepEqual(load.digest, digest(await visible(org.org)));
  assert.equal((await db.sql`select from fieldpost.check_digest()`).length, 0);
});
