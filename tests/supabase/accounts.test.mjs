// Accounts that are deleted.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Replica } from "./lib/replica.mjs";
import { call, client, owner } from "./lib/stack.mjs";
import { createOrg } from "./lib/tenant.mjs";

const NIL = "00000000-0000-0000-0000-000000000000";
let sql;
before(() => (sql = owner()));
after(() => sql.end());

test("a conversation whose creator's account is deleted names the nil UUID, and nothing else is lost", async () => {
  const org = await createOrg(sql, { medics: 1, admins: 2, conversations: true });
  const { id } = org.conversations[0];
  const medic = new Replica(await client(org.medics[0].email, org.medics[0].password));
  await medic.bootstrap();
  await sql`delete from auth.users where id = ${org.admin.user_id}`;
  const pages = await medic.pull();
  const [row] = pages.flatMap((page) => page.conversations);
  assert.deepEqual([row.id, row.created_by, row.version], [id, NIL, 2]);
  assert.equal(medic.people.get(org.admin.user_id).removed, true, "her name stays");
  for (const page of [await call(medic.js, "bootstrap"), { conversations: [(await call(medic.js, "history", { p_conversation: id })).conversation] }]) {
    assert.deepEqual(page.conversations.map((c) => c.created_by), [NIL]);
  }
});

test("an account that has sent messages can be deleted, and its messages are nobody's", async () => {
  const org = await createOrg(sql, { medics: 1, conversations: true });
  const medic = new Replica(await client(org.medics[0].email, org.medics[0].password));
  await sql`insert into public.messages (conversation_id, org_id, sender_id, content) values (${org.conversations[0].id}, ${org.org_id}, ${org.admin.user_id}, 'hers')`;
  await medic.bootstrap();
  await sql`delete from auth.users where id = ${org.admin.user_id}`;
  const pages = await medic.pull();
  assert.deepEqual(pages.flatMap((p) => p.messages.map((m) => [m.sender_id, m.content, m.version])), [[NIL, "hers", 2]]);
  const [fresh] = (await call(await client(org.medics[0].email, org.medics[0].password), "bootstrap")).conversations;
  assert.equal(fresh.unread, 1, "what nobody wrote is unread for everybody");
  assert.equal(pages.flatMap((p) => p.conversations).at(-1).unread, 1, "on every device");
});
