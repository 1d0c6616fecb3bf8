// Where the stack is, and the two ways into it: SQL as the owner of the schema, HTTP as anybody.
import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import bcrypt from "bcryptjs";
import postgres from "postgres";

// Another version of supabase-js than the one that is pinned: the path of its main file (docs/testing.md).
const { createClient } = await import(process.env.FIELDPOST_SUPABASE_JS ?? "@supabase/supabase-js");

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");

/** The running stack of the tests, as `cargo xtask supabase up --for tests` wrote it down. */
export function stack() {
  const path = process.env.FIELDPOST_STACK ?? join(root, ".fieldpost", "supabase-tests", "stack.json");
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    throw new Error("no Supabase stack for tests is running: start it with `cargo xtask supabase up --for tests`");
  }
}

/** A connection as the owner of the schema, who is no superuser. */
export function owner(options = {}) {
  return postgres(options.url ?? stack().database_url, {
    max: 1,
    onnotice: () => {},
    connection: { application_name: "fieldpost-tests", ...options.connection },
    ...options,
  });
}

/** A supabase-js client, signed in if given an email: what a web dashboard would use. */
export async function client(email, password) {
  const { url, anon_key } = stack();
  const js = createClient(url, anon_key, { auth: { persistSession: false, autoRefreshToken: false } });
  if (email) {
    const { data, error } = await js.auth.signInWithPassword({ email, password });
    if (error) throw new Error(`sign in of ${email}: ${error.message}`);
    js.user_id = data.user.id;
    js.token = data.session.access_token;
  }
  return js;
}

/** One of the four functions, as the signed-in caller of `js`. Throws on anything but 200. */
export async function call(js, name, args = {}) {
  const { data, error, status } = await js.rpc(`fieldpost_${name}`, {
    p_protocol: 1,
    p_app: "fieldpost-tests/0",
    p_capabilities: [],
    ...args,
  });
  if (error) throw Object.assign(new Error(`${name}: ${status} ${error.code} ${error.message}`), { status, body: error });
  return data;
}

/** A version 7 uuid, like the ones that devices make. */
export function uuid7() {
  const hex = Date.now().toString(16).padStart(12, "0");
  const rest = randomUUID();
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${rest.slice(15)}`;
}

export const sha256 = (text) => createHash("sha256").update(text).digest("hex");

// One cheap hash per password: the users are made in bulk, and hashing is what takes the time.
const hashes = new Map();
const hashed = (password) => {
  if (!hashes.has(password)) hashes.set(password, bcrypt.hashSync(password, 4));
  return hashes.get(password);
};

/** Creates accounts: GoTrue's own tables, filled as its admin API would. */
export async function createUsers(sql, users) {
  const rows = users.map((u) => ({
    id: u.id,
    aud: "authenticated",
    role: "authenticated",
    email: u.email,
    encrypted_password: hashed(u.password),
    email_confirmed_at: new Date(),
    raw_app_meta_data: { provider: "email", providers: ["email"] },
    raw_user_meta_data: {},
  }));
  await sql`insert into auth.users ${sql(rows)}`;
  await sql`insert into auth.identities ${sql(
    users.map((u) => ({
      id: randomUUID(),
      provider: "email",
      provider_id: u.id,
      user_id: u.id,
      identity_data: { sub: u.id, email: u.email, email_verified: true },
    })),
  )}`;
}
