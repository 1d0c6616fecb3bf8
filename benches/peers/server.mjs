// Queries the database of the local stack: reads one question from standard input, prints one answer. Questions:
//   {"count": prefix, "org_id"}   how many messages have this prefix, and how many different texts
//   {"count_records": prefix, "org_id"}   how many treatments have this prefix in their number, and how many different ones
//   {"write": n, "org_id", "sender_id"}   n messages, spread over the conversations of the organization
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

// The stack's own packages: these two are no peers, and run even if no peer is installed.
const postgres = createRequire(new URL("../../tests/supabase/package.json", import.meta.url))("postgres");
const path = process.env.FIELDPOST_STACK ?? new URL("../../.fieldpost/supabase-benches/stack.json", import.meta.url);
const stack = JSON.parse(readFileSync(path, "utf8"));
const sql = postgres(stack.database_url, { max: 1, onnotice: () => {} });
const question = JSON.parse(await text(process.stdin));

async function count({ count, org_id }) {
  const [found] = await sql`
    select count(*)::int as rows, count(distinct content)::int as texts from public.messages
    where org_id = ${org_id} and starts_with(content, ${count})`;
  return found;
}

async function countRecords({ count_records, org_id }) {
  const [found] = await sql`
    select count(*)::int as rows, count(distinct reference_number)::int as texts from public.treatments
    where org_id = ${org_id} and starts_with(reference_number, ${count_records})`;
  return found;
}

/** So many in a transaction: each message updates its conversation, and what a transaction has updated it cannot clean up. */
const CHUNK = 50_000;

async function write({ write, org_id, sender_id }) {
  for (let first = 0; first < write; first += CHUNK) {
    const last = Math.min(first + CHUNK, write) - 1;
    await sql`
      insert into public.messages (conversation_id, org_id, sender_id, content, composed_at)
      select c.id, c.org_id, ${sender_id}, 'Patient ' || n || ' is stable, bandage changed, next check in two hours at gate B', now()
      from generate_series(${first}::int, ${last}::int) n
      join (select id, org_id, row_number() over (order by id) - 1 as place, count(*) over () as all_of_them
        from public.conversations where org_id = ${org_id}) c on c.place = n % c.all_of_them
      order by n`;
  }
  return { rows: write };
}

const answer = "write" in question ? write : "count_records" in question ? countRecords : count;
console.log(JSON.stringify(await answer(question)));
await sql.end();
