// Live hints: who is told that there is something to pull, how often, and what it costs, on a schema `realtime` as lib/realtime.mjs
// makes it; and who may join which topic.
import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";

import { claim } from "./lib/claim.mjs";
import { costs, id } from "./lib/costs.mjs";
import { documented } from "./lib/exported.mjs";
import { members } from "./lib/members.mjs";
import { apply, script } from "./lib/migrations.mjs";
import { authorize, heard, installRealtime } from "./lib/realtime.mjs";
import { scratch } from "./lib/scratch.mjs";
import { client, owner, stack } from "./lib/stack.mjs";
import { createOrg } from "./lib/tenant.mjs";

/** A scratch database, and a superuser's connection to it. */
async function project() {
  const db = await scratch();
  const url = new URL(stack().superuser_url);
  url.pathname = new URL(db.url).pathname;
  const warnings = [];
  const boss = owner({ url: url.href, max: 2, onnotice: (n) => warnings.push(n.message) });
  return { ...db, boss, warnings, drop: async () => { await boss.end(); await db.drop(); } };
}

/** A statement as a client of the API sends it: the role, and claims. */
const as = (db, user, text) =>
  db.sql.begin(async (tx) => {
    await tx`select set_config('role', 'authenticated', true), set_config('request.jwt.claim.sub', ${user}, true), set_config('request.jwt.claims', ${JSON.stringify({ sub: user, role: "authenticated" })}, true)`;
    return [...(await tx.unsafe(text))];
  });

const user = (id) => `fieldpost:user:${id}`;
const admins = (id) => `fieldpost:admins:${id}`;
const all = (id) => `fieldpost:org:${id}`;
const conversation = (id) => `fieldpost:conversation:${id}`;
const send = (conversation_id, content = "x", message_id = randomUUID()) => ({ id: randomUUID(), kind: "send_message", conversation_id, message_id, content });
const mark = (kind, conversation_id, seq) => ({ id: randomUUID(), kind, conversation_id, [kind === "mark_read" ? "read_seq" : "delivered_seq"]: seq });

describe("with Realtime", () => {
  let db, org, other, ada, ben, direct;
  before(async () => {
    db = await project();
    await installRealtime(db.boss);
    await db.apply();
    org = await members(db.sql, { medics: 2, spare: 2 });
    other = await members(db.sql, { medics: 1 });
    [ada, ben] = org.medics;
    [direct] = org.conversations;
    await heard(db.boss);
  });
  after(() => db?.drop());

  /** Does something, and answers which topics heard of it: each once, with nothing said. */
  const topics = async (act) => {
    await act();
    const { counts, rows } = await heard(db.boss);
    for (const row of rows) {
      const { id: _, push: tag = "0".repeat(16), ...rest } = row.payload;
      assert.deepEqual([row.event, row.private, row.extension, rest], ["hint", true, "broadcast", {}]);
      assert.match(tag, /^[0-9a-f]{16}$/);
    }
    for (const [topic, n] of Object.entries(counts)) assert.equal(n, 1, `${topic} is told once`);
    return Object.keys(counts).sort();
  };
  const push = (who, ...p_mutations) => db.call(who, "push", { p_mutations }).then(({ results }) => {
    for (const r of results) assert.ok(["applied", "duplicate"].includes(r.status), JSON.stringify(r));
    return results;
  });

  test("a message is told to the medic and the admins, a broadcast to everybody, and no other org hears of it", async () => {
    assert.deepEqual(await topics(() => push(ada, send(direct))), [admins(org.org), user(ada)].sort());
    assert.deepEqual(await topics(() => push(org.admin, send(direct))), [admins(org.org), user(ada)].sort());
    assert.deepEqual(await topics(() => push(org.admin, send(org.broadcast))), [all(org.org)]);
    assert.deepEqual(await topics(() => push(other.admin, send(other.broadcast))), [all(other.org)]);
  });

  test("whatever a page brings is told to those who may see it, whoever writes it, and what no page brings to nobody", async () => {
    const [, , cleo, dara] = org.medics;
    const second = randomUUID();
    const [mine, theirs, old] = [randomUUID(), randomUUID(), randomUUID()];
    const hers = [admins(org.org), user(ada)];
    const { sql } = db;
    const insert = (who, id, conversation_id) => () => as(db, who, `insert into public.messages (id, conversation_id, org_id, sender_id, content) values ('${id}', '${conversation_id}', '${org.org}', '${who}', 'x')`);
    const read = (who, conversation_id, column) => () => as(db, who, `insert into public.conversation_read_status (user_id, conversation_id, org_id, last_read_at, ${column}) values ('${who}', '${conversation_id}', '${org.org}', '1970-01-01', 1)
      on conflict (user_id, conversation_id) do update set ${column} = 99`);
    const acts = [
      // By a push.
      ["a message", () => push(ada, send(direct, "x", mine)), hers],
      ["the same again", () => push(ada, send(direct, "x", mine)), []],
      ["an edit", () => push(ada, { id: randomUUID(), kind: "edit_message", conversation_id: direct, message_id: mine, content: "y" }), hers],
      ["a reaction", () => push(org.admin, { id: randomUUID(), kind: "react", conversation_id: direct, message_id: mine, emoji: "+" }), hers],
      ["a reaction taken back", () => push(org.admin, { id: randomUUID(), kind: "react", conversation_id: direct, message_id: mine, emoji: "+", removed: true }), hers],
      ["a report", () => push(org.admin, { id: randomUUID(), kind: "report_message", conversation_id: direct, message_id: mine, reason: "spam" }), []],
      ["a delivery to an admin", () => push(org.admin, mark("mark_delivered", direct, 99)), [user(ada)]],
      ["a reading, which changes the status", () => push(org.admin, mark("mark_read", direct, 99)), hers],
      ["the same again", () => push(org.admin, mark("mark_read", direct, 99)), []],
      ["another message", () => push(ada, send(direct)), hers],
      ["a later delivery to an admin", () => push(org.admin, mark("mark_delivered", direct, 99)), [user(ada)]],
      ["a delivery to the medic", () => push(ada, mark("mark_delivered", direct, 1)), hers],
      ["a later delivery to the medic", () => push(ada, mark("mark_delivered", direct, 99)), hers],
      ["a delivery to an admin together with what was read", () => push(org.admin, mark("mark_delivered", direct, 99), mark("mark_read", direct, 99)), hers],
      ["a setting", () => push(ada, { id: randomUUID(), kind: "set_conversation", conversation_id: direct, pinned_at: "2026-01-01T00:00:00Z" }), [user(ada)]],
      ["a deletion", () => push(ada, { id: randomUUID(), kind: "delete_message", conversation_id: direct, message_id: mine }), hers],
      ["a conversation", () => push(org.admin, { id: randomUUID(), kind: "open_direct", conversation_id: randomUUID(), medic_id: org.medic_ids[2] }), [admins(org.org), user(cleo)]],
      // Broadcasts.
      ["a broadcast", () => push(org.admin, send(org.broadcast, "x", theirs)), [all(org.org)]],
      ["a delivery of a broadcast", () => push(ada, mark("mark_delivered", org.broadcast, 99)), []],
      ["its first reading", () => push(ada, mark("mark_read", org.broadcast, 99)), hers],
      ["a first reading of a broadcast", () => push(ben, mark("mark_read", org.broadcast, 99)), [admins(org.org), user(ben)]],
      ["a reaction to a broadcast", () => push(ada, { id: randomUUID(), kind: "react", conversation_id: org.broadcast, message_id: theirs, emoji: "+" }), hers],
      // As clients of the API write the tables, and a back end.
      ["an insert", insert(ada, old, direct), hers],
      ["an insert of a broadcast", insert(org.admin, randomUUID(), org.broadcast), [all(org.org)]],
      ["a later delivery of a broadcast", () => push(ada, mark("mark_delivered", org.broadcast, 99)), []],
      ["an update", () => as(db, ada, `update public.messages set content = 'z' where id = '${old}'`), hers],
      ["an update of nothing", () => as(db, ada, `update public.messages set content = 'z' where id = '${old}'`), []],
      ["what a trigger restores", () => as(db, org.admin, `update public.messages set content = 'hacked' where id = '${old}'`), []],
      ["a client's marker", read(ada, direct, "read_seq"), hers],
      ["a client's delivery of a broadcast", read(cleo, org.broadcast, "delivered_seq"), []],
      ["a client's reading of a broadcast", read(cleo, org.broadcast, "read_seq"), [admins(org.org), user(cleo)]],
      ["a recipient row that says delivered", () => as(db, dara, `update public.message_recipients set delivered_at = now() where recipient_id = '${dara}'`), []],
      ["a recipient row that says read", () => as(db, dara, `update public.message_recipients set read_at = now() where recipient_id = '${dara}'`), [admins(org.org), user(dara)]],
      ["a client's reaction", () => as(db, ada, `insert into public.message_reactions (message_id, person_id, emoji) values ('${old}', '${ada}', '!')`), hers],
      ["a client's setting", () => as(db, ada, `insert into public.conversation_settings (user_id, conversation_id, pinned_at) values ('${ada}', '${org.broadcast}', now())`), [user(ada)]],
      ["a subject", () => as(db, org.admin, `update public.conversations set subject = 'New' where id = '${direct}'`), hers],
      ["a deletion for good", () => sql`delete from public.messages where id = ${old}`, hers],
      ["the status alone", () => sql`select fieldpost.follow_markers(array[${direct}::uuid], array[${org.admin}::uuid], array[0::bigint], array[99::bigint], array[0::bigint], array[99::bigint])`, []],
      ["what does not come to pass", () => sql.begin(async (tx) => { await tx`update public.conversations set subject = 'Newer' where id = ${direct}`; throw "undo"; }).catch(() => {}), []],
      // Who is who.
      ["a name", () => sql`update public.medics set last_name = 'Lund' where user_id = ${dara}`, [admins(org.org), user(dara)]],
      ["an admin who is new", async () => { await sql`insert into auth.users (id) values (${second})`; await sql`insert into public.profiles (id, org_id, role) values (${second}, ${org.org}, 'org_admin')`; }, [all(org.org), user(second)]],
      ["an admin who is removed", () => sql`delete from public.profiles where id = ${second}`, [all(org.org), user(second)]],
      ["a conversation that another medic gets", () => sql`update public.conversations set medic_id = ${org.medic_ids[3]} where id = ${direct}`, [admins(org.org), user(ada), user(dara)]],
      ["a message there", () => push(dara, send(direct)), [admins(org.org), user(dara)]],
      ["and back", () => sql`update public.conversations set medic_id = ${org.medic_ids[0]} where id = ${direct}`, [admins(org.org), user(ada), user(dara)]],
      ["a medic who is removed", () => sql`delete from public.profiles where id = ${dara}`, [admins(org.org), user(dara)]],
      ["a medic who moves to the other org", () => sql`update public.profiles set org_id = ${other.org} where id = ${cleo}`, [admins(org.org), admins(other.org), user(cleo)]],
      ["a conversation that is deleted", () => sql`delete from public.conversations where id = ${org.conversations[1]}`, [admins(org.org), user(ben)]],
    ];
    for (const [what, act, wanted] of acts) assert.deepEqual(await topics(act), [...wanted].sort(), what);
    claim(`live: ${acts.length} kinds of writes, each told once to whom it concerns and to nobody else`);
  });

  test("a hint names its push by a tag that only its device knows, and what no push caused has none", async () => {
    const [first, second] = [send(direct, "one"), send(direct, "two")];
    const tag = createHash("sha256").update(first.id).digest("hex").slice(0, 16);
    await push(ada, first, second);
    const told = (await heard(db.boss)).rows.map((r) => [r.topic, r.payload.push]);
    assert.deepEqual(told.sort(), [[admins(org.org), tag], [user(ada), tag]].sort());
    await db.sql`insert into public.messages (conversation_id, org_id, sender_id, content) values (${direct}, ${org.org}, ${ada}, 'by a back end')`;
    assert.deepEqual((await heard(db.boss)).rows.map((r) => Object.keys(r.payload)), [["id"], ["id"]]);
    await db.call(ada, "push", { p_mutations: [{ kind: "send_message" }, 7, null] });
    await push(ada, send(direct, "three"));
    assert.equal(new Set((await heard(db.boss)).rows.map((r) => r.payload.push)).size, 1, "a push of rubbish leaves nothing behind");
  });

  test("a hint says nothing, and leaves the transaction as it was", async () => {
    const settings = await db.sql.begin(async (tx) => {
      await tx`select set_config('realtime.topic', 'the project''s own', true)`;
      await tx`insert into public.messages (conversation_id, org_id, sender_id, content) values (${direct}, ${org.org}, ${ada}, 'words')`;
      return tx`select current_setting('realtime.topic') as topic, current_setting('lock_timeout') as wait`;
    });
    assert.deepEqual([...settings], [{ topic: "the project's own", wait: "0" }]);
    const { rows } = await heard(db.boss);
    assert.ok(!JSON.stringify(rows).includes("words"));
    assert.deepEqual(rows.map((r) => Object.keys(r.payload)), [["id"], ["id"]], "the id is Realtime's own");
  });

  test("what concerns many is told to the organization", async () => {
    const crowd = Array.from({ length: 120 }, () => ({ id: randomUUID(), medic: randomUUID(), conversation: randomUUID() }));
    await db.sql`insert into auth.users ${db.sql(crowd.map(({ id }) => ({ id })))}`;
    await db.sql`insert into public.medics ${db.sql(crowd.map((c) => ({ id: c.medic, org_id: other.org, user_id: c.id, first_name: "A", last_name: "B" })))}`;
    assert.deepEqual(await topics(() => db.sql`insert into public.profiles ${db.sql(crowd.map((c) => ({ id: c.id, org_id: other.org, role: "medic" })))}`), [all(other.org)]);
    assert.deepEqual(await topics(() => db.sql`insert into public.conversations ${db.sql(crowd.map((c) => ({ id: c.conversation, org_id: other.org, type: "direct", medic_id: c.medic, created_by: other.admin })))}`), [all(other.org)]);
    const one = (tx, c) => tx`insert into public.messages (conversation_id, org_id, sender_id, content) values (${c.conversation}, ${other.org}, ${c.id}, 'x')`;
    const told = await topics(() => db.sql.begin(async (tx) => { for (const c of crowd) await one(tx, c); }));
    assert.ok(told.includes(all(other.org)) && told.length <= 51, `${told.length} topics`);
    await topics(() => db.sql`delete from public.profiles where id in ${db.sql(crowd.map((c) => c.id))}`);
  });

  test("a push of 100 mutations is one hint for each topic", async () => {
    const sent = Array.from({ length: 60 }, (_, n) => send(direct, `${n}`));
    const edits = sent.slice(0, 40).map((m) => ({ id: randomUUID(), kind: "edit_message", conversation_id: direct, message_id: m.message_id, content: "edited" }));
    assert.deepEqual(await topics(() => push(ada, ...sent, ...edits)), [admins(org.org), user(ada)].sort());
  });

  test("only the person, the admins and the members join a topic, and only those in a conversation say that they type", async () => {
    const everybody = { admin: org.admin, ada, ben, outside: other.admin, outsideMedic: other.medics[0], stranger: randomUUID() };
    const cases = [
      [user(ada), ["ada"], []], [user(org.admin), ["admin"], []], [admins(org.org), ["admin"], []], [all(org.org), ["admin", "ada", "ben"], []],
      [conversation(direct), ["admin", "ada"], ["admin", "ada"]], [conversation(org.broadcast), ["admin", "ada", "ben"], ["admin"]],
      [all(other.org), ["outside", "outsideMedic"], []], [admins(other.org), ["outside"], []],
    ];
    let tried = 0;
    for (const [topic, hears, sends] of cases) {
      for (const [name, id] of Object.entries(everybody)) {
        const answer = await authorize(db.boss, id, topic);
        assert.deepEqual(answer, { hears: hears.includes(name), sends: sends.includes(name), presence: false }, `${name} on ${topic}`);
        tried++;
      }
      assert.deepEqual(await authorize(db.boss, null, topic, "anon"), { hears: false, sends: false, presence: false }, `anon on ${topic}`);
    }
    for (const topic of ["", "fieldpost:", "fieldpost:user:", "fieldpost:user:not-a-uuid", `fieldpost:user:${ada.toUpperCase()}`, `${user(ada)} `, "fieldpost:conversation:x", `fieldpost:conversation:${direct}:`, conversation(randomUUID()),
      `fieldpost:conversation:${direct.toUpperCase()}`, "fieldpost:org:%", "fieldpost:nothing:x", `FIELDPOST:user:${ada}`, "fieldpost:conversation:" + "x".repeat(5000), "fieldpost:conversation:00000000-0000-0000-0000-0000000000zz"]) {
      assert.deepEqual(await authorize(db.boss, ada, topic), { hears: false, sends: false, presence: false }, topic.slice(0, 99));
      tried++;
    }
    for (const topic of [user(ada), conversation(direct)]) assert.deepEqual(await authorize(db.boss, "user_of-another-issuer", topic), { hears: false, sends: false, presence: false });
    claim(`live: ${tried} joins of ${cases.length} topics by ${Object.keys(everybody).length} people, each as it should be`);
  });

  test("the project's own topics are what its own policies say", async () => {
    assert.deepEqual(await authorize(db.boss, ada, "room:1"), { hears: false, sends: false, presence: false });
    await db.sql.unsafe(`create policy rooms on realtime.messages for select to authenticated using (realtime.topic() = 'room:1' and extension in ('broadcast', 'presence'));
      create policy talk on realtime.messages for insert to authenticated with check (realtime.topic() = 'room:1' and extension = 'broadcast')`);
    for (const who of [ada, "user_of-another-issuer"]) assert.deepEqual(await authorize(db.boss, who, "room:1"), { hears: true, sends: true, presence: true });
    assert.deepEqual(await authorize(db.boss, ada, "room:2"), { hears: false, sends: false, presence: false });
    assert.deepEqual(await authorize(db.boss, ada, admins(org.org)), { hears: false, sends: false, presence: false });
    await db.sql.unsafe("drop policy rooms on realtime.messages; drop policy talk on realtime.messages");
  });

  // The first policy of every tutorial lets everybody who is signed in hear and send everything (supabase/supabase#27691, #22803).
  // What is permitted adds up, so Fieldpost's topics would be open too: to strangers, and to hints that nobody of Fieldpost sent.
  test("a project's policy that opens every topic to everybody opens none of Fieldpost's", async () => {
    await db.boss.unsafe(`create policy open on realtime.messages for all to public using (true) with check (true);
      do $$ begin create role visitor; grant visitor to supabase_admin; exception when duplicate_object then null; end $$;
      grant usage on schema realtime to visitor; grant select, insert on realtime.messages to visitor`);
    const none = { hears: false, sends: false, presence: false };
    for (const topic of [user(ada), admins(org.org), all(org.org), conversation(direct), "fieldpost:else"]) {
      for (const [who, role] of [[other.admin, "authenticated"], ["user_of-another-issuer", "authenticated"], [null, "anon"], [ada, "anon"], [ada, "visitor"]]) {
        assert.deepEqual(await authorize(db.boss, who, topic, role), none, `${role} ${who} on ${topic}`);
      }
    }
    assert.deepEqual(await authorize(db.boss, ada, user(ada)), { hears: true, sends: false, presence: false }, "who may hear sends nothing, and no presence");
    assert.deepEqual(await authorize(db.boss, ada, conversation(direct)), { hears: true, sends: true, presence: false });
    for (const [who, role] of [[ada, "authenticated"], ["user_of-another-issuer", "authenticated"], [null, "anon"], [null, "visitor"]]) {
      assert.deepEqual(await authorize(db.boss, who, "room:1", role), { hears: true, sends: true, presence: true }, `the project's own, as ${role}`);
    }
    await db.boss.unsafe("drop policy open on realtime.messages; revoke all on realtime.messages from visitor; revoke all on schema realtime from visitor");
  });

  // A cast of the topic is in many policies, and raises on topics of others. Realtime then lets nobody in there (supabase/realtime#1111),
  // and says so in its own log alone.
  test("a project's policy that raises on Fieldpost's topics is named by enable_live, and costs the hints and nothing else", async () => {
    await db.sql.unsafe(`create policy rooms on realtime.messages for select to authenticated using (realtime.topic()::uuid = auth.uid())`);
    const [{ said }] = await db.sql`select fieldpost.enable_live() as said`;
    assert.match(said, /^live hints are on, but no device hears them: a policy of this project on realtime\.messages raises on topics that are not its own: invalid input syntax for type uuid: "fieldpost:/);
    await assert.rejects(authorize(db.boss, ada, user(ada)), /invalid input syntax for type uuid/);
    const warned = [];
    const applying = owner({ url: db.url, onnotice: (n) => warned.push(n.message) });
    await apply(applying, script());
    await applying.end();
    assert.ok(warned.some((m) => m.startsWith(`Fieldpost: ${said.slice(0, 50)}`)), `an apply says so too: ${warned}`);
    await push(ada, send(direct));
    assert.equal(Object.keys((await heard(db.boss)).counts).length, 2);
    await db.sql.unsafe(`drop policy rooms on realtime.messages`);
    assert.deepEqual([...(await db.sql`select fieldpost.enable_live() as said`)], [{ said: "live hints are on" }]);
    assert.equal((await heard(db.boss)).rows.length, 0, "asking left nothing there");
  });

  test("a conversation that a project's own policies hide is not joined", async () => {
    await db.sql.unsafe(`create policy quiet on public.conversations as restrictive for select to authenticated using (subject is distinct from 'secret')`);
    assert.deepEqual(await authorize(db.boss, ada, conversation(direct)), { hears: true, sends: true, presence: false });
    await db.sql`update public.conversations set subject = 'secret' where id = ${direct}`;
    for (const who of [ada, org.admin]) assert.deepEqual(await authorize(db.boss, who, conversation(direct)), { hears: false, sends: false, presence: false });
    await db.sql.unsafe(`revoke select on public.conversations from authenticated`);
    assert.deepEqual(await authorize(db.boss, ada, conversation(direct)), { hears: false, sends: false, presence: false }, "what may not be read at all is refused, and no error");
    await db.sql.unsafe(`grant select on public.conversations to authenticated; drop policy quiet on public.conversations`);
  });
});

describe("whatever there is of Realtime", () => {
  let db, org, ada;
  before(async () => {
    db = await project();
    await db.apply();
    org = await members(db.sql, { medics: 1 });
    [ada] = org.medics;
  });
  after(() => db?.drop());

  const OURS = ["fieldpost_hear", "fieldpost_only", "fieldpost_only_hear", "fieldpost_only_type", "fieldpost_type"];
  const policies = async () => (await db.boss`select polname from pg_policy where polname like 'fieldpost%' and polrelid = to_regclass('realtime.messages') order by 1`).map((r) => r.polname);
  const enable = async (sql = db.sql) => (await sql`select fieldpost.enable_live() as said`)[0].said;
  const disable = async () => (await db.sql`select fieldpost.disable_live() as said`)[0].said;
  /** Another Realtime in the place of the one that is there, or none. */
  const realtime = async (options) => {
    await db.boss.unsafe("drop schema if exists realtime cascade");
    if (options) await installRealtime(db.boss, options);
  };
  /** A write: whether the server names the capability, and how many hints there are. */
  const write = async () => {
    const { results, capabilities } = await db.call(ada, "push", { p_mutations: [send(org.conversations[0])] });
    assert.equal(results[0].status, "applied");
    const there = (await db.boss`select to_regclass('realtime.messages') as t`)[0].t && (await db.boss`select from pg_attribute where attrelid = 'realtime.messages'::regclass and attname = 'payload'`).length;
    return [capabilities.includes("live"), there ? Object.keys((await heard(db.boss)).counts).length : 0];
  };

  test("without it nothing is sent and nothing is named; installed later, it is enabled by a call, disabled by one, and an apply respects that", async () => {
    assert.deepEqual(await write(), [false, 0]);
    await assert.rejects(enable(), /this project has no Realtime/);
    await realtime({});
    assert.deepEqual(await write(), [false, 0], "nobody could hear");
    const told = () => db.sql`select from fieldpost.preflight() where about = 'realtime'`;
    assert.equal((await told()).length, 1, "a report says that it could be");
    for (let n = 0; n < 2; n++) assert.equal(await enable(), "live hints are on");
    assert.equal((await told()).length, 0);
    assert.deepEqual([await policies(), await write()], [OURS, [true, 2]]);
    assert.equal(await disable(), "live hints are off");
    await db.apply();
    assert.deepEqual([await policies(), await write()], [[], [false, 0]]);
    await enable();
    // In one transaction: what it was told before does not count.
    await db.sql.begin(async (tx) => {
      const say = () => tx`insert into public.messages (conversation_id, org_id, sender_id, content) values (${org.conversations[0]}, ${org.org}, ${ada}, 'x')`;
      await tx`select fieldpost.disable_live()`;
      await say();
      await tx`select fieldpost.enable_live()`;
      await say();
    });
    assert.equal(Object.keys((await heard(db.boss)).counts).length, 2);
    await realtime(null);
    assert.deepEqual(await write(), [false, 0], "it went away");
  });

  test("an older Realtime, one whose sending raises, and one that is half there harm no write", async () => {
    await realtime({ state: "old" });
    assert.deepEqual(await write(), [false, 0]);
    await assert.rejects(enable(), /cannot broadcast from the database/);
    await realtime({ state: "breaking" });
    await enable();
    assert.deepEqual(await write(), [true, 0], "it may not make a partition");
    db.warnings.length = 0;
    await db.boss.begin(async (tx) => {
      for (let n = 0; n < 5; n++) await tx`insert into public.messages (conversation_id, org_id, sender_id, content) values (${org.conversations[0]}, ${org.org}, ${ada}, 'x')`;
    });
    assert.deepEqual(db.warnings.map((w) => w.slice(0, 14)), ["no live hint: "], "said once in a transaction");
    await realtime({ member: false });
    await enable(db.boss);
    const roles = "postgres, anon, authenticated, service_role"; // postgres inherits what the others may
    for (const [text, undo, on] of [
      [`revoke usage on schema realtime from ${roles}`, `grant usage on schema realtime to ${roles}`, false],
      [`revoke insert on realtime.messages from ${roles}`, `grant insert on realtime.messages to ${roles}`, false],
      ["revoke execute on function realtime.send(jsonb, text, text, boolean) from public", "grant execute on function realtime.send(jsonb, text, text, boolean) to public", false],
      ["alter function realtime.send(jsonb, text, text, boolean) rename to sent", "alter function realtime.sent(jsonb, text, text, boolean) rename to send", false],
      ["drop policy fieldpost_hear on realtime.messages", "select fieldpost.enable_live()", false],
      ["do $$ declare t regclass; begin for t in select inhrelid::regclass from pg_inherits where inhparent = 'realtime.messages'::regclass loop execute format('alter table realtime.messages detach partition %s', t); end loop; end $$", null, true],
    ]) {
      await db.boss.unsafe(text);
      assert.deepEqual(await write(), [on, 0], text);
      if (undo) {
        await db.boss.unsafe(undo);
        assert.deepEqual(await write(), [true, 2], undo);
      }
    }
  });

  // For a while `realtime.send` was there twice, and a call that left the type of its payload open was ambiguous: supabase/realtime#1938.
  test("a Realtime with another function of the same name is sent the same hints", async () => {
    await realtime({});
    await enable();
    await db.boss.unsafe(`create function realtime.send(payload bytea, event text, topic text, private boolean default true) returns void language plpgsql as $$ begin raise 'the wrong one'; end $$`);
    assert.deepEqual(await write(), [true, 2]);
  });

  // Whoever gets no private channel to work switches row level security off (supabase/realtime#1111), and lets everybody in everywhere.
  test("where row level security of realtime.messages is off, nothing is sent and enable_live says why", async () => {
    await realtime({});
    await enable();
    await db.boss.unsafe("alter table realtime.messages disable row level security");
    assert.deepEqual(await write(), [false, 0]);
    await assert.rejects(enable(), (error) => /row level security of realtime\.messages is off/.test(error.message) && /enable row level security/.test(error.hint));
    await db.apply();
    assert.deepEqual(await write(), [false, 0], "an apply goes on without hints");
    await db.boss.unsafe("alter table realtime.messages enable row level security");
    assert.deepEqual(await write(), [true, 2]);
  });

  // A project that had the two policies before there were the others, and may not make any by `supabase db push` (supabase/cli#6116).
  test("an installation whose role may not make the other policies keeps its hints", async () => {
    await realtime({});
    await enable();
    await db.boss.unsafe("drop policy fieldpost_only on realtime.messages; drop policy fieldpost_only_hear on realtime.messages; drop policy fieldpost_only_type on realtime.messages; revoke supabase_realtime_admin from postgres");
    await db.apply();
    assert.deepEqual([await policies(), await write()], [["fieldpost_hear", "fieldpost_type"], [true, 2]]);
    await assert.rejects(enable(), /may not make policies on realtime\.messages/);
    await enable(db.boss);
    assert.deepEqual([await policies(), await write()], [OURS, [true, 2]]);
  });

  test("somebody who holds realtime.messages keeps no write waiting, and no apply from ending", async () => {
    await realtime({});
    await enable();
    let locked, release;
    const held = new Promise((resolve) => (locked = resolve));
    const holder = db.boss.begin(async (tx) => {
      await tx.unsafe("lock table realtime.messages in access exclusive mode");
      locked();
      await new Promise((resolve) => (release = resolve));
    });
    await held;
    let ms;
    try {
      const crowd = Array.from({ length: 30 }, () => randomUUID());
      const start = performance.now();
      await db.sql.begin(async (tx) => {
        await tx`set local statement_timeout = '3s'`;
        await tx`insert into fieldpost.people ${tx(crowd.map((id) => ({ org_id: org.org, user_id: id, role: "medic" })))}`;
      });
      ms = performance.now() - start;
      await db.apply();
    } finally {
      release();
      await holder;
    }
    assert.ok(ms < 1000, `${ms} ms`);
    assert.equal(Object.keys((await heard(db.boss)).counts).length, 0);
    assert.deepEqual([await policies(), await write()], [OURS, [true, 2]]);
    claim(`live: a write of 30 topics while realtime.messages is locked takes ${Math.round(ms)} ms`);
  });

  test("a role that may not make policies there installs Fieldpost all the same, and is told who may", async () => {
    await realtime({ member: false });
    await db.apply();
    assert.deepEqual([await policies(), await write()], [[], [false, 0]]);
    await assert.rejects(enable(), (error) => {
      assert.equal(error.code, "42501");
      assert.match(error.message, /the role postgres may not make policies on realtime\.messages: must be owner of (table|relation) messages/);
      assert.match(error.hint, /SQL editor/);
      return true;
    });
    await enable(db.boss);
    await db.apply();
    assert.deepEqual([await policies(), await write()], [OURS, [true, 2]], "an apply leaves the policies that are there");
    assert.match(await disable(), /live hints are off; the policies .* stay/);
    assert.deepEqual(await write(), [false, 0]);
    await enable(db.boss);
  });

  test("whoever removes Fieldpost leaves nothing of it in schema realtime, and the rest of that as it was", async () => {
    const look = async () => JSON.stringify([
      await db.boss`select p.oid::regprocedure::text as name, md5(pg_get_functiondef(p.oid)) as text, p.proacl::text as acl from pg_proc p where p.pronamespace = 'realtime'::regnamespace order by 1`,
      await db.boss`select c.oid::regclass::text as name, c.relacl::text as acl, c.relowner::regrole::text as owner, c.relrowsecurity as rls from pg_class c where c.relnamespace = 'realtime'::regnamespace order by 1`,
      await db.boss`select tgname from pg_trigger t join pg_class c on c.oid = t.tgrelid where c.relnamespace = 'realtime'::regnamespace and not t.tgisinternal order by 1`,
      await db.boss`select policyname from pg_policies where schemaname = 'realtime' order by 1`,
      await db.boss`select tablename from pg_publication_tables order by 1`,
    ]);
    await realtime({});
    await db.boss.unsafe("create publication supabase_realtime; create policy mine on realtime.messages for select to authenticated using (true)");
    const before = await look();
    await enable();
    await write();
    assert.notEqual(await look(), before, "its policies");
    await apply(db.sql, documented("Removing it"));
    assert.equal(await look(), before);
  });
});

test("a hint costs a write few pages, however large the org is, and nothing where there is no Realtime", async () => {
  const { boss, fill, run, drop } = await costs();
  try {
    const [org, admin, medic] = ["00000000-0000-7000-8006-000000000001", "00000000-0000-7000-8001-000000000000", "00000000-0000-7000-8001-000000000001"];
    await fill(`
      insert into auth.users (id) select ${id(1, "n")} from generate_series(0, 3000) n;
      insert into public.organizations (id) values ('${org}');
      insert into public.medics (id, org_id, user_id, first_name, last_name) select ${id(2, "n")}, '${org}', ${id(1, "n")}, 'Medic', n::text from generate_series(1, 3000) n;
      insert into public.profiles (id, org_id, role) select ${id(1, "n")}, '${org}', case when n = 0 then 'org_admin' else 'medic' end from generate_series(0, 3000) n;
      insert into fieldpost.people (org_id, user_id, role, medic_id, sync_xid) select '${org}', ${id(1, "n")}, case when n = 0 then 'org_admin' else 'medic' end, case when n > 0 then ${id(2, "n")} end, '3' from generate_series(0, 3000) n;
      insert into public.conversations (id, org_id, type, medic_id, created_by, last_seq, sync_xid) select ${id(3, "n")}, '${org}', 'direct', ${id(2, "n")}, '${admin}', 0, '3' from generate_series(1, 3000) n;`);
    await boss.unsafe("vacuum analyze").simple();
    const mutations = (count, kind, more) => ({ toString: () => `array[${Array.from({ length: count }, () => `'${JSON.stringify({ id: randomUUID(), kind, conversation_id: "00000000-0000-7000-8003-000000000001", ...more() })}'`).join(", ")}]::jsonb[]` });
    const touched = async (who, text) => {
      const pages = [];
      for (let n = 0; n < 2; n++) pages.push((await run(["medics", "profiles", "conversations", "people"], who, "push", { p_mutations: text() })).pages);
      return Math.min(...pages);  // the first one reads the catalog
    };
    const measure = async () => {
      const found = {};
      for (const [name, who] of Object.entries({ admin, medic })) {
        for (const count of [1, 40]) found[`${name}'s push of ${count}`] = await touched(who, () => mutations(count, "send_message", () => ({ message_id: randomUUID(), content: "On my way" })));
      }
      found["20 settings"] = await touched(medic, () => mutations(20, "set_conversation", () => ({ pinned_at: new Date(Date.now() * Math.random()).toISOString() })));
      return found;
    };
    const none = await measure();
    await installRealtime(boss);
    await boss`select fieldpost.enable_live()`;
    const live = await measure();
    await boss.unsafe(`do $$ declare t record; begin for t in select tgrelid::regclass as tab, tgname from pg_trigger where tgname like 'zz_fieldpost_hint%' loop execute format('drop trigger %I on %s', t.tgname, t.tab); end loop; end $$`);
    const bare = await measure();
    const rows = Object.keys(none).map((what) => [what, bare[what], none[what], live[what]]);
    claim(`live: pages touched with no trigger of hints, without Realtime, and with it: ${rows.map(([what, ...n]) => `${what} ${n.join(", ")}`).join("; ")}`);
    for (const [what, before, without, with_] of rows) {
      assert.ok(without - before <= 25, `${what}: ${before} pages became ${without} without Realtime`);
      assert.ok(with_ - before <= 60, `${what}: ${before} pages became ${with_} with Realtime`);
    }
  } finally {
    await drop();
  }
});

test("a row that supabase-js inserts, updates or marks is told like any other", async () => {
  const sql = owner();
  const boss = owner({ url: stack().superuser_url });
  try {
    const { admin, medics: [ada], conversations: [direct], broadcast, org_id } = await createOrg(sql, { medics: 1, conversations: true, broadcast: true });
    const [of_admin, of_ada] = await Promise.all([admin, ada].map((p) => client(p.email, p.password)));
    await installRealtime(boss); // (Supabase Lite grants its roles what it finds there, as `postgres`.)
    await sql`select fieldpost.enable_live()`;
    const told = async ({ error }, wanted) => {
      assert.equal(error, null);
      assert.deepEqual(Object.entries((await heard(boss)).counts).sort(), wanted.map((topic) => [topic, 1]).sort());
    };
    const row = (conversation_id, sender_id) => ({ id: randomUUID(), conversation_id, org_id, sender_id, content: "from the web" });
    const [hers, broadcasts] = [row(direct.id, ada.user_id), row(broadcast.id, admin.user_id)];
    await told(await of_ada.from("messages").insert([hers, row(direct.id, ada.user_id)]), [admins(org_id), user(ada.user_id)]);
    await told(await of_admin.from("messages").insert(broadcasts), [all(org_id)]);
    await told(await of_ada.from("messages").update({ deleted_at: new Date().toISOString() }).eq("id", hers.id), [admins(org_id), user(ada.user_id)]);
    await told(await of_ada.from("conversation_read_status").upsert({ user_id: ada.user_id, conversation_id: broadcast.id, org_id, last_read_at: new Date().toISOString() }), [admins(org_id), user(ada.user_id)]);
    await told(await of_ada.from("message_reactions").upsert({ message_id: broadcasts.id, person_id: ada.user_id, emoji: "+" }, { onConflict: "message_id,person_id,emoji" }), [admins(org_id), user(ada.user_id)]);
  } finally {
    await boss.unsafe("drop schema if exists realtime cascade");
    await Promise.all([sql.end(), boss.end()]);
  }
});
