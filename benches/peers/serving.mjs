// The cost of Fieldpost's functions on PostgreSQL, compared with plain SQL that moves the same rows; both get the same
// JSON. Each client has its own connection; the clients share the calls of a round. The plain table has the columns and
// indexes of `messages`, but neither triggers nor policies.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

// The stack's own packages: these two are no peers, and run even if no peer is installed.
const postgres = createRequire(new URL("../../tests/supabase/package.json", import.meta.url))("postgres");
const CALLS = 16;
const path = process.env.FIELDPOST_STACK ?? new URL("../../.fieldpost/supabase-benches/stack.json", import.meta.url);
const stack = JSON.parse(readFileSync(path, "utf8"));
const task = JSON.parse(await text(process.stdin));
const sql = postgres(stack.database_url, { max: Math.max(...task.clients), onnotice: () => {} });

/** As the signed-in admin, the way PostgREST calls. */
const signedIn = (work) =>
  sql.begin(async (tx) => {
    const claims = JSON.stringify({ sub: task.user_id, role: "authenticated" });
    await tx`select set_config('request.jwt.claim.sub', ${task.user_id}, true), set_config('request.jwt.claims', ${claims}, true),
      set_config('role', 'authenticated', true)`;
    return work(tx);
  });

const batch = () =>
  Array.from({ length: task.push }, (_, n) => ({
    id: randomUUID(), kind: "send_message", conversation_id: task.conversations[n % task.conversations.length], message_id: randomUUID(),
    message_type: "text", content: `Patient ${n} is stable, bandage changed, next check in two hours at gate B`,
    composed_at: "2026-01-31T08:15:00.123456Z",
  }));

async function push(elements) {
  const [row] = await signedIn((tx) => tx`
    select public.fieldpost_push(1, 'bench', '{}', (select array_agg(e) from jsonb_array_elements(${JSON.stringify(elements)}::text::jsonb) e)) as answer`);
  const applied = row.answer.results?.filter((result) => result.status === "applied").length;
  if (applied !== elements.length) throw new Error(`push: ${JSON.stringify(row.answer).slice(0, 300)}`);
}

const insert = (elements) => sql`
  insert into bench.messages (id, conversation_id, org_id, sender_id, message_type, content, composed_at)
  select (e->>'message_id')::uuid, (e->>'conversation_id')::uuid, ${task.org_id}, ${task.user_id}, e->>'message_type', e->>'content',
    (e->>'composed_at')::timestamptz
  from jsonb_array_elements(${JSON.stringify(elements)}::text::jsonb) e`;

async function pull(cursor) {
  const [row] = await signedIn((tx) => tx`select public.fieldpost_pull(1, 'bench', '{}', ${cursor}, ${task.pull}) as answer`);
  if (row.answer.messages?.length !== task.pull) throw new Error(`pull: ${JSON.stringify(row.answer).slice(0, 300)}`);
}

async function select() {
  const [row] = await sql`
    select jsonb_agg(to_jsonb(m)) as answer from (
      select id, conversation_id, sender_id, message_type, content, metadata, status, seq, composed_at, created_at, updated_at, version
      from bench.messages where org_id = ${task.org_id} order by conversation_id, seq limit ${task.pull}) m`;
  if (row.answer.length !== task.pull) throw new Error("select: too few rows");
}

/** The same number of calls, whoever makes them. */
async function timed(clients, work, inputs) {
  const started = performance.now();
  const queue = [...inputs];
  await Promise.all(Array.from({ length: clients }, async () => {
    while (queue.length) await work(queue.pop());
  }));
  return (performance.now() - started) / 1000;
}

await sql`drop schema if exists bench cascade`;
await sql`create schema bench`;
await sql`create table bench.messages (like public.messages including all)`;
const [{ answer: start }] = await signedIn((tx) => tx`select public.fieldpost_bootstrap(1, 'bench', '{}', null, 1, 1) as answer`);
const lines = [];
const calls = Array.from({ length: CALLS });
for (let round = 0; round < task.rounds; round += 1) {
  for (const clients of task.clients) {
    const note = async (what, rows, subject, work, inputs) => {
      const who = `${clients} client${clients > 1 ? "s" : ""}`;
      lines.push({ case: `${what} ${rows}, ${who}`, subject, round, seconds: await timed(clients, work, inputs), rows: rows * CALLS });
    };
    const batches = calls.map(batch);
    await note("push", task.push, "fieldpost", push, batches);
    await note("push", task.push, "plain SQL", insert, batches);
    await note("pull", task.pull, "fieldpost", pull, calls.map(() => start.cursor));
    await note("pull", task.pull, "plain SQL", select, calls);
  }
}
await sql`drop schema bench cascade`;
await sql.end();
console.log(JSON.stringify(lines));
