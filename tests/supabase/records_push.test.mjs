// What becomes of a device's changes: who wins, what is refused, and that one change neither waits for another nor undoes it.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

import { claim } from "./lib/claim.mjs";
import { members } from "./lib/members.mjs";
import { Device, OFFER, TABLES, change, create, push, remove, said, update } from "./lib/records.mjs";
import { scratch } from "./lib/scratch.mjs";

let db, sql, org, ada, ben, admin;
before(async () => {
  db = await scratch({ max: 12 });
  await db.apply();
  sql = db.sql;
  await sql.unsafe(`${TABLES} ${OFFER}
    create function public.fail_on_demand() returns trigger language plpgsql as $$
    begin
      if new.notes like 'fail _____' then raise exception 'injected' using errcode = right(new.notes, 5);
      elsif new.notes = 'vanish' then return null;
      elsif new.notes = 'shout' then new.notes := 'SHOUT';
      end if;
      return new;
    end $$;
    create trigger fail_on_demand before insert or update on public.visits for each row execute function public.fail_on_demand();`).simple();
  org = await members(sql, { medics: 2 });
  [ada, ben] = org.medics;
  admin = org.admin;
});
after(() => db.drop());

const visit = (fields = {}, more) => create(org.org, "visits", fields, more);
const site = (name = "North", more) => create(org.org, "sites", { name }, more);
const row = async (id, table = "visits") => (await sql.unsafe(`select *, version::int as version from public.${table} where id = '${id}'`))[0];
const one = async (who, c) => (await push(db, who, c))[0];

test("of two people the one who changed it last wins, in whichever order they arrive; the other is given the winner", async () => {
  for (const [first, second, winner] of [[7_200_000, 3_600_000, "second"], [3_600_000, 7_200_000, "first"]]) {
    const made = visit({ notes: "old" }, { age_ms: 10_000_000 });
    await one(ada, made);
    const results = [
      await one(ada, update("visits", made.record_id, { notes: "first" }, { age_ms: first })),
      await one(ben, update("visits", made.record_id, { notes: "second" }, { age_ms: second })),
    ];
    assert.equal((await row(made.record_id)).notes, winner);
    assert.deepEqual(said(results), winner === "second" ? ["won", "won"] : ["won", "lost"]);
    if (winner === "first") assert.deepEqual([results[1].record.fields.notes, results[1].record.version, results[1].record.id], ["first", 2, made.record_id]);
  }
});

test("what is equally late is decided by the mutation's id", async () => {
  const made = visit({ notes: "old" }, { modified_at: "2026-01-01T00:00:00Z", age_ms: undefined });
  await one(ada, made);
  const [low, high] = [randomUUID(), randomUUID()].sort();
  const at = { age_ms: undefined, modified_at: "2026-02-01T10:00:00.000001Z" };
  assert.deepEqual(said([await one(ada, update("visits", made.record_id, { notes: "high" }, { ...at, id: high })), await one(ben, update("visits", made.record_id, { notes: "low" }, { ...at, id: low }))]), ["won", "lost"]);
  assert.equal((await row(made.record_id)).notes, "high");
});

test("a time after now counts as now, and one before 2000 as the beginning of 2000", async () => {
  const made = visit({ notes: "old" });
  await one(ada, made);
  const result = await one(ada, update("visits", made.record_id, { notes: "ahead" }, { age_ms: undefined, modified_at: "2999-01-01T00:00:00Z" }));
  assert.ok(Math.abs(new Date(result.modified_at) - Date.now()) < 60_000, result.modified_at);
  assert.equal((await one(ben, update("visits", made.record_id, { notes: "now" }, { age_ms: 0 }))).status, "won");
  const old = await one(ada, visit({}, { age_ms: 9e14 }));
  assert.equal(old.modified_at, "2000-01-01T00:00:00.000000Z");
  assert.equal((await row(old.record_id)).created_at.toISOString(), "2000-01-01T00:00:00.000Z", "it was made when it was made");
});

test("a direct writer's change counts as made now, whatever it claims, and ends the trace of the device's", async () => {
  const made = visit({ notes: "old" }, { age_ms: 10_000_000 });
  await one(ada, made);
  await sql`update public.visits set notes = 'dashboard', client_modified_at = '2001-01-01', version = 99, sync_xid = '1', client_id = gen_random_uuid() where id = ${made.record_id}`;
  const now = await row(made.record_id);
  assert.deepEqual([now.version, now.last_mutation_id, now.client_id], [2, null, made.record_id]);
  assert.ok(Date.now() - now.client_modified_at < 60_000);
  const late = await one(ben, update("visits", made.record_id, { notes: "offline since an hour" }, { age_ms: 3_600_000 }));
  assert.deepEqual([late.status, late.record.fields.notes, late.record.last_mutation_id], ["lost", "dashboard", undefined]);
});

test("rows from before have the project's own dates", async () => {
  const id = randomUUID();
  await sql.begin(async (tx) => {
    await tx.unsafe("alter table public.visits disable trigger user");
    await tx`insert into public.visits (id, org_id, notes, created_at, updated_at) values (${id}, ${org.org}, 'old', '2020-01-01', '2026-01-15')`;
    await tx.unsafe("alter table public.visits enable trigger user");
  });
  const at = (modified_at) => ({ age_ms: undefined, modified_at });
  const lost = await one(ada, update("visits", id, { notes: "before" }, at("2026-01-14T00:00:00Z")));
  assert.deepEqual([lost.status, lost.record.modified_at], ["lost", "2026-01-15T00:00:00.000000Z"]);
  assert.equal((await one(ada, update("visits", id, { notes: "after" }, at("2026-01-16T00:00:00Z")))).status, "won");
});

test("with the rule that the last arrival wins nothing is compared, and what was applied is not applied again", async () => {
  const made = visit({ notes: "old" }, { age_ms: 1000 });
  await one(ada, made);
  const late = update("visits", made.record_id, { notes: "late" }, { age_ms: 9_000_000, rule: "last_arrival_wins" });
  const result = await one(ada, late);
  assert.equal(result.status, "won");
  const { notes, client_modified_at } = await row(made.record_id);
  assert.equal(notes, "late");
  assert.ok(Date.now() - client_modified_at < 60_000, "the later of both times stays");
  assert.deepEqual([(await one(ada, late)).version, (await row(made.record_id)).version], [2, 2]);
});

test("a change that follows another of its device is not compared with it, and is with anybody else's", async () => {
  const made = visit({ notes: "old" }, { age_ms: 10_000 });
  await one(ada, made);
  const slow = update("visits", made.record_id, { notes: "slow" }, { age_ms: 0 });
  await one(ada, slow);
  const next = update("visits", made.record_id, { notes: "next" }, { age_ms: 5_000, after: slow.id });
  const result = await one(ada, next);
  assert.equal(result.status, "won");
  assert.equal((await row(made.record_id)).notes, "next");
  await one(ben, update("visits", made.record_id, { notes: "ben" }, { age_ms: 0 }));
  assert.equal((await one(ada, update("visits", made.record_id, { notes: "third" }, { age_ms: 5_000, after: next.id }))).status, "lost");
});

test("a batch whose answer was lost is answered again as before, and changes nothing", async () => {
  const made = visit({ notes: "one" });
  const a = update("visits", made.record_id, { notes: "two" }, { age_ms: 500 });
  const b = update("visits", made.record_id, { minutes: 3 }, { age_ms: 100, after: a.id });
  const results = await push(db, ada, made, a, b);
  assert.deepEqual(results.map((r) => [r.status, r.version]), [["won", 1], ["won", 2], ["won", 3]]);
  const again = await push(db, ada, made, a, b);
  assert.deepEqual(again.map((r) => [r.status, r.version]), [["won", 3], ["won", 3], ["won", 3]]);
  const gone = remove("visits", made.record_id);
  assert.deepEqual(said([await one(ada, gone), await one(ada, gone)]), ["won", "won"]);
  const [late] = await push(db, ada, made);
  assert.deepEqual([late.status, late.version, await row(made.record_id)], ["won", undefined, undefined], "a create that comes again brings nothing back");
});

test("a record is the same by its id and by the id that a device made, also in the fields of others", async () => {
  const client_id = randomUUID();
  const [{ id }] = await sql`insert into public.sites (org_id, name, client_id) values (${org.org}, 'from an older app', ${client_id}) returning id`;
  const made = change("create", "sites", client_id, { name: "again" }, { org_id: org.org });
  const child = visit({ site_id: client_id });
  const results = await push(db, ada, made, child, update("sites", client_id, { name: "by its client's id" }, { age_ms: 0 }), update("sites", id, { name: "by its id" }, { age_ms: 0, id: "ffffffff-ffff-4fff-bfff-ffffffffffff" }));
  assert.deepEqual(results.map((r) => [r.status, r.record_id]), [["won", id], ["won", child.record_id], ["won", id], ["won", id]]);
  assert.equal((await row(child.record_id)).site_id, id);
  assert.equal((await row(id, "sites")).name, "by its id");
  const [first, second] = await push(db, ada, update("sites", client_id, { name: null }, { age_ms: 0 }), update("sites", id, { name: "x" }, { age_ms: 0 }));
  assert.deepEqual(said([first, second]), ["refused: refused", "refused: after_refused"], "one lane");
});

test("what refers to another is stored with it, in whatever order they come", async () => {
  const parent = site("parent");
  const first = visit({ site_id: parent.record_id });
  const second = visit({ follows_id: first.record_id, site_id: parent.record_id });
  assert.deepEqual(said(await push(db, ada, second, first, parent)), ["won", "won", "won"]);
  assert.deepEqual(said(await push(db, ada, remove("sites", parent.record_id), remove("visits", first.record_id), remove("visits", second.record_id))), ["won", "won", "won"]);
});

test("naming what one may not see is refused in the words of naming nothing, and a reference that is there stays", async () => {
  const other = await members(sql, { medics: 1 });
  const foreign = create(other.org, "sites", { name: "foreign" });
  await one(other.medics[0], foreign);
  const results = await push(db, ada, visit({ site_id: foreign.record_id }), visit({ site_id: randomUUID() }));
  assert.deepEqual(said(results), ["refused: refused", "refused: refused"]);
  assert.equal(results[0].detail, results[1].detail);
  assert.equal(results[0].detail, 'insert or update on table "visits" violates foreign key constraint "visits_site_id_fkey" (23503)');
  const [{ id }] = await sql`insert into public.visits (org_id, site_id) values (${org.org}, ${foreign.record_id}) returning id`;
  assert.deepEqual(said(await push(db, ada, update("visits", id, { site_id: foreign.record_id, notes: "kept" }, { age_ms: 0 }))), ["won"]);
});

test("ids of other organizations are taken, missing or gone, and nothing is said of them", async () => {
  const other = await members(sql, { medics: 1 });
  const foreign = create(other.org, "visits", { notes: "secret" });
  const buried = create(other.org, "visits", { notes: "secret" });
  await push(db, other.medics[0], foreign, buried, remove("visits", buried.record_id));
  const as = (c) => ({ ...c, id: randomUUID() });
  const results = await push(db, ada, as({ ...foreign, org_id: org.org }), as({ ...buried, org_id: org.org }), create(other.org, "visits", {}),
    update("visits", buried.record_id, { notes: "x" }), visit({}), remove("visits", randomUUID()));
  assert.deepEqual(said(results), ["refused: id_taken", "refused: id_taken", "refused: forbidden", "refused: after_refused", "won", "won"]);
  const more = await push(db, ada, update("visits", foreign.record_id, { notes: "x" }), update("visits", buried.record_id, { notes: "x" }), remove("visits", randomUUID()));
  assert.deepEqual(said(more), ["missing", "missing", "won"]);
  assert.deepEqual(said(await push(db, ada, remove("visits", foreign.record_id))), ["won"], "as if it were not there");
  assert.ok(!JSON.stringify([results, more]).includes("secret"));
  assert.equal((await row(foreign.record_id)).notes, "secret");
});

test("whoever has no membership is refused, whatever she names", async () => {
  const nobody = randomUUID();
  assert.deepEqual(said(await push(db, nobody, visit({}), update("visits", randomUUID(), {}), remove("nothing", randomUUID()))), Array(3).fill("refused: forbidden"));
});

test("policies decide: what they forbid is forbidden, what they hide is not there", async () => {
  const [mine, done, hidden] = [visit({ notes: "mine" }), visit({ done: true }), visit({ private: true })];
  await push(db, admin, mine, done, hidden);
  await sql.unsafe(`
    create policy no_private on public.visits as restrictive for all to authenticated using (not private or org_id in (select fieldpost.my_admin_orgs()));
    create policy not_done on public.visits as restrictive for update to authenticated using (not done or org_id in (select fieldpost.my_admin_orgs()));
    create policy keep_done on public.visits as restrictive for delete to authenticated using (not done)`);
  try {
    const results = await push(db, ada, update("visits", mine.record_id, { notes: "x" }, { age_ms: 0 }), update("visits", done.record_id, { notes: "x" }, { age_ms: 0 }), update("visits", hidden.record_id, { notes: "x" }, { age_ms: 0 }),
      visit({ private: true }), visit({ notes: "fine" }));
    assert.deepEqual(said(results), ["won", "refused: forbidden", "missing", "refused: forbidden", "won"]);
    assert.match(results[3].detail, /row-level security policy.*\(42501\)/);
    assert.deepEqual(said(await push(db, ada, update("visits", mine.record_id, { private: true }, { age_ms: 0 }), remove("visits", done.record_id), remove("visits", hidden.record_id), { ...hidden, id: randomUUID() })),
      ["refused: forbidden", "refused: forbidden", "won", "refused: id_taken"]);
    assert.equal((await row(hidden.record_id)).notes, null);
    assert.deepEqual(said(await push(db, admin, { ...hidden })), ["won"]);
  } finally {
    await sql.unsafe("drop policy no_private on public.visits; drop policy not_done on public.visits; drop policy keep_done on public.visits");
  }
});

test("whoever may write and not read is told that her own create is stored, also the second time", async () => {
  await sql.unsafe("create policy blind on public.visits as restrictive for select to authenticated using (org_id in (select fieldpost.my_admin_orgs()))");
  try {
    const made = visit({ notes: "reported" });
    assert.deepEqual(said([await one(ada, made), await one(ada, made)]), ["won", "won"]);
    assert.deepEqual(said([await one(ada, { ...made, id: randomUUID() })]), ["refused: id_taken"]);
  } finally {
    await sql.unsafe("drop policy blind on public.visits");
  }
});

test("a missing privilege is forbidden, and columns that somebody may not read are not sent", async () => {
  await sql.unsafe("revoke update on public.sites from authenticated");
  const made = site();
  assert.deepEqual(said(await push(db, ada, made, update("sites", made.record_id, { name: "x" }, { age_ms: 0 }), visit({}))), ["won", "refused: forbidden", "won"]);
  await sql.unsafe("grant update on public.sites to authenticated; revoke select on public.sites from authenticated; grant select (id, org_id, client_id, client_modified_at, last_mutation_id, version, sync_xid, created_at) on public.sites to authenticated");
  const device = new Device(db, ada, ["sites"]);
  await device.pull();
  assert.deepEqual(device.row("sites", made.record_id).fields, {});
  assert.deepEqual(said(await push(db, ada, update("sites", made.record_id, { name: "y" }, { age_ms: 0 }))), ["won"]);
  await sql.unsafe("revoke all on public.sites from authenticated");
  const none = new Device(db, ada, ["sites"]);
  await none.pull();
  assert.equal(none.rows.size, 0);
  assert.deepEqual(said(await push(db, ada, site())), ["refused: forbidden"]);
  await sql.unsafe("grant all on public.sites to authenticated");
});

const CODES = { "40001": "conflict", "40P01": "conflict", "55P03": "conflict", "53100": "busy", "53200": "busy", "53300": "busy" };

test("a lock, deadlock or space failure is a retry of its record alone; any other failure refuses its own change", async () => {
  for (const [state, code] of Object.entries(CODES)) {
    const [a, b] = [visit({ notes: "a" }), visit({ notes: "b" })];
    const parent = visit({ notes: `fail ${state}` });
    const results = await push(db, ada, a, parent, update("visits", a.record_id, { notes: `fail ${state}` }, { age_ms: 0 }), update("visits", a.record_id, { minutes: 1 }, { age_ms: 0 }), b, update("visits", b.record_id, { minutes: 2 }, { age_ms: 0 }),
      visit({ follows_id: parent.record_id }));
    assert.deepEqual(said(results), ["won", `retry: ${code}`, `retry: ${code}`, "retry: after_retry", "won", "won", "retry: after_retry"], state);
    assert.deepEqual([(await row(a.record_id)).minutes, (await row(b.record_id)).minutes], [null, 2]);
  }
  for (const state of ["22000", "23514", "P0001", "P0004", "XX000"]) {
    const [a, b] = [visit({ notes: `fail ${state}` }), visit({ notes: "b" })];
    const results = await push(db, ada, a, update("visits", a.record_id, { minutes: 1 }), b, update("visits", b.record_id, { minutes: -1 }, { age_ms: 0 }));
    assert.deepEqual(said(results), ["refused: refused", "refused: after_refused", "won", "refused: refused"], state);
    assert.equal(results[0].detail, `injected (${state})`);
    assert.match(results[3].detail, /check constraint.*\(23514\)/);
  }
  claim(`records: one bad change never undoes another: ${Object.keys(CODES).length} transient failures were retries of their record, 5 others refused their own change`);
});

test("an assertion of the project's refuses its own change, and a statement that is cancelled ends the call", async () => {
  await sql.unsafe(`
    create or replace function public.asserts() returns trigger language plpgsql as $$ begin assert new.minutes is null or new.minutes < 600, 'too long'; return new; end $$;
    create trigger asserts before insert or update on public.visits for each row execute function public.asserts()`).simple();
  try {
    const [a, b] = [visit({ notes: "a" }), visit({ notes: "b" })];
    const results = await push(db, ada, a, visit({ minutes: 700 }), b, update("visits", a.record_id, { minutes: 800 }, { age_ms: 0 }), update("visits", b.record_id, { minutes: 8 }, { age_ms: 0 }));
    assert.deepEqual(said(results), ["won", "refused: refused", "won", "refused: refused", "won"]);
    assert.deepEqual([results[1].detail, results[3].detail], Array(2).fill("too long (P0004)"));
    assert.deepEqual(said([await one(ada, visit({ minutes: 700 }))]), ["refused: refused"], "alone, too");
  } finally {
    await sql.unsafe("drop trigger asserts on public.visits");
  }
  // A time limit is nobody's fault: neither a dead letter nor a reason to go on.
  await assert.rejects(push(db, ada, visit({ notes: "fine" }), visit({ notes: "fail 57014" })), { code: "57014" });
});

test("what a trigger drops is refused with a word, what it rewrites is stored and pulled", async () => {
  const kept = visit({ notes: "kept" });
  const results = await push(db, ada, kept, visit({ notes: "vanish" }), visit({ notes: "shout" }), update("visits", kept.record_id, { notes: "vanish" }, { age_ms: 0 }));
  assert.deepEqual(said(results), ["won", "refused: refused", "won", "refused: refused"]);
  assert.deepEqual([results[1].detail, results[3].detail], ["a trigger of this project dropped the record (no row)", "a trigger of this project dropped the change (no row)"]);
  const device = new Device(db, ben, ["visits"]);
  await device.pull();
  assert.equal(device.row("visits", results[2].record_id).fields.notes, "SHOUT");
});

test("what triggers write beside belongs to nobody's device, and to the change itself where they touch its row", async () => {
  await sql.unsafe(`
    create function public.beside() returns trigger language plpgsql as $$ begin
      if pg_trigger_depth() < 2 then
        update public.visits set minutes = coalesce(minutes, 0) + 1 where id = new.id;
        update public.sites set name = name || '!' where id = new.site_id;
      end if;
      return null; end $$;
    create trigger beside after insert or update on public.visits for each row execute function public.beside()`).simple();
  try {
    const parent = site("busy");
    await one(ben, parent);
    const made = visit({ site_id: parent.record_id });
    const change = update("visits", made.record_id, { minutes: 5 }, { age_ms: 0, rule: "last_arrival_wins" });
    assert.deepEqual(said([await one(ada, made), await one(ada, change), await one(ada, change)]), ["won", "won", "won"]);
    const { minutes, last_mutation_id, version } = await row(made.record_id);
    assert.deepEqual([minutes, last_mutation_id, version], [6, change.id, 4]);
    const beside = await row(parent.record_id, "sites");
    assert.deepEqual([beside.name, beside.last_mutation_id, beside.version], ["busy!!", null, 3]);
  } finally {
    await sql.unsafe("drop trigger beside on public.visits");
  }
});

test("a constraint that waits for the end of a transaction refuses its own change", async () => {
  await sql.unsafe("alter table public.visits alter constraint visits_site_id_fkey deferrable initially deferred; alter table public.sites add constraint one_name unique (name) deferrable initially deferred");
  try {
    const twice = `once ${randomUUID()}`;
    assert.deepEqual(said(await push(db, ada, site(twice), visit({}), site(twice))), ["won", "won", "refused: refused"]);
  } finally {
    await sql.unsafe("alter table public.sites drop constraint one_name; alter table public.visits alter constraint visits_site_id_fkey not deferrable");
  }
});

test("two records exchange a unique value in one batch if the constraint can wait; else both are refused, and nothing of either is stored", async () => {
  const names = async (...made) => Promise.all(made.map(async (c) => (await row(c.record_id, "sites")).name));
  for (const [kind, verdict] of [["deferrable", "won"], ["deferrable initially deferred", "won"], ["", "refused: refused"]]) {
    await sql.unsafe(`alter table public.sites add constraint one_name unique (org_id, name) ${kind}`);
    try {
      const [a, b] = [site(`a ${randomUUID()}`), site(`b ${randomUUID()}`)];
      const was = [a.fields.name, b.fields.name];
      await push(db, ada, a, b);
      const results = await push(db, ada, update("sites", a.record_id, { name: was[1] }, { age_ms: 0 }), update("sites", b.record_id, { name: was[0] }, { age_ms: 0 }));
      assert.deepEqual(said(results), [verdict, verdict], kind);
      assert.deepEqual(await names(a, b), verdict === "won" ? was.toReversed() : was, kind);
      if (verdict !== "won") for (const r of results) assert.match(r.detail, /one_name.*\(23505\)/);
    } finally {
      await sql.unsafe("alter table public.sites drop constraint one_name");
    }
  }
});

test("what cannot be read is refused as a bad request, each with the field", async () => {
  const id = randomUUID();
  const cases = [
    [{ ...visit(), table: undefined }, "table"], [{ ...visit(), table: 7 }, "table"], [{ ...visit(), record_id: "x" }, "record_id"], [{ ...visit(), operation: "upsert" }, "operation"], [{ ...visit(), org_id: undefined }, "org_id"],
    [{ ...visit(), org_id: "x" }, "org_id"], [{ ...visit(), fields: [] }, "fields"], [{ ...visit(), age_ms: -1 }, "age_ms"], [{ ...visit(), age_ms: "7" }, "age_ms"], [{ ...visit(), age_ms: undefined }, "modified_at"],
    [{ ...visit(), age_ms: undefined, modified_at: "yesterday" }, "modified_at"], [{ ...visit(), after: "x" }, "after"], [{ ...visit(), rule: "first" }, "rule"],
  ];
  const results = await push(db, ada, ...cases.map(([c]) => c), { ...visit(), id });
  assert.deepEqual(results.slice(0, -1).map((r) => [r.status, r.code, r.detail]), cases.map(([, detail]) => ["refused", "bad_request", detail]));
  assert.equal(results.at(-1).status, "won");
  const { results: odd } = await db.call(ada, "records_push", { p_changes: ["x", 7, null, {}, { ...visit(), id: 7 }] });
  assert.deepEqual(odd.map((r) => [r.id, r.status, r.code]), Array(5).fill([null, "refused", "bad_request"]));
  const call = (p_changes) => db.call(ada, "records_push", { p_changes });
  assert.deepEqual((await call(Array(501).fill(visit()))).error, { code: "too_large", detail: "push_rows" });
  assert.deepEqual((await call(Array.from({ length: 8 }, () => visit({ notes: "x".repeat(200_000) })))).error, { code: "too_large", detail: "push_bytes" });
  const [large, fits] = await push(db, ada, visit({ notes: "x".repeat(262_144) }), visit({ notes: "x".repeat(262_000) }));
  assert.deepEqual(said([large, fits]), ["refused: too_large", "won"]);
  assert.deepEqual((await call([])).results, []);
  assert.equal((await db.call(ada, "records_push", { p_changes: [], p_protocol: 0 })).error.code, "client_too_old");
  await assert.rejects(sql.begin(async (tx) => {
    await tx`set local role authenticated`;
    await tx`select public.fieldpost_records_push(1)`;
  }), { code: "PT401" });
});

test("an older app inserts with the id that its device made, meets 23505 the second time, and the device of today is told the row", async () => {
  const client_id = randomUUID();
  const insert = () => sql.begin(async (tx) => {
    await tx`select set_config('request.jwt.claim.sub', ${ada}, true)`;
    await tx`set local role authenticated`;
    return (await tx`insert into public.visits (org_id, client_id, notes) values (${org.org}, ${client_id}, 'older') returning id`)[0].id;
  });
  const id = await insert();
  await assert.rejects(insert(), { code: "23505" });
  const [result] = await push(db, ada, change("create", "visits", client_id, { notes: "newer" }, { org_id: org.org }));
  assert.deepEqual([result.status, result.record_id, result.version], ["won", id, 1]);
  assert.equal((await row(id)).notes, "older");
});

test("a client cannot change what is Fieldpost's, whatever it sends", async () => {
  const made = visit({ notes: "x" });
  await one(ada, made);
  const before = await row(made.record_id);
  await sql.begin(async (tx) => {
    await tx`select set_config('request.jwt.claim.sub', ${ben}, true)`;
    await tx`set local role authenticated`;
    await tx`update public.visits set client_id = gen_random_uuid(), version = 99, sync_xid = '1', client_modified_at = '2999-01-01', last_mutation_id = gen_random_uuid() where id = ${made.record_id}`;
  });
  assert.deepEqual(await row(made.record_id), before, "nothing of it is hers");
});

test("two devices that change one row at once: one wins on the row as it is, and both are told so", async () => {
  for (let round = 0; round < 20; round++) {
    const made = visit({ notes: "old" }, { age_ms: 60_000 });
    await one(ada, made);
    const ages = [round % 2 ? 500 : 5000, round % 2 ? 5000 : 500];
    const [a, b] = await Promise.all([ada, ben].map((who, n) => one(who, update("visits", made.record_id, { notes: who }, { age_ms: ages[n] }))));
    const now = await row(made.record_id);
    assert.equal(now.notes, round % 2 ? ada : ben, "whoever was later, whoever came first");
    assert.equal([a, b].filter((r) => r.status === "won").length + [a, b].filter((r) => r.status === "lost").length, 2);
    assert.equal((round % 2 ? a : b).status, "won");
  }
  claim("records: 20 races of two devices for one row: the later change stands, whoever came first");
});

test("a change that waits for another's transaction is compared with what that leaves", async () => {
  const made = visit({ notes: "old" }, { age_ms: 60_000 });
  await one(ada, made);
  let waiting;
  await sql.begin(async (tx) => {
    await tx`update public.visits set notes = 'dashboard' where id = ${made.record_id}`;
    waiting = one(ben, update("visits", made.record_id, { notes: "ben" }, { age_ms: 5000 }));
    while (!(await tx`select from pg_locks where not granted`).length) await new Promise((resolve) => setTimeout(resolve, 20));
  });
  const result = await waiting;
  assert.deepEqual([result.status, result.record?.fields.notes], ["lost", "dashboard"]);
  assert.equal((await row(made.record_id)).notes, "dashboard");
});

test("a record whose row is locked is a retry within three seconds, and no other waits with it", async () => {
  const [held, free] = [visit({}), visit({})];
  await push(db, ada, held, free);
  await sql.begin(async (tx) => {
    await tx`select from public.visits where id = ${held.record_id} for update`;
    const begun = performance.now();
    const results = await push(db, ben, update("visits", held.record_id, { notes: "x" }, { age_ms: 0 }), update("visits", free.record_id, { notes: "x" }, { age_ms: 0 }), visit({}));
    assert.deepEqual(said(results), ["retry: conflict", "won", "won"]);
    assert.ok(performance.now() - begun < 5000);
  });
});

test("two pushes of one batch at once store it once", async () => {
  const batch = Array.from({ length: 40 }, (_, n) => visit({ minutes: n }));
  const results = await Promise.all([0, 1, 2, 3].map((n) => push(db, ada, ...(n % 2 ? batch : [...batch].reverse()))));
  for (const list of results) assert.ok(list.every((r) => r.status === "won" || r.status === "retry"), JSON.stringify(list));
  const [{ n }] = await sql`select count(*)::int as n from public.visits where id in ${sql(batch.map((c) => c.record_id))}`;
  assert.equal(n, 40);
});

test("five hundred creates are few statements: savepoints are not the normal way", async () => {
  const batch = Array.from({ length: 500 }, (_, n) => visit({ minutes: n, notes: `visit ${n}` }));
  const timed = async (changes) => {
    const begun = performance.now();
    const results = await push(db, ada, ...changes);
    return { ms: Math.round(performance.now() - begun), results };
  };
  const subtransactions = async (changes) => {
    // Every savepoint that writes takes a number of its own.
    const [a] = await sql`select pg_current_xact_id()::text::bigint as x`;
    const { results } = await timed(changes);
    const [b] = await sql`select pg_current_xact_id()::text::bigint as x`;
    return [Number(b.x - a.x), results];
  };
  const [numbers, results] = await subtransactions(batch);
  assert.ok(results.every((r) => r.status === "won"));
  assert.ok(numbers <= 4, `${numbers} transaction numbers`);
  const { ms } = await timed(Array.from({ length: 500 }, (_, n) => visit({ minutes: n, notes: `visit ${n}` })));
  const updates = await timed(batch.map((c) => update("visits", c.record_id, { notes: "x" }, { age_ms: 0 })));
  const one = await timed([...Array.from({ length: 499 }, (_, n) => visit({ minutes: n })), visit({ minutes: -1 })]);
  assert.deepEqual([updates.results.every((r) => r.status === "won"), one.results.filter((r) => r.status === "won").length], [true, 499]);
  claim(`records: 500 creates in ${ms} ms and ${numbers} transaction numbers, 500 updates in ${updates.ms} ms, 500 creates of which one is refused in ${one.ms} ms`);
});
