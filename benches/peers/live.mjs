// Two people with supabase-js alone: one writes by rpc, the other one listens to her private topic and fetches what is new by rpc. There
// is no local file, no outbox and no order: what is left is what the transport takes. For benches/src/hearing.
//
// The first line of standard input says who they are; "ready" when the reader hears. Each further line is a message; its answer says how
// many seconds passed until the writer knew that the server has it, and until the reader had it.
import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";

import WebSocket from "ws";

const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const spec = JSON.parse((await lines.next()).value);
const { createClient } = await import(spec.package);

async function checked(query) {
  const { data, error } = await query;
  if (error) throw error;
  if (data.error) throw new Error(JSON.stringify(data.error));
  return data;
}

/** A client of somebody who is signed in. Node 20 has no WebSocket of its own. */
async function signedIn({ url, email, password }) {
  const client = createClient(url, spec.key, { auth: { persistSession: false, autoRefreshToken: false }, realtime: { transport: WebSocket } });
  const { data, error } = await client.auth.signInWithPassword({ email, password });
  if (error) throw error;
  return { client, id: data.user.id };
}

const envelope = { p_protocol: 1, p_app: "supabase-js", p_capabilities: [] };
const [writer, reader] = await Promise.all([spec.writer, spec.reader].map(signedIn));

/** What the reader waits for, and what is called when it is there. */
let awaited;
const start = await checked(reader.client.rpc("fieldpost_bootstrap", envelope));
const thread = start.conversations.find((conversation) => conversation.kind === "direct").id;
let { cursor } = start;

/** One fetch at a time; a hint that comes meanwhile is followed by another one. */
let [fetching, again] = [false, false];
async function fetchNew() {
  again = true;
  if (fetching) return;
  fetching = true;
  while (again) {
    again = false;
    const page = await checked(reader.client.rpc("fieldpost_pull", { ...envelope, p_cursor: cursor }));
    cursor = page.cursor;
    if (page.messages?.some((message) => message.id === awaited?.id)) awaited.arrived();
  }
  fetching = false;
}

await new Promise((ready, failed) => {
  const config = { private: true, broadcast: { replication_ready: true } };
  reader.client
    .channel(`fieldpost:user:${reader.id}`, { config })
    .on("broadcast", { event: "hint" }, fetchNew)
    .on("system", {}, ({ status, message }) => (status === "ok" ? ready() : failed(new Error(message))))
    .subscribe((status, error) => error && failed(error));
});
// The line is open before the first message, as that of a phone in use.
await checked(writer.client.rpc("fieldpost_bootstrap", envelope));
say({ ready: true });

async function send(content) {
  const message_id = randomUUID();
  const seen = new Promise((arrived) => (awaited = { id: message_id, arrived: () => arrived(performance.now()) }));
  const cpu = process.cpuUsage();
  const started = performance.now();
  const element = { id: randomUUID(), kind: "send_message", conversation_id: thread, message_id, message_type: "text", content };
  const { results } = await checked(writer.client.rpc("fieldpost_push", { ...envelope, p_mutations: [element] }));
  const acknowledged = performance.now();
  if (results[0].status !== "applied") throw new Error(JSON.stringify(results));
  const at = await seen;
  const used = process.cpuUsage(cpu);
  return { acknowledged: (acknowledged - started) / 1e3, seen: (at - started) / 1e3, cpu: (used.user + used.system) / 1e6 };
}

for await (const line of lines) say(await send(JSON.parse(line).send));
process.exit(0);
