// What it costs in an organization of a thousand and of a hundred thousand conversations and members: counted in pages of memory
// that a call touches (lib/costs.mjs). Up to 10,000 by default; FIELDPOST_FULL=1 goes to 100,000, FIELDPOST_SMALL=1 to 4,000.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

import { claim } from "./lib/claim.mjs";
import { costs, id } from "./lib/costs.mjs";
import { uuid7 } from "./lib/stack.mjs";

const SIZES = process.env.FIELDPOST_FULL ? [1000, 10_000, 100_000] : process.env.FIELDPOST_SMALL ? [1000, 4000] : [1000, 10_000];
const SET = { toString: () => "array['set_digest']" };

let db, boss, fill, run, drop, org, admin, ada;
before(async () => {
  ({ db, boss, fill, run, drop } = await costs());
  [org, admin, ada] = [randomUUID(), randomUUID(), randomUUID()];
});
after(() => drop());

/** Members and conversations number `from` to `to`, each with three messages and the read markers of both, and of the broadcast. Ada is the first. */
async function members(of, from, to) {
  await fill(`
    create temporary table m on commit drop as
      select n, ${id(2, "n")} as medic, case when n = 1 then '${ada}'::uuid else ${id(1, "n")} end as person, ${id(3, "n")} as conversation from generate_series(${from}, ${to}) n;
    insert into auth.users (id) select m.person from m on conflict do nothing;
    insert into public.medics (id, org_id, user_id, first_name, last_name) select m.medic, '${of}', m.person, 'Medic', m.n::text from m;
    insert into public.profiles (id, org_id, role) select m.person, '${of}', 'medic' from m;
    insert into fieldpost.people (org_id, user_id, role, medic_id, first_name, last_name, sync_xid) select '${of}', m.person, 'medic', m.medic, 'Medic', m.n::text, '3' from m;
    insert into public.conversations (id, org_id, type, medic_id, created_by, last_seq, last_message_at, sync_xid)
      select m.conversation, '${of}', 'direct', m.medic, '${admin}', 3, '2026-01-01'::timestamptz + hashint4(m.n) * interval '1 millisecond', '3' from m;
    insert into public.messages (id, conversation_id, org_id, sender_id, content, created_at, updated_at, seq, sync_xid)
      select ${id(4, "m.n * 4 + k")}, m.conversation, '${of}', '${admin}', 'A short message, as people write them: on my way to gate ' || m.n, c.last_message_at, c.last_message_at, k, (3 + m.n % 700)::text::xid8
      from m join public.conversations c on c.id = m.conversation, generate_series(1, 3) k;
    insert into public.conversation_read_status (user_id, conversation_id, org_id, read_seq, delivered_seq, sync_xid)
      select p, m.conversation, '${of}', 3, 3, '3' from m, unnest(array['${admin}'::uuid, m.person]) p;
    insert into public.conversation_read_status (user_id, conversation_id, org_id, read_seq, delivered_seq, sync_xid)
      select m.person, c.id, '${of}', 3, 3, '3' from m, public.conversations c where c.org_id = '${of}' and c.type = 'broadcast';`);
}

const send = (conversation_id) => ({ toString: () =>
  `array['${JSON.stringify({ id: randomUUID(), kind: "send_message", conversation_id, message_id: uuid7(), content: "On my way" })}']::jsonb[]` });

/** `big`: tables that no plan may read from end to end. */
async function measure(big) {
  await boss.unsafe("select fieldpost.check_digest(); select fieldpost.refresh_recency()").simple();  // what was filled in past the triggers
  await boss.unsafe("vacuum analyze").simple();
  const pages = {};
  let longest = 0;
  const note = (what, { pages: touched, answer }) => {
    pages[what] = touched;
    longest = Math.max(longest, answer.next_after?.length ?? 0);
    return answer;
  };
  const hers = "00000000-0000-7000-8003-000000000001";
  for (const [name, who] of Object.entries({ admin, medic: ada })) {
    const glimpse = note(`${name}'s glimpse`, await run(big, who, "bootstrap", { p_limit: 20, p_messages: 1, p_capabilities: SET }));
    const { cursor: p_cursor } = glimpse;
    note(`${name}'s pull of nothing`, await run(big, who, "pull", { p_cursor, p_capabilities: SET }));
    note(`${name}'s push of one`, await run(big, who, "push", { p_mutations: send(hers), p_capabilities: SET }));
    if (name === "admin") {
      pages["bytes of an admin's glimpse"] = Buffer.byteLength(JSON.stringify(glimpse));
      const page = async (what, phase, rest) => note(`page of ${what}`, await run(big, who, "bootstrap", {
        p_limit: 300, p_messages: 100, p_capabilities: SET, p_after: [...glimpse.next_after.split(".").slice(0, 4), phase === "k" ? glimpse.next_after.split(".")[4] : "", phase, rest].join("."),
      }));
      await page("conversations, the first after the list", "k", "");
      await page("conversations", "k", `${org}/00000000-0000-7000-8003-000000000020`);
      await page("people", "p", `${org}/00000000-0000-7000-8001-000000000020`);
    }
  }
  return { pages, longest };
}

test("a pull of nothing, a push, a glimpse and a page of a first load cost the same with a thousand members and conversations and with many", async () => {
  await fill(`
    insert into auth.users (id) values ('${admin}');
    insert into public.organizations (id) values ('${org}');
    insert into public.profiles (id, org_id, role) values ('${admin}', '${org}', 'org_admin');
    insert into fieldpost.people (org_id, user_id, role, sync_xid) values ('${org}', '${admin}', 'org_admin', '3');
    insert into public.conversations (id, org_id, type, created_by, last_seq, last_message_at, sync_xid) values (${id(3, 0)}, '${org}', 'broadcast', '${admin}', 0, '2026-06-01', '3');
    -- Other organizations: where one is all that there is, reading everything is the best plan.
    insert into public.organizations (id) select ${id(6, "o")} from generate_series(1, 20) o;`);
  for (let o = 1; o <= 20; o++) {
    const [{ other }] = await boss.unsafe(`select ${id(6, o)}::text as other`);
    await members(other, 1_000_000 * o + 1, 1_000_000 * o + SIZES[0]);
  }
  const figures = [];
  let made = 0;
  for (const size of SIZES) {
    await members(org, made + 1, size);
    made = size;
    figures.push(await measure(size > 1000 ? ["messages", "conversations", "conversation_read_status", "people", "recency"] : []));
  }
  const [first] = figures;
  for (const what of Object.keys(first.pages)) {
    claim(`large organizations: ${what}: ${figures.map((f, i) => `${f.pages[what]} with ${SIZES[i].toLocaleString("en")}`).join(", ")} members and conversations`);
  }
  claim(`large organizations: the longest next_after had ${Math.max(...figures.map((f) => f.longest))} characters (limit 1,024)`);
  for (const [i, { pages, longest }] of figures.entries()) {
    for (const [what, n] of Object.entries(pages)) {
      assert.ok(n <= first.pages[what] * 1.5, `${what}: ${first.pages[what]} with ${SIZES[0]}, ${n} with ${SIZES[i]}`);
    }
    assert.ok(longest <= 1024, `next_after has ${longest} characters`);
  }
});
