// Reads tests/projects/*.sql: shapes of existing projects. README.md there says how such a file is written.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { root } from "./stack.mjs";

const folder = join(root, "tests", "projects");
const OPENING = ["file", "app", "holds", "always", "operator"];
const FLAGS = ["base", "refused", "stops", "v1", "use", "push", "hides", "rows", "adapts", "erases"];

/** The uuid that `:name` stands for in a shape. */
export const id = (name) => createHash("md5").update(name).digest("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");

const filled = (text) => text.replace(/(?<![:\w"]):([a-z][a-z0-9_]*)/g, (_, name) => `'${id(name)}'`);

/** `ada: sends a message` is a person and the rest; `anon` and `service` are no people. */
function whose(argument, path) {
  const [, who, rest] = argument.match(/^([a-z]+): *(.*)$/) ?? [];
  if (!who) throw new Error(`${path}: "${argument}" names nobody`);
  return { who, user: who === "anon" ? null : who === "service" ? "service" : who === "owner" ? "owner" : id(who), rest };
}

function read(path) {
  const shape = { title: "", files: [], app: [], holds: [], always: [], operator: "", flags: {} };
  let take = { text: "" };
  const sections = [{ kind: "sql", argument: "", take }];
  for (const line of readFileSync(join(folder, path), "utf8").split("\n")) {
    const [, kind, argument] = line.match(/^-- @(\w+) ?(.*)$/) ?? [];
    if (!kind) {
      shape.title ||= line.replace(/^-- /, "");
      take.text += `${line}\n`;
    } else if (OPENING.includes(kind)) {
      take = { text: "" };
      sections.push({ kind, argument, take });
    } else if (FLAGS.includes(kind)) shape.flags[kind] = argument;
    else throw new Error(`${path}: what is @${kind}?`);
  }
  for (const { kind, argument, take } of sections) {
    const text = filled(take.text).trim();
    if (kind === "sql") shape.text = text;
    else if (kind === "file") shape.files.push({ name: argument, text });
    else if (kind === "operator") shape.operator += `${text}\n`;
    else if (kind === "app") {
      const { who, user, rest } = whose(argument, path);
      shape.app.push({ name: `${who} ${rest}`, user, text });
    } else {
      const { who, user, rest } = whose(argument, path);
      shape[kind].push({ name: `${who}: ${text.replace(/\s+/g, " ").slice(0, 120)}`, user, text, wanted: rest });
    }
  }
  return shape;
}

/** One shape with what it is based on: {name, title, files, app, holds, always, operator, flags}. */
export function shape(name) {
  const own = read(`${name}.sql`);
  const base = own.flags.base ? read(join("base", `${own.flags.base}.sql`)) : null;
  const files = [];
  if (base) files.push({ name: "20250601000000_app.sql", text: base.text });
  // A file of comments alone is none.
  if (own.text.replace(/^\s*--.*$/gm, "").trim()) files.push({ name: "20251101000000_shape.sql", text: own.text });
  return {
    ...own, name,
    files: [...files, ...own.files],
    app: [...(base?.app ?? []).filter((act) => !own.app.some((o) => o.name === act.name)), ...own.app],
    always: [...(base?.always ?? []), ...own.always],
    holds: [...(base?.holds ?? []), ...own.holds],
    flags: { ...base?.flags, ...own.flags },
  };
}

/** All shapes, by name. */
export const shapes = () => readdirSync(folder).filter((name) => name.endsWith(".sql")).sort().map((name) => shape(name.slice(0, -4)));
