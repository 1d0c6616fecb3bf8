// What a hosted Supabase project has besides its tables: roles, and who gets what in `public`.

/**
 * Gives a bare cluster, as its superuser, the roles of a hosted project. `postgres`, which owns the database and applies
 * the SQL, is no superuser, as on a hosted project: whatever Fieldpost does has to work with what this role may do.
 */
export async function makeRoles(sql, owner_password) {
  const quoted = `'${owner_password.replaceAll("'", "''")}'`;
  const role = async (name, attributes) => {
    const [found] = await sql`select from pg_roles where rolname = ${name}`;
    await sql.unsafe(`${found ? "alter" : "create"} role ${name} ${attributes}`);
  };
  await role("postgres", `nosuperuser login createdb createrole bypassrls replication password ${quoted}`);
  await role("anon", "nologin noinherit");
  await role("authenticated", "nologin noinherit");
  await role("service_role", "nologin noinherit bypassrls");
  await role("authenticator", "login noinherit");
  await sql.unsafe(`
    grant anon, authenticated, service_role to authenticator;
    grant anon, authenticated, service_role to postgres;
    alter database postgres owner to postgres;
    alter schema public owner to postgres;
    grant usage on schema public to anon, authenticated, service_role;
    -- Hosted projects grant the API roles everything that is created in public, functions included.
    alter default privileges for role postgres in schema public grant all on tables to anon, authenticated, service_role;
    alter default privileges for role postgres in schema public grant all on functions to anon, authenticated, service_role;
    alter default privileges for role postgres in schema public grant all on sequences to anon, authenticated, service_role;
  `);
}
