// Settings: what a person has muted, pinned, archived and marked unread, by push and directly on the table. Hers alone.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

import { costs, id } from "./lib/costs.mjs";
import { Replica } from "./lib/replica.mjs";
import { call, client, owner, uuid7 } from "./lib/stack.mjs";
import { createOrg } from "./lib/tenant.mjs";

const p_capabilities = ["conversation_settings"];
const T = "2026-01-31T08:15:00.123456Z";
let sql, org, stranger, admin, ada, ben;
before(async () => {
  sql = owner();
  org = await createOrg(sql, { medics: 2, conversations: true, broadcast: true });
  stranger = await createOrg(sql, { medics: 1, conversations: true });
  [admin, ada, ben] = await Promise.all([org.admin, ...org.medics].map((p) => client(p.email, p.password)));
});
after(() => sql.end());

const push = async (js, ...p_mutations) => (await call(js, "push", { p_mutations })).results;
const hers = () => org.conversations[0].id;
const set = (conversation_id, fields) => ({ id: uuid7(), kind: "set_conversation", conversation_id, ...fields });
const mark = (conversation_id, read_seq) => ({ id: uuid7(), kind: "mark_read", conversation_id, read_seq });
const verdict = (r) => [r.status, r.code, r.detail];
const direct = (js, conversation_id, fields, user_id = js.user_id) =>
  js.from("conversation_settings").upsert({ user_id, conversation_id, ...fields }, { onConflict: "user_id,conversation_id" }).select();
const said = async (js, conversation_id, n = 1) =>
  push(js, ...Array.from({ length: n }, () => ({ id: uuid7(), kind: "send_message", conversation_id, message_id: uuid7(), content: "On my way" })));

async function following(...people) {
  const replicas = people.map((js) => new Replica(js));
  for (const replica of replicas) await replica.bootstrap({ p_capabilities });
  return replicas;
}
const shown = (device, conversation = hers()) => {
  const { version, conversation_id, ...fields } = device.settings.get(conversation) ?? {};
  return fields;
};

test("what a person sets reaches her devices, field by field in the order of arrival, and nobody else", async () => {
  const devices = await following(ada, ada);
  const [other] = await following(admin);
  const change = set(hers(), { pinned_at: T, muted_until: "9999-12-31T00:00:00Z" });
  const [first] = await push(ada, change);
  assert.deepEqual([first.status, first.settings], ["applied", { conversation_id: hers(), pinned_at: T, muted_until: "9999-12-31T00:00:00.000000Z", version: 1 }]);
  assert.deepEqual((await push(ada, change))[0].status, "duplicate", "a lost answer changes nothing");
  const { data, error } = await direct(ada, hers(), { muted_until: null });
  assert.equal(error, null);
  assert.deepEqual([data[0].org_id, data[0].version, new Date(data[0].pinned_at).getTime()], [org.org_id, 2, new Date(T).getTime()], "a stranger to Fieldpost names what she changes");
  for (const device of devices) {
    await device.pull({ p_capabilities });
    assert.deepEqual(shown(device), { pinned_at: T });
  }
  await push(ada, set(hers(), { unread_from: 1 }));
  await devices[0].pull({ p_capabilities });
  assert.deepEqual(shown(devices[0]), { pinned_at: T, unread_from: 1 }, "what is not named stays");
  await push(ada, set(hers(), { pinned_at: null, unread_from: null }));
  for (const device of devices) await device.pull({ p_capabilities });
  assert.deepEqual(devices.map((d) => shown(d)), [{}, {}]);
  await other.pull({ p_capabilities });
  assert.equal(other.settings.size, 0);
  assert.deepEqual((await admin.from("conversation_settings").select()).data, [], "the table tells others nothing either");
  const [fresh, theirs] = await following(ada, admin);
  assert.deepEqual([shown(fresh), theirs.settings.size], [{}, 0]);
  assert.equal((await call(ada, "bootstrap", {})).settings, undefined, "who does not name the capability gets no list");
  assert.equal((await call(ada, "pull", { p_cursor: fresh.cursor })).settings, undefined);
});

test("marked unread counts from there on, until she reads on: on every device and by whatever client", async () => {
  await said(admin, hers(), 3);
  const [device] = await following(ada);
  const count = async () => {
    await device.pull({ p_capabilities });
    return device.conversations.get(hers()).unread;
  };
  const [{ last_seq: last }] = await sql`select last_seq from public.conversations where id = ${hers()}`;
  const top = Number(last);
  await push(ada, mark(hers(), top));
  assert.equal(await count(), 0);
  await push(ada, set(hers(), { unread_from: top - 1 }));
  assert.equal(await count(), 2);
  const [marker] = await sql`select read_seq from public.conversation_read_status where user_id = ${ada.user_id} and conversation_id = ${hers()}`;
  assert.equal(Number(marker.read_seq), top, "the marker stays");
  assert.equal((await call(admin, "bootstrap")).conversations.find((c) => c.id === hers()).unread, 0, "nobody else's count changes");
  // A mark that comes again is none that she has made now.
  assert.equal((await push(ada, mark(hers(), top)))[0].status, "duplicate");
  assert.equal(await count(), 2);
  await said(admin, hers());
  assert.equal(await count(), 3);
  // In one batch: she reads, and marks unread again. And the other way round.
  await push(ada, set(hers(), { unread_from: top }), mark(hers(), top + 1));
  assert.equal(await count(), 2, "marks come first, so what her device sets last is what counts");
  await push(ada, set(hers(), { unread_from: null }));
  assert.equal(await count(), 0);
  // A web client marks by time.
  await push(ada, set(hers(), { unread_from: 1 }));
  await said(admin, hers());
  await ada.from("conversation_read_status").update({ last_read_at: new Date(Date.now() + 1000).toISOString() }).eq("conversation_id", hers()).eq("user_id", ada.user_id);
  assert.equal(await count(), 0);
  assert.equal(shown(device).unread_from, undefined);
});

test("archiving names the message after which it was archived, and no message writes the rows of those who have", async () => {
  await said(admin, hers(), 2);
  const [{ last_seq }] = await sql`select last_seq from public.conversations where id = ${hers()}`;
  const last = Number(last_seq);
  const [archived] = await push(ada, set(hers(), { archived_at: T, archived_seq: last - 1 }));
  assert.deepEqual([archived.settings.archived_at, archived.settings.archived_seq], [T, last - 1]);
  const { data: [by_table] } = await direct(ada, hers(), { archived_at: "2026-02-01T00:00:00Z" });
  assert.equal(by_table.archived_seq, last, "who says only when has archived it now");
  const [row] = await sql`select version, sync_xid from public.conversation_settings where user_id = ${ada.user_id} and conversation_id = ${hers()}`;
  await said(admin, hers());
  assert.deepEqual([await sql`select version, sync_xid from public.conversation_settings where user_id = ${ada.user_id} and conversation_id = ${hers()}`].flat()[0], row);
  const [beyond] = await push(ada, set(hers(), { archived_at: T, archived_seq: 999999 }));
  assert.equal(beyond.settings.archived_seq, last + 1, "not after messages that are yet to come");
  const [out] = await push(ada, set(hers(), { archived_at: null }));
  assert.deepEqual([out.settings.archived_at, out.settings.archived_seq], [undefined, undefined]);
});

test("every refusal has its code, and reveals nothing of what the caller does not see", async () => {
  await push(ada, set(hers(), { pinned_at: T }));
  const gone = randomUUID();
  await sql`insert into public.conversations (id, org_id, type, created_by) values (${gone}, ${org.org_id}, 'direct', ${org.admin.user_id})`;
  await sql`delete from public.conversations where id = ${gone}`;
  const cases = [
    [set("x", {}), "bad_request", "conversation_id"], [set(hers(), { muted_until: 7 }), "bad_request", "muted_until"], [set(hers(), { muted_until: "tomorrow" }), "bad_request", "muted_until"],
    [set(hers(), { pinned_at: "2026-02-30T00:00:00Z" }), "bad_request", "pinned_at"], [set(hers(), { archived_at: {} }), "bad_request", "archived_at"],
    [set(hers(), { archived_at: T, archived_seq: -1 }), "bad_request", "archived_seq"], [set(hers(), { unread_from: 0 }), "bad_request", "unread_from"],
    [set(hers(), { unread_from: 1.5 }), "bad_request", "unread_from"], [set(hers(), { unread_from: "1" }), "bad_request", "unread_from"],
    [set(randomUUID(), { pinned_at: T }), "not_found", undefined], [set(org.conversations[1].id, { pinned_at: T }), "not_found", undefined],
    [set(stranger.conversations[0].id, { pinned_at: T }), "not_found", undefined], [set(gone, { pinned_at: T }), "not_found", undefined],
  ];
  const results = await push(ada, ...cases.map(([m]) => m), set(hers(), {}), set(org.broadcast.id, { pinned_at: T }));
  cases.forEach(([m, code, detail], n) => assert.deepEqual(verdict(results[n]), ["rejected", code, detail], JSON.stringify(m)));
  assert.deepEqual(results.slice(-2).map((r) => r.status), ["duplicate", "applied"]);
  assert.equal((await push(admin, set(gone, { pinned_at: T })))[0].code, "conversation_deleted");
  // By the table: not for others, not where she sees nothing, and not away.
  for (const [js, conversation, user] of [[ada, hers(), admin.user_id], [ben, hers()], [ada, org.conversations[1].id], [ada, stranger.conversations[0].id], [ada, randomUUID()]]) {
    assert.ok((await direct(js, conversation, { pinned_at: T }, user)).error, `${conversation} of ${user}`);
  }
  assert.deepEqual((await admin.from("conversation_settings").update({ pinned_at: T }).eq("user_id", ada.user_id).select()).data, []);
  assert.notDeepEqual((await ada.from("conversation_settings").select()).data, []);
  await ada.from("conversation_settings").delete().eq("user_id", ada.user_id);
  assert.equal((await sql`select from public.conversation_settings where user_id = ${ada.user_id}`).length, 2, "nobody deletes them");
});

test("settings come again with a grant, leave with their conversation, and page like everything else", async () => {
  await push(ben, set(org.conversations[1].id, { pinned_at: T }), set(org.broadcast.id, { muted_until: T }));
  const [device] = await following(ben);
  assert.equal(device.settings.size, 2);
  const start = device.cursor;
  await sql`update public.conversations set medic_id = null where id = ${org.conversations[1].id}`;
  assert.equal((await push(ben, set(org.conversations[1].id, { pinned_at: null })))[0].code, "not_found");
  assert.equal((await ben.from("conversation_settings").update({ pinned_at: null }).eq("conversation_id", org.conversations[1].id).select()).error?.code, "42501", "lost from sight: not hers to change");
  await device.pull({ p_capabilities });
  await sql`update public.conversations set medic_id = ${org.medics[1].medic_id} where id = ${org.conversations[1].id}`;
  const [page] = await device.pull({ p_capabilities });
  assert.deepEqual(page.settings.map((s) => [s.conversation_id, s.pinned_at]), [[org.conversations[1].id, T]]);
  await push(ben, set(org.conversations[1].id, { unread_from: 1 }), set(org.broadcast.id, { unread_from: 1 }));
  device.cursor = start;
  const pages = await device.pull({ p_capabilities, p_limit: 1 });
  assert.ok(pages.length >= 3);
  assert.deepEqual([shown(device, org.broadcast.id).unread_from, shown(device, org.conversations[1].id).unread_from], [1, 1]);
  await sql`delete from public.conversations where id = ${org.conversations[1].id}`;
  assert.equal((await sql`select from public.conversation_settings where conversation_id = ${org.conversations[1].id}`).length, 0);
});

test("settings are found by an index, however many people have some", async () => {
  const { fill, run, drop } = await costs();
  const [orgId, who] = ["00000000-0000-7000-8001-000000000001", "00000000-0000-7000-8002-000000000001"];
  await fill(`
    insert into auth.users (id) values ('${who}') on conflict do nothing;
    insert into public.organizations (id, name) values ('${orgId}', 'One');
    insert into public.medics (id, org_id, user_id, first_name, last_name) values (${id(3, 1)}, '${orgId}', '${who}', 'Ada', 'Moss');
    insert into public.profiles (id, org_id, role) values ('${who}', '${orgId}', 'medic');
    insert into public.conversations (id, org_id, type, medic_id, last_seq) values (${id(4, 1)}, '${orgId}', 'direct', ${id(3, 1)}, 200), (${id(4, 2)}, '${orgId}', 'broadcast', null, 200);
    insert into public.conversation_settings (user_id, conversation_id, org_id, pinned_at) select ${id(2, "n")}, ${id(4, 2)}, '${orgId}', now() from generate_series(1, 20000) n;
    insert into fieldpost.people (org_id, user_id, role, medic_id, sync_xid) values ('${orgId}', '${who}', 'medic', ${id(3, 1)}, '0');
    analyze`);
  const named = { p_capabilities: "{conversation_settings}" };
  const load = await run(["conversation_settings"], who, "bootstrap", { ...named, p_messages: 5 });
  assert.equal(load.answer.settings.length, 1);
  const pull = await run(["conversation_settings"], who, "pull", { ...named, p_cursor: load.answer.cursor });
  assert.ok(pull.pages < 400, `a pull that finds nothing touches ${pull.pages} pages`);
  await drop();
});
