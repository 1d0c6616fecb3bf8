// The file that `fieldpost sql export --to` writes, and version 1 as people have it in their folders.
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { released, script } from "./migrations.mjs";
import { root } from "./stack.mjs";

const stamp = (date) => date.toISOString().replace(/[-:T]/g, "").slice(0, 14);

/** The exported file: `<now>_fieldpost_v2.sql`. `later`: seconds after now, for the file of another day. `adopt`: with `--adopt`. */
export const exported = ({ later = 0, adopt = false, text = script({ adopt }) } = {}) => ({ name: `${stamp(new Date(Date.now() + later * 1000))}_fieldpost_v2.sql`, text });

/** Version 1's nineteen files, each as a transaction of its own: how somebody without the CLI applied them. */
export async function applyReleased(sql) {
  for (const { name, text } of released()) {
    await sql.begin((tx) => tx.unsafe(text).simple()).catch((error) => {
      throw Object.assign(new Error(`${name}: ${error.message}`), { code: error.code });
    });
  }
}

/** The SQL of a section of docs/howto/supabase.md. */
export function documented(title) {
  const page = readFileSync(join(root, "docs", "howto", "supabase.md"), "utf8");
  const section = page.split(/^## /m).find((part) => part.startsWith(title));
  if (!section) throw new Error(`docs/howto/supabase.md has no section "${title}"`);
  return [...section.matchAll(/```sql\n([\s\S]*?)```/g)].map((m) => m[1]).join("\n");
}
