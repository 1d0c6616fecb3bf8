// The rules of Supabase's advisor, which every hosted project shows on its dashboard, as queries over the catalog. Written for what
// Fieldpost installs; what each looks for is what the advisor looks for.

// SQL functions that the planner has to put into the queries that call them, which it does not do with a function that brings
// settings of its own. docs/howto/supabase.md lists them with what it costs otherwise.
export const INLINED = [
  "memberships", "roster", "trim", "time_text", "message_text", "reaction_text", "reaction_count_text", "settings_text", "unread_above", "conversation_json", "conversation_row", "id_bits",
  "uuid_or_null", "time_or_null", "send_fault", "applied", "search_month", "search_mark",
].map((name) => `fieldpost.${name}`);

// How an API role gets at schema public; schema fieldpost is not exposed.
const EXPOSED = "n.nspname = 'public'";
// On a new project every table in public is Fieldpost's. On an existing one it is what bears its name.
const OURS = (name) => `(n.nspname = 'fieldpost' or ${name} like '%fieldpost%')`;
const HERE = "n.nspname in ('public', 'fieldpost')";

const CALLS = ["auth\\.(uid|jwt|role|email)\\(\\)", "current_setting\\(", "fieldpost\\.uid\\(\\)"];

/** Each: what must not be there, as a query of names. `mine`: how to tell that it is Fieldpost's on an existing project. */
export const RULES = [
  ["a function whose search_path its caller decides", `
    select p.oid::regprocedure::text as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where ${HERE} and $OURS and not exists (select from unnest(p.proconfig) c where c like 'search_path=%')
      and n.nspname || '.' || p.proname <> all ('{${INLINED}}')`, OURS("p.proname")],
  ["a security definer function that a client may call", `
    select p.oid::regprocedure::text as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where ${EXPOSED} and $OURS and p.prosecdef and (has_function_privilege('anon', p.oid, 'execute') or has_function_privilege('authenticated', p.oid, 'execute'))`, OURS("p.proname")],
  ["a foreign key without an index", `
    select k.conrelid::regclass || ' ' || k.conname as name from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    where ${HERE} and $OURS and k.contype = 'f' and not exists (
      select from pg_index i where i.indrelid = k.conrelid and i.indisvalid
        and (string_to_array(i.indkey::text, ' ')::smallint[])[1:cardinality(k.conkey)] = k.conkey)`, OURS("k.conname")],
  ["row level security without a policy", `
    select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where ${HERE} and $OURS and c.relkind = 'r' and c.relrowsecurity and not exists (select from pg_policy p where p.polrelid = c.oid)`, OURS("c.relname")],
  ["a policy where row level security is off", `
    select c.oid::regclass || ' ' || p.polname as name from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
    where ${HERE} and $OURS and not c.relrowsecurity`, OURS("p.polname")],
  ["a table in public without row level security", `
    select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where ${EXPOSED} and $OURS and c.relkind in ('r', 'p') and not c.relrowsecurity`, OURS("c.relname")],
  ["several permissive policies for one role and command", `
    select c.oid::regclass || ' ' || cmd || ': ' || string_agg(p.polname, ', ' order by p.polname) as name
    from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_roles r on r.rolname in ('anon', 'authenticated', 'service_role', 'authenticator') and (r.oid = any (p.polroles) or 0 = any (p.polroles)) and not r.rolbypassrls,
    lateral unnest(case p.polcmd when '*' then array['r', 'a', 'w', 'd'] else array[p.polcmd::text] end) cmd
    where ${HERE} and p.polpermissive group by c.oid, cmd, r.rolname having count(*) > 1 and bool_or($OURS)`, null],
  ["a policy that asks for the caller once per row", `
    select c.oid::regclass || ' ' || p.polname || ': ' || call as name
    from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace,
    lateral (select concat_ws(' ', pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) as text) x, unnest('{"${CALLS.map((c) => c.replaceAll("\\", "\\\\")).join('","')}"}'::text[]) call
    where ${HERE} and $OURS and regexp_replace(x.text, 'select ' || call, '', 'gi') ~ call`, OURS("p.polname")],
  ["a policy that lets everybody write", `
    select c.oid::regclass || ' ' || p.polname as name from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
    where ${HERE} and $OURS and p.polpermissive and (
      p.polcmd in ('w', 'd', '*') and pg_get_expr(p.polqual, p.polrelid) in ('true', '(true)', '(1 = 1)')
      or p.polcmd in ('a', 'w', '*') and pg_get_expr(p.polwithcheck, p.polrelid) in ('true', '(true)', '(1 = 1)')
      or p.polcmd = 'a' and p.polwithcheck is null)`, OURS("p.polname")],
  ["a policy that trusts what people write about themselves", `
    select p.polname::text as name from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
    where ${HERE} and $OURS and concat(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) like '%user_metadata%'`, OURS("p.polname")],
  ["two indexes that are the same", `
    select string_agg(i.indexrelid::regclass::text, ', ' order by 1) as name
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
    where ${HERE} group by i.indrelid, i.indkey, i.indclass, i.indoption, i.indcollation, i.indisunique, pg_get_expr(i.indexprs, i.indrelid), pg_get_expr(i.indpred, i.indrelid)
    having count(*) > 1 and bool_or($OURS)`, OURS("c.relname")],
  ["an index whose columns another one begins with", `
    select i.indexrelid::regclass || ' in ' || j.indexrelid::regclass as name
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_index j on j.indrelid = i.indrelid and j.indexrelid <> i.indexrelid and j.indpred is null and j.indexprs is null
      and (string_to_array(j.indkey::text, ' '))[1:i.indnkeyatts] = (string_to_array(i.indkey::text, ' '))[1:i.indnkeyatts] and j.indnkeyatts > i.indnkeyatts
    where ${HERE} and $OURS and not i.indisunique and i.indpred is null and i.indexprs is null`, OURS("c.relname")],
  ["a table without a primary key", `
    select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where ${HERE} and $OURS and c.relkind = 'r' and not exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'p')`, OURS("c.relname")],
  ["a view that shows more than its reader may see", `
    select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where ${EXPOSED} and $OURS and (c.relkind = 'v' and not coalesce(c.reloptions::text ~ 'security_invoker=(on|true|1|yes)', false) or c.relkind in ('m', 'f'))`, OURS("c.relname")],
  ["a column of a type that an upgrade of PostgreSQL refuses", `
    select c.oid::regclass || '.' || a.attname as name from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where ${HERE} and $OURS and c.relkind in ('r', 'p', 'm') and a.attnum > 0 and a.atttypid in ('regcollation'::regtype, 'regconfig'::regtype, 'regdictionary'::regtype,
      'regnamespace'::regtype, 'regoper'::regtype, 'regoperator'::regtype, 'regproc'::regtype, 'regprocedure'::regtype)`, OURS("c.relname")],
  ["a foreign key to something of auth that is no primary key", `
    select k.conname::text as name from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_index i on i.indexrelid = k.conindid where ${HERE} and $OURS and k.contype = 'f' and k.confrelid::regclass::text like 'auth.%' and not i.indisprimary`, OURS("k.conname")],
  ["an extension in public", `select x.extname::text as name from pg_extension x join pg_namespace n on n.oid = x.extnamespace where ${EXPOSED}`, null],
  ["something that anon may read or call", `
    select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where ${HERE} and $OURS and c.relkind in ('r', 'v', 'm', 'p', 'S') and has_table_privilege('anon', c.oid, 'select')
    union all select 'schema fieldpost' where has_schema_privilege('anon', 'fieldpost', 'usage')`, OURS("c.relname")],
];

/** What breaks a rule, for each: so that a test sees that the rules see. */
export const EXAMPLES = {
  "a function whose search_path its caller decides": `create function public.fieldpost_x() returns int language sql as 'select 1'`,
  "a security definer function that a client may call": `create function public.fieldpost_x() returns int language sql security definer set search_path = '' as 'select 1'`,
  "a foreign key without an index": `create table fieldpost.x (id int primary key, person uuid constraint fieldpost_person references auth.users)`,
  "row level security without a policy": `create table fieldpost.x (id int primary key); alter table fieldpost.x enable row level security`,
  "a policy where row level security is off": `create table public.x (id int primary key); create policy fieldpost_x on public.x for select using (id > 0)`,
  "a table in public without row level security": `create table public.fieldpost_x (id int primary key)`,
  "several permissive policies for one role and command": `create table public.x (id int primary key); create policy fieldpost_x on public.x for select to anon using (id > 0); create policy y on public.x for all using (id > 1)`,
  "a policy that asks for the caller once per row": `create table public.x (id uuid primary key); create policy fieldpost_x on public.x for select using (id = auth.uid() or id = (select auth.uid()))`,
  "a policy that lets everybody write": `create table public.x (id uuid primary key); create policy fieldpost_x on public.x for insert with check (true)`,
  "a policy that trusts what people write about themselves": `create table public.x (id uuid primary key); create policy fieldpost_x on public.x for select using ((auth.jwt() -> 'user_metadata' ->> 'admin') = 'yes')`,
  "two indexes that are the same": `create table public.x (id int primary key, n int); create index fieldpost_x on public.x (n); create index y on public.x (n)`,
  "an index whose columns another one begins with": `create table public.x (id int primary key, n int); create index fieldpost_x on public.x (n); create index y on public.x (n, id)`,
  "a table without a primary key": `create table fieldpost.x (id int)`,
  "a view that shows more than its reader may see": `create view public.fieldpost_x as select 1 as n`,
  "a column of a type that an upgrade of PostgreSQL refuses": `create table fieldpost.x (id int primary key, f regproc)`,
  "a foreign key to something of auth that is no primary key": `create table fieldpost.x (id int primary key, mail text constraint fieldpost_mail references auth.users (email))`,
  "an extension in public": `create extension pgcrypto schema public`,
  "something that anon may read or call": `create table public.fieldpost_x (id int primary key)`,
};

/** What is broken: "rule: name". `everything`: all of public and fieldpost is Fieldpost's, else what bears its name. */
export async function broken(sql, everything) {
  const found = [];
  for (const [rule, query, mine] of RULES) {
    const which = everything ? "true" : (mine ?? "p.polname like 'fieldpost%'");
    for (const { name } of await sql.unsafe(query.replaceAll("$OURS", which))) found.push(`${rule}: ${name}`);
  }
  return found;
}
