import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { root } from "./stack.mjs";

// Elsewhere only to prove a test: `cargo xtask planted-bugs` points it to files with a bug in them.
const standard = process.env.FIELDPOST_MIGRATIONS ?? join(root, "migrations", "supabase");

/** The SQL files of a folder in the order of their names: [{name, text}]. */
export function files(folder = standard) {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .sort()
    .map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));
}

/** The file that `fieldpost sql export` writes: the parts, joined. `adopt`: as with `--adopt`. */
export function script({ folder = standard, adopt = false } = {}) {
  const text = files(folder).map(({ text }) => text).join("\n");
  return adopt ? text.replace("\nbegin;\n", "\nbegin;\nset local fieldpost.adopt = 'all';\n") : text;
}

/** The statements of `fieldpost sql prepare`, each of which runs by itself. */
export const prepare = () =>
  readFileSync(join(root, "migrations", "supabase", "prepare", "prepare.sql"), "utf8").split(/;\s*\n/).filter((statement) => /^[^-]/m.test(statement));

/** What `fieldpost sql clinical` writes. */
export const clinical = () => readFileSync(join(root, "migrations", "supabase", "clinical", "clinical.sql"), "utf8");

/** The files of version 1, as they were released: applied one by one, each in a transaction. */
export const released = () => files(join(root, "tests", "supabase", "released", "v1"));

/** Sends a script that brings its own transaction. After a failure nothing of it is left. */
export async function apply(sql, text = script()) {
  const reserved = await sql.reserve();
  try {
    await reserved.unsafe(text).simple();
  } catch (error) {
    await reserved.unsafe("rollback").simple();
    throw new Error(`${error.code ?? ""} ${error.message} ${error.hint ?? ""} ${error.where ?? ""}`.trim());
  } finally {
    reserved.release();
  }
}
