-- fieldpost_audit_push: who has read which record. Devices keep the log and bring it when they can; the project's table takes it.
--
-- What must stay true:
--  * Whose an entry is, the caller's session says. It is written as the caller, under the policies of public.audit_log.
--  * The table is the project's (migrations/supabase/clinical makes one where there is none). Only its columns that an entry has are written.

create or replace function fieldpost.audit_orgs(p_entries jsonb[]) returns table (id uuid, org_id uuid, o int)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_orgs constant uuid[] := array(select distinct m.org_id from fieldpost.memberships(auth.uid()) m order by 1);
  v_name text;
begin
  for v_name in select o.name from fieldpost.offered_tables() o where o.name in (select e ->> 'table' from unnest(p_entries) e) loop
    return query execute format('select fieldpost.uuid_or_null(e ->> ''id''), t.org_id, 0 from unnest($1) e join public.%I t '
      'on t.id = fieldpost.uuid_or_null(e ->> ''record_id'') where e ->> ''table'' = $2 and t.org_id = any ($3)', v_name) using p_entries, v_name, v_orgs;
  end loop;
  return query select fieldpost.uuid_or_null(e ->> 'id'), v_orgs[1], 1 from unnest(p_entries) e;
end
$$;
comment on function fieldpost.audit_orgs(jsonb[]) is
  'The organization of each entry: that of its record, else the caller''s. Security definer: reads memberships, and rows that may be hidden by now.';

create or replace function fieldpost.audit_owned(p_ids uuid[]) returns table (id uuid, hers boolean)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query execute 'select a.id, a.user_id::text = auth.uid()::text from public.audit_log a where a.id = any ($1)' using p_ids;
end
$$;
comment on function fieldpost.audit_owned(uuid[]) is
  'Which entries are there, and whether they are the caller''s. Security definer: people may write the log and not read it.';

create or replace function fieldpost.write_audit(p_entries jsonb[], p_columns text) returns void
language plpgsql volatile set search_path = pg_catalog, public, extensions, pg_temp
as $$
begin
  execute format('insert into public.audit_log (%1$s) select %1$s from unnest($1) e, jsonb_populate_record(null::public.audit_log, e)', p_columns) using p_entries;
end
$$;
comment on function fieldpost.write_audit(jsonb[], text) is 'Writes entries of the audit log as the caller.';

create or replace function fieldpost.audit_push(p_protocol int, p_entries jsonb[]) returns json
language plpgsql volatile set search_path = pg_catalog, pg_temp set lock_timeout = '3s'
as $$
declare
  v_refused constant json := fieldpost.push_refused(p_protocol, p_entries);
  v_now constant timestamptz := clock_timestamp();
  v_order constant uuid[] := array(select fieldpost.uuid_or_null(e ->> 'id') from unnest(p_entries) e);
  v_fault text;
  v_columns text;
  v_row record;
  v_rows jsonb[];
  v_orgs jsonb;
  v_stored uuid[] := '{}';
  v_refusals jsonb := '[]';
begin
  if v_refused is not null then
    return v_refused;
  end if;
  if to_regclass('public.audit_log') is null then
    v_fault := 'this project has no table public.audit_log';
  else
    select 'public.audit_log has no column ' || min(w.col) into v_fault from unnest(array['id', 'user_id', 'table_name', 'record_id', 'operation']) w (col)
    where not exists (select from pg_attribute a where a.attrelid = to_regclass('public.audit_log') and a.attname = w.col and not a.attisdropped);
    if v_fault is null and not exists (select from pg_attribute a where a.attrelid = to_regclass('public.audit_log') and a.attname = 'id' and a.atttypid = 'uuid'::regtype) then
      v_fault := 'public.audit_log.id is no uuid';
    end if;
    select string_agg(quote_ident(a.attname), ', ' order by a.attnum) into v_columns from pg_attribute a
    where a.attrelid = to_regclass('public.audit_log') and not a.attisdropped
      and a.attname in ('id', 'org_id', 'user_id', 'table_name', 'record_id', 'operation', 'context', 'created_at');
  end if;

  for v_row in
    select distinct on (coalesce(x.id::text, x.n::text)) x.* from (
      select e.n, e.m, fieldpost.uuid_or_null(e.m ->> 'id') as id, coalesce(v_fault, case
          when fieldpost.uuid_or_null(e.m ->> 'id') is null then 'id'
          when coalesce(e.m ->> 'table', '') !~ '^[a-z][a-z0-9_]{0,47}$' then 'table'
          when fieldpost.uuid_or_null(e.m ->> 'record_id') is null then 'record_id'
          when coalesce(e.m ->> 'operation', '') not in ('READ', 'CREATE', 'UPDATE', 'DELETE') then 'operation'
          when e.m -> 'context' <> 'null' and (jsonb_typeof(e.m -> 'context') <> 'string' or char_length(e.m ->> 'context') > 500) then 'context'
          when fieldpost.told_time(e.m, v_now) is null then 'age_ms' end) as fault
      from (select u.n, case when jsonb_typeof(u.m) = 'object' then u.m else '{}' end as m from unnest(p_entries) with ordinality u (m, n)) e
    ) x order by coalesce(x.id::text, x.n::text), x.n
  loop
    if v_row.fault is not null then
      v_refusals := v_refusals || jsonb_build_object('id', v_row.id, 'detail', v_row.fault);
    else
      v_rows := v_rows || v_row.m;
    end if;
  end loop;
  v_rows := coalesce(v_rows, '{}');
  if v_fault is not null then
    return fieldpost.envelope() || jsonb_build_object('stored', '[]'::jsonb, 'refused', v_refusals);
  end if;

  -- What is there already.
  for v_row in select o.id, o.hers from fieldpost.audit_owned(array(select (e ->> 'id')::uuid from unnest(v_rows) e)) o loop
    if v_row.hers then
      v_stored := v_stored || v_row.id;
    else
      v_refusals := v_refusals || jsonb_build_object('id', v_row.id, 'detail', 'id_taken');
    end if;
    v_rows := array(select e from unnest(v_rows) e where (e ->> 'id')::uuid <> v_row.id);
  end loop;
  select jsonb_object_agg(x.id, x.org_id) into v_orgs from (select distinct on (o.id) o.id, o.org_id from fieldpost.audit_orgs(v_rows) o order by o.id, o.o) x;
  v_rows := array(
    select jsonb_build_object('id', e ->> 'id', 'user_id', fieldpost.uid(), 'org_id', v_orgs ->> (e ->> 'id'),
      'table_name', e ->> 'table', 'record_id', e ->> 'record_id', 'operation', e ->> 'operation', 'context', e ->> 'context',
      'created_at', fieldpost.told_time(e, v_now))
    from unnest(v_rows) e);
  begin
    perform fieldpost.write_audit(v_rows, v_columns);
    v_stored := v_stored || array(select (e ->> 'id')::uuid from unnest(v_rows) e);
  exception when assert_failure or others then
    for v_row in select e as m, (e ->> 'id')::uuid as id from unnest(v_rows) e loop
      begin
        perform fieldpost.write_audit(array[v_row.m], v_columns);
        v_stored := v_stored || v_row.id;
      exception
        when serialization_failure or deadlock_detected or lock_not_available then
          null;  -- neither stored nor refused: it is sent again
        when insufficient_resources or disk_full or out_of_memory or too_many_connections or configuration_limit_exceeded then
          null;
        when unique_violation then
          if exists (select from fieldpost.audit_owned(array[v_row.id]) o where o.hers) then
            v_stored := v_stored || v_row.id;
          else
            v_refusals := v_refusals || jsonb_build_object('id', v_row.id, 'detail', 'id_taken');
          end if;
        when assert_failure or others then
          v_refusals := v_refusals || jsonb_build_object('id', v_row.id, 'detail', left(sqlerrm, 500) || ' (' || sqlstate || ')');
      end;
    end loop;
  end;
  return fieldpost.envelope() || jsonb_build_object('refused', (
      select coalesce(jsonb_agg(r order by array_position(v_order, (r ->> 'id')::uuid)), '[]') from jsonb_array_elements(v_refusals) r),
    'stored', (select coalesce(jsonb_agg(s order by array_position(v_order, s)), '[]') from unnest(v_stored) s));
end
$$;
comment on function fieldpost.audit_push(int, jsonb[]) is 'Stores entries of the audit log as the caller.';

create or replace function public.fieldpost_audit_push(
  p_protocol int default null, p_app text default null, p_capabilities text[] default '{}', p_entries jsonb[] default '{}')
returns json
language sql volatile set search_path = pg_catalog, pg_temp
as $$ select fieldpost.audit_push(p_protocol, p_entries) $$;
comment on function public.fieldpost_audit_push(int, text, text[], jsonb[]) is 'Stores who has read which record (docs/protocol.md).';
