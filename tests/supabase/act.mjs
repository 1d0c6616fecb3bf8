// What an operator or a stranger's client does, one action per run: reads {"action": "soft_delete", …} from standard input.
// The actions are those of `fieldpost_remote::conformance::Action`; prints {"done": true} or {"unsupported": "why"}.
import { randomUUID } from "node:crypto";
import { text } from "node:stream/consumers";

import { owner } from "./lib/stack.mjs";

const sql = owner();

/** Exactly so many rows must be hit: an action that finds nothing is a mistake of the test. */
function hit(result, rows = 1) {
  if (result.count !== rows) throw new Error(`${result.count} rows instead of ${rows}`);
}

const actions = {
  async insert_message({ id, conversation_id, sender_id, content, idempotency_key }) {
    const metadata = idempotency_key ? sql.json({ idempotency_key }) : null;
    hit(await sql`
      insert into public.messages (id, conversation_id, org_id, sender_id, content, metadata)
      select ${id}, c.id, c.org_id, ${sender_id}, ${content}, ${metadata} from public.conversations c where c.id = ${conversation_id}`);
  },
  async edit_message({ id, content }) {
    hit(await sql`update public.messages set content = ${content} where id = ${id}`);
  },
  async soft_delete({ id }) {
    hit(await sql`update public.messages set deleted_at = now() where id = ${id}`);
  },
  async react({ id, person_id, emoji, removed }) {
    hit(await sql`
      insert into public.message_reactions (message_id, person_id, emoji, removed) values (${id}, ${person_id}, ${emoji}, ${removed})
      on conflict (message_id, person_id, emoji) do update set removed = excluded.removed`);
  },
  async hard_delete({ id }) {
    hit(await sql`delete from public.messages where id = ${id}`);
  },
  async delete_conversation({ id }) {
    hit(await sql`delete from public.conversations where id = ${id}`);
  },
  async reassign_medic({ id, medic_id }) {
    hit(await sql`update public.conversations set medic_id = ${medic_id} where id = ${id}`);
  },
  async remove_member({ person_id }) {
    hit(await sql`delete from public.profiles where id = ${person_id}`);
  },
  async change_role({ person_id, role }) {
    hit(await sql`update public.profiles set role = ${role} where id = ${person_id}`);
  },
  async seed_conversations({ org_id, sender_id, count, messages_each }) {
    const made = Array.from({ length: count }, (_, n) => ({ id: randomUUID(), medic_id: randomUUID(), n }));
    const medics = made.map((m) => ({ id: m.medic_id, org_id, first_name: "Seeded", last_name: `${m.n}` }));
    const conversations = made.map((m) => ({ id: m.id, org_id, type: "direct", medic_id: m.medic_id, created_by: sender_id }));
    await sql`insert into public.medics ${sql(medics)}`;
    await sql`insert into public.conversations ${sql(conversations)}`;
    for (const { id } of made) {
      await sql`
        insert into public.messages (conversation_id, org_id, sender_id, content)
        select ${id}, ${org_id}, ${sender_id}, 'Message ' || n from generate_series(1, ${messages_each}) n order by n`;
    }
  },
};

const table = (name) => sql(`public.${name}`);
Object.assign(actions, {
  async insert_record({ table: name, id, client_id, org_id, fields }) {
    const row = { ...fields, id, org_id, ...(client_id && { client_id }) };
    hit(await sql`insert into ${table(name)} ${sql(Object.fromEntries(Object.entries(row).map(([k, v]) => [k, v !== null && typeof v === "object" ? sql.json(v) : v])))}`);
  },
  async update_record({ table: name, id, fields }) {
    hit(await sql`update ${table(name)} set ${sql(Object.fromEntries(Object.entries(fields).map(([k, v]) => [k, v !== null && typeof v === "object" ? sql.json(v) : v])))} where id = ${id}`);
  },
  async move_record({ table: name, id, org_id }) {
    hit(await sql`update ${table(name)} set org_id = ${org_id} where id = ${id}`);
  },
  async delete_record({ table: name, id }) {
    hit(await sql`delete from ${table(name)} where id = ${id}`);
  },
});

const unsupported = {
  retry_next_record: "order a lock failure for one record",
  change_policies: "change policies while other tests share the tables",
  expire_tokens: "make a signed token run out early",
  change_epoch: "begin a new epoch while other tests share the database",
  advance_clock: "move the clock of the machine",
  retry_next: "order a lock failure for one conversation",
};

const { action, ...fields } = JSON.parse(await text(process.stdin));
if (action in unsupported) {
  console.log(JSON.stringify({ unsupported: unsupported[action] }));
} else {
  await actions[action](fields);
  console.log(JSON.stringify({ done: true }));
}
await sql.end();
