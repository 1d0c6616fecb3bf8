// An apply that is broken off: the CLI is killed, or its connection is, in the middle of the SQL. The old app goes on working, and the
// next apply does the rest. And an apply that meets somebody who does not let go of a table.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { claim } from "../lib/claim.mjs";
import { VERSIONS, add, folder, keepApplied, push, pushing } from "../lib/cli.mjs";
import { Crowd } from "../lib/crowd.mjs";
import { exported } from "../lib/exported.mjs";
import { altered, fingerprint } from "../lib/fingerprint.mjs";
import { Hosted } from "../lib/hosted.mjs";
import { files, released } from "../lib/migrations.mjs";
import { id, shape } from "../lib/shapes.mjs";
import { uuid7 } from "../lib/stack.mjs";
import { ALL, DAY, turn } from "../lib/turn.mjs";

const HERE = 4242;  // the advisory lock at which an apply stands still
const BUSY = ["c_pat", "pat"].map(id);

/** The exported text that stands still after a part, for as long as somebody holds the lock. */
const standing = (after) => files().map(({ text }, i) => (i === after ? `${text}\nselect pg_advisory_lock(${HERE});\nselect pg_advisory_unlock(${HERE});` : text)).join("\n");

/** Asks again and again; what is asked for is an event in the database, which nobody tells us of. */
async function until(what, ask) {
  for (const end = performance.now() + 20_000; performance.now() < end; await pause(10)) {
    const found = await ask();
    if (found) return found;
  }
  throw new Error(`did not happen within 20 s: ${what}`);
}

/** A project of the ordinary shape with its old app, and a superuser who looks on. */
async function ordinary(hosted, version) {
  const project = await hosted.project();
  const { files: own, app } = shape("ordinary");
  const home = folder(own);
  assert.equal((await push(version, home, project.url)).status, 0);
  const crowd = await new Crowd(project, app).learn();
  const sql = project.superuser();
  return { project, home, crowd, sql, end: async () => { await sql.end(); await project.drop(); } };
}

/** Fieldpost works: a first load, a push, and the other one has it. */
async function works(project) {
  const load = await project.call(id("boss"), "bootstrap");
  const message = { id: randomUUID(), kind: "send_message", conversation_id: id("c_ada"), message_id: uuid7(), content: "works" };
  const { results } = await project.call(id("ada"), "push", { p_mutations: [message] });
  assert.equal(results[0].status, "applied", JSON.stringify(results));
  const pull = await project.call(id("boss"), "pull", { p_cursor: load.cursor });
  assert.ok(pull.messages.some((m) => m.id === message.message_id));
}

// After every part of the SQL but the last, which commits.
const breaks = VERSIONS.flatMap((version) => files().slice(0, -1).flatMap((_, place) => ["the CLI is killed", "its connection is ended"].map((how) => ({ version, place, how }))));

describe("an apply that is broken off", () => {
  let hosted;
  before(async () => {
    hosted = await Hosted.make({ newest: !ALL && DAY % 2 === 1 });
    console.log(`broken off, ${ALL ? "all" : `of day ${DAY}`}: PostgreSQL ${hosted.version}`);
  });
  after(() => hosted?.remove());

  // Of nearly two hundred breaks three or four each day.
  for (const { version, place, how } of turn(breaks, 53)) {
    test(`${version}: ${how} after ${files()[place].name}`, async () => {
      const { project, home, crowd, sql, end } = await ordinary(hosted, version);
      try {
        const was = await fingerprint(sql, { except: BUSY });
        const file = exported({ text: standing(place) });
        add(home, file);
        await sql`select pg_advisory_lock(${HERE})`;
        const work = crowd.start("an apply that is broken off");
        const cli = pushing(version, home, project.url);
        let ended = null;
        cli.done.then((result) => (ended = result));
        const pid = await until("the apply stands still", async () => {
          assert.equal(ended, null, ended?.output);
          const [row] = await sql`select l.pid from pg_locks l where l.locktype = 'advisory' and l.objid = ${HERE} and not l.granted
            and l.database = (select oid from pg_database where datname = current_database())`;
          return row?.pid;
        });
        if (how === "the CLI is killed") cli.kill();
        else await sql`select pg_terminate_backend(${pid})`;
        const result = await cli.done;
        await sql`select pg_advisory_unlock(${HERE})`;
        assert.notEqual(result.status, 0);
        await until("its backend is gone", async () => (await sql`select from pg_stat_activity where pid = ${pid}`).length === 0);
        assert.deepEqual((await work.stop()).refused, []);
        assert.deepEqual((await crowd.start("what it left").stop()).refused, []);
        assert.deepEqual(altered(was, await fingerprint(sql, { except: BUSY, columns: was.columns })), []);

        // The operator takes the file that was cut short away and applies the whole one.
        await keepApplied(project, home);
        add(home, exported({ later: 1 }));
        const again = crowd.start("the next apply");
        const next = await push(version, home, project.url);
        const { refused } = await again.stop();
        assert.equal(next.status, 0, next.output);
        assert.deepEqual(refused, []);
        await works(project);
      } finally {
        await end();
      }
    });
  }

  for (const version of turn(VERSIONS.filter((v) => v !== "2.114.0"), 3)) {
    test(`${version}: version 1 that this CLI left half way is completed by the file on top`, async () => {
      const { project, home, crowd, end } = await ordinary(hosted, version);
      try {
        released().forEach((file) => add(home, file));
        const half = await push(version, home, project.url, ["--include-all"]);
        assert.notEqual(half.status, 0, "version 1 stops with this CLI");
        await keepApplied(project, home);
        add(home, exported());
        const next = await push(version, home, project.url, ["--include-all"]);
        assert.equal(next.status, 0, next.output);
        const { refused } = await crowd.start("version 2 over half of version 1").stop();
        assert.deepEqual(refused, []);
        await works(project);
      } finally {
        await end();
      }
    });
  }

  test("somebody reads a table for long: nobody queues behind the apply, which waits its turn", async () => {
    const version = VERSIONS[DAY % VERSIONS.length];
    const { project, home, crowd, sql, end } = await ordinary(hosted, version);
    try {
      add(home, exported());
      const reader = project.superuser();
      await reader.unsafe("begin; select count(*) from public.messages").simple();
      const work = crowd.start("a long report");
      const pushed = push(version, home, project.url);
      // It asks for the table, gives up, and asks again: seen by its lock requests, which are others each time.
      const requests = new Set();
      await until("the apply has asked three times", async () => {
        const waiting = await sql`select l.waitstart::text as at from pg_locks l where l.relation = 'public.messages'::regclass and not l.granted and l.mode ~ 'Exclusive'
          and l.pid in (select pid from pg_stat_activity where usename = 'postgres' and datname = current_database())`;
        waiting.forEach(({ at }) => at && requests.add(at));
        return requests.size >= 3;
      });
      await reader.unsafe("commit").simple();
      await reader.end();
      const result = await pushed;
      const { refused, slowest, requests: made } = await work.stop();
      assert.equal(result.status, 0, result.output);
      assert.deepEqual(refused, []);
      claim(`an apply beside a long report: the old app made ${made} requests, the slowest took ${Math.round(slowest)} ms`);
      assert.ok(slowest < 3000, `somebody waited ${Math.round(slowest)} ms`);
      await works(project);
    } finally {
      await end();
    }
  });
});
