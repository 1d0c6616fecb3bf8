// The demo organization, made once: prints its sign-ins as JSON. Reads {"database_url"} from standard input.
import { text } from "node:stream/consumers";

import { owner } from "./lib/stack.mjs";
import { createOrg } from "./lib/tenant.mjs";

const PASSWORD = "fieldpost-demo";
const PEOPLE = [
  { email: "admin@fieldpost.test", role: "org_admin" },
  { email: "ada@fieldpost.test", role: "medic", first_name: "Ada", last_name: "Moss" },
  { email: "ben@fieldpost.test", role: "medic", first_name: "Ben", last_name: "Okafor" },
];

const sql = owner({ url: JSON.parse(await text(process.stdin)).database_url });
const [there] = await sql`select from auth.users where email = ${PEOPLE[0].email}`;
if (!there) {
  await createOrg(sql, { name: "Fieldpost Demo", password: PASSWORD, people: PEOPLE.map((p) => ({ ...p })) });
}
await sql.end();
console.log(JSON.stringify(PEOPLE.map(({ email, role }) => ({ email, password: PASSWORD, role }))));
