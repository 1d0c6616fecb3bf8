// The same tests on the newest PostgreSQL: a cluster of it, with a Supabase Lite in front, in the place of the stack.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { Cluster } from "../lib/cluster.mjs";

let cluster, version, FIELDPOST_STACK;
before(async () => {
  cluster = await Cluster.make({ newest: true });
  FIELDPOST_STACK = await cluster.serve();
  const { sql } = cluster.open();
  [{ version }] = await sql`select split_part(current_setting('server_version'), ' ', 1) as version`;
  await sql.end();
});
after(() => cluster?.remove());

// Where a change waits for it (CI), one half of the files runs today and the other one tomorrow. FIELDPOST_FULL=1 runs all.
const takeTurns = process.env.CI && !process.env.FIELDPOST_FULL;
const today = Math.floor(Date.now() / 86_400_000) % 2;
const isDue = (_, place) => !takeTurns || place % 2 === today;

/** Runs test files as they are and passes their claims on. */
async function run(files, only) {
  const env = { ...process.env, FIELDPOST_STACK, FIELDPOST_SMALL: "1", FIELDPOST_NEWEST: "1" };
  delete env.NODE_TEST_CONTEXT;  // or it takes itself for a part of this run
  const pattern = only ? [`--test-name-pattern=${only}`] : [];
  const child = spawn(process.execPath, ["--test", "--test-concurrency=1", "--test-reporter=tap", ...pattern, ...files], {
    cwd: join(dirname(fileURLToPath(import.meta.url)), ".."), env, stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  for await (const chunk of child.stdout) out += chunk;
  const count = (word) => Number(out.match(new RegExp(`^# ${word} (\\d+)$`, "m"))?.[1]);
  for (const [, line] of out.matchAll(/^#? *(claim: .*)$/gm)) console.log(line.replace("claim: ", `claim: PostgreSQL ${version}: `));
  assert.equal(count("fail"), 0, out.split("\n").filter((line) => /not ok|error:/.test(line)).join("\n"));
  assert.ok(count("pass") > 0);
  return count("pass");
}

describe("on the newest PostgreSQL", { concurrency: true }, () => {
  test("what the functions promise", async () => {
    const start = performance.now();
    const files = [
      "feed", "push", "first_load", "access", "strangers", "accounts", "install", "howto", "policies", "guest", "rows", "narrowing", "restoring", "digest", "imports", "quiet",
      "search", "records_tables", "records_push", "records_feed", "records_strangers", "clinical", "live",
    ].filter(isDue);
    const passed = await run(files.map((name) => `${name}.test.mjs`));
    console.log(`claim: PostgreSQL ${version}: ${passed} tests of ${files.length} files pass, in ${Math.round((performance.now() - start) / 1000)} s`);
  });

  test("crashes and standbys", async () => {
    await run(["clusters/clusters.test.mjs"], "a crash gives numbers out again|pulls that a standby serves|a copy of the files");
  });
});
