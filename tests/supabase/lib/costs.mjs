// What a call costs, in pages of memory that it touches: no busy machine changes that. Plans are those that the functions really
// ran: auto_explain shows the statements inside them.
import assert from "node:assert/strict";

import { scratch } from "./scratch.mjs";
import { owner, stack } from "./stack.mjs";

/** Tables that grow. Nothing on the hot paths may read one of them from end to end. */
export const GROWING = ["messages", "conversations", "conversation_read_status", "tombstones", "people", "access_log", "conversation_aliases",
  "deleted_conversations", "recency", "message_reactions", "reaction_counts", "message_reports", "reported_texts", "conversation_settings"];

const args = (named) => Object.entries({ p_protocol: 1, ...named }).map(([k, v]) => `${k} => ${typeof v === "string" ? `'${v}'` : v}`).join(", ");

/** A scratch database with Fieldpost's SQL, seen as the superuser. */
export async function costs() {
  const db = await scratch();
  await db.apply();
  const url = new URL(stack().superuser_url);
  url.pathname = new URL(db.url).pathname;
  const notices = [];
  const boss = owner({ url: url.href, onnotice: (n) => notices.push(n.message) });

  /** Runs SQL with every trigger and foreign key off. */
  const fill = (text) => boss.begin(async (tx) => {
    await tx.unsafe("set local session_replication_role = replica");
    await tx.unsafe(text).simple();
  });

  /** One call as a person: its answer, the pages it touched, the plans it ran. Keeps nothing. No plan may read `big` tables whole. */
  async function run(big, who, name, named = {}) {
    let result;
    const text = `select public.fieldpost_${name}(${args(named)}) as answer`;
    await boss.begin(async (tx) => {
      await tx.unsafe(`load 'auto_explain'; set local auto_explain.log_min_duration = 0; set local auto_explain.log_nested_statements = on;
        set local auto_explain.log_level = 'notice'; set local auto_explain.log_verbose = off; set local statement_timeout = '8s';
        set local request.jwt.claim.sub = '${who}'; set local role authenticated`).simple();
      const assigned = "select pg_current_xact_id_if_assigned()::text as xid";
      const start = performance.now();
      await tx`savepoint before`;
      const [{ answer }] = await tx.unsafe(text);
      const ms = performance.now() - start;
      assert.equal(answer.error, undefined);
      await tx`rollback to savepoint before`;
      if (!name.endsWith("push")) assert.equal((await tx.unsafe(assigned))[0].xid, null, `${name} assigns a transaction id`);
      notices.length = 0;
      const [row] = await tx.unsafe(`explain (analyze, buffers, timing off, format json) ${text}`);
      const [{ Plan: plan }] = row["QUERY PLAN"];
      result = { answer, ms, pages: plan["Shared Hit Blocks"] + plan["Shared Read Blocks"], plans: notices.filter((n) => n.includes("plan:")) };
      throw "undo";
    }).catch((e) => assert.equal(e, "undo"));
    for (const table of big) {
      const scan = result.plans.find((p) => p.includes(`Seq Scan on ${table} `));
      assert.ok(!scan, `${name} reads ${table} from end to end:\n${scan}`);
    }
    assert.ok(result.plans.length > 3, "the plans inside the function are seen");
    return result;
  }

  const drop = async () => {
    await boss.end();
    await db.drop();
  };
  return { db, boss, fill, run, drop };
}

/** An id, as SQL, that says what it is of: so that rows can name each other without a look. */
export const id = (kind, n) => `('00000000-0000-7000-800${kind}-' || lpad(to_hex(${n}), 12, '0'))::uuid`;
