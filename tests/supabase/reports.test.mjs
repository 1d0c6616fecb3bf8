// Reports: by push and directly on the table, one for each person and message, for admins of the organization alone.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

import { costs, id } from "./lib/costs.mjs";
import { members } from "./lib/members.mjs";
import { scratch } from "./lib/scratch.mjs";
import { call, client, owner, uuid7 } from "./lib/stack.mjs";
import { createOrg } from "./lib/tenant.mjs";

let sql, org, elsewhere, admin, ada, ben, outside, outsideMedic;
before(async () => {
  sql = owner();
  org = await createOrg(sql, { medics: 2, conversations: true, broadcast: true });
  elsewhere = await createOrg(sql, { medics: 1, conversations: true });
  [admin, ada, ben, outside, outsideMedic] = await Promise.all(
    [org.admin, ...org.medics, elsewhere.admin, elsewhere.medics[0]].map((p) => client(p.email, p.password)));
});
after(() => sql.end());

const push = async (js, ...p_mutations) => (await call(js, "push", { p_mutations })).results;
const hers = () => org.conversations[0].id;
const report = (message, reason = "harassment", more = {}) => ({ id: uuid7(), kind: "report_message", ...message, reason, ...more });
const verdict = (r) => [r.status, r.code, r.detail];
const direct = (js, message, more = {}) =>
  js.from("message_reports").upsert({ message_id: message.message_id, reporter_id: js.user_id, reason: "spam", ...more }, { onConflict: "message_id,reporter_id" }).select();
const rows = (message) => sql`select * from public.message_reports where message_id = ${message.message_id} order by reported_at`;
const told = async (js, message, args = { p_all: true }) => (await call(js, "reports", args)).reports.filter((r) => r.message_id === message.message_id);

async function said(js, conversation_id, content = "Get lost") {
  const message = { conversation_id, message_id: uuid7() };
  const [{ status }] = await push(js, { id: uuid7(), kind: "send_message", ...message, content });
  assert.equal(status, "applied");
  return message;
}

test("a report that comes again is one report, and does not open what an admin has dealt with", async () => {
  const message = await said(admin, hers());
  const { cursor } = await call(ada, "bootstrap");
  const first = report(message, "self_harm", { note: "  Twice today\n" });
  assert.deepEqual((await push(ada, first)).map(verdict), [["applied", undefined, undefined]]);
  assert.deepEqual((await push(ada, first, first)).map((r) => r.status), ["duplicate", "duplicate"]);
  const [one, ...others] = await told(admin, message, {});
  assert.deepEqual([one.reason, one.note, one.content, one.reporter_id, one.sender_id, others.length], ["self_harm", "Twice today", "Get lost", ada.user_id, admin.user_id, 0]);
  const resolved = await call(admin, "resolve_report", { p_report: one.id });
  assert.deepEqual([resolved.report.id, resolved.report.resolved_by, typeof resolved.report.resolved_at], [one.id, admin.user_id, "string"]);
  assert.deepEqual((await call(admin, "resolve_report", { p_report: one.id })).report, resolved.report, "whoever resolves it again changes nothing");
  assert.equal((await push(ada, first))[0].status, "duplicate");
  assert.deepEqual([await told(admin, message, {}), (await told(admin, message)).length], [[], 1], "it stays resolved");

  const second = report(message, "harassment", { note: null });
  assert.deepEqual((await push(ada, second, first)).map((r) => r.status), ["applied", "duplicate"], "of two that come again, neither counts twice");
  const [again] = await told(admin, message, {});
  assert.deepEqual([again.id, again.reason, again.note, again.resolved_at], [one.id, "harassment", undefined, undefined]);
  for (let n = 0; n < 12; n++) await push(ada, report(message, `reason${n}`));
  const [row] = await rows(message);
  assert.deepEqual([row.mutation_ids.length, row.reason], [10, "reason11"], "it remembers some");
  const pull = await call(ada, "pull", { p_cursor: cursor });
  assert.ok(!JSON.stringify(pull).includes("self_harm") && pull.messages === undefined || pull.messages.length === 0, "no device hears of it");
});

test("an edit or a deletion after the report hides nothing from the admins, and the reporter reads no text that was taken back", async () => {
  const [message, gone, late] = [await said(admin, hers()), await said(admin, hers(), "For good"), await said(admin, hers(), "Before")];
  await push(ada, report(message), report(gone));
  await push(admin, { id: uuid7(), kind: "edit_message", ...message, content: "Good morning" });
  await push(ada, report(message, "spam"));
  await push(admin, { id: uuid7(), kind: "delete_message", ...message }, { id: uuid7(), kind: "delete_message", ...late });
  await sql`delete from public.messages where id = ${gone.message_id}`;
  assert.equal((await push(ada, report(late)))[0].status, "applied", "its author does not get away by a deletion");
  assert.deepEqual([await told(admin, message), await told(admin, gone), await told(admin, late)].map(([r]) => r.content), ["Get lost", "For good", undefined]);
  const { data } = await ada.from("message_reports").select().eq("message_id", message.message_id);
  assert.equal(data.length, 1, "she sees that she has reported it");
  assert.ok(!JSON.stringify(data).includes("Get lost"));
  for (const js of [ada, admin]) {
    const { data, error } = await js.schema("fieldpost").from("reported_texts").select();
    assert.ok(error && !data);
  }
  // An admin's report and deletion of one batch: the report comes first.
  const mine = await said(ada, hers(), "Read this");
  await push(admin, { id: uuid7(), kind: "delete_message", ...mine }, report(mine));
  assert.equal((await told(admin, mine))[0].content, "Read this");
});

test("every refusal has its code, and reveals nothing of what the caller does not see", async () => {
  const [message, mine, theirs, buried] = [await said(admin, hers()), await said(ada, hers()), await said(ben, org.conversations[1].id), await said(admin, hers())];
  await sql`delete from public.messages where id = ${buried.message_id}`;
  const cases = [
    [report(message, ""), "bad_request", "reason"], [report(message, "a b"), "bad_request", "reason"], [report(message, 7), "bad_request", "reason"], [report(message, "x".repeat(65)), "bad_request", "reason"],
    [report(message, null), "bad_request", "reason"], [report(message, "spam", { note: 7 }), "bad_request", "note"], [report(message, "spam", { note: "ä".repeat(1001) }), "note_too_long"],
    [report({ ...message, message_id: "x" }), "bad_request", "message_id"], [report({ ...message, conversation_id: null }), "bad_request", "conversation_id"],
    [report({ ...message, message_id: randomUUID() }), "not_found"], [report(theirs), "not_found"], [report({ ...theirs, conversation_id: hers() }), "not_found"],
    [report({ ...message, conversation_id: elsewhere.conversations[0].id }), "not_found"], [report(mine), "forbidden", "her own"], [report(buried), "message_deleted"],
  ];
  const results = await push(ada, ...cases.map(([m]) => m), report(message, "spam", { note: ` ${"ä".repeat(1000)} ` }));
  cases.forEach(([m, code, detail], n) => assert.deepEqual(verdict(results[n]), ["rejected", code, detail], JSON.stringify(m).slice(0, 200)));
  assert.equal(results.at(-1).status, "applied");
  assert.equal((await push(ada, report(message, "spam", { note: " \n" })))[0].status, "applied");
  assert.equal((await rows(message))[0].note, null, "a note that says nothing is none");
  for (const js of [outside, outsideMedic]) assert.equal((await push(js, report(message)))[0].code, "not_found");
  // By the table.
  for (const [js, to, more, code] of [
    [ada, theirs, {}, "42501"], [outside, message, {}, "42501"], [ada, { message_id: randomUUID() }, {}, "42501"], [ben, message, {}, "42501"], [ada, mine, {}, "42501"],
    [ben, theirs, {}, "42501"], [ada, message, { reporter_id: admin.user_id }, "42501"], [ada, message, { reason: "a b" }, "reason"], [ada, message, { note: "x".repeat(1001) }, "note"],
  ]) {
    const { error } = await direct(js, to, more);
    if (code === "42501") assert.equal(error?.code, code, JSON.stringify([to, more]));
    else assert.match(error?.message ?? "accepted", new RegExp(`message_reports_${code}`), JSON.stringify([to, more]));
  }
});

test("a stranger reports by the table: she says why, and the rest is filled in and kept", async () => {
  const message = await said(admin, hers());
  const claimed = { id: randomUUID(), org_id: elsewhere.org_id, conversation_id: elsewhere.conversations[0].id, sender_id: ben.user_id, mutation_ids: [randomUUID()], reported_at: "2001-01-01T00:00:00Z", resolved_at: "2001-01-01T00:00:00Z", resolved_by: admin.user_id };
  const { data: [row], error } = await direct(ada, message, { note: " Rude ", ...claimed });
  assert.equal(error, null);
  assert.deepEqual([row.conversation_id, row.org_id, row.sender_id, row.note, row.mutation_ids, row.resolved_at, row.resolved_by], [hers(), org.org_id, admin.user_id, "Rude", [], null, null]);
  assert.ok(row.id !== claimed.id && new Date(row.reported_at).getUTCFullYear() > 2001);
  assert.equal((await told(admin, message))[0].content, "Get lost");
  // An admin resolves by the table, and changes nothing else.
  const { data: [done] } = await admin.from("message_reports").update({ resolved_at: "2001-01-01T00:00:00Z", resolved_by: ada.user_id, reason: "hacked", note: null }).eq("id", row.id).select();
  assert.deepEqual([done.resolved_by, done.reason, done.note, new Date(done.resolved_at).getUTCFullYear() > 2001], [admin.user_id, "spam", "Rude", true]);
  const { data: [same] } = await direct(ada, message, { note: "Rude" });
  assert.equal(same.resolved_by, admin.user_id, "what says the same opens nothing");
  const { data: [mine] } = await ada.from("message_reports").update({ resolved_at: null }).eq("id", row.id).select();
  assert.equal(mine.resolved_by, admin.user_id, "nor does the reporter by a word of her own");
  const { data: [open] } = await direct(ada, message, { note: "Again" });
  assert.deepEqual([open.id, open.note, open.resolved_at], [row.id, "Again", null]);
  assert.equal((await ada.from("message_reports").delete().eq("id", row.id).select()).data.length, 0);
  assert.equal((await rows(message)).length, 1);
});

test("a medic reads no report of others and resolves none, and another organization's admin sees nothing", async () => {
  const message = await said(admin, org.broadcast.id, "Whoever is late is out");
  await push(ada, report(message, "inappropriate", { note: "Is this allowed?" }));
  await push(ben, report(message));
  const [mine] = await sql`select id from public.message_reports where message_id = ${message.message_id} and reporter_id = ${ada.user_id}`;
  const { data: bens } = await ben.from("message_reports").select().eq("message_id", message.message_id);
  assert.deepEqual(bens.map((r) => r.reporter_id), [ben.user_id]);
  for (const js of [ada, ben, outsideMedic]) {
    for (const [name, args] of [["reports", {}], ["reports", { p_all: true }], ["resolve_report", { p_report: mine.id }], ["resolve_report", { p_report: randomUUID() }]]) {
      const answer = await call(js, name, args);
      assert.deepEqual([answer.error?.code, answer.reports, answer.report], ["forbidden", undefined, undefined], name);
    }
    await js.from("message_reports").update({ resolved_at: new Date().toISOString(), reason: "hacked" }).eq("id", mine.id);
  }
  assert.deepEqual((await call(outside, "reports", { p_all: true })).reports.filter((r) => r.org_id === org.org_id), []);
  assert.equal((await call(outside, "resolve_report", { p_report: mine.id })).error.code, "not_found");
  assert.equal((await outside.from("message_reports").select().eq("message_id", message.message_id)).data.length, 0);
  // (A reporter may say something else by the table.)
  const after = await rows(message);
  assert.deepEqual(after.map((r) => [r.reporter_id, r.reason, r.resolved_at]).sort(), [[ada.user_id, "hacked", null], [ben.user_id, "harassment", null]].sort());
  const all = (await call(admin, "reports", {})).people.map((p) => p.id);
  assert.ok(all.includes(ada.user_id) && all.includes(ben.user_id) && all.includes(admin.user_id), "an admin is told who they are");
  for (const [args, detail] of [[{ p_limit: 0 }, "p_limit"], [{ p_after: "r1.0.x" }, "p_after"], [{ p_after: "r1.0.1.x'; drop table" }, "p_after"]]) {
    assert.deepEqual([(await call(admin, "reports", args)).error.code, (await call(admin, "reports", args)).error.detail], ["bad_request", detail]);
  }
  await sql`delete from public.conversations where id = ${org.broadcast.id}`;
  assert.deepEqual([(await rows(message)).length, (await sql`select from fieldpost.reported_texts where report_id = ${mine.id}`).length], [0, 0], "they leave with the conversation");
});

test("where policies of a project narrow, what they hide is not reported, and not told to an admin", async () => {
  const db = await scratch();
  try {
    await db.apply();
    await db.sql`create policy internal on public.messages as restrictive for select to authenticated
      using (content is distinct from 'hidden' or sender_id = (select fieldpost.uid()))`;
    const people = await members(db.sql, { medics: 1 });
    const [medic, conversation_id] = [people.medics[0], people.conversations[0]];
    const send = (content) => ({ id: randomUUID(), kind: "send_message", conversation_id, message_id: randomUUID(), content });
    const [hidden, shown] = [send("hidden"), send("shown")];
    await db.call(people.admin, "push", { p_mutations: [hidden, shown] });
    const say = (message) => ({ id: randomUUID(), kind: "report_message", conversation_id, message_id: message.message_id, reason: "spam" });
    const mutations = [say(hidden), say(shown)];
    const { results } = await db.call(medic, "push", { p_mutations: mutations });
    assert.deepEqual(results.map((r) => [r.status, r.code]), [["rejected", "not_found"], ["applied", undefined]]);
    assert.equal((await db.call(medic, "push", { p_mutations: mutations })).results[1].status, "duplicate");
    assert.deepEqual((await db.call(people.admin, "reports", {})).reports.map((r) => r.content), ["shown"]);
    const mine = send("seen");
    await db.call(medic, "push", { p_mutations: [mine] });
    await db.call(people.admin, "push", { p_mutations: [say(mine)] });
    await db.sql`update public.messages set content = 'hidden' where id = ${mine.message_id}`;
    assert.deepEqual((await db.call(people.admin, "reports", {})).reports.map((r) => r.message_id), [shown.message_id], "nor one that is hidden later");
  } finally {
    await db.drop();
  }
});

test("the open reports of an organization are found by an index, however many there are", async () => {
  const { fill, run, drop } = await costs();
  const [orgId, who] = ["00000000-0000-7000-8001-000000000001", "00000000-0000-7000-8002-000000000001"];
  await fill(`
    insert into auth.users (id) values ('${who}') on conflict do nothing;
    insert into public.organizations (id, name) values ('${orgId}', 'One');
    insert into public.profiles (id, org_id, role) values ('${who}', '${orgId}', 'org_admin');
    insert into public.message_reports (id, message_id, reporter_id, reason, conversation_id, org_id, reported_at, resolved_at)
      select ${id(6, "n")}, ${id(5, "n")}, ${id(2, "2")}, 'spam', ${id(4, "1")}, case when n % 2 = 0 then '${orgId}'::uuid else ${id(1, "2")} end,
        timestamptz '2026-01-01' + n * interval '1 second', case when n % 40 > 1 then timestamptz '2026-02-01' end from generate_series(1, 20000) n;
    insert into fieldpost.reported_texts (report_id, content) select ${id(6, "n")}, 'x' from generate_series(1, 20000) n;
    analyze`);
  const first = await run(["message_reports", "reported_texts"], who, "reports");
  assert.equal(first.answer.reports.length, 40);
  assert.ok(first.pages < 600, `a page of open reports touches ${first.pages} pages of memory`);
  const next = await run(["message_reports", "reported_texts"], who, "reports", { p_all: true, p_after: `r1.1.${Date.UTC(2026, 0, 1, 2) * 1000}.${first.answer.reports[0].id}` });
  assert.ok(next.answer.reports.length === 40 && next.pages < 600, `a page far behind touches ${next.pages} pages of memory`);
  await drop();
});
