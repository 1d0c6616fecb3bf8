// An attack on every table and function by everybody who has no business there, column by column, through HTTP.
//
// Nobody's word is taken for it: after each attack the rows of the organization are compared with what they were, and every
// answer is searched for words that only its rows hold.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

import { createClient } from "@supabase/supabase-js";

import { claim } from "./lib/claim.mjs";
import { client, owner, stack, uuid7 } from "./lib/stack.mjs";
import { createOrg } from "./lib/tenant.mjs";

const RECORDS = ["workers", "treatments", "near_misses", "safety_checks"];
const TABLES = [...RECORDS, "audit_log", "organizations", "medics", "profiles", "conversations", "messages", "message_recipients", "message_reactions", "message_reports", "conversation_read_status", "conversation_settings"];
const HIDDEN = [
  "people", "tombstones", "access_log", "conversation_aliases", "epoch", "compaction", "runs", "managed", "replaceable", "installed", "applying", "redated",
  "deleted_conversations", "digest_parts", "digest_marks", "recency", "reaction_counts", "reported_texts", "settings", "sent", "live", "record_tables", "record_tombstones",
];
const SECRET = `secret-${randomUUID().slice(0, 8)}`;

let sql, org, foreign, attackers, insiders, columns, ids, hostile, cursor, loaded;
before(async () => {
  sql = owner();
  const people = (tag) => [
    { email: `admin.${tag}@fieldpost.test`, role: "org_admin" },
    ...["ada", "ben", "gone"].map((name) => ({ email: `${name}.${tag}@fieldpost.test`, role: "medic", first_name: name, last_name: name === "ada" ? SECRET : "Moss" })),
  ];
  org = await createOrg(sql, { people: people(SECRET), conversations: true, broadcast: true, name: SECRET });
  foreign = await createOrg(sql, { medics: 1, conversations: true, broadcast: true });
  const [direct] = org.conversations;
  const write = async (conversation_id, sender_id) => (await sql`
    insert into public.messages (conversation_id, org_id, sender_id, content, metadata) values (${conversation_id}, ${org.org_id}, ${sender_id}, ${SECRET}, ${sql.json({ SECRET })}) returning id`)[0].id;
  ids = { conversation: direct.id, broadcast: org.broadcast.id, hers: await write(direct.id, org.medics[0].user_id), theirs: await write(direct.id, org.admin.user_id), all: await write(org.broadcast.id, org.admin.user_id), gone: await write(direct.id, org.admin.user_id) };
  await sql`update public.conversations set subject = ${SECRET} where id = ${direct.id}`;
  await sql`insert into public.message_recipients (message_id, recipient_id, org_id) values (${ids.all}, ${org.medics[0].user_id}, ${org.org_id})`;
  await sql`insert into public.message_reactions (message_id, person_id, emoji) values (${ids.theirs}, ${org.medics[0].user_id}, ${SECRET}), (${ids.all}, ${org.medics[0].user_id}, ${SECRET})`;
  ids.report = (await sql`insert into public.message_reports (message_id, reporter_id, reason, note) values (${ids.theirs}, ${org.medics[0].user_id}, ${SECRET}, ${SECRET}) returning id`)[0].id;
  await sql`insert into public.conversation_read_status (user_id, conversation_id, org_id) values (${org.medics[0].user_id}, ${direct.id}, ${org.org_id})`;
  await sql`insert into public.conversation_settings (user_id, conversation_id, pinned_at, unread_from) values (${org.medics[0].user_id}, ${direct.id}, '2020-02-02T02:02:02Z', 1)`;
  await sql`delete from public.messages where id = ${ids.gone}`;
  // A record of each kind, which Ada made; one that was deleted; and an entry of her log.
  const by = { org_id: org.org_id, created_by: org.medics[0].user_id };
  const person = { first_name: SECRET, last_name: "Son", company: SECRET, role: "rigger" };
  ids.workers = (await sql`insert into public.workers ${sql({ ...by, ...person, client_id: randomUUID() })} returning id`)[0].id;
  ids.treatments = (await sql`insert into public.treatments ${sql({ ...by, worker_id: ids.workers, medic_id: org.medics[0].medic_id, reference_number: SECRET, injury_type: "cut", severity: "minor" })} returning id`)[0].id;
  ids.near_misses = (await sql`insert into public.near_misses ${sql({ ...by, reported_by: org.medics[0].user_id, category: "trip", severity: "minor", description: SECRET })} returning id`)[0].id;
  ids.safety_checks = (await sql`insert into public.safety_checks ${sql({ ...by, medic_id: org.medics[0].medic_id, check_date: "2026-01-31", items: sql.json([SECRET]), overall_status: "pass" })} returning id`)[0].id;
  ids.buried = (await sql`insert into public.workers ${sql({ ...by, ...person })} returning id`)[0].id;
  await sql`delete from public.workers where id = ${ids.buried}`;
  ids.audit_log = (await sql`insert into public.audit_log ${sql({ org_id: org.org_id, user_id: org.medics[0].user_id, table_name: "workers", record_id: ids.workers, operation: "READ", context: SECRET })} returning id`)[0].id;

  const sign = (p) => client(p.email, p.password);
  const [admin, ada, ben, gone, outside, outsideMedic] = await Promise.all([org.admin, ...org.medics, foreign.admin, foreign.medics[0]].map(sign));
  cursor = (await admin.rpc("fieldpost_bootstrap", { p_protocol: 1 })).data.cursor;
  loaded = (await admin.rpc("fieldpost_records_pull", { p_protocol: 1, p_tables: RECORDS })).data;
  await sql`delete from public.profiles where id = ${gone.user_id}`;
  const { url, anon_key } = stack();
  const bearer = (token) => createClient(url, anon_key, { accessToken: async () => token });
  const [head, body, signature] = admin.token.split(".");
  const claims = { ...JSON.parse(Buffer.from(body, "base64url")), exp: 4102444800, role: "service_role" };
  const forged = [head, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join(".");
  attackers = { anon: await client(), "a garbage token": bearer("garbage"), "a token changed by hand": bearer(forged), "another org's admin": outside, "another org's medic": outsideMedic, "another medic": ben, "a removed member": gone };
  insiders = { ada, admin };
  columns = {};
  for (const r of await sql`select table_name, column_name from information_schema.columns where table_schema = 'public' and table_name in ${sql(TABLES)} order by table_name, ordinal_position`) {
    (columns[r.table_name] ??= []).push(r.column_name);
  }
  const now = new Date().toISOString();
  hostile = {
    id: randomUUID(), org_id: foreign.org_id, conversation_id: foreign.conversations[0].id, sender_id: org.admin.user_id, user_id: org.admin.user_id, recipient_id: org.admin.user_id,
    created_by: org.admin.user_id, medic_id: org.medics[1].medic_id, message_id: ids.theirs, type: "broadcast", message_type: "system", status: "read", role: "org_admin", name: "hacked",
    first_name: "hacked", last_name: "hacked", subject: "hacked", content: "hacked", metadata: { hacked: 1 }, client_key: "hacked", last_message_preview: "hacked", reply_to: ids.theirs,
    omitted: { reason: "hacked", bytes: 1 }, seq: 1, last_seq: 999, read_seq: 999, delivered_seq: 999, delivered_seq_at: "2001-01-01T00:00:00Z", read_seq_at: "2001-01-01T00:00:00Z", version: 999, sync_xid: "1", created_at: "2001-01-01T00:00:00Z", updated_at: "2001-01-01T00:00:00Z", composed_at: "2001-01-01T00:00:00Z",
    muted_until: "2999-01-01T00:00:00Z", pinned_at: "2999-01-01T00:00:00Z", archived_at: "2999-01-01T00:00:00Z", archived_seq: 999, unread_from: 999, emoji: "hacked", removed: true, reporter_id: org.admin.user_id, reason: "hacked", note: "hacked", reported_at: "2001-01-01T00:00:00Z", resolved_at: "2001-01-01T00:00:00Z", resolved_by: org.admin.user_id, mutation_ids: [randomUUID()], person_id: org.admin.user_id, edited_at: "2001-01-01T00:00:00Z", mentions: [org.medics[1].user_id],
    client_id: randomUUID(), client_modified_at: "2999-01-01T00:00:00Z", last_mutation_id: randomUUID(), worker_id: ids.workers, record_id: ids.workers, reported_by: org.admin.user_id, booking_id: randomUUID(), table_name: "hacked",
    operation: "DELETE", context: "hacked", severity: "critical", overall_status: "fail", check_date: "2001-01-01", consent_date: "2001-01-01T00:00:00Z", is_incomplete: true, consent_given: true, is_riddor_reportable: true, gps_lat: 1, gps_lng: 1,
    ...Object.fromEntries(["items", "photo_uris", "certifications", "treatment_types", "vertical_extra_fields"].map((c) => [c, ["hacked"]])),
    ...Object.fromEntries(["company", "phone", "emergency_contact_name", "emergency_contact_phone", "emergency_contact_relationship", "health_notes", "allergies", "current_medications", "pre_existing_conditions", "blood_type", "cscs_card_number",
      "cscs_expiry_date", "reference_number", "injury_type", "body_part", "mechanism_of_injury", "treatment_notes", "outcome", "signature_uri", "event_vertical", "category", "description", "location", "corrective_action"].map((c) => [c, "hacked"])),
    deleted_at: now, last_message_at: now, last_read_at: "2099-01-01T00:00:00Z", delivered_at: now, read_at: now,
  };
});
after(() => sql.end());

/** The rows of the organization, whatever they are: who changes any of them has got in. */
const state = async () => JSON.stringify(await sql`
  select t.name, (select count(*) || md5(string_agg(r, '' order by r)) from unnest(t.rows) r) as rows from (values
    ('organizations', array(select o::text from public.organizations o where o.id = ${org.org_id})),
    ('medics', array(select m::text from public.medics m where m.org_id = ${org.org_id})),
    ('profiles', array(select p::text from public.profiles p where p.org_id = ${org.org_id})),
    ('conversations', array(select c::text from public.conversations c where c.org_id = ${org.org_id})),
    ('messages', array(select m::text from public.messages m where m.org_id = ${org.org_id})),
    ('message_recipients', array(select r::text from public.message_recipients r where r.org_id = ${org.org_id})),
    ('message_reactions', array(select r::text from public.message_reactions r where r.org_id = ${org.org_id})),
    ('reaction counts', array(select k::text from fieldpost.reaction_counts k where k.org_id = ${org.org_id})),
    ('message_reports', array(select r::text from public.message_reports r where r.org_id = ${org.org_id})),
    ('reported texts', array(select t::text from fieldpost.reported_texts t join public.message_reports r on r.id = t.report_id where r.org_id = ${org.org_id})),
    ('conversation_read_status', array(select r::text from public.conversation_read_status r where r.org_id = ${org.org_id})),
    ('conversation_settings', array(select k::text from public.conversation_settings k where k.org_id = ${org.org_id})),
    ('workers', array(select r::text from public.workers r where r.org_id = ${org.org_id})),
    ('treatments', array(select r::text from public.treatments r where r.org_id = ${org.org_id})),
    ('near_misses', array(select r::text from public.near_misses r where r.org_id = ${org.org_id})),
    ('safety_checks', array(select r::text from public.safety_checks r where r.org_id = ${org.org_id})),
    ('audit_log', array(select r::text from public.audit_log r where r.org_id = ${org.org_id})),
    ('record tombstones', array(select x::text from fieldpost.record_tombstones x where x.org_id = ${org.org_id})),
    ('tombstones', array(select x::text from fieldpost.tombstones x where x.org_id = ${org.org_id})),
    ('people', array(select x::text from fieldpost.people x where x.org_id = ${org.org_id})),
    ('live', array(select x::text from fieldpost.live x)),
    ('aliases', array(select x::text from fieldpost.conversation_aliases x join public.conversations c on c.id = x.conversation_id where c.org_id = ${org.org_id}))
  ) t (name, rows)`);

/** The columns of a table that are attacked. Of records, which have many, a fourth each day; with FIELDPOST_FULL all. */
const today = Math.floor(Date.now() / 86_400_000) % 4;
const part = (table) => columns[table].filter((_, n) => process.env.FIELDPOST_FULL || !RECORDS.includes(table) || n % 4 === today);

/** The row of each table that is attacked. Ada's own, and nobody else's to see but the admin's. */
const TARGET = () => ({
  organizations: { id: org.org_id }, medics: { id: org.medics[0].medic_id }, profiles: { id: org.medics[0].user_id }, conversations: { id: ids.conversation },
  workers: { id: ids.workers }, treatments: { id: ids.treatments }, near_misses: { id: ids.near_misses }, safety_checks: { id: ids.safety_checks }, audit_log: { id: ids.audit_log },
  messages: { id: ids.hers }, message_recipients: { message_id: ids.all, recipient_id: org.medics[0].user_id }, message_reactions: { message_id: ids.theirs, person_id: org.medics[0].user_id }, message_reports: { message_id: ids.theirs, reporter_id: org.medics[0].user_id }, conversation_read_status: { conversation_id: ids.conversation, user_id: org.medics[0].user_id },
  conversation_settings: { conversation_id: ids.conversation, user_id: org.medics[0].user_id },
});

/** A row that would be right if its writer belonged there. */
const BASE = (me) => ({
  workers: { id: randomUUID(), org_id: org.org_id, first_name: "x", last_name: "x", company: "x", role: "x" },
  treatments: { id: randomUUID(), org_id: org.org_id, worker_id: ids.workers, medic_id: org.medics[0].medic_id, reference_number: "x", injury_type: "x", severity: "minor" },
  near_misses: { id: randomUUID(), org_id: org.org_id, reported_by: me, category: "x", severity: "minor", description: "x" },
  safety_checks: { id: randomUUID(), org_id: org.org_id, medic_id: org.medics[0].medic_id, check_date: "2026-01-31", overall_status: "pass" },
  audit_log: { id: randomUUID(), org_id: org.org_id, user_id: me, table_name: "workers", record_id: ids.workers, operation: "READ" },
  organizations: { id: randomUUID(), name: "hacked" },
  medics: { id: randomUUID(), org_id: org.org_id, user_id: me, first_name: "x", last_name: "x" },
  profiles: { id: me, org_id: org.org_id, role: "org_admin" },
  conversations: { id: randomUUID(), org_id: org.org_id, type: "direct", medic_id: org.medics[2].medic_id, created_by: me },
  messages: { id: randomUUID(), conversation_id: ids.conversation, org_id: org.org_id, sender_id: me, content: "x" },
  message_recipients: { id: randomUUID(), message_id: ids.all, recipient_id: me, org_id: org.org_id },
  message_reactions: { message_id: ids.theirs, person_id: me, emoji: "x" },
  message_reports: { message_id: ids.theirs, reporter_id: me, reason: "x" },
  conversation_read_status: { user_id: me, conversation_id: ids.conversation, org_id: org.org_id },
  conversation_settings: { user_id: me, conversation_id: ids.conversation, pinned_at: "2020-02-02T02:02:02Z" },
});

const OWN = { conversation_id: () => ids.conversation, org_id: () => org.org_id, sender_id: (me) => me, user_id: (me) => me, created_by: (me) => me };

function* attacks(me) {
  const target = TARGET();
  for (const table of TABLES) {
    const key = Object.entries(target[table]);
    const at = (query) => key.reduce((q, [column, value]) => q.eq(column, value), query);
    for (const column of process.env.FIELDPOST_SMALL ? columns[table].slice(0, 2) : part(table)) {
      yield [`read ${table}.${column}`, (js) => at(js.from(table).select(column)), { reads: true }];
      yield [`update ${table}.${column}`, (js) => at(js.from(table).update({ [column]: hostile[column] })).select()];
      // The row with the attacker's word in one column, and with the victim's.
      for (const value of [hostile[column], target[table][column], OWN[column]?.(me)]) {
        if (value !== undefined) yield [`insert ${table}.${column}`, (js) => js.from(table).insert({ ...BASE(me)[table], [column]: value })];
      }
    }
    yield [`insert ${table}`, (js) => js.from(table).insert(BASE(me)[table])];
    yield [`upsert ${table}`, (js) => js.from(table).upsert({ ...BASE(me)[table], ...target[table] })];
    yield [`delete ${table}`, (js) => at(js.from(table).delete()).select()];
    yield [`read all of ${table}`, (js) => js.from(table).select().limit(1000)];
    yield [`delete all of ${table}`, (js) => js.from(table).delete().not(columns[table][0], "is", null).eq(table === "organizations" ? "id" : "org_id", org.org_id).select()];
  }
  for (const table of HIDDEN) {
    yield [`read fieldpost.${table}`, (js) => js.schema("fieldpost").from(table).select(), { reads: true }];
    yield [`read public.${table}`, (js) => js.from(table).select(), { reads: true }];
  }
  const push = (...p_mutations) => (js) => js.rpc("fieldpost_push", { p_protocol: 1, p_mutations });
  const send = (more) => push({ id: uuid7(), kind: "send_message", conversation_id: ids.conversation, message_id: uuid7(), content: "hacked", ...more });
  yield ["bootstrap", (js) => js.rpc("fieldpost_bootstrap", { p_protocol: 1 })];
  yield ["pull with an admin's cursor", (js) => js.rpc("fieldpost_pull", { p_protocol: 1, p_cursor: cursor })];
  yield ["a first load of conversations named by hand", async (js) => {
    const { data, error } = await js.rpc("fieldpost_bootstrap", { p_protocol: 1 });
    if (!data?.cursor) return { data, error };
    const [, epoch, access, snapshot] = data.cursor.split(".");
    const list = Buffer.from([ids.conversation, ids.broadcast].join("").replaceAll("-", ""), "hex").toString("base64");
    return js.rpc("fieldpost_bootstrap", { p_protocol: 1, p_after: `b2.${epoch}.${access}.${snapshot}.${list}.c.0` });
  }];
  for (const p_conversation of [ids.conversation, foreign.conversations[0].id]) yield ["history", (js) => js.rpc("fieldpost_history", { p_protocol: 1, p_conversation })];
  for (const more of [{}, { p_conversation: ids.conversation }, { p_conversation: ids.conversation, p_sender: org.admin.user_id }]) {
    yield ["search", (js) => js.rpc("fieldpost_search", { p_protocol: 1, p_terms: [{ words: ["secret"], open: true }], ...more })];
  }
  yield ["search from an admin's place", (js) => js.rpc("fieldpost_search", { p_protocol: 1, p_terms: [{ words: ["secret"] }], p_conversation: ids.conversation, p_after: `s1/2999-01-01T00:00:00+00:00/${ids.theirs}` })];
  for (const id of [ids.hers, ids.theirs, ids.all, ids.gone]) {
    yield ["push under a known id", send({ message_id: id })];
    yield ["push under a known id to a conversation of one's own", send({ message_id: id, conversation_id: foreign.conversations[0].id })];
  }
  for (const message_type of ["text", "attachment", "system"]) yield [`push ${message_type}`, send({ message_type })];
  yield ["push to a broadcast", send({ conversation_id: ids.broadcast })];
  yield ["push with a sender", send({ sender_id: org.admin.user_id, org_id: org.org_id, seq: 1, created_at: "2001-01-01T00:00:00Z" })];
  yield ["open another's", push({ id: uuid7(), kind: "open_direct", conversation_id: uuid7(), medic_id: org.medics[0].medic_id, org_id: org.org_id })];
  yield ["open under a known id", push({ id: uuid7(), kind: "open_direct", conversation_id: ids.conversation, medic_id: org.medics[0].medic_id })];
  yield ["open a broadcast", push({ id: uuid7(), kind: "open_broadcast", conversation_id: uuid7(), org_id: org.org_id })];
  for (const message_id of [ids.hers, ids.theirs, ids.all, ids.gone]) {
    for (const conversation_id of [ids.conversation, ids.broadcast, foreign.conversations[0].id]) {
      for (const removed of [false, true]) yield [message_id === ids.all && conversation_id === ids.broadcast ? "react to a broadcast" : "react", push({ id: uuid7(), kind: "react", conversation_id, message_id, emoji: SECRET, removed })];
    }
  }
  for (const message_id of [ids.hers, ids.theirs, ids.all, ids.gone]) {
    for (const conversation_id of [ids.conversation, ids.broadcast, foreign.conversations[0].id]) {
      yield [message_id === ids.all && conversation_id === ids.broadcast ? "report of a broadcast" : "report", push({ id: uuid7(), kind: "report_message", conversation_id, message_id, reason: "spam", note: "hacked" })];
    }
  }
  for (const p_all of [false, true]) yield ["reports", (js) => js.rpc("fieldpost_reports", { p_protocol: 1, p_all })];
  yield ["resolve a report", (js) => js.rpc("fieldpost_resolve_report", { p_protocol: 1, p_report: ids.report })];
  yield ["set", push({ id: uuid7(), kind: "set_conversation", conversation_id: ids.conversation, pinned_at: "2020-02-02T02:02:02Z", unread_from: 1 })];
  yield ["mark read", push({ id: uuid7(), kind: "mark_read", conversation_id: ids.conversation, read_seq: 1 })];
  // Every table of records, every operation, every way to name a row; and the readers.
  const records = (...p_changes) => (js) => js.rpc("fieldpost_records_push", { p_protocol: 1, p_changes });
  const change = (operation, table, record_id, fields, more) => ({ id: uuid7(), table, record_id, operation, fields, org_id: org.org_id, age_ms: 0, ...more });
  for (const table of RECORDS) {
    const { id, org_id, ...fields } = BASE(me)[table];
    for (const record_id of [id, ids[table], ids.buried]) {
      yield [`create in ${table}`, records(change("create", table, record_id, fields))];
      for (const column of process.env.FIELDPOST_SMALL ? columns[table].slice(0, 4) : part(table)) yield [`push ${table}.${column}`, records(change("update", table, record_id, { [column]: hostile[column] }))];
      yield [`push ${table} by the last arrival`, records(change("update", table, record_id, { created_by: me }, { rule: "last_arrival_wins" }))];
      yield [`delete from ${table}`, records(change("delete", table, record_id, {}))];
    }
    yield [`create in ${table} of one's own organization what names another's`, records(change("create", table, uuid7(), { ...fields, worker_id: ids.workers }, { org_id: foreign.org_id }))];
  }
  for (const table of ["messages", "profiles", "audit_log", "record_tables", "fieldpost.people", "workers; drop table public.workers", '"'].concat(RECORDS)) {
    yield [`push to ${table}`, records(change("update", table, ids.workers, { role: "org_admin" }))];
    yield [`load ${table}`, (js) => js.rpc("fieldpost_records_pull", { p_protocol: 1, p_tables: [table] })];
  }
  yield ["records with an admin's cursor", (js) => js.rpc("fieldpost_records_pull", { p_protocol: 1, p_tables: RECORDS, p_cursor: loaded.cursor })];
  yield ["records with a cursor made by hand", async (js) => {
    const { data, error } = await js.rpc("fieldpost_records_pull", { p_protocol: 1, p_tables: RECORDS });
    if (!data?.cursor) return { data, error };
    const part = data.cursor.split(".");
    return js.rpc("fieldpost_records_pull", { p_protocol: 1, p_tables: RECORDS, p_cursor: ["l1", ...part.slice(1, 4), "-", part[4], "0", "0", "00000000-0000-0000-0000-000000000000"].join(".") });
  }];
  for (const more of [{}, { id: ids.audit_log }, { user_id: org.admin.user_id, org_id: org.org_id }]) {
    yield ["audit", (js) => js.rpc("fieldpost_audit_push", { p_protocol: 1, p_entries: [{ id: uuid7(), table: "workers", record_id: uuid7(), operation: "READ", age_ms: 0, ...more }] })];
  }
  for (const [name, args] of [["add_record_table", { p_table: "public.profiles" }], ["remove_record_table", { p_table: "public.workers" }], ["compact_records", {}], ["record_picks", { p_name: "workers", p_org: org.org_id, p_gone: false, f: null }],
    ["record_texts", { p_name: "workers", p_ids: [ids.workers] }], ["record_targets", { p_name: "workers", p_ids: [ids.workers] }], ["audit_owned", { p_ids: [ids.audit_log] }],
    ["access_changed", { p_user: org.medics[0].user_id }], ["scope_of", { p_user: org.admin.user_id }], ["memberships", { p_user: org.admin.user_id }], ["roster", { p_org: org.org_id }], ["backfill", {}], ["compact_tombstones", {}], ["epoch", {}],
    ["begin_epoch", {}], ["prepare_restore", {}], ["restore_message", { p_id: ids.gone, p_sender: me, p_content: "hacked" }], ["erase_person", { p_user: org.medics[0].user_id }], ["stored_of", { p_user: org.medics[0].user_id }], ["expire_messages", { p_org: org.org_id, p_older_than: "1 day" }], ["guard_memberships", {}],
    ["housekeeping", {}], ["enable_live", {}], ["disable_live", {}], ["send_hints", { p_topics: ["x"] }], ["hint_once", { p_topics: ["x"], p_orgs: [] }], ["conversation_topics", { p_conversations: [ids.conversation] }],
    ["may_hear", { p_topic: `fieldpost:conversation:${ids.conversation}` }], ["may_type", { p_topic: `fieldpost:conversation:${ids.conversation}` }], ["may_hear_as_caller", { p_topic: `fieldpost:user:${org.admin.user_id}`, p_sends: false }], ["enable_search", {}], ["disable_search", {}], ["search_picks", { p_terms: [{ words: ["secret"] }], p_conversation: null, p_sender: null, p_kind: null, p_since: null, p_until: null, p_at: null, p_id: null, p_limit: 50 }], ["check_digest", {}], ["preflight", {}], ["redate", {}], ["restore_dates", {}], ["take_locks", { p_mode: "access exclusive" }], ["note", { p_name: "version" }],
    ["pull_picks", { p_protocol: 1, p_capabilities: [], p_cursor: cursor, p_limit: 10 }], ["texts_i_see", { p_messages: [ids.hers, ids.theirs] }], ["hidden", { p_messages: [ids.hers, ids.theirs] }],
    ["conversations_i_see", { p_conversations: [ids.conversation] }], ["medic_names", { p_conversations: [ids.conversation] }], ["markers_i_see", { p_conversations: [ids.conversation] }],
    ["settings_for", { p_user: org.medics[0].user_id, p_conversations: [ids.conversation] }], ["own_settings", { p_chosen: null, p_access: [{ conversation_id: ids.conversation, access: "grant" }], p_conversations: [ids.conversation] }], ["report_page", { p_orgs: [org.org_id], p_all: true, p_after: null, p_limit: 9 }], ["reports", { p_protocol: 1, p_all: true, p_after: null, p_limit: 9 }], ["reported_messages", { p_protocol: 1, p_all: true, p_after: null, p_limit: 9 }], ["resolve_report", { p_protocol: 1, p_report: ids.report }], ["write_report", { p_reporter: me, p_message: ids.theirs, p_mutation: { reason: "spam" } }], ["my_report", { p_mutation: { id: uuid7(), conversation_id: ids.conversation, message_id: ids.theirs, reason: "spam" }, p_write: true }],
    ["reactions_of", { p_messages: [ids.hers, ids.theirs] }], ["reactions_i_see", { p_chosen: null, p_messages: [ids.hers, ids.theirs] }], ["people_i_see", { p_users: [org.medics[0].user_id], p_medics: [org.medics[0].medic_id] }]]) {
    yield [`call fieldpost.${name}`, (js) => js.schema("fieldpost").rpc(name, args)];
    yield [`call ${name}`, (js) => js.rpc(name, args)];
  }
}

/** Another medic of the organization may read its records and write them; she is no stranger to these. */
const mayToo = { "another medic": (what) => RECORDS.some((t) => what.includes(`read ${t}.`) || what.includes(`read all of ${t}`) || what.includes(` ${t}`)) || /records|audit|react to a broadcast|report of a broadcast/.test(what) };

/** Fieldpost's columns of records. */
const FIXED = ["client_id", "client_modified_at", "last_mutation_id", "version", "sync_xid"];

/** What a medic of the org may read of it: the broadcast. Taken out before the answer is searched. */
const known = { "another medic": (row) => [ids.broadcast, ids.all, org.broadcast.id].some((id) => JSON.stringify(row).includes(id)) || JSON.stringify(row).includes(attackers["another medic"].user_id) };

test("whoever has no business there reads and changes nothing, table by table and column by column", async () => {
  let tried = 0;
  const mistakes = [];
  for (const [who, js] of Object.entries(attackers)) {
    let before = await state();
    for (const [what, attack, { reads } = {}] of attacks(js.user_id ?? org.admin.user_id)) {
      tried++;
      if (mayToo[who]?.(what)) continue;
      const { data, error } = await attack(js);
      const rows = (Array.isArray(data) ? data : data ? [data] : []).filter((row) => !known[who]?.(row));
      if (!error && reads && rows.length) mistakes.push(`${who}: ${what} answers ${JSON.stringify(rows).slice(0, 200)}`);
      if (JSON.stringify([rows, error]).includes(SECRET)) mistakes.push(`${who}: ${what} tells ${JSON.stringify([rows, error]).slice(0, 300)}`);
      const now = await state();
      if (now !== before) mistakes.push(`${who}: ${what} changes rows`);
      before = now;
    }
  }
  claim(`privacy: cases tried ${tried}, allowed by mistake ${mistakes.length}`);
  assert.deepEqual(mistakes, []);
});

test("people who belong there change what is theirs and no other column", async () => {
  // What each may change, by table. Everything else is restored.
  const may = {
    ada: { ...Object.fromEntries(RECORDS.map((t) => [t, columns[t].filter((c) => !["id", "org_id", "created_by", "created_at", ...FIXED].includes(c))])), audit_log: [], messages: ["content", "metadata", "mentions"], conversations: [], conversation_read_status: ["last_read_at", "read_seq", "delivered_seq", "version", "sync_xid"], message_recipients: ["delivered_at", "read_at"], message_reactions: ["removed"], message_reports: ["reason", "note"], conversation_settings: ["muted_until", "pinned_at", "archived_at", "archived_seq", "unread_from"] },
    admin: { audit_log: [], messages: ["status"], conversations: ["subject", "medic_id"], conversation_read_status: [], message_recipients: [], message_reactions: [], message_reports: ["resolved_at"], conversation_settings: [] },
  };
  const follows = { ...Object.fromEntries(RECORDS.map((t) => [t, ["version", "sync_xid", "updated_at", "client_modified_at", "last_mutation_id"]])), messages: ["version", "sync_xid", "updated_at", "edited_at", "deleted_at", "content", "metadata"], conversations: ["version", "sync_xid", "updated_at", "last_message_preview"], conversation_read_status: ["last_read_at", "read_seq", "delivered_seq", "read_seq_at", "delivered_seq_at", "version", "sync_xid"], message_recipients: ["delivered_at"], message_reactions: ["version", "sync_xid", "updated_at"], message_reports: ["reported_at", "resolved_by"], conversation_settings: ["version", "sync_xid", "archived_seq"] };
  let tried = 0;
  const mistakes = [];
  const target = TARGET();
  for (const [who, js] of Object.entries(insiders)) {
    for (const table of Object.keys(may[who])) {
      const where = Object.entries(target[table]).map(([c, v]) => `${c} = '${v}'`).join(" and ");
      const row = async () => (await sql.unsafe(`select to_jsonb(t) as r from public.${table} t where ${where}`))[0]?.r;
      for (const column of columns[table]) {
        if (column === "deleted_at") continue; // hers to set, once
        tried++;
        const before = await row();
        // Words of one's own: what the one may write must not hide that the other can write it too.
        const value = { content: `hacked by ${who}`, mentions: [js.user_id], worker_id: ids.workers }[column] ?? hostile[column];
        await Object.entries(target[table]).reduce((q, [c, v]) => q.eq(c, v), js.from(table).update({ [column]: value }));
        const after = await row();
        const changed = Object.keys(after ?? {}).filter((c) => JSON.stringify(after[c]) !== JSON.stringify(before[c]));
        const allowed = may[who][table].includes(column) ? [column, ...follows[table]] : [];
        for (const c of changed.filter((c) => !allowed.includes(c))) mistakes.push(`${who}: update of ${table}.${column} changes ${c} from ${JSON.stringify(before[c])} to ${JSON.stringify(after[c])}`);
        if (!after) mistakes.push(`${who}: update of ${table}.${column} loses the row`);
      }
    }
  }
  // Backwards, as only a direct writer would.
  const { data: marker } = await insiders.ada.from("conversation_read_status").update({ read_seq: 0, delivered_seq: 0, last_read_at: "2001-01-01T00:00:00Z" }).eq("conversation_id", ids.conversation).select().single();
  assert.ok(marker.read_seq >= 2 && marker.delivered_seq >= marker.read_seq && new Date(marker.last_read_at).getUTCFullYear() > 2001, "a marker goes forward only");
  claim(`privacy: columns that members tried to change ${tried}, changed by mistake ${mistakes.length}`);
  assert.deepEqual(mistakes, []);
});

test("the helpers that the API's roles may call tell a stranger nothing, whoever runs SQL as one", async () => {
  const stranger = attackers["another org's admin"].user_id;
  const rows = await sql`
    select p.oid::regprocedure::text as name, p.proname, pg_get_function_identity_arguments(p.oid) as args from pg_proc p
    where p.pronamespace = 'fieldpost'::regnamespace and has_function_privilege('authenticated', p.oid, 'execute')`;
  const values = {
    "uuid": `'${ids.conversation}'`, "uuid[]": `array['${ids.conversation}','${ids.hers}','${ids.theirs}','${ids.all}','${org.medics[0].user_id}','${org.medics[0].medic_id}']::uuid[]`,
    "text": "'x'", "text[]": "'{}'", "integer": "1", "bigint": "1", "jsonb": `'{"conversation_id":"${ids.conversation}","read_seq":1}'`, "jsonb[]": "'{}'", "regclass": "'public.messages'", "json": "'{}'", "oid": "'public.workers'::regclass", "boolean": "false", "timestamp with time zone": "now()",
  };
  let [tried, mistakes] = [0, []];
  for (const { name, args } of rows) {
    const types = args === "" ? [] : args.split(", ").filter((a) => !a.startsWith("OUT ")).map((a) => a.replace(/^(IN )?p?_?\w+ /, ""));
    const list = types.map((t) => values[t] ?? `null::${t}`).join(", ");
    const answer = await sql.begin(async (tx) => {
      await tx`select set_config('request.jwt.claims', ${JSON.stringify({ sub: stranger, role: "authenticated" })}, true), set_config('request.jwt.claim.sub', ${stranger}, true)`;
      await tx.unsafe("set local role authenticated");
      throw { rows: [...(await tx.unsafe(`select ${name.replace(/\(.*/, "")}(${list})::text as answer`))] };
    }).catch((error) => error.rows ?? error.message);
    tried++;
    if (JSON.stringify(answer).includes(SECRET) || /hers|theirs/.test(name)) mistakes.push(`${name}: ${JSON.stringify(answer).slice(0, 200)}`);
  }
  claim(`privacy: ${tried} functions called directly as another org's admin, ${mistakes.length} told what they may not`);
  assert.ok(tried > 30);
  assert.deepEqual(mistakes, []);
});
