// Everything in a database that is not Fieldpost's, as text: definitions, owners, rights, rows. Taken before and after, it tells
// whether a guest has altered the house.

// What Fieldpost makes is named after it. On the four messaging tables it adds columns, and these are their names.
const COLUMNS = {
  messages: ["seq", "version", "sync_xid", "composed_at", "reply_to", "client_key", "omitted", "omitted_bytes", "mentions", "edited_at"],
  conversations: ["last_seq", "version", "sync_xid", "omitted", "omitted_bytes"],
  conversation_read_status: ["delivered_seq", "read_seq", "delivered_seq_at", "read_seq_at", "version", "sync_xid"],
};
const ours = (name) => name.includes("fieldpost");

// Of others; what belongs to extensions and to the CLI's own history is nobody's here.
const SCHEMAS = `n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'fieldpost', 'supabase_migrations')
  and not exists (select from pg_depend x where x.objid = o.oid and x.deptype = 'e')`;
// The same rights in another order are the same rights.
const sorted = (column) => `(select string_agg(x::text, ',' order by x::text) from unnest(${column}) x)`;
const comment = (catalog) => `obj_description(o.oid, '${catalog}')`;

const CATALOG = {
  schema: `select n.nspname as name, concat_ws(' ', n.nspowner::regrole, ${sorted("n.nspacl")}, obj_description(n.oid, 'pg_namespace')) as text
    from pg_namespace n, lateral (select n.oid) o where ${SCHEMAS}`,
  table: `select o.oid::regclass::text as name, concat_ws(' ', o.relkind, o.relowner::regrole, ${sorted("o.relacl")}, 'rls', o.relrowsecurity, o.relforcerowsecurity,
      o.reloptions, o.relreplident, o.relpersistence, case when o.relkind in ('v', 'm') then pg_get_viewdef(o.oid) end, ${comment("pg_class")}) as text
    from pg_class o join pg_namespace n on n.oid = o.relnamespace where o.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and ${SCHEMAS}`,
  column: `select o.oid::regclass || '.' || a.attname as name, concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
      pg_get_expr(d.adbin, d.adrelid), ${sorted("a.attacl")}, a.attcollation, col_description(o.oid, a.attnum)) as text
    from pg_class o join pg_namespace n on n.oid = o.relnamespace join pg_attribute a on a.attrelid = o.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = o.oid and d.adnum = a.attnum where o.relkind in ('r', 'p', 'v', 'm', 'f') and ${SCHEMAS}`,
  constraint: `select o.oid::regclass || '.' || k.conname as name, concat_ws(' ', pg_get_constraintdef(k.oid), k.convalidated, obj_description(k.oid, 'pg_constraint')) as text
    from pg_constraint k join pg_class o on o.oid = k.conrelid join pg_namespace n on n.oid = o.relnamespace where k.contype <> 'n' and ${SCHEMAS}`,
  index: `select o.oid::regclass::text as name, concat_ws(' ', pg_get_indexdef(o.oid), i.indisvalid, i.indisclustered, i.indisreplident, ${comment("pg_class")}) as text
    from pg_index i join pg_class o on o.oid = i.indexrelid join pg_namespace n on n.oid = o.relnamespace where ${SCHEMAS}`,
  trigger: `select o.oid::regclass || '.' || t.tgname as name, concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled, obj_description(t.oid, 'pg_trigger')) as text
    from pg_trigger t join pg_class o on o.oid = t.tgrelid join pg_namespace n on n.oid = o.relnamespace where not t.tgisinternal and ${SCHEMAS}`,
  policy: `select o.oid::regclass || '.' || p.polname as name, concat_ws(' ', p.polcmd, p.polpermissive,
      (select array_agg(case r when 0 then 'public' else r::regrole::text end order by 1) from unnest(p.polroles) r),
      pg_get_expr(p.polqual, p.polrelid), '/', pg_get_expr(p.polwithcheck, p.polrelid), obj_description(p.oid, 'pg_policy')) as text
    from pg_policy p join pg_class o on o.oid = p.polrelid join pg_namespace n on n.oid = o.relnamespace where ${SCHEMAS}`,
  function: `select o.oid::regprocedure::text as name, concat_ws(' ', case when o.prokind in ('f', 'p') then pg_get_functiondef(o.oid) end, o.proowner::regrole, ${sorted("o.proacl")}, ${comment("pg_proc")}) as text
    from pg_proc o join pg_namespace n on n.oid = o.pronamespace where ${SCHEMAS}`,
  type: `select o.oid::regtype::text as name, concat_ws(' ', o.typtype, o.typowner::regrole, ${sorted("o.typacl")}, o.typnotnull, o.typdefault,
      (select string_agg(e.enumlabel, ',' order by e.enumsortorder) from pg_enum e where e.enumtypid = o.oid), ${comment("pg_type")}) as text
    from pg_type o join pg_namespace n on n.oid = o.typnamespace where o.typtype in ('e', 'd', 'r', 'c') and o.typrelid = 0 and ${SCHEMAS}`,
  publication: `select p.pubname as name, concat_ws(' ', p.pubowner::regrole, p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate) as text
    from pg_publication p`,
  published: `select t.pubname || ': ' || t.schemaname || '.' || t.tablename as name, '' as text from pg_publication_tables t`,
  "default rights": `select concat_ws(' ', d.defaclrole::regrole, n.nspname, d.defaclobjtype) as name, ${sorted("d.defaclacl")} as text
    from pg_default_acl d left join pg_namespace n on n.oid = d.defaclnamespace where n.nspname is distinct from 'fieldpost'`,
  role: `select r.rolname as name, concat_ws(' ', r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolbypassrls, r.rolconfig,
      (select array_agg(m.roleid::regrole::text order by 1) from pg_auth_members m where m.member = r.oid)) as text from pg_roles r where r.rolname !~ '^pg_'`,
  database: `select 'settings' as name, concat_ws(' ', ${sorted("d.datacl")}, (select array_agg(s.setconfig::text order by 1) from pg_db_role_setting s where s.setdatabase = d.oid)) as text
    from pg_database d where d.datname = current_database()`,
  "event trigger": `select e.evtname as name, concat_ws(' ', e.evtevent, e.evtowner::regrole, e.evtfoid::regproc, e.evtenabled, e.evttags) as text from pg_event_trigger e`,
  extension: `select e.extname as name, concat_ws(' ', e.extversion, e.extnamespace::regnamespace) as text from pg_extension e`,
};

// Columns that may differ in rows that were there: what is derived from the newest message, as the documentation says, and the
// status of messages, which follows the read markers, also those that the old app moves meanwhile.
const DERIVED = { messages: ["status"], conversations: ["last_message_at", "last_message_preview"] };

/** Looks with a superuser's connection. `rows` false: definitions alone. `except`: rows that name one of these are somebody's work. */
export async function fingerprint(sql, { rows = true, except = [], columns = null } = {}) {
  const found = { catalog: new Map(), rows: new Map(), columns: new Map() };
  await sql`select set_config('search_path', '', false)`;
  for (const [kind, query] of Object.entries(CATALOG)) {
    for (const { name, text } of await sql.unsafe(query)) found.catalog.set(`${kind} ${name}`, text);
  }
  if (!rows) return found;
  const tables = await sql`select c.oid::regclass::text as name, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname in ('public', 'auth')`;
  for (const { name, relname } of tables) {
    if (columns && !columns.has(name)) continue;  // it was not there
    const now = (await sql`select attname from pg_attribute where attrelid = ${name}::regclass and attnum > 0 and not attisdropped`).map((a) => a.attname);
    const take = columns?.get(name) ?? now.filter((c) => !(COLUMNS[relname] ?? []).includes(c));
    found.columns.set(name, take);
    const list = take.filter((c) => now.includes(c) && !(DERIVED[relname] ?? []).includes(c)).map((c) => `"${c}"`).join(", ");
    const others = except.length ? `where t::text !~ '${except.join("|")}'` : "";
    const counted = await sql.unsafe(`select md5(t::text) as hash, min(left(t::text, 400)) as text, count(*)::int as n from (select ${list} from ${name}) t ${others} group by 1`);
    found.rows.set(name, new Map(counted.map((r) => [r.hash, r])));
  }
  return found;
}

const isOurs = (key) => {
  const column = key.match(/^column public\.(\w+)\.(\w+)$/);
  return ours(key) || (column && COLUMNS[column[1]]?.includes(column[2]));
};

/** What is no longer as it was: lines. New things count too unless they are Fieldpost's or on a table that was missing. */
export function altered(before, after) {
  const lines = [];
  const tables = (f) => new Set([...f.catalog.keys()].filter((key) => key.startsWith("table ")).map((key) => key.slice(6)));
  const old = tables(before);
  const onNew = (key) => [...tables(after)].some((t) => !old.has(t) && (key.includes(` ${t}.`) || key === `table ${t}` || after.catalog.get(key).includes(` ON ${t} `)));
  for (const [key, text] of before.catalog) {
    if (isOurs(key)) continue;
    if (!after.catalog.has(key)) lines.push(`gone: ${key}`);
    else if (after.catalog.get(key) !== text) lines.push(`changed: ${key}: ${text} -> ${after.catalog.get(key)}`);
  }
  for (const key of after.catalog.keys()) {
    if (!before.catalog.has(key) && !isOurs(key) && !onNew(key)) lines.push(`new: ${key}: ${after.catalog.get(key)}`);
  }
  for (const [table, was] of before.rows) {
    const now = after.rows.get(table) ?? new Map();
    const missing = [...was.values()].filter((r) => (now.get(r.hash)?.n ?? 0) < r.n);
    if (!missing.length) continue;
    const instead = [...now.values()].find((r) => !was.has(r.hash) && r.text.slice(0, 37) === missing[0].text.slice(0, 37));
    lines.push(`rows of ${table}: ${missing.length} are no longer as they were, for example\n      ${missing[0].text}\n   -> ${instead?.text ?? "gone"}`);
  }
  return lines;
}

/** What is Fieldpost's, to see that applying again changes nothing. */
export async function installed(sql) {
  const [row] = await sql.unsafe(`select
    (select md5(string_agg(pg_get_functiondef(p.oid) || coalesce(${sorted("p.proacl")}, ''), '' order by p.oid::regprocedure::text)) from pg_proc p
      where (p.pronamespace = 'fieldpost'::regnamespace or p.proname like 'fieldpost\\_%') and p.prokind = 'f') as functions,
    (select md5(string_agg(i.indexdef, '' order by i.indexname)) from pg_indexes i where i.schemaname in ('public', 'fieldpost')) as indexes,
    (select md5(string_agg(pg_get_triggerdef(t.oid), '' order by t.tgname, t.tgrelid::regclass::text)) from pg_trigger t where not t.tgisinternal) as triggers,
    (select md5(string_agg(p::text, '' order by p::text)) from pg_policies p) as policies,
    (select md5(string_agg(concat_ws(' ', a.attrelid::regclass, a.attname, a.atttypid, a.attnotnull), ',' order by a.attrelid::regclass::text, a.attname))
      from pg_attribute a join pg_class c on c.oid = a.attrelid where c.relnamespace in ('public'::regnamespace, 'fieldpost'::regnamespace) and a.attnum > 0) as columns,
    (select md5(string_agg(concat_ws(' ', c.oid::regclass, ${sorted("c.relacl")}, c.relrowsecurity), ',' order by c.oid::regclass::text))
      from pg_class c where c.relnamespace in ('public'::regnamespace, 'fieldpost'::regnamespace)) as tables`);
  return { ...row };
}

/** The numbers, versions and stamps of rows that nobody touches: a client that was up to date hears nothing. */
export async function stamps(sql, except) {
  const [row] = await sql`select
    (select md5(string_agg(concat_ws(' ', m.id, m.seq, m.version, m.sync_xid), ',' order by m.id)) from public.messages m
      where not m.conversation_id = any (${except}::uuid[])) as messages,
    (select md5(string_agg(concat_ws(' ', c.id, c.last_seq, c.version, c.sync_xid), ',' order by c.id)) from public.conversations c
      where not c.id = any (${except}::uuid[])) as conversations`;
  return { ...row };
}

/** What is left of Fieldpost, by name. */
export const left = async (sql) =>
  (await sql`select 'function ' || p.oid::regprocedure as name from pg_proc p where p.proname like '%fieldpost%' union all
    select 'schema ' || n.nspname from pg_namespace n where n.nspname like '%fieldpost%' union all
    select 'trigger ' || t.tgname from pg_trigger t where t.tgname like '%fieldpost%' union all
    select 'policy ' || p.policyname from pg_policies p where p.policyname like '%fieldpost%' union all
    select 'index ' || i.indexname from pg_indexes i where i.indexname like '%fieldpost%' union all
    select 'published ' || t.tablename from pg_publication_tables t where t.pubname like '%fieldpost%'`).map((r) => r.name);
