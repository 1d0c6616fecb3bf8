// Makes a tenant of its own for a test: reads {"medics": 2, …} from standard input, prints ids and sign-ins as JSON.
//
// medics (1), admins (1), password, name; conversations: true opens a direct one with every medic; broadcast: true opens
// the organization's; messages: n puts n messages into every conversation; second_org: {…} makes another organization.
import { text } from "node:stream/consumers";

import { owner, stack } from "./lib/stack.mjs";
import { createOrg } from "./lib/tenant.mjs";

const input = (await text(process.stdin)).trim();
const spec = input ? JSON.parse(input) : {};
const sql = owner();

async function make(spec) {
  const org = await createOrg(sql, spec);
  const all = [...(org.conversations ?? []), ...(org.broadcast ? [org.broadcast] : [])];
  if (spec.messages && all.length) {
    await sql`
      insert into public.messages (conversation_id, org_id, sender_id, content)
      select c.id, c.org_id, ${org.admin.user_id}, 'Message ' || n
      from unnest(${all.map((c) => c.id)}::uuid[]) i join public.conversations c on c.id = i, generate_series(1, ${spec.messages}) n
      order by c.id, n`;
  }
  return org;
}

const { url, anon_key } = stack();
const first = await make(spec);
const out = { url, anon_key, ...first };
if (spec.second_org) out.second_org = await make(spec.second_org === true ? {} : spec.second_org);
await sql.end();
console.log(JSON.stringify(out));
