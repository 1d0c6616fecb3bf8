// `fieldpost sql clinical`, applied by the real Supabase CLI after the main file, in the versions that people have.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { claim } from "../lib/claim.mjs";
import { VERSIONS, add, folder, push } from "../lib/cli.mjs";
import { exported } from "../lib/exported.mjs";
import { Hosted } from "../lib/hosted.mjs";
import { clinical } from "../lib/migrations.mjs";

describe("the clinical file", () => {
  let hosted;
  before(async () => (hosted = await Hosted.make({ newest: true })));
  after(() => hosted?.remove());

  test("is applied by every CLI after the main file, and refused before it", async () => {
    const file = { name: exported({ later: 60 }).name.replace("fieldpost_v2", "fieldpost_clinical"), text: clinical() };
    for (const version of VERSIONS) {
      const project = await hosted.project();
      const path = folder([exported()]);
      const first = await push(version, path, project.url);
      assert.equal(first.status, 0, first.output);
      add(path, file);
      const second = await push(version, path, project.url);
      assert.equal(second.status, 0, `${version}: ${second.output}`);
      const offered = await project.sql`select name from fieldpost.offered_tables() order by 1`;
      assert.deepEqual(offered.map((o) => o.name), ["near_misses", "safety_checks", "treatments", "workers"], version);
      await project.drop();
    }
    const bare = await hosted.project();
    const refused = await push(VERSIONS.at(-1), folder([file]), bare.url);
    assert.notEqual(refused.status, 0);
    assert.match(refused.output, /Fieldpost is not installed, or an older version of it/);
    await bare.drop();
    claim(`clinical tables: applied by the Supabase CLI ${VERSIONS.join(", ")} after the main file`);
  });
});
