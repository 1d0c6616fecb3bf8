import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { root } from "./stack.mjs";

// Elsewhere only to prove a test: `cargo xtask planted-bugs` points it to files with a bug in them.
const standard = process.env.FIELDPOST_MIGRATIONS ?? join(root, "migrations", "supabase");

/** The SQL of Fieldpost in the order in which it is applied: [{name, text}]. */
export function migrations(folder = standard) {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .sort()
    .map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));
}
