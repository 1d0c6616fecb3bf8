// Runs SQL from standard input as the owner of the schema, and prints the rows of the last statement that has any.
import { text } from "node:stream/consumers";

import { owner } from "./lib/stack.mjs";

const sql = owner();
try {
  const result = await sql.unsafe(await text(process.stdin)).simple();
  const sets = Array.isArray(result[0]) ? result : [result];
  const last = sets.filter((rows) => rows.columns?.length).at(-1) ?? [];
  console.log(JSON.stringify([...last], (_, v) => (typeof v === "bigint" ? v.toString() : v)));
} catch (error) {
  console.error(`${error.code ?? ""} ${error.message}`.trim());
  process.exitCode = 1;
} finally {
  await sql.end();
}
