// Clusters of their own: restored, rewound, promoted, crashed. xids mean something only within one history of one cluster,
// and a client whose cursor is from another must be told, and must then have everything.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { Cluster } from "../lib/cluster.mjs";
import { Replica } from "../lib/replica.mjs";

const made = [];
const cluster = async (options) => {
  const c = await Cluster.make({ newest: Boolean(process.env.FIELDPOST_NEWEST), ...options });
  made.push(c);
  return c;
};
after(() => made.forEach((c) => c.remove()));

const claim = (text) => console.log(`claim: ${text}`);
const EPOCH = { code: "cursor_expired", detail: "epoch" };

/** An organization with an admin and so many medics, each with a conversation. */
async function tenant(sql, medics = 1) {
  const t = { org: randomUUID(), admin: randomUUID(), medics: [], conversations: [] };
  await sql`insert into public.organizations (id) values (${t.org})`;
  await sql`insert into auth.users (id) values (${t.admin})`;
  await sql`insert into public.profiles (id, org_id, role) values (${t.admin}, ${t.org}, 'org_admin')`;
  for (let n = 0; n < medics; n++) {
    const [user, medic, conversation] = [randomUUID(), randomUUID(), randomUUID()];
    await sql`insert into auth.users (id) values (${user})`;
    await sql`insert into public.medics (id, org_id, user_id, first_name, last_name) values (${medic}, ${t.org}, ${user}, 'Ada', 'Moss')`;
    await sql`insert into public.profiles (id, org_id, role) values (${user}, ${t.org}, 'medic')`;
    await sql`insert into public.conversations (id, org_id, medic_id, created_by) values (${conversation}, ${t.org}, ${medic}, ${t.admin})`;
    t.medics.push(user);
    t.conversations.push(conversation);
  }
  t.write = async (db, content, n = 0) =>
    (await db`insert into public.messages (conversation_id, org_id, sender_id, content)
      values (${t.conversations[n]}, ${t.org}, ${t.admin}, ${content}) returning id`)[0].id;
  return t;
}

/** A client that speaks SQL instead of HTTP; `db` may be exchanged under it, as a server is behind its address. */
function reader(db, user_id) {
  const js = { db, rpc: async (name, args) => ({ data: await js.db.call(user_id, name.replace("fieldpost_", ""), args), status: 200 }) };
  return new Replica(js);
}

const contents = (replica) => [...replica.messages.values()].map((m) => m.content).sort();
const fresh = (pages) => pages.flatMap((p) => p.messages.map((m) => m.content)).sort();

/** Transactions of somebody else, so that the counter moves. */
const burn = (sql, n) => sql.unsafe(`do $$ begin for i in 1..${n} loop perform pg_current_xact_id(); commit; end loop; end $$`);
const xid = async (sql) => Number((await sql`select pg_snapshot_xmax(pg_current_snapshot())::text as x`)[0].x);
/** Moves the counter to beyond what a cursor has seen. */
const overtake = async (sql, target) => burn(sql, Math.max(0, target - (await xid(sql))) + 50);

/** Her cursor is refused, she starts again, and then has exactly what the server has, now and after the next message. */
async function startsAgain(replica, db, t) {
  const { error } = await db.call(t.admin, "pull", { p_cursor: replica.cursor });
  assert.deepEqual(error, EPOCH);
  replica.js.db = db;
  await replica.bootstrap({ p_messages: 2500 });
  const stored = async () => (await db.sql`select content from public.messages where org_id = ${t.org}`).map((m) => m.content).sort();
  assert.deepEqual(contents(replica), await stored());
  await t.write(db.sql, "after it");
  assert.deepEqual(fresh(await replica.pull()), ["after it"]);
  assert.deepEqual(contents(replica), await stored());
}

// ── dump and restore ────────────────────────────────────────────────────────────────────────────────────────────────

const TABLES = ["public.organizations", "auth.users", "public.medics", "public.profiles", "public.conversations", "public.messages",
  "public.message_recipients", "public.conversation_read_status", "fieldpost.people", "fieldpost.tombstones", "fieldpost.access_log",
  "fieldpost.conversation_aliases", "fieldpost.epoch", "fieldpost.runs", "fieldpost.compaction"];

/** A dump of the rows alone, into a cluster that got the SQL before them; triggers off, as pg_dump --disable-triggers. */
async function copyRows(from, to) {
  await to.install().then((db) => db.sql.end());
  const source = from.open("postgres");
  const target = new URL(to.url("postgres", "supabase_admin"));
  const { sql } = to.open("postgres", { url: target.href, connection: { session_replication_role: "replica" } });
  await sql.unsafe(`truncate ${TABLES.join(", ")}`);
  for (const table of TABLES) {
    const rows = await source.sql.unsafe(`select to_jsonb(t) as row from ${table} t`);
    await sql.unsafe(`insert into ${table} select r.* from jsonb_array_elements($1) j, jsonb_populate_record(null::${table}, j) r`, [rows.map((r) => r.row)]);
  }
  await Promise.all([source.sql.end(), sql.end()]);
}

/** pg_dump and pg_restore of the machine, if it has them and they are new enough. */
function pgDump(from) {
  const version = spawnSync("pg_dump", ["--version"]).stdout?.toString() ?? "";
  if (!(Number(version.match(/(\d+)/)?.[1]) >= 15)) return null;
  const dump = execFileSync("pg_dump", ["--format=plain", from.url()], { maxBuffer: 1 << 28 });
  return (to) => {
    const out = spawnSync("psql", ["-v", "ON_ERROR_STOP=1", "-q", to.url()], { input: dump });
    assert.equal(out.status, 0, out.stderr?.toString());
  };
}

test("a dump restored into a new cluster expires old cursors, and stamps from its future hide nothing", async () => {
  const old = await cluster();
  const db = await old.install();
  await burn(db.sql, 6000);
  const t = await tenant(db.sql);
  for (let i = 0; i < 30; i++) await t.write(db.sql, `m${i}`);
  const [{ id }] = await db.sql`select id from public.messages where content = 'm3'`;
  await db.sql`delete from public.messages where id = ${id}`;
  await db.sql`update fieldpost.tombstones set deleted_at = '1990-01-01'`;
  await db.sql`select fieldpost.compact_tombstones('20 years')`;
  await t.write(db.sql, "late");
  const admin = reader(db, t.admin);
  await admin.bootstrap();
  const before = await xid(db.sql);
  const ways = [["rows copied", (to) => copyRows(old, to)]];
  const dumped = pgDump(old);
  if (dumped) ways.push(["pg_dump", dumped]);
  else claim("dump and restore: there is no pg_dump 15 here, only the rows were copied");
  for (const [way, restore] of ways) {
    const next = await cluster();
    await restore(next);
    const db2 = next.open();
    const ahead = before - (await xid(db2.sql));
    assert.ok(ahead > 1000, "the restored rows are stamped in the future of the cluster");
    const moved = reader(db, t.admin);
    moved.cursor = admin.cursor;
    await startsAgain(moved, db2, t);
    // A restored row that changes comes with the next pull; nobody's pull is refused; the future arrives and hides nothing.
    const medic = reader(db2, t.medics[0]);
    await medic.bootstrap();
    await db2.sql`update public.messages set content = 'm7, edited' where content = 'm7'`;
    await db2.sql`delete from public.messages where content = 'm8'`;
    for (const r of [moved, medic]) assert.deepEqual(fresh(await r.pull()), ["m7, edited"]);
    let again = 0;
    for (let step = 0; step < 6; step++) {
      await burn(db2.sql, Math.ceil(ahead / 5));
      await t.write(db2.sql, `step ${step}`);
      for (const r of [moved, medic]) {
        const got = fresh(await r.pull());
        assert.ok(got.includes(`step ${step}`));
        again += got.length - 1;
      }
    }
    const stored = (await db2.sql`select content from public.messages`).map((m) => m.content).sort();
    for (const r of [moved, medic]) assert.deepEqual(contents(r), stored);
    // A client of the old cluster that slept until the new one has overtaken its cursor.
    const slept = await db2.call(t.admin, "pull", { p_cursor: admin.cursor });
    assert.deepEqual(slept.error, EPOCH);
    claim(`dump and restore (${way}): cursor_expired; stamps ${ahead} ahead; 0 of ${stored.length} rows lost, ${again} came again`);
    await db2.sql.end();
    next.remove();
  }
  await db.sql.end();
  old.remove();
});

// ── physical backups ────────────────────────────────────────────────────────────────────────────────────────────────

test("an older physical backup restored in place expires old cursors", async () => {
  const c = await cluster();
  c.stop();
  await c.start(c.archiving);
  let db = await c.install();
  const t = await tenant(db.sql);
  await t.write(db.sql, "kept");
  const backup = await c.backup();
  for (let i = 0; i < 20; i++) await t.write(db.sql, `gone ${i}`);
  const admin = reader(db, t.admin);
  await admin.bootstrap();
  await db.sql.end();
  c.stop("immediate");
  await c.restore(backup, { signal: "recovery", settings: { ...c.fromArchive, recovery_target: "immediate", recovery_target_action: "promote" } });
  db = c.open();
  assert.deepEqual((await db.sql`select content from public.messages`).map((m) => m.content), ["kept"]);
  await overtake(db.sql, 2000);
  await startsAgain(admin, db, t);
  claim("an older backup restored in place: cursor_expired, 20 messages that vanished leave the client");
  await db.sql.end();
  c.remove();
});

test("recovery to a point in time expires old cursors", async () => {
  const c = await cluster({ settings: {} });
  c.stop();
  await c.start(c.archiving);
  let db = await c.install();
  const t = await tenant(db.sql);
  await t.write(db.sql, "before the backup");
  const backup = await c.backup();
  await t.write(db.sql, "after the backup");
  const [{ moment }] = await db.sql`select clock_timestamp()::text as moment`;
  await t.write(db.sql, "the mistake");
  const admin = reader(db, t.admin);
  await admin.bootstrap();
  const seen = await xid(db.sql);
  await db.sql.end();
  c.stop();  // a clean stop archives the last segment
  await c.restore(backup, { signal: "recovery", settings: { ...c.fromArchive, recovery_target_time: moment, recovery_target_action: "promote" } });
  db = c.open();
  for (let i = 0; (await db.sql`select pg_is_in_recovery() as r`)[0].r; i++) {
    assert.ok(i < 200, "recovery does not end");
    await sleep(50);
  }
  assert.deepEqual((await db.sql`select content from public.messages order by seq`).map((m) => m.content), ["before the backup", "after the backup"]);
  await overtake(db.sql, seen);
  const [{ timeline }] = await db.sql`select left(pg_walfile_name(pg_current_wal_lsn()), 8) as timeline`;
  await startsAgain(admin, db, t);
  claim(`point-in-time recovery: timeline ${Number(timeline)}, cursor_expired, the mistake is gone from the client`);
  await db.sql.end();
  c.remove();
});

test("TRUNCATE of any synchronised table expires old cursors", async () => {
  const c = await cluster();
  const db = await c.install();
  const t = await tenant(db.sql);
  for (const table of ["messages", "conversation_read_status", "conversations"]) {
    await t.write(db.sql, "here");
    const admin = reader(db, t.admin);
    await admin.bootstrap();
    await db.sql.unsafe(`truncate public.${table} cascade`);
    assert.deepEqual((await db.call(t.admin, "pull", { p_cursor: admin.cursor })).error, EPOCH);
    await admin.bootstrap();
    assert.equal(admin.messages.size, table === "conversation_read_status" ? 1 : 0);
  }
  claim("TRUNCATE of messages, conversations, conversation_read_status: cursor_expired");
  await db.sql.end();
  c.remove();
});

// ── standbys ────────────────────────────────────────────────────────────────────────────────────────────────────────

const standby = async (primary, settings = {}) => {
  const c = await primary.sibling(await primary.backup(), { signal: "standby", settings: { ...primary.primaryConninfo, hot_standby: "on", ...settings } });
  made.push(c);
  return c;
};

const superuser = async (c, text) => {
  const { sql } = c.open("postgres", { url: c.url("postgres", "supabase_admin") });
  return sql.unsafe(text).finally(() => sql.end());
};

async function caughtUp(primary, copy) {
  const [{ lsn }] = await primary.sql`select pg_current_wal_flush_lsn()::text as lsn`;
  for (let i = 0; !(await copy.sql`select pg_last_wal_replay_lsn() >= ${lsn}::pg_lsn as there`)[0].there; i++) {
    assert.ok(i < 400, "the standby does not catch up");
    await sleep(25);
  }
}

/** Writers whose transactions overlap: what a pull on a standby could miss. Counts what was committed. */
async function write(db, t, writers, transactions) {
  const committed = new Set();
  let seed = 7;
  const random = (below) => ((seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 8) % below;
  await Promise.all(Array.from({ length: writers }, async (_, w) => {
    for (let i = 0; i < transactions; i++) {
      const ids = [];
      await db.sql.begin(async (tx) => {
        for (let n = random(3); n >= 0; n--) ids.push(await t.write(tx, `w${w} ${i} ${n}`, w));
        await sleep(random(4) ? random(20) : 100 + random(200));
        if (random(8) === 0) throw new Error("rolled back");
      }).then(() => ids.forEach((id) => committed.add(id)), (error) => assert.equal(error.message, "rolled back"));
    }
  }));
  return committed;
}

test("pulls that a standby serves lose nothing, and its promotion expires the cursors", async () => {
  const first = await cluster();
  const primary = await first.install().then(async (db) => (await db.sql.end(), first.open("postgres", { max: 12 })));
  const t = await tenant(primary.sql, 6);
  const second = await standby(first);
  const copy = second.open();
  await caughtUp(primary, copy);
  assert.deepEqual((await copy.call(t.admin, "pull", { p_cursor: "c1" })).error, { code: "cursor_expired", detail: "invalid" });

  let writing = true;
  const count = { primary: 0, standby: 0, behind: 0 };
  const follow = async (turn) => {
    const r = reader(primary, t.admin);
    await r.bootstrap();
    const seen = new Map([...r.messages.keys()].map((id) => [id, 1]));
    for (let n = 0, last = false; !last; n++) {
      last = !writing;
      if (last) await caughtUp(primary, copy);
      for (const db of last ? [primary, copy, primary] : [turn(n)]) {
        r.js.db = db;
        const before = r.cursor;
        const pages = await r.pull({ p_limit: 40 });
        for (const m of pages.flatMap((p) => p.messages)) seen.set(m.id, (seen.get(m.id) ?? 0) + 1);
        count[db === copy ? "standby" : "primary"]++;
        if (pages.length === 1 && !pages[0].digest) {
          count.behind++;
          assert.deepEqual([db, r.cursor, pages[0].messages.length], [copy, before, 0], "behind the cursor: nothing new, nothing expired");
        }
      }
    }
    return seen;
  };
  const followers = [follow((n) => (n % 2 ? copy : primary)), follow((n) => (n % 3 ? copy : primary)), follow(() => copy)];
  const committed = await write(primary, t, 6, 60).finally(() => (writing = false));
  const lost = [];
  let doubled = 0;
  for (const seen of await Promise.all(followers)) {
    lost.push([...committed].filter((id) => !seen.has(id)).length);
    doubled += [...seen.values()].filter((n) => n > 1).length;
    assert.equal([...seen.keys()].filter((id) => !committed.has(id)).length, 0);
  }
  claim(`a standby serves: ${committed.size} rows, pulls ${count.standby} there (${count.behind} behind the cursor) and ${count.primary} on the primary: ` +
    `${lost.reduce((a, b) => a + b)} lost, ${doubled} came again`);
  assert.deepEqual(lost, [0, 0, 0]);
  assert.ok(count.behind > 0, "no cursor was ever ahead of the standby");

  // The standby loses its primary; what is written there after that is lost with it.
  const admin = reader(primary, t.admin);
  await superuser(second, "alter system set primary_conninfo = ''");
  await superuser(second, "select pg_reload_conf()");
  for (let i = 0; (await superuser(second, "select from pg_stat_wal_receiver")).length; i++) {
    assert.ok(i < 100, "the standby goes on receiving");
    await sleep(50);
  }
  const send = (id) => ({ id: randomUUID(), kind: "send_message", conversation_id: t.conversations[0], message_id: id, content: "acknowledged, then lost" });
  const id = randomUUID();
  await burn(primary.sql, 100);
  assert.equal((await primary.call(t.medics[0], "push", { p_mutations: [send(id)] })).results[0].status, "applied");
  await admin.bootstrap();
  admin.js.db = copy;
  const held = admin.cursor;
  const [ahead] = await admin.pull();
  assert.deepEqual([ahead.messages.length, ahead.digest, admin.cursor], [0, undefined, held], "ahead of the standby: nothing new, never expired");
  await primary.sql.end();
  first.stop("immediate");
  second.promote();
  await startsAgain(admin, copy, t);
  await overtake(copy.sql, 3000);
  assert.deepEqual((await copy.call(t.admin, "pull", { p_cursor: held })).error, EPOCH, "also when its counter has passed the cursor");
  const again = (await copy.call(t.medics[0], "push", { p_mutations: [send(id)] })).results[0];
  assert.deepEqual([again.status, again.ack.message_id], ["applied", id], "sent again, it is there again");
  assert.deepEqual(fresh(await admin.pull()), ["acknowledged, then lost"]);

  // A standby of the new primary is of the same epoch.
  const third = await standby(second);
  const copy2 = third.open();
  await t.write(copy.sql, "after the promotion");
  await caughtUp(copy, copy2);
  admin.js.db = copy2;
  assert.deepEqual(fresh(await admin.pull()), ["after the promotion"]);
  admin.js.db = copy;
  await admin.pull();
  claim("promotion: cursor_expired, before and after the counter passes the cursor; the lost message is sent again under its id; a new standby agrees");
  await Promise.all([copy.sql.end(), copy2.sql.end()]);
  [first, second, third].forEach((c) => c.remove());
});

// ── transactions elsewhere ──────────────────────────────────────────────────────────────────────────────────────────

test("a transaction that idles in another database, and a prepared one, delay nothing but their own rows", async () => {
  const c = await cluster();
  const db = await c.install();
  const t = await tenant(db.sql, 2);
  await db.sql`create database elsewhere`;
  const other = c.open("elsewhere", { max: 1 });
  await other.sql.unsafe("begin; select pg_current_xact_id()");
  await db.sql.reserve().then(async (held) => {
    await held`begin`;
    await t.write(held, "prepared", 1);
    await held`prepare transaction 'held'`;
    held.release();
  });
  const admin = reader(db, t.admin);
  const [page] = await admin.bootstrap();
  assert.equal(page.messages.length, 0);
  let late = 0;
  for (let i = 0; i < 50; i++) {
    await t.write(db.sql, `m${i}`);
    const got = fresh(await admin.pull());
    if (!got.includes(`m${i}`)) late++;
    assert.deepEqual(got, [`m${i}`]);
  }
  await db.sql`commit prepared 'held'`;
  assert.deepEqual(fresh(await admin.pull()), ["prepared"]);
  await other.sql.unsafe("commit");
  assert.deepEqual(fresh(await admin.pull()), []);
  claim(`idle in another database and prepared: ${late} of 50 messages late, the prepared one with the first pull after its commit`);
  await Promise.all([db.sql.end(), other.sql.end()]);
  c.remove();
});

// ── the same timeline ───────────────────────────────────────────────────────────────────────────────────────────────

test("a crash gives numbers out again, and no row is lost to that", async () => {
  const c = await cluster({ settings: { wal_writer_delay: "10s" } });
  let db = await c.install();
  const t = await tenant(db.sql);
  await t.write(db.sql, "before");
  let admin;
  // Transactions that wrote nothing: nothing on disk says that their numbers were used, unless the server happens to write
  // something of its own just then. Then it crashes once more.
  let again = 0;
  for (let attempt = 0; again <= 0 && attempt < 8; attempt++) {
    admin = reader(db, t.admin);
    await admin.bootstrap();
    await burn(db.sql, 5);
    await admin.pull();
    const seen = await xid(db.sql);
    await db.sql.end();
    c.stop("immediate");
    await c.start();
    db = c.open();
    again = seen - (await xid(db.sql));
  }
  assert.ok(again > 0, "the crash took numbers back");
  await t.write(db.sql, "after");
  await burn(db.sql, 10);
  await startsAgain(admin, db, t);
  claim(`a crash: ${again} transaction numbers given out again, cursor_expired, 0 rows lost`);
  await db.sql.end();
  c.remove();
});

test("a copy of the files put back without a new timeline expires the cursors from after it", async () => {
  for (const way of ["a disk snapshot", "a copy of the stopped server"]) {
    const c = await cluster();
    let db = await c.install();
    const t = await tenant(db.sql);
    await t.write(db.sql, "kept");
    const early = reader(db, t.admin);
    await early.bootstrap();
    let copy;
    if (way === "a disk snapshot") copy = await c.backup({ wal: true });
    else {
      await db.sql.end();
      c.stop();
      copy = c.coldCopy();
      await c.start();
      db = c.open();
    }
    for (let i = 0; i < 20; i++) await t.write(db.sql, `gone ${i}`);
    const late = reader(db, t.admin);
    await late.bootstrap();
    const seen = await xid(db.sql);
    await db.sql.end();
    c.stop("immediate");
    await c.restore(copy);
    db = c.open();
    const [{ timeline }] = await db.sql`select left(pg_walfile_name(pg_current_wal_lsn()), 8)::int as timeline`;
    assert.equal(timeline, 1);
    await t.write(db.sql, "with a number that was used");
    await overtake(db.sql, seen);
    await startsAgain(late, db, t);
    early.js.db = db;
    assert.deepEqual(fresh(await early.pull()), ["after it", "with a number that was used"], "a cursor from before the copy holds");
    claim(`${way} put back, same timeline: cursor_expired; a cursor from before the copy goes on`);
    await db.sql.end();
    c.remove();
  }
});

test("a restart, and a crash that lost nothing, expire no cursor", async () => {
  const c = await cluster();
  let db = await c.install();
  const t = await tenant(db.sql);
  const admin = reader(db, t.admin);
  await admin.bootstrap();
  for (const mode of ["fast", "immediate", "fast", "immediate"]) {
    await t.write(db.sql, `before ${mode}`);
    await admin.pull();
    await t.write(db.sql, `while away, ${mode}`);
    await db.sql.end();
    c.stop(mode);
    await c.start();
    db = c.open();
    admin.js.db = db;
    await t.write(db.sql, `after ${mode}`);
    assert.deepEqual(fresh(await admin.pull()), [`after ${mode}`, `while away, ${mode}`]);
  }
  claim("2 restarts and 2 crashes that lost nothing: the cursor goes on");
  await db.sql.end();
  c.remove();
});
