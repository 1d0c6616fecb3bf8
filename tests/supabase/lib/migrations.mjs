import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { root } from "./stack.mjs";

const folder = join(root, "migrations", "supabase");

/** The SQL of Fieldpost in the order in which it is applied: [{name, text}]. */
export function migrations() {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .sort()
    .map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));
}
