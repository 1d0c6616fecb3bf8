// Makes a database anew in the running cluster, as the owner of the schema: reads {"database_url", "name", "template"} from
// standard input. Without a template it gets what a new Supabase project has in its schema `public`. With {"drop": true}
// the old one is dropped and none is made.
import { text } from "node:stream/consumers";

import { owner } from "./lib/stack.mjs";
import { dropDatabase } from "./lib/databases.mjs";

const { database_url, name, template, drop } = JSON.parse(await text(process.stdin));
const sql = owner({ url: database_url });
await dropDatabase(sql, name);
if (!drop) await sql.unsafe(`create database ${name}${template ? ` template ${template}` : ""}`);
await sql.end();
if (!drop && !template) {
  const url = new URL(database_url);
  url.pathname = `/${name}`;
  const fresh = owner({ url: url.href });
  await fresh.unsafe(`
    grant usage on schema public to anon, authenticated, service_role;
    alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
    alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
    alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;
  `);
  await fresh.end();
}
