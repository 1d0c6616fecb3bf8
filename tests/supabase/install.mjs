// Installs Fieldpost: sends the parts of migrations/supabase as one script, as any client of PostgreSQL can send the file that
// `fieldpost sql export` writes. Reads {"database_url"} from standard input, else takes the stack's; {"migrations"} names
// another folder, {"search": false} leaves the search off. Then the clinical tables, as `fieldpost sql clinical`. (What the real Supabase CLI does with that file is the business of projects/.)
import { text } from "node:stream/consumers";

import { apply, clinical, script } from "./lib/migrations.mjs";
import { owner } from "./lib/stack.mjs";

const input = process.stdin.isTTY ? "" : (await text(process.stdin)).trim();
const { database_url, migrations: folder, search } = input ? JSON.parse(input) : {};
const sql = owner(database_url ? { url: database_url } : {});
try {
  await apply(sql, script({ folder }));
  await apply(sql, clinical());
  if (search !== false) await sql`select fieldpost.enable_search()`;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await sql.end();
}
