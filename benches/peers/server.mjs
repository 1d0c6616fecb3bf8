// Asks the database of the local stack: reads one question from standard input, prints one answer. Questions:
//   {"count": prefix, "org_id"}   how many messages begin so, and how many different texts they have
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

// As installed for the stack itself: these two are no peers, and run where no peer is installed.
const postgres = createRequire(new URL("../../tests/supabase/package.json", import.meta.url))("postgres");
const stack = JSON.parse(readFileSync(new URL("../../.fieldpost/supabase/stack.json", import.meta.url), "utf8"));
const sql = postgres(stack.database_url, { max: 1, onnotice: () => {} });
const question = JSON.parse(await text(process.stdin));

async function count({ count, org_id }) {
  const [found] = await sql`
    select count(*)::int as rows, count(distinct content)::int as texts from public.messages
    where org_id = ${org_id} and starts_with(content, ${count})`;
  return found;
}

console.log(JSON.stringify(await count(question)));
await sql.end();
