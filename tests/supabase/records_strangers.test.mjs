// A web dashboard with supabase-js beside devices: what it writes reaches them, and what they wrote is what it reads.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

import { Device, create, push, remove, update } from "./lib/records.mjs";
import { apply, clinical } from "./lib/migrations.mjs";
import { call, client, owner } from "./lib/stack.mjs";
import { createOrg } from "./lib/tenant.mjs";

let sql, org, admin, medic, db;
before(async () => {
  sql = owner();
  await apply(sql, clinical()); // where it is there already this changes nothing
  org = await createOrg(sql, { medics: 1 });
  [admin, medic] = await Promise.all([org.admin, org.medics[0]].map((p) => client(p.email, p.password)));
  db = { call: (js, name, args) => call(js, name, args) }; // a device, over HTTP
});
after(() => sql.end());

const worker = (more = {}) => ({ first_name: "Wat", last_name: "Son", company: "Crane", role: "rigger", ...more });

test("rows that a dashboard inserts, changes, upserts and deletes reach every device", async () => {
  const device = new Device(db, medic, ["workers"]);
  await device.pull();
  const one = await admin.from("workers").insert({ ...worker(), org_id: org.org_id }).select().single();
  assert.equal(one.status, 201, JSON.stringify(one.error));
  const many = await admin.from("workers").insert(Array.from({ length: 5 }, (_, n) => ({ ...worker({ last_name: `W${n}` }), org_id: org.org_id }))).select();
  await device.pull();
  assert.equal(device.rows.size, 6);
  assert.deepEqual([device.row("workers", one.data.id).version, device.row("workers", one.data.id).client_id, device.row("workers", one.data.id).last_mutation_id], [1, undefined, undefined]);
  await admin.from("workers").update({ phone: "1" }).eq("id", one.data.id);
  await admin.from("workers").upsert([{ ...many.data[0], phone: "2" }]);
  await admin.from("workers").delete().eq("id", many.data[1].id);
  await device.pull();
  assert.deepEqual([device.rows.size, device.row("workers", one.data.id).fields.phone, device.row("workers", many.data[0].id).fields.phone, device.row("workers", many.data[1].id)], [5, "1", "2", undefined]);
});

test("a dashboard that saves a whole row it read before counts as made now, whatever the row said of its changes", async () => {
  const made = create(org.org_id, "workers", worker());
  await push(db, medic, made);
  const { data: read } = await admin.from("workers").select().eq("id", made.record_id).single();
  const change = update("workers", made.record_id, { phone: "device" }, { age_ms: 500 });
  assert.equal((await push(db, medic, change))[0].status, "won");
  const { data: saved, error } = await admin.from("workers").update({ ...read, phone: "dashboard" }).eq("id", made.record_id).select().single();
  assert.equal(error, null);
  assert.deepEqual([saved.phone, saved.last_mutation_id, saved.version, saved.client_id], ["dashboard", null, 3, made.record_id]);
  const [late] = await push(db, medic, update("workers", made.record_id, { phone: "late" }, { age_ms: 3_600_000 }));
  assert.deepEqual([late.status, late.record.fields.phone], ["lost", "dashboard"]);
});

test("an older app inserts by client_id and meets 23505; a device deletes what a dashboard shows", async () => {
  const client_id = randomUUID();
  const row = { ...worker(), org_id: org.org_id, client_id };
  const first = await medic.from("workers").insert(row).select().single();
  const again = await medic.from("workers").insert(row).select();
  assert.deepEqual([first.status, again.status, again.error.code], [201, 409, "23505"]);
  const { data } = await medic.from("workers").select("id").eq("client_id", client_id).single();
  assert.equal(data.id, first.data.id);
  const [result] = await push(db, medic, { ...create(org.org_id, "workers", worker()), record_id: client_id });
  assert.deepEqual([result.status, result.record_id], ["won", first.data.id]);
  assert.equal((await push(db, medic, remove("workers", client_id)))[0].status, "won");
  assert.deepEqual((await admin.from("workers").select().eq("id", first.data.id)).data, []);
});
