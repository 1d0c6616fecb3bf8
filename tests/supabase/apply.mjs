// Applies migrations/supabase/*.sql in order, each file in a transaction of its own, as `supabase db push` does. Applying
// them to a database that has them changes nothing. Reads {"database_url"} from standard input, else takes the stack's;
// {"migrations"} names another folder.
import { text } from "node:stream/consumers";

import { owner } from "./lib/stack.mjs";
import { migrations } from "./lib/migrations.mjs";

const input = process.stdin.isTTY ? "" : (await text(process.stdin)).trim();
const { database_url, migrations: folder } = input ? JSON.parse(input) : {};
const sql = owner(database_url ? { url: database_url } : {});
try {
  for (const { name, text } of migrations(folder)) {
    try {
      await sql.begin((tx) => tx.unsafe(text).simple());
    } catch (error) {
      throw new Error(`${name}: ${error.code ?? ""} ${error.message} ${error.where ?? ""}`.trim());
    }
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await sql.end();
}
