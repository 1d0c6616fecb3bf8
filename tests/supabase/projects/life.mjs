// The life of one project with Fieldpost: as it was, with it, and after it. The old app is at work during every step.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

import { add, folder, keepApplied, push } from "../lib/cli.mjs";
import { Crowd, answer } from "../lib/crowd.mjs";
import { applyReleased, documented, exported } from "../lib/exported.mjs";
import { altered, fingerprint, installed, left, stamps } from "../lib/fingerprint.mjs";
import { released, apply as applyText } from "../lib/migrations.mjs";
import { id } from "../lib/shapes.mjs";
import { uuid7 } from "../lib/stack.mjs";

// Where the old app is at work: rows that name one of these are its own.
const BUSY = ["c_pat", "pat"].map(id);

/** All that went wrong, so that one failure does not hide another. */
class Findings {
  list = [];
  add(step, lines) {
    [lines].flat().forEach((line) => this.list.push(`${step}: ${line}`));
  }
  async step(name, run) {
    await run().catch((error) => this.add(name, error.message.split("\n").slice(0, 12).join("\n    ")));
  }
}

/** `since`: an answer that version 1 has brought about, and that may stay. */
async function hold(project, findings, step, checks) {
  for (const check of checks) {
    const found = await answer(project, check);
    if (![...check.wanted.split(" or "), check.since].includes(found)) findings.add(step, `${check.name}\n    is "${found}" and should be "${check.wanted}"`);
  }
}

const look = async (project, options) => {
  const sql = project.superuser();
  try {
    return await fingerprint(sql, { except: BUSY, ...options });
  } finally {
    await sql.end();
  }
};

/**
 * Lives it through. `path`: "fresh" (the file on the bare project) or "upgrade" (version 1 first). Answers {findings, requests,
 * slowest}; whoever calls judges.
 */
export async function live(hosted, shape, version, path) {
  const project = await hosted.project();
  const findings = new Findings();
  const figures = { requests: 0, slowest: 0, who: "", apply: 0 };
  try {
    const home = folder(shape.files);
    if (shape.files.length) {
      const made = await push(version, home, project.url);
      assert.equal(made.status, 0, `the shape itself: ${made.output}`);
    }
    const crowd = await new Crowd(project, shape.app).learn();
    await hold(project, findings, "before", shape.always);

    /** Does a step with the old app at work. */
    const during = async (step, run) => {
      const work = crowd.start(step);
      await findings.step(step, run);
      const { refused, requests, slowest, who } = await work.stop();
      figures.requests += requests;
      if (slowest > figures.slowest) Object.assign(figures, { slowest, who: `${who}, ${step}` });
      findings.add("the old app", refused);
    };
    const rows = shape.flags.rows !== "many";
    const context = { project, shape, version, home, findings, figures, during, rows, known: new Set() };
    context.before = await look(project, { rows });
    if (path === "upgrade") {
      await versionOne(context);
      await crowd.relearn();
      for (const check of shape.always) check.since = await answer(project, check);
      // What version 1 altered is done. Its rows are the ones to keep now.
      const since = await look(project, { rows, columns: context.before.columns });
      context.known = new Set(altered({ ...context.before, rows: new Map() }, since));
      context.before.rows = since.rows;
    }
    context.altered = async () => altered(context.before, await look(project, { rows, columns: context.before.columns })).filter((line) => !context.known.has(line));
    if (await apply(context)) {
      await again(context);
      await use(context);
      // Where row level security was off, the operator has to write policies before removing it, as the documentation says.
      if (shape.flags.stops === undefined) await remove(context);
    }
  } finally {
    await project.drop();
  }
  return { findings: findings.list, ...figures };
}

/**
 * Version 1: by this CLI if it can apply it, else by plain SQL, as people did. What that does to a running app is known, and why there
 * is a version 2. On some shapes it stops half way: then the operator takes the files that were not applied out of the folder.
 */
async function versionOne(context) {
  const { project, shape, version, home, findings } = context;
  const stops = shape.flags.v1 !== undefined;
  if (version === "2.114.0") {
    released().forEach((file) => add(home, file));
    const { status, output } = await push(version, home, project.url, ["--include-all"]);
    if ((status !== 0) !== stops) findings.add("version 1", output.slice(-700));
    await keepApplied(project, home);
    context.upgraded = status === 0;
  } else {
    const error = await applyReleased(project.sql).catch((error) => error);
    if (Boolean(error) !== stops) findings.add("version 1", error?.message ?? "was applied to a shape that it stops at");
    context.upgraded = !error;
  }
}

/** The exported file. Answers whether it is installed now. */
async function apply(context) {
  const { project, shape, version, home, findings, figures, during } = context;
  let result;
  const file = exported();
  const { refused, stops: asks, adapts, erases } = shape.flags;
  const stops = context.upgraded ? undefined : asks;  // version 1 did not ask
  await during("apply", async () => {
    add(home, file);
    const begun = performance.now();
    result = await push(version, home, project.url, ["--include-all"]);
    figures.apply = performance.now() - begun;
  });
  if (refused ?? stops) {
    const expression = new RegExp(refused ?? stops, "i");
    if (result.status === 0) findings.add("apply", `should have stopped with ${expression}`);
    else if (!expression.test(result.output)) findings.add("apply", `should say ${expression} and says\n    ${result.output.trim().slice(-500)}`);
    if (result.status !== 0) findings.add("after it stopped", await context.altered());
    await hold(project, findings, "after it stopped", shape.always);
    return stops !== undefined && adopt(context, file.name);
  }
  if (result.status !== 0) {
    findings.add("apply", `the CLI stopped: ${result.output.trim().slice(-700)}`);
    findings.add("after it stopped", await context.altered());
    return false;
  }
  const expected = new RegExp(adapts ?? erases ?? "^$");
  findings.add("apply", (await context.altered()).filter((line) => !expected.test(line)));
  if (shape.operator) await findings.step("what the operator does", () => project.sql.begin((tx) => tx.unsafe(shape.operator).simple()));
  return true;
}

/** The operator agrees: what was stopped at is changed now, so the old app is not what it was, and neither is what it is answered. */
async function adopt({ project, version, home, findings }, name) {
  await keepApplied(project, home);
  add(home, exported({ later: 1, adopt: true }));
  const { status, output } = await push(version, home, project.url, ["--include-all"]);
  if (status !== 0) findings.add("apply with --adopt", `after ${name} had stopped: ${output.slice(-700)}`);
  return false;
}

/** The same version once more, as the file of another day: nothing changes, and no client hears of anything. */
async function again({ project, version, home, findings, during }) {
  const sql = project.superuser();
  const [was, rows] = [await installed(sql), await stamps(sql, [id("c_pat"), id("c_all")])];
  await during("applying again", async () => {
    add(home, exported({ later: 5 }));
    const { status, output } = await push(version, home, project.url, ["--include-all"]);
    assert.equal(status, 0, output);
  });
  await findings.step("applying again", async () => assert.deepEqual(await installed(sql), was));
  await findings.step("applying again", async () => assert.deepEqual(await stamps(sql, [id("c_pat"), id("c_all")]), rows));
  await sql.end();
}

const send = (conversation, content) => ({ id: randomUUID(), kind: "send_message", conversation_id: conversation, message_id: uuid7(), content });

/** People of the project use Fieldpost: first load, push, pull, history, a read marker; and the old app sees what they wrote. */
async function use({ project, shape, findings, during }) {
  await during("use", async () => {
    await hold(project, findings, "use", [...shape.always, ...shape.holds]);
    const [medic, admin, name = "c_ada"] = (shape.flags.use ?? "ada boss c_ada").split(" ");
    if (medic === "nobody") return;
    const [ada, boss] = [id(medic), id(admin)];
    const conversation = name === "none" ? randomUUID() : id(name);
    if (name === "none") {
      const { results } = await project.call(boss, "push", { p_mutations: [{ id: randomUUID(), kind: "open_direct", conversation_id: conversation, medic_id: id(`m_${medic}`) }] });
      assert.equal(results[0].status, "applied", JSON.stringify(results));
    }
    const first = await project.call(ada, "bootstrap");
    const page = await project.call(boss, "bootstrap");
    assert.equal(first.error, undefined, JSON.stringify(first.error));
    assert.ok(first.conversations.some((c) => c.id === conversation), "the first load has the conversation");
    const [{ n }] = await project.sql`select count(*)::int as n from public.messages where conversation_id = ${conversation}`;
    const loaded = first.messages.filter((m) => m.conversation_id === conversation).map((m) => Number(m.seq)).sort((a, b) => a - b);
    if (shape.flags.hides === undefined) assert.deepEqual(loaded, Array.from({ length: n }, (_, i) => i + 1), "all that there was, numbered");

    const hello = send(conversation, "hello from ada");
    const { results } = await project.call(ada, "push", { p_mutations: [hello] });
    if (shape.flags.push) {
      assert.equal(results[0].status, "rejected", JSON.stringify(results));
      assert.match(`${results[0].code}: ${results[0].detail}`, new RegExp(`refused: .*${shape.flags.push}`));
      return;
    }
    assert.equal(results[0].status, "applied", JSON.stringify(results));
    assert.equal((await project.call(ada, "push", { p_mutations: [hello] })).results[0].status, "duplicate");
    const pulled = await project.call(boss, "pull", { p_cursor: page.cursor });
    assert.ok(pulled.messages.some((m) => m.id === hello.message_id), "the admin pulls it");
    const reply = send(conversation, "hello from boss");
    assert.equal((await project.call(boss, "push", { p_mutations: [reply] })).results[0].status, "applied");
    const back = await project.call(ada, "pull", { p_cursor: first.cursor });
    assert.ok(back.messages.some((m) => m.id === reply.message_id), "the medic pulls the answer");
    const past = await project.call(ada, "history", { p_conversation: conversation, p_before_seq: 1000, p_limit: 5 });
    assert.equal(past.error, undefined, JSON.stringify(past.error));
    assert.ok(past.messages.some((m) => m.id === reply.message_id), "history has it");
    const mark = { id: randomUUID(), kind: "mark_read", conversation_id: conversation, read_seq: 1 };
    const [marked] = (await project.call(ada, "push", { p_mutations: [mark] })).results;
    assert.ok(["applied", "duplicate"].includes(marked.status), JSON.stringify(marked));
    const seen = await answer(project, { user: boss, text: `select content from public.messages where id = '${hello.message_id}'` });
    if (name !== "none") assert.equal(seen, "hello from ada", "the old app sees it");
  });
}

/** The documented removal: what was there before is as it was, and the old app goes on. */
async function remove({ project, shape, findings, during, altered }) {
  await during("removal", () => applyText(project.sql, documented("Removing it")));
  const sql = project.superuser();
  const remains = await left(sql);
  if (remains.length) findings.add("after removal", `${remains.length} things of Fieldpost are left: ${remains.slice(0, 8).join(", ")}`);
  await sql.end();
  const known = new Set(findings.list.map((line) => line.replace(/^[^:]*: /, "")));
  const erased = new RegExp(shape.flags.erases ?? "^$");
  findings.add("after removal", (await altered()).filter((line) => !known.has(line) && !erased.test(line)));
  await hold(project, findings, "after removal", shape.always);
}
