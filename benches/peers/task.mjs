// The task of a process, in the protocol of benches/src/peer_client.rs: a task on the first line of standard input,
// "ready" on standard output after the preparation, a line to start, and one line of JSON at the end. A further line
// means that the time is over: then the process reports its progress.
import { createInterface } from "node:readline";

import { createClient } from "@supabase/supabase-js";

// Standard output is for the harness; other output of libraries is suppressed.
const say = (line) => process.stdout.write(`${line}\n`);
console.log = console.info = console.warn = () => {};

/** Runs `tasks[task.task]`, which prepares and returns what is to be timed; that returns facts. */
export async function run(tasks) {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const task = JSON.parse((await lines.next()).value);
  const client = createClient(task.url, task.key, { auth: { persistSession: false, autoRefreshToken: false } });
  const { error } = await client.auth.signInWithPassword({ email: task.email, password: task.password });
  if (error) throw error;
  const begin = await tasks[task.task](client, task);
  say("ready");
  await lines.next();
  const cpu = process.cpuUsage();
  const started = performance.now();
  const stopped = lines.next().then(async () => ({ arrived: await tasks.arrived?.() }));
  const facts = (await Promise.race([begin(() => performance.now() - started), stopped])) ?? {};
  const seconds = facts.seconds ?? (performance.now() - started) / 1000;
  delete facts.seconds;
  const used = process.cpuUsage(cpu);
  const peak_MiB = process.resourceUsage().maxRSS / 1024;
  say(JSON.stringify({ seconds, cpu: (used.user + used.system) / 1e6, facts: { ...facts, peak_MiB } }));
  process.stdout.write("", () => process.exit(0));
}

/** Throws what supabase-js returns as an error. */
export const checked = async (query) => {
  const { data, error } = await query;
  if (error) throw error;
  return data;
};

/** The conversations of a first screen. */
export const SCREEN = 20;
