// What Supabase's advisor would say of a project with Fieldpost (lib/advisor.mjs). None of its rules may be broken.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { EXAMPLES, RULES, broken } from "./lib/advisor.mjs";
import { claim } from "./lib/claim.mjs";
import { Hosted } from "./lib/hosted.mjs";
import { apply } from "./lib/migrations.mjs";
import { shape } from "./lib/shapes.mjs";

describe("what the advisor says", () => {
  let hosted;
  before(async () => (hosted = await Hosted.make()));
  after(() => hosted?.remove());

  test("of a new project with Fieldpost: nothing", async () => {
    const project = await hosted.project();
    await apply(project.sql);
    const found = await broken(project.sql, true);
    claim(`advisor: ${RULES.length} rules over a new project with Fieldpost: ${found.length} warnings`);
    assert.equal(found.length, 0, `\n  ${found.join("\n  ")}\n`);
  });

  test("of an existing project: nothing about what is Fieldpost's", async () => {
    const project = await hosted.project();
    for (const { text } of shape("ordinary").files) await project.sql.unsafe(text).simple();
    await apply(project.sql);
    // Where a project has policies of its own, ours stand beside them: they add, and cannot be one with them.
    const found = (await broken(project.sql, false)).filter((line) => !line.startsWith("several permissive"));
    assert.equal(found.length, 0, `\n  ${found.join("\n  ")}\n`);
  });

  test("every rule sees what it looks for, and nothing where there is nothing", async () => {
    const project = await hosted.project();
    await project.sql.unsafe("create schema fieldpost");
    const admin = project.superuser();
    await admin.unsafe("drop extension if exists pgcrypto; create unique index on auth.users (email)").simple();
    assert.deepEqual(await broken(project.sql, false), []);
    assert.deepEqual(Object.keys(EXAMPLES), RULES.map(([rule]) => rule));
    for (const [rule, text] of Object.entries(EXAMPLES)) {
      await project.sql.begin(async (tx) => {
        await tx.unsafe(text).simple();
        const found = await broken(tx, false);
        assert.ok(found.some((line) => line.startsWith(`${rule}: `)), `${rule}\n${found.join("\n")}`);
        throw "undone";
      }).catch((reason) => {
        if (reason !== "undone") throw reason;
      });
    }
    await admin.end();
  });
});
