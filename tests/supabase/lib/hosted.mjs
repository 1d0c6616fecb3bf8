// A cluster like a hosted Supabase project: who owns what, who may what, and how long anybody may wait. Every project in it is a
// database of its own, made from one template, with Realtime's schema. Nothing here is Fieldpost's.
import { randomUUID } from "node:crypto";

import { Cluster } from "./cluster.mjs";
import { owner } from "./stack.mjs";
import { dropDatabase } from "./databases.mjs";
import { installRealtime } from "./realtime.mjs";

/** How long a request of each role may take, as hosted projects set it. */
export const TIMEOUTS = { anon: "3s", authenticated: "8s" };

// Roles are the cluster's: made once. `authenticator` is whom PostgREST signs in as.
const ROLES = (password) => `
  create role supabase_auth_admin noinherit createrole login;
  alter role authenticator login password '${password}';
  alter role authenticator set statement_timeout = '8s';
  alter role authenticator set lock_timeout = '8s';
  alter role anon set statement_timeout = '${TIMEOUTS.anon}';
  alter role authenticated set statement_timeout = '${TIMEOUTS.authenticated}';
  alter role postgres set search_path = "$user", public, extensions;
`;

// What a new project's database has. GoTrue's tables belong to another role; the owner of the project may read and reference them.
const PROJECT = `
  create schema extensions;
  grant usage on schema extensions to postgres, anon, authenticated, service_role;
  create schema auth authorization supabase_auth_admin;
  set role supabase_auth_admin;
  create table auth.users (
    id uuid primary key, aud text, role text, email text, phone text, is_anonymous boolean not null default false,
    raw_app_meta_data jsonb, raw_user_meta_data jsonb, created_at timestamptz default now());
  alter table auth.users enable row level security;
  create function auth.uid() returns uuid language sql stable as $$
    select coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
                    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $$;
  create function auth.role() returns text language sql stable as $$
    select coalesce(nullif(current_setting('request.jwt.claim.role', true), ''),
                    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role') $$;
  create function auth.jwt() returns jsonb language sql stable as $$
    select nullif(current_setting('request.jwt.claims', true), '')::jsonb $$;
  grant usage on schema auth to postgres, anon, authenticated, service_role;
  grant select, insert, update, delete, references, trigger on auth.users to postgres;
  reset role;
  alter schema public owner to postgres;
  grant usage on schema public to anon, authenticated, service_role;
  set role postgres;
  alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
  alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
  alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;
  create publication supabase_realtime;
  reset role;
`;

const superuser = (cluster, name) => owner({ url: cluster.url(name, "supabase_admin") });

export class Hosted {
  /** A running cluster with the template of a project. `newest`: of the newest PostgreSQL there is, else of 15. */
  static async make({ newest = false } = {}) {
    const cluster = await Cluster.make({ newest, settings: { wal_level: "logical" } });
    const hosted = new Hosted(cluster);
    const sql = superuser(cluster, "postgres");
    await sql.unsafe(ROLES(hosted.password)).simple();
    await sql.unsafe("create database hosted owner postgres");
    hosted.version = (await sql`select split_part(current_setting('server_version'), ' ', 1) as v`)[0].v;
    await sql.end();
    const made = superuser(cluster, "hosted");
    await made.unsafe(PROJECT).simple();
    if ((await made`select from pg_available_extensions where name = 'pgcrypto'`).length) {
      await made.unsafe("create extension pgcrypto with schema extensions");
    }
    await installRealtime(made, { member: !newest });  // here it may make policies there, and there it may not
    await made.end();
    return hosted;
  }

  constructor(cluster) {
    this.cluster = cluster;
    this.password = decodeURIComponent(new URL(cluster.url()).password);
  }

  /** A new project: an empty database. Answers a Project. */
  async project() {
    const name = `project_${randomUUID().slice(0, 8)}`;
    const sql = superuser(this.cluster, "postgres");
    await sql.unsafe(`create database ${name} template hosted owner postgres`);
    await sql.end();
    return new Project(this, name);
  }

  remove() {
    this.cluster.remove();
  }
}

/** One project: `sql` as its owner, requests as PostgREST makes them. */
export class Project {
  constructor(hosted, name) {
    this.hosted = hosted;
    this.name = name;
    this.url = hosted.cluster.url(name);
    this.sql = owner({ url: this.url, max: 2 });
    this.requests = owner({ url: hosted.cluster.url(name, "authenticator"), max: 4 });
  }

  /** A connection of a superuser: to look, and to break things. */
  superuser() {
    return superuser(this.hosted.cluster, this.name);
  }

  /**
   * One request, as PostgREST makes it: signed in as `user` (an id), as nobody (null: anon), or with the service key ("service").
   * `run` gets the transaction. The role's timeout is set as PostgREST sets it.
   */
  request(user, run) {
    const role = user === null ? "anon" : user === "service" ? "service_role" : "authenticated";
    const claims = JSON.stringify(user && user !== "service" ? { sub: user, role, aud: "authenticated" } : { role });
    return this.requests.begin(async (tx) => {
      await tx`select set_config('role', ${role}, true), set_config('request.jwt.claims', ${claims}, true),
        set_config('search_path', 'public, extensions', true), set_config('statement_timeout', ${TIMEOUTS[role] ?? "8s"}, true)`;
      return run(tx);
    });
  }

  /** One of the four functions. */
  call(user, name, args = {}) {
    return this.request(user, async (tx) => {
      const named = { p_protocol: 1, p_app: "projects", p_capabilities: [], ...args };
      const list = Object.keys(named).map((key, i) => `${key} => $${i + 1}`).join(", ");
      const [row] = await tx.unsafe(`select public.fieldpost_${name}(${list}) as answer`, Object.values(named));
      return row.answer;
    });
  }

  async drop() {
    await Promise.all([this.sql.end({ timeout: 1 }), this.requests.end({ timeout: 1 })]);
    const sql = superuser(this.hosted.cluster, "postgres");
    await dropDatabase(sql, this.name);
    await sql.end();
  }
}
