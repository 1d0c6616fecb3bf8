// Every shape of tests/projects, with every version of the CLI: installed on the bare project and over version 1, applied again, used,
// and removed as documented, while the old app is at work. Nothing of the project may be altered and nobody refused.
//
// A part of it runs each day; FIELDPOST_PROJECTS=all runs everything, FIELDPOST_PROJECTS=<n> the part of day n.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { claim } from "../lib/claim.mjs";
import { VERSIONS } from "../lib/cli.mjs";
import { Hosted } from "../lib/hosted.mjs";
import { shapes } from "../lib/shapes.mjs";
import { ALL, DAY } from "../lib/turn.mjs";
import { live } from "./life.mjs";

const only = process.env.FIELDPOST_SHAPE?.split(",");
const all = shapes().filter((shape) => !only || only.includes(shape.name));

/** [{shape, version, path}] of one server, today: a half of the shapes, each day the other, with all else changing more slowly. */
function today(server) {
  return all.flatMap((shape, i) => {
    if (ALL) return VERSIONS.flatMap((version) => ["fresh", "upgrade"].map((path) => ({ shape, version, path })));
    const [round, turn] = [Math.floor(DAY / 2), i >> 1];
    if (!only && ((i + DAY) % 2 || (turn + round) % 2 !== server)) return [];
    return [{
      shape,
      version: VERSIONS[(turn + (round >> 1)) % VERSIONS.length],
      path: ((turn >> 2) + (round >> 3)) % 2 ? "fresh" : "upgrade",
    }];
  });
}

const totals = { lives: 0, requests: 0, slowest: 0, who: "" };
for (const [server, newest] of [false, true].entries()) {
  const lives = today(server);
  describe(`projects on PostgreSQL ${newest ? "newest" : "15"}`, { skip: lives.length === 0 }, () => {
    let hosted;
    before(async () => {
      hosted = await Hosted.make({ newest });
      const names = lives.map(({ shape, version, path }) => `${shape.name} (${version} ${path})`);
      console.log(`${ALL ? "all" : `of day ${DAY}`}, on PostgreSQL ${hosted.version}: ${ALL ? `${lives.length} lives` : names.join(", ")}`);
    });
    after(() => hosted?.remove());

    for (const { shape, version, path } of lives) {
      test(`${shape.name}, CLI ${version}, ${path === "fresh" ? "on the bare project" : "over version 1"}: ${shape.title}`, async () => {
        const { findings, requests, slowest, who } = await live(hosted, shape, version, path);
        totals.lives++;
        totals.requests += requests;
        if (slowest > totals.slowest) Object.assign(totals, { slowest, who: `${shape.name}: ${who}` });
        assert.equal(findings.length, 0, `${findings.length} findings\n  ${findings.join("\n  ")}\n`);
      });
    }
  });
}

after(() => {
  if (totals.lives) {
    claim(`existing projects: ${totals.lives} lives of ${all.length} shapes with ${VERSIONS.length} CLI versions (${ALL ? "all" : `the part of day ${DAY}`}): ` +
      `old apps made ${totals.requests} requests meanwhile, the slowest took ${Math.round(totals.slowest)} ms (${totals.who})`);
  }
});
