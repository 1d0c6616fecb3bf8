// A database of its own, for tests that break the rules of a shared one: TRUNCATE, an older schema, a second apply. It has
// a stand-in for the auth schema, and is made and used by the owner, who is no superuser.
import { randomUUID } from "node:crypto";

import { apply, clinical, script } from "./migrations.mjs";
import { owner, stack } from "./stack.mjs";

/** A new database of the stack's cluster. */
export async function scratch({ max = 4 } = {}) {
  const name = `scratch_${randomUUID().slice(0, 8)}`;
  const admin = owner();
  await admin.unsafe(`create database ${name}`);
  const url = new URL(stack().database_url);
  url.pathname = `/${name}`;
  const db = database(url.href, { max });
  await prepare(db.sql);
  return {
    ...db,
    drop: async () => {
      await db.sql.end();
      await admin.unsafe(`drop database ${name}`);
      await admin.end();
    },
  };
}

/** What a Supabase project has before anything of Fieldpost's, without GoTrue. */
export const prepare = (sql) =>
  sql.unsafe(`
    create schema auth;
    create table auth.users (id uuid primary key, email text);
    create function auth.uid() returns uuid language sql stable as
      $$ select nullif(current_setting('request.jwt.claim.sub', true), '')::uuid $$;
    grant usage on schema public to anon, authenticated, service_role;
    alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
    alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
  `);

/** A database, by SQL alone: to apply Fieldpost to, and to call its functions as anybody. */
export function database(url, options = {}) {
  const sql = owner({ url, max: 4, ...options });
  return {
    sql,
    url,
    apply: (options) => apply(sql, script(options)),
    clinical: () => apply(sql, clinical()),
    /** One of the four functions as a person, in a transaction of its own. */
    call: (user_id, name, args = {}) =>
      sql.begin(async (tx) => {
        await tx`select set_config('request.jwt.claim.sub', ${user_id}, true)`;
        await tx`set local role authenticated`;
        const named = { p_protocol: 1, p_app: "tests", ...args };
        const list = Object.keys(named).map((key, i) => `${key} => $${i + 1}`).join(", ");
        const [row] = await tx.unsafe(`select public.fieldpost_${name}(${list}) as answer`, Object.values(named));
        return row.answer;
      }),
  };
}
