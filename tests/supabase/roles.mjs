// Gives a bare PostgreSQL the roles and the default privileges of a hosted Supabase project. Reads {superuser_url,
// owner_password} from standard input.
import { text } from "node:stream/consumers";

import { makeRoles } from "./lib/project.mjs";
import { owner } from "./lib/stack.mjs";

const { superuser_url, owner_password } = JSON.parse(await text(process.stdin));
const sql = owner({ url: superuser_url });
await makeRoles(sql, owner_password);
await sql.end();
