// What it costs with a million messages, counted in pages of memory that a call touches (lib/costs.mjs). Smaller with FIELDPOST_SMALL.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

import { claim } from "./lib/claim.mjs";
import { GROWING, costs, id } from "./lib/costs.mjs";
import { uuid7 } from "./lib/stack.mjs";

const CONVERSATIONS = 1000;
const EACH = process.env.FIELDPOST_SMALL ? 20 : 1000;
// Ada's own conversation is long in both sizes: what was said in it must not cost her either.
const OWN = 5000;
let db, boss, fill, run, drop, org, admin, ada;
before(async () => {
  ({ db, boss, fill, run, drop } = await costs());
  [org, admin, ada] = [randomUUID(), randomUUID(), randomUUID()];
});
after(() => drop());

async function people() {
  await fill(`
    insert into auth.users (id) select ${id(1, "n")} from generate_series(2, ${CONVERSATIONS}) n union all select '${admin}'::uuid union all select '${ada}'::uuid;
    insert into public.organizations (id) values ('${org}');
    insert into public.medics (id, org_id, user_id, first_name, last_name)
      select ${id(2, "n")}, '${org}', case when n = 1 then '${ada}'::uuid else ${id(1, "n")} end, 'Medic', n::text from generate_series(1, ${CONVERSATIONS}) n;
    insert into public.profiles (id, org_id, role)
      select m.user_id, m.org_id, 'medic' from public.medics m union all select '${admin}'::uuid, '${org}'::uuid, 'org_admin';
    insert into fieldpost.people (org_id, user_id, role, medic_id, first_name, last_name, sync_xid)
      select '${org}', p.id, p.role, m.id, m.first_name, m.last_name, '3' from public.profiles p left join public.medics m on m.user_id = p.id;
    insert into public.conversations (id, org_id, type, medic_id, created_by, last_seq, sync_xid)
      select ${id(3, "n")}, '${org}', 'direct', ${id(2, "n")}, '${admin}', 0, '3' from generate_series(1, ${CONVERSATIONS}) n;
    insert into public.conversations (id, org_id, type, created_by, last_seq, sync_xid) values (${id(3, 0)}, '${org}', 'broadcast', '${admin}', 0, '3');
    -- Twenty other organizations: where one is all that there is, reading everything is the best plan.
    insert into public.organizations (id) select ${id(6, "o")} from generate_series(1, 20) o;
    insert into public.medics (id, org_id, first_name, last_name)
      select ${id(7, "o * 1000000 + n")}, ${id(6, "o")}, 'Medic', n::text from generate_series(1, 20) o, generate_series(1, ${CONVERSATIONS}) n;
    insert into fieldpost.people (org_id, user_id, role, medic_id, first_name, last_name, sync_xid)
      select m.org_id, m.id, 'medic', m.id, m.first_name, m.last_name, '3' from public.medics m where m.org_id <> '${org}';
    insert into public.conversations (id, org_id, type, medic_id, last_seq, sync_xid)
      select ${id(8, "o * 1000000 + n")}, ${id(6, "o")}, 'direct', ${id(7, "o * 1000000 + n")}, 0, '3' from generate_series(1, 20) o, generate_series(1, ${CONVERSATIONS}) n;`);
}

/** Messages number `from` to `to` of every conversation, and of Ada's (the first) up to `own`. */
async function messages(from, to, own) {
  // Without the indexes while the rows go in, and exactly those afterwards that were there: a dropped one stays dropped.
  const indexes = await boss`select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as def from pg_index i
    where i.indrelid = 'public.messages'::regclass and not i.indisprimary`;
  for (const { name } of indexes) await boss.unsafe(`drop index ${name}`);
  await fill(`
    insert into public.messages (id, conversation_id, org_id, sender_id, content, created_at, updated_at, seq, sync_xid)
    select ${id(4, "n * 10000 + c")}, ${id(3, "c")}, '${org}', '${admin}', 'A short message, as people write them: on my way to gate ' || n,
      t, t, n, (3 + n % 700)::text::xid8
    from (select n, c, '2026-01-01'::timestamptz + n * interval '1 minute' as t
          from generate_series(${from}, greatest(${to}, ${own})) n, generate_series(1, ${CONVERSATIONS}) c where n <= case when c = 1 then ${own} else ${to} end) x;
    update public.conversations c set last_seq = case when c.id = ${id(3, 1)} then ${own} else ${to} end, last_message_at = now() where type = 'direct';`);
  for (const { def } of indexes) await boss.unsafe(def);
}

/** Tombstones, read markers, reactions, settings and access changes of a long life: `times` for every conversation. */
const traces = (times) => fill(`
  insert into fieldpost.tombstones (entity, id, conversation_id, org_id, seq, version, sync_xid)
    select 'message', ${id(5, "n * 10000 + c")}, ${id(3, "c")}, '${org}', 1000000 + n, 2, (3 + n)::text::xid8 from generate_series(1, ${times}) n, generate_series(1, ${CONVERSATIONS}) c on conflict do nothing;
  insert into public.conversation_read_status (user_id, conversation_id, org_id, read_seq, delivered_seq, sync_xid)
    select p.user_id, ${id(3, "c")}, '${org}', 1000000, 1000000, '3' from generate_series(1, ${CONVERSATIONS}) c,
      (select user_id from fieldpost.people order by user_id limit ${times}) p on conflict do nothing;
  insert into fieldpost.conversation_aliases (alias_id, conversation_id)
    select ${id(9, "n * 10000 + c")}, ${id(3, "c")} from generate_series(1, ${times}) n, generate_series(1, ${CONVERSATIONS}) c on conflict do nothing;
  insert into fieldpost.people (org_id, user_id, role, removed, sync_xid)
    select '${org}', ${id("a", "n")}, 'org_admin', true, '3' from generate_series(1, ${times} * 1500) n on conflict do nothing;
  insert into public.message_reactions (message_id, person_id, emoji, conversation_id, org_id, sync_xid)
    select m.id, p.id, '👍', m.conversation_id, m.org_id, '3' from public.messages m, unnest(array['${admin}', '${ada}']::uuid[]) p (id) where m.seq <= ${times} on conflict do nothing;
  insert into fieldpost.reaction_counts (message_id, emoji, conversation_id, org_id, count, sync_xid)
    select m.id, '👍', m.conversation_id, m.org_id, 1, '3' from public.messages m where m.seq <= ${times} on conflict do nothing;
  insert into public.conversation_settings (user_id, conversation_id, org_id, sync_xid)
    select p.user_id, ${id(3, "c")}, '${org}', '3' from generate_series(1, ${CONVERSATIONS}) c,
      (select user_id from fieldpost.people order by user_id limit ${times}) p on conflict do nothing;
  insert into fieldpost.access_log (user_id, conversation_id, access, sync_xid)
    select p.user_id, ${id(3, "c")}, 'revoke', '3' from generate_series(100001, 100000 + ${times} * 1500) c, unnest(array['${admin}', '${ada}']::uuid[]) p (user_id) on conflict do nothing;`);

/** Both have read everything: counting the unread is not what is measured. */
const read = () => fill(`
  insert into public.conversation_read_status (user_id, conversation_id, org_id, read_seq, delivered_seq, sync_xid)
    select p.id, c.id, '${org}', 1000000, 1000000, '3' from public.conversations c, public.profiles p where p.id in ('${admin}', '${ada}')
    on conflict (user_id, conversation_id) do update set read_seq = excluded.read_seq`);

const push = (count) => `array[${Array.from({ length: count }, () =>
  `'${JSON.stringify({ id: randomUUID(), kind: "send_message", conversation_id: "00000000-0000-7000-8003-000000000001", message_id: uuid7(), content: "On my way" })}'`).join(", ")}]::jsonb[]`;

/** The hot paths, with what they cost. */
async function measure({ plans, others }) {
  await boss.unsafe("select fieldpost.check_digest(); select fieldpost.refresh_recency()").simple();  // what was filled in past the triggers
  await boss.unsafe("vacuum analyze").simple();
  const pages = {};
  const big = plans ? GROWING : [];
  let slowest = 0;
  const note = ({ pages: touched, ms }, what) => {
    pages[what] = touched;
    slowest = Math.max(slowest, ms);
  };
  for (const [name, who] of Object.entries({ admin, medic: ada })) {
    const load = await run(big, who, "bootstrap", { p_messages: 1 });
    slowest = Math.max(slowest, load.ms, (await run(big, who, "bootstrap")).ms);
    const p_cursor = load.answer.cursor;
    note(await run(big, who, "pull", { p_cursor }), `${name}'s pull of nothing`);
    // One message in Ada's conversation; and, for her, many in others that she does not see.
    await db.sql.begin(async (tx) => {
      await tx.unsafe(`insert into public.messages (conversation_id, org_id, sender_id, content) values (${id(3, 1)}, '${org}', '${admin}', 'one')`);
      if (name === "medic" && others) await tx.unsafe(`insert into public.messages (conversation_id, org_id, sender_id, content) select ${id(3, "c")}, '${org}', '${admin}', 'other' from generate_series(2, ${CONVERSATIONS}) c, generate_series(1, ${others})`);
    });
    await read();
    const one = await run(big, who, "pull", { p_cursor });
    assert.deepEqual(one.answer.messages.map((m) => m.content), ["one"]);
    note(one, `${name}'s pull of one message`);
    note(await run(big, who, "history", { p_conversation: "00000000-0000-7000-8003-000000000001", p_limit: 20, p_before_seq: plans ? 500 : null }), `${name}'s page of history`);
    note(await run(big, who, "push", { p_mutations: { toString: () => push(1) } }), `${name}'s push of one message`);
    slowest = Math.max(slowest, (await run(big, who, "push", { p_mutations: { toString: () => push(500) } })).ms);
  }
  const [{ count }] = await boss`select count(*)::int as count from public.messages`;
  return { pages, slowest, count };
}

test("a pull, a push and a page of history cost the same with a thousand messages and with a million, and read nothing from end to end", async () => {
  await people();
  await messages(1, 1, 1);
  await traces(1);
  await read();
  const small = await measure({ plans: false, others: 0 }); // in a small table reading it all is a good plan
  await fill("delete from public.messages");
  await messages(1, EACH, OWN);
  await traces(10);
  await read();
  const big = await measure({ plans: true, others: 3 });
  const ratios = Object.entries(big.pages).map(([what, pages]) => [what, small.pages[what], pages, pages / small.pages[what]]);
  claim(`bounded: pages touched with ${small.count} and with ${big.count} messages: ${ratios.map(([what, a, b]) => `${what} ${a} and ${b}`).join(", ")}`);
  claim(`bounded: no call reads a growing table from end to end, reading assigns no transaction id, the slowest call (500 messages pushed and first loads included) took ${Math.round(big.slowest)} ms (limit 8,000)`);
  for (const [what, a, b, ratio] of ratios) assert.ok(ratio <= 1.4, `${what} touches ${a} pages with ${small.count} messages and ${b} with ${big.count}`);
});
