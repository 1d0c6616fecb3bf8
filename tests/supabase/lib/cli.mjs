// The Supabase CLI, the real one, in the versions that people have. Each is a package of its own (package.json: an alias for
// each version of the program for this platform; `npm:supabase` is a wrapper around it) and runs in a folder like a project's: supabase/config.toml and supabase/migrations/. It hears of one database on
// loopback and of nothing else: its home is the folder, telemetry is off, and whatever it asks the network goes to a closed port.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = join(dirname(fileURLToPath(import.meta.url)), "..");

/** The versions, oldest first, as package.json names them. */
export const VERSIONS = Object.keys(JSON.parse(readFileSync(join(here, "package.json"), "utf8")).devDependencies)
  .filter((name) => name.startsWith("supabase-cli-"))
  .map((name) => name.slice("supabase-cli-".length));

const folders = new Set();
process.on("exit", () => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** A folder as `supabase init` makes it, with these migrations: [{name, text}]. */
export function folder(migrations = []) {
  const path = mkdtempSync(join(tmpdir(), "fieldpost-cli-"));
  folders.add(path);
  mkdirSync(join(path, "supabase", "migrations"), { recursive: true });
  writeFileSync(join(path, "supabase", "config.toml"), 'project_id = "projects"\n');
  migrations.forEach((file) => add(path, file));
  return path;
}

/** Adds a migration to a folder. */
export const add = (path, { name, text }) => writeFileSync(join(path, "supabase", "migrations", name), text);

/** Takes out of a folder what the database's history does not have: what somebody does whose push stopped half way. */
export async function keepApplied(project, path) {
  const applied = await project.sql`select version from supabase_migrations.schema_migrations`;
  const versions = new Set(applied.map((row) => row.version));
  for (const name of readdirSync(join(path, "supabase", "migrations"))) {
    if (!versions.has(name.split("_")[0])) rmSync(join(path, "supabase", "migrations", name));
  }
}

/**
 * Starts it. Answers {done, kill}: `done` resolves to {status, signal, stdout, stderr, output}, `kill` ends it at once, with
 * what it started.
 */
export function start(version, path, args) {
  const program = join(here, "node_modules", `supabase-cli-${version}`, "bin", "supabase");
  if (!existsSync(program)) throw new Error(`no Supabase CLI ${version}: \`npm ci\` in tests/supabase brings it for Linux on x86-64`);
  const nowhere = "http://127.0.0.1:9";
  const child = spawn(program, args, {
    cwd: path,
    detached: true,  // a process group of its own, so that all of it can be killed
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH, HOME: path, LANG: "C.UTF-8", CI: "1", NO_COLOR: "1",
      DO_NOT_TRACK: "1", SUPABASE_TELEMETRY_DISABLED: "1", SUPABASE_NO_UPDATE_NOTIFIER: "1",
      HTTP_PROXY: nowhere, HTTPS_PROXY: nowhere, http_proxy: nowhere, https_proxy: nowhere,
    },
  });
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) child[name].setEncoding("utf8").on("data", (chunk) => (text[name] += chunk));
  const done = new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status, signal) => resolve({ status, signal, ...text, output: text.stdout + text.stderr }));
  });
  return { done, kill: () => process.kill(-child.pid, "SIGKILL") };
}

/** `supabase db push` to a database, as a person without a terminal runs it. */
export function pushing(version, path, url, args = []) {
  const target = new URL(url);
  target.searchParams.set("sslmode", "disable");
  return start(version, path, ["db", "push", "--yes", "--db-url", target.href, ...args]);
}

/** The same, to its end. */
export const push = (version, path, url, args) => pushing(version, path, url, args).done;
