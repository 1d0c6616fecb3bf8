// What each policy is for: something that it lets through, and something that it alone holds back. `cargo xtask planted-bugs`
// drops them one by one. Over SQL with the role and the claims of a request; matrix.test.mjs comes through HTTP.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

import { claim } from "./lib/claim.mjs";
import { members } from "./lib/members.mjs";
import { scratch } from "./lib/scratch.mjs";

let db, org, other, ada, ben, cleo, dan, inBroadcast, inBens, inAdas;
before(async () => {
  db = await scratch();
  await db.apply();
  org = await members(db.sql, { medics: 3, spare: 2 });
  other = await members(db.sql, { medics: 1 });
  [ada, ben, , cleo, dan] = org.medics;
  const write = async (conversation, sender) =>
    (await db.sql`insert into public.messages (conversation_id, org_id, sender_id, content) values (${conversation}, ${org.org}, ${sender}, 'words') returning id`)[0].id;
  inBroadcast = await write(org.broadcast, org.admin);
  inBens = await write(org.conversations[1], ben);
  inAdas = await write(org.conversations[0], ada);
  await db.sql`delete from public.message_recipients where message_id = ${inBroadcast} and not recipient_id = any (${[ada, ben]})`;
  for (const [user, conversation] of [[ada, org.conversations[0]], [ben, org.conversations[1]], [ada, org.broadcast], [ada, org.conversations[2]]]) {
    await db.sql`insert into public.conversation_read_status (user_id, conversation_id, org_id) values (${user}, ${conversation}, ${org.org})`;
  }
});
after(() => db.drop());

/** How many rows a statement touches as a person: a number, or the code of the refusal. Changes nothing. */
const touches = (who, text, values = []) =>
  db.sql.begin(async (tx) => {
    await tx`select set_config('request.jwt.claim.sub', ${who}, true)`;
    await tx`set local role authenticated`;
    const rows = await tx.unsafe(text, values);
    throw { rows: rows.count };
  }).catch((e) => e.rows ?? e.code ?? e.message);

const message = "insert into public.messages (conversation_id, org_id, sender_id, content, message_type) values ($1, $2, $3, 'x', $4)";
const conversation = "insert into public.conversations (org_id, type, medic_id, created_by) values ($1, $2, $3, $4)";
const marker = "insert into public.conversation_read_status (user_id, conversation_id, org_id) values ($1, $2, $3)";
const recipient = "insert into public.message_recipients (message_id, recipient_id, org_id) values ($1, $2, $3)";

const allowed = () => [
  ["an admin reads the org's conversations", org.admin, "select from public.conversations", [], 4],
  ["a medic reads her own and the broadcast", ada, "select from public.conversations", [], 2],
  ["an admin opens a direct conversation", org.admin, conversation, [org.org, "direct", org.medic_ids[3], org.admin], 1],
  ["a medic opens her own", cleo, conversation, [org.org, "direct", org.medic_ids[3], cleo], 1],
  ["an admin renames", org.admin, "update public.conversations set subject = 'x' where id = $1", [org.conversations[0]], 1],
  ["a medic updates her own (an older app does)", ada, "update public.conversations set last_message_at = now() where id = $1", [org.conversations[0]], 1],
  ["an admin reads messages", org.admin, "select from public.messages", [], 3],
  ["a medic reads hers and the broadcast's", ada, "select from public.messages", [], 2],
  ["an admin writes in a broadcast", org.admin, message, [org.broadcast, org.org, org.admin, "text"], 1],
  ["a medic writes in her own", ada, message, [org.conversations[0], org.org, ada, "text"], 1],
  ["a medic edits her message", ada, "update public.messages set content = 'y' where id = $1", [inAdas], 1],
  ["an admin deletes a message", org.admin, "update public.messages set deleted_at = now() where id = $1", [inBens], 1],
  ["a medic reads her recipient rows", ada, "select from public.message_recipients", [], 1],
  ["an admin reads all", org.admin, "select from public.message_recipients", [], 2],
  ["an admin adds a recipient", org.admin, recipient, [inBroadcast, cleo, org.org], 1],
  ["a medic says that she read", ada, "update public.message_recipients set read_at = now()", [], 1],
  ["a person reads her own read status", ada, "select from public.conversation_read_status where conversation_id = $1", [org.broadcast], 1],
  ["an admin marks read", org.admin, marker, [org.admin, org.conversations[1], org.org], 1],
  ["a medic marks her own read", ben, marker, [ben, org.broadcast, org.org], 1],
  ["and again", ada, "update public.conversation_read_status set last_read_at = now() where conversation_id = $1", [org.broadcast], 1],
  ["a medic reads her medics row", ada, "select from public.medics", [], 1],
  ["an admin reads the roster", org.admin, "select from public.medics", [], 5],
  ["an admin reads the organization", org.admin, "select from public.organizations", [], 1],
  ["a person reads her own profile", ada, "select from public.profiles", [], 1],
];

const forbidden = () => [
  ["a medic reads another's conversation", ada, "select from public.conversations where id = $1", [org.conversations[1]]],
  ["another org's admin reads one", other.admin, "select from public.conversations where org_id = $1", [org.org]],
  ["a medic opens another's", cleo, conversation, [org.org, "direct", org.medic_ids[4], cleo]],
  ["a medic opens a broadcast", other.medics[0], conversation, [org.org, "broadcast", null, other.medics[0]]],
  ["somebody opens in another's name", org.admin, conversation, [org.org, "direct", org.medic_ids[3], dan]],
  ["an admin opens with another org's medic", org.admin, conversation, [org.org, "direct", other.medic_ids[0], org.admin]],
  ["a medic updates a broadcast", ada, "update public.conversations set subject = 'x' where id = $1", [org.broadcast]],
  ["a medic updates another's", ada, "update public.conversations set subject = 'x' where id = $1", [org.conversations[1]]],
  ["anybody deletes a conversation", org.admin, "delete from public.conversations where id = $1", [org.conversations[0]]],
  ["a medic reads another's messages", ada, "select from public.messages where id = $1", [inBens]],
  ["another org's admin reads them", other.admin, "select from public.messages where org_id = $1", [org.org]],
  ["a medic writes in a broadcast", ada, message, [org.broadcast, org.org, ada, "text"]],
  ["a medic writes in another's", ada, message, [org.conversations[1], org.org, ada, "text"]],
  ["a forged sender", ada, message, [org.conversations[0], org.org, org.admin, "text"]],
  ["a system message", org.admin, message, [org.broadcast, org.org, org.admin, "system"]],
  ["a message under another org", other.admin, message, [org.conversations[0], other.org, other.admin, "text"]],
  ["a medic edits in a broadcast", ada, "update public.messages set content = 'x' where id = $1", [inBroadcast]],
  ["anybody deletes a message", ada, "delete from public.messages where id = $1", [inAdas]],
  ["a medic reads another's recipient row", ada, "select from public.message_recipients where recipient_id = $1", [ben]],
  ["a medic adds a recipient", ada, recipient, [inBroadcast, cleo, org.org]],
  ["a recipient of a direct message", org.admin, recipient, [inAdas, cleo, org.org]],
  ["an admin reads for a medic", org.admin, "update public.message_recipients set read_at = now()", []],
  ["anybody deletes a recipient row", ada, "delete from public.message_recipients where recipient_id = $1", [ada]],
  ["an admin reads a medic's read status", org.admin, "select from public.conversation_read_status where user_id = $1", [ada]],
  ["marking another's conversation read", ada, marker, [ada, org.conversations[1], org.org]],
  ["marking in another's name", org.admin, marker, [cleo, org.broadcast, org.org]],
  ["moving a marker in a conversation that was lost", ada, "update public.conversation_read_status set last_read_at = now() where conversation_id = $1", [org.conversations[2]]],
  ["a medic reads the organization", ada, "select from public.organizations", []],
  ["anybody deletes a read status", ada, "delete from public.conversation_read_status where user_id = $1", [ada]],
];

async function holdBack(how) {
  for (const [what, who, text, values] of forbidden()) {
    const result = await touches(who, text, values);
    assert.ok(result === 0 || result === "42501", `${what}${how}: ${result}`);
  }
}

test("every policy lets its own through and holds the rest back, beside wider policies of the project too", async () => {
  for (const [what, who, text, values, rows] of allowed()) assert.equal(await touches(who, text, values), rows, what);
  await holdBack("");
  for (const table of ["conversations", "messages", "message_recipients", "conversation_read_status"]) {
    await db.sql.unsafe(`create policy wide on public.${table} for all to authenticated using (true) with check (true)`);
  }
  await holdBack(", where a wider policy allows it");
  claim(`policies: ${allowed().length} things that must be possible are; ${forbidden().length} that must not be are not, with and without wider policies of the project`);
});
