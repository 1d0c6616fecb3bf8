// A server of one test's own that can be set back to how it was: PostgreSQL, Supabase Lite, a tenant. Reads the tenant's
// spec (see provision.mjs) as the first line of standard input and prints {url, anon_key, org}; then one word a line:
// "backup" copies the database's files, "restore" puts them back on a new timeline. Each is answered with a line. When
// standard input ends, everything is gone.
import { createInterface } from "node:readline";

import { Cluster } from "./lib/cluster.mjs";
import { stack } from "./lib/stack.mjs";
import { createOrg } from "./lib/tenant.mjs";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (value) => console.log(JSON.stringify(value));
const spec = JSON.parse((await lines.next()).value);

const cluster = await Cluster.make();
process.env.FIELDPOST_STACK = await cluster.serve();
const { url, anon_key } = stack();
const { sql } = cluster.open();
const org = await createOrg(sql, spec);
await sql.end();
say({ url, anon_key, org });

let copy;
const verbs = {
  backup: async () => (copy = await cluster.backup({ wal: true })),
  restore: async () => {
    cluster.stop("immediate");
    await cluster.restore(copy, {
      signal: "recovery", settings: { restore_command: "false", recovery_target: "immediate", recovery_target_action: "promote" },
    });
    // Lite finds out with its next request that its connections are gone.
    for (let i = 0; i < 100; i++) {
      const { status } = await fetch(`${url}/rest/v1/organizations?limit=1`, { headers: { apikey: anon_key } });
      if (status < 500) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error("Supabase Lite does not find its database again");
  },
};
for await (const verb of lines) {
  await verbs[verb]();
  say({ done: verb });
}
cluster.remove();
process.exit(0);
