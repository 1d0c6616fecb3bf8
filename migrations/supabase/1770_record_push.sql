-- fieldpost_records_push: what a device did to records while it had no network. Everything is written as the caller: the project's
-- policies, grants, triggers and constraints decide, as for any direct client.
--
-- A batch is worked through in turns: the first change of every record, then the second, and so on. Within a turn creates come before
-- updates before deletes, and tables before those that refer to them (deletes: after). What is alike (operation, table, fields) is
-- one statement. If that fails, each half of it is tried under a savepoint of its own, down to one change.
--
-- What must stay true:
--  * Last-write-wins is decided by the condition of one UPDATE, on the row as it is once its lock is held.
--  * One bad change undoes no other. `others` does not catch an `assert` of a project's trigger, so it is named beside. A statement that
--    is cancelled ends the call: the device then sends fewer. Savepoints are not the normal way: 500 of them cost several times as much.
--  * What the caller may not see is told in the same words as what is not there; but for a create, whose id is taken.
--  * What triggers of the project write to records beside is no change of a device: see record_before_update.

do $$
begin
  if to_regtype('fieldpost.record_change') is null then
    create type fieldpost.record_change as (
      n int, id uuid, name text, record_id uuid, operation text, org_id uuid, fields jsonb, modified_at timestamptz,
      after uuid, arrival boolean,
      lane text,      -- of one record, whatever it is called
      turn int,       -- the how manyth of its lane
      later uuid[],   -- the changes of its lane that come after it
      known text[],   -- its fields that have a column
      ignored text[],
      key uuid,       -- the row's primary key
      result jsonb    -- null: nothing speaks against it yet
    );
  end if;
  if to_regtype('fieldpost.record_shape') is null then
    create type fieldpost.record_shape as (
      name text,
      columns jsonb,     -- the columns that devices may set, each with its type
      refs jsonb,        -- [{column, constraint, table}]: those that refer to offered tables
      modified text,     -- when a row was changed, as an expression
      created boolean,   -- it has a created_at
      rank int           -- above that of all tables that it refers to
    );
  end if;
end
$$;

-- Rows by their primary key or a client's id. Of other organizations: that something is there, and no more.
create or replace function fieldpost.record_targets(p_name text, p_ids uuid[])
returns table (ref uuid, id uuid, version bigint, modified_at timestamptz, last_mutation_id uuid)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_table constant oid := (select o.relid from fieldpost.offered_tables() o where o.name = p_name);
  v_orgs constant uuid[] := array(select m.org_id from fieldpost.memberships(auth.uid()) m);
begin
  if v_table is null then
    return;
  end if;
  return query execute format($q$
    select r, case when h.hers then t.id end, case when h.hers then t.version end, case when h.hers then %2$s end, case when h.hers then t.last_mutation_id end
    from unnest($1) r
    cross join lateral (
      select x.* from (
        (select 0 as o, a.* from public.%1$I a where a.id = r)
        union all
        (select 1, b.* from public.%1$I b where b.client_id = r limit 1)
      ) x order by x.o limit 1) t
    cross join lateral (select t.org_id = any ($2) as hers) h $q$, p_name, fieldpost.record_modified(v_table)) using p_ids, v_orgs;
end
$$;
comment on function fieldpost.record_targets(text, uuid[]) is
  'The rows that ids name, of the caller''s organizations. Security definer: it tells "taken" from "not there", and finds rows through indexes that '
  'policies may keep from being used. It says no content.';

-- Records that were deleted, for somebody who gets their tombstones; false for others'.
create or replace function fieldpost.record_deletions(p_name text, p_ids uuid[]) returns table (ref uuid, hers boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select r, bool_or(t.org_id in (select m.org_id from fieldpost.memberships(auth.uid()) m))
  from unnest(p_ids) r join fieldpost.record_tombstones t on t.name = p_name and (t.id = r or t.client_id = r)
  group by r
$$;
comment on function fieldpost.record_deletions(text, uuid[]) is
  'Which records were deleted. Security definer: reads tombstones, which clients may not read.';

create or replace function fieldpost.record_shapes(p_names text[]) returns setof fieldpost.record_shape
language sql stable set search_path = pg_catalog, pg_temp
as $$
  with recursive offered as materialized (
    select o.name, o.relid from fieldpost.offered_tables() o
  ), keys as materialized (
    select f.name, a.attname::text as col, k.conname::text as con, r.name as other
    from offered f join pg_constraint k on k.conrelid = f.relid and k.contype = 'f' and cardinality(k.conkey) = 1
    join offered r on r.relid = k.confrelid
    join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
    join pg_attribute i on i.attrelid = k.confrelid and i.attnum = k.confkey[1] and i.attname = 'id'
  ), depths (name, depth) as (
    select o.name, 0 from offered o
    union
    select k.name, d.depth + 1 from depths d join keys k on k.other = d.name and k.name <> d.name where d.depth < 20
  )
  select o.name,
    (select coalesce(jsonb_object_agg(a.attname, format_type(a.atttypid, a.atttypmod)), '{}') from pg_attribute a
     where a.attrelid = o.relid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and a.attidentity <> 'a'
       and a.attname not in ('id', 'client_id', 'org_id', 'created_at', 'updated_at', 'client_modified_at', 'last_mutation_id', 'version', 'sync_xid')),
    (select coalesce(jsonb_agg(jsonb_build_object('column', k.col, 'constraint', k.con, 'table', k.other)), '[]') from keys k where k.name = o.name),
    fieldpost.record_modified(o.relid),
    exists (select from pg_attribute a where a.attrelid = o.relid and a.attname = 'created_at' and a.atttypid = 'timestamptz'::regtype
              and a.attgenerated = '' and has_column_privilege(o.relid, a.attnum, 'insert')),
    (select max(d.depth) from depths d where d.name = o.name)
  from offered o where o.name = any (p_names)
$$;
comment on function fieldpost.record_shapes(text[]) is 'What a push has to know of tables.';

create or replace function fieldpost.record_refused(p_code text, p_detail text default null) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select jsonb_strip_nulls(jsonb_build_object('status', 'refused', 'code', p_code, 'detail', p_detail)) $$;
comment on function fieldpost.record_refused(text, text) is 'The result of a change that is refused for good.';

create or replace function fieldpost.record_failed(p_text text, p_state text) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select case
    when p_state in ('40001', '40P01', '55P03') then '{"status":"retry","code":"conflict"}'
    when p_state like '53%' then '{"status":"retry","code":"busy"}'
    else fieldpost.record_refused(case when p_state = '42501' then 'forbidden' else 'refused' end, left(p_text, 500) || ' (' || p_state || ')') end
$$;
comment on function fieldpost.record_failed(text, text) is 'The result of a change that the database does not take.';

-- When something was done, of a change or an entry of the audit log: by the server's clock, not after now, not before 2000.
create or replace function fieldpost.told_time(p_change jsonb, p_now timestamptz) returns timestamptz
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  v_age constant jsonb := nullif(p_change -> 'age_ms', 'null');
  v_ms constant bigint := case when jsonb_typeof(v_age) = 'number' and v_age::text ~ '^[0-9]{1,18}$' then v_age::text::bigint end;
  v_time constant timestamptz := case when v_age is not null
    then p_now - least(v_ms, 4000000000000) * interval '1 millisecond'
    when jsonb_typeof(p_change -> 'modified_at') = 'string' then fieldpost.time_or_null(p_change ->> 'modified_at', true) end;
begin
  return case when v_time is not null and (v_age is null or v_ms is not null)
    then greatest(timestamptz '2000-01-01 00:00:00+00', least(p_now, v_time)) end;
end
$$;
comment on function fieldpost.told_time(jsonb, timestamptz) is 'age_ms or modified_at as a time of this server; null if neither can be read.';

-- How many bytes JSON has without the blanks that PostgreSQL prints.
create or replace function fieldpost.json_bytes(p_json jsonb) returns bigint
language plpgsql immutable set search_path = pg_catalog, pg_temp
as $$
declare
  v_bare text;
begin
  if octet_length(p_json::text) <= 262144 then
    return octet_length(p_json::text);
  end if;
  v_bare := regexp_replace(p_json::text, '"(\\.|[^"\\])*"', '', 'g');
  return octet_length(p_json::text) - (length(v_bare) - length(replace(v_bare, ' ', '')));
end
$$;
comment on function fieldpost.json_bytes(jsonb) is 'The size of JSON as devices count it.';

-- Reads a batch, and judges what can be judged by what it says.
create or replace function fieldpost.records_read(p_changes jsonb[], p_now timestamptz) returns fieldpost.record_change[]
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_orgs constant uuid[] := array(select m.org_id from fieldpost.memberships(auth.uid()) m);
  v_shapes fieldpost.record_shape[];
  v_keys jsonb := '{}';  -- {table/record: primary key}
  v_name text;
begin
  v_shapes := array(select s from fieldpost.record_shapes(array(select distinct e ->> 'table' from unnest(p_changes) e)) s);
  for v_name in select s.name from unnest(v_shapes) s loop
    select v_keys || coalesce(jsonb_object_agg(v_name || '/' || t.ref, t.id) filter (where t.id <> t.ref), '{}') into v_keys
    from fieldpost.record_targets(v_name, array(
      select distinct fieldpost.uuid_or_null(e ->> 'record_id') from unnest(p_changes) e where e ->> 'table' = v_name)) t;
  end loop;
  return array(
    select row(l.n, l.id, l.name, l.record_id, l.operation, l.org_id, l.fields, l.modified_at, l.after, l.arrival, l.lane,
               row_number() over lanes, array_agg(l.id) over (partition by l.lane order by l.n rows between 1 following and unbounded following),
               array(select k from jsonb_object_keys(l.fields) k where s.columns ? k order by k),
               array(select k from jsonb_object_keys(l.fields) k where not s.columns ? k order by k), null,
               case when l.id is null then fieldpost.record_refused('bad_request', 'id')
                 when l.name is null then fieldpost.record_refused('bad_request', 'table')
                 when l.record_id is null then fieldpost.record_refused('bad_request', 'record_id')
                 when l.operation is null or l.operation not in ('create', 'update', 'delete') then fieldpost.record_refused('bad_request', 'operation')
                 when l.m -> 'org_id' <> 'null' and l.org_id is null or l.operation = 'create' and l.org_id is null then fieldpost.record_refused('bad_request', 'org_id')
                 when l.m -> 'fields' <> 'null' and jsonb_typeof(l.m -> 'fields') <> 'object' then fieldpost.record_refused('bad_request', 'fields')
                 when l.m -> 'after' <> 'null' and l.after is null then fieldpost.record_refused('bad_request', 'after')
                 when l.m -> 'rule' <> 'null' and coalesce(l.m ->> 'rule', '') not in ('last_write_wins', 'last_arrival_wins') then fieldpost.record_refused('bad_request', 'rule')
                 when l.modified_at is null then fieldpost.record_refused('bad_request', case when l.m ? 'age_ms' then 'age_ms' else 'modified_at' end)
                 when cardinality(v_orgs) = 0 then fieldpost.record_refused('forbidden', 'no membership')
                 when s.name is null then fieldpost.record_refused('unknown_table', l.name)
                 when pg_column_size(l.fields) > 16384 and fieldpost.json_bytes(l.fields) > 262144 then fieldpost.record_refused('too_large', 'fields')
                 when l.operation = 'create' and not l.org_id = any (v_orgs) then fieldpost.record_refused('forbidden', 'org_id')
                 -- PostgreSQL reads some words as dates: yesterday, infinity. No device writes those.
                 when w.word is not null then fieldpost.record_failed(format('invalid input syntax for type %s: "%s"', w.type, w.word), '22007') end
           )::fieldpost.record_change
    from (
      select r.*, r.name || '/' || coalesce(v_keys ->> (r.name || '/' || r.record_id), r.record_id::text) as lane
      from (
        select e.n::int, e.m, fieldpost.uuid_or_null(e.m ->> 'id') as id, case when jsonb_typeof(e.m -> 'table') = 'string' then e.m ->> 'table' end as name,
               fieldpost.uuid_or_null(e.m ->> 'record_id') as record_id, e.m ->> 'operation' as operation, fieldpost.uuid_or_null(e.m ->> 'org_id') as org_id,
               case when jsonb_typeof(e.m -> 'fields') = 'object' then e.m -> 'fields' else '{}' end as fields,
               fieldpost.told_time(e.m, p_now) as modified_at, fieldpost.uuid_or_null(e.m ->> 'after') as after,
               coalesce(e.m ->> 'rule', '') = 'last_arrival_wins' as arrival
        from (select u.n, case when jsonb_typeof(u.m) = 'object' then u.m else '{}' end as m from unnest(p_changes) with ordinality u (m, n)) e
      ) r
    ) l
    left join unnest(v_shapes) s on s.name = l.name
    left join lateral (  -- not of daterange or date[], whose values begin otherwise
      select s.columns ->> f.key as type, left(f.value #>> '{}', 100) as word from jsonb_each(l.fields) f
      where s.columns ->> f.key ~ '^(date$|time(stamp)?([ (]|$))' and jsonb_typeof(f.value) = 'string' and f.value #>> '{}' !~ '^ *[0-9]' limit 1) w on true
    window lanes as (partition by l.lane order by l.n)
    order by l.n);
end
$$;
comment on function fieldpost.records_read(jsonb[], timestamptz) is
  'The changes of a batch, with results for those that are refused by what they say. Security definer: reads memberships, and which rows ids name.';

-- From here on as the caller.

-- Which of the values are rows that the caller sees, and the primary key of each.
create or replace function fieldpost.record_references(p_name text, p_ids uuid[]) returns jsonb
language plpgsql stable set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  v_found jsonb;
begin
  execute format($q$
    select coalesce(jsonb_object_agg(x.ref, x.id), '{}') from (
      select distinct on (y.ref) y.ref, y.id from (
        select t.id as ref, t.id, 0 as o from public.%1$I t where t.id = any ($1)
        union all
        select t.client_id, t.id, 1 from public.%1$I t where t.client_id = any ($1)) y
      order by y.ref, y.o) x $q$, p_name) using p_ids into v_found;
  return v_found;
end
$$;
comment on function fieldpost.record_references(text, uuid[]) is 'The primary keys of records that the caller sees, by the ids that name them.';

-- Puts primary keys in the place of clients' ids. A change that names what is not there, or what the caller may not see, is refused
-- as PostgreSQL would. `p_made`: rows that the same statement makes.
create or replace function fieldpost.resolve_references(s fieldpost.record_shape, p_items fieldpost.record_change[], p_made uuid[])
returns fieldpost.record_change[]
language plpgsql stable set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  v_ref jsonb;
  v_column text;
  v_found jsonb;
  v_same jsonb;
begin
  for v_ref in select r from jsonb_array_elements(s.refs) r loop
    v_column := v_ref ->> 'column';
    continue when not exists (select from unnest(p_items) i where fieldpost.uuid_or_null(i.fields ->> v_column) is not null);
    v_found := fieldpost.record_references(v_ref ->> 'table', array(
      select distinct fieldpost.uuid_or_null(i.fields ->> v_column) from unnest(p_items) i));
    v_same := '{}';
    if exists (select from unnest(p_items) i where i.key is not null) then
      execute format('select coalesce(jsonb_object_agg(t.id, t.%I), ''{}'') from public.%I t where t.id = any ($1)', v_column, s.name)
        using array(select i.key from unnest(p_items) i) into v_same;
    end if;
    p_items := array(
      select case
          when v.value is null or i.result is not null or v_same ->> i.key::text = v.value::text then i
          when v_found ? v.value::text then row(i.n, i.id, i.name, i.record_id, i.operation, i.org_id,
            i.fields || jsonb_build_object(v_column, v_found ->> v.value::text), i.modified_at, i.after, i.arrival, i.lane, i.turn, i.later, i.known, i.ignored, i.key, null)::fieldpost.record_change
          when v_ref ->> 'table' = s.name and v.value = any (p_made) then i
          else row(i.n, i.id, i.name, i.record_id, i.operation, i.org_id, i.fields, i.modified_at, i.after, i.arrival, i.lane, i.turn, i.later, i.known, i.ignored, i.key,
            fieldpost.record_failed(format('insert or update on table "%s" violates foreign key constraint "%s"', s.name, v_ref ->> 'constraint'), '23503')
          )::fieldpost.record_change end
      from unnest(p_items) i cross join lateral (select fieldpost.uuid_or_null(i.fields ->> v_column) as value) v order by i.n);
  end loop;
  return p_items;
end
$$;
comment on function fieldpost.resolve_references(fieldpost.record_shape, fieldpost.record_change[], uuid[]) is
  'Puts primary keys in the place of the ids that devices made, in fields that refer to records.';

create or replace function fieldpost.record_won(p_key uuid, p_version bigint, p_modified timestamptz) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select jsonb_strip_nulls(jsonb_build_object('status', 'won', 'record_id', p_key, 'version', p_version, 'modified_at', fieldpost.time_text(p_modified)))
$$;
comment on function fieldpost.record_won(uuid, bigint, timestamptz) is 'The result of a change that the server has.';

-- The three operations. Each carries out changes of one table that set the same fields, no two of them of one record, and answers
-- their results in order. What the database refuses, it raises.

create or replace function fieldpost.create_records(s fieldpost.record_shape, p_items fieldpost.record_change[]) returns jsonb[]
language plpgsql volatile set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  v_items fieldpost.record_change[];
  v_new fieldpost.record_change[];
  v_ids constant uuid[] := array(select i.record_id from unnest(p_items) i);
  v_known constant text[] := p_items[1].known;
  v_columns constant text := (select string_agg(format(', %I', k), '' order by k) from unnest(v_known) k);
  v_values constant text := (select string_agg(format(', r.%I', k), '' order by k) from unnest(v_known) k);
  v_types constant text := (select string_agg(format('%I %s', k, s.columns ->> k), ', ' order by k) from unnest(v_known) k);
  v_seen uuid[];
begin
  -- What is there already, or was.
  v_seen := array(select (x.value #>> '{}')::uuid from jsonb_each(fieldpost.record_references(s.name, v_ids)) x);
  v_items := array(
    select row(i.n, i.id, i.name, i.record_id, i.operation, i.org_id, i.fields, i.modified_at, i.after, i.arrival, i.lane, i.turn, i.later, i.known, i.ignored, null, case
        when t.ref is not null and (t.id = any (v_seen) or t.last_mutation_id = i.id) then fieldpost.record_won(t.id, t.version, t.modified_at)
        when t.ref is not null or not d.hers then fieldpost.record_refused('id_taken')
        when d.hers then fieldpost.record_won(i.record_id, null, i.modified_at) end)::fieldpost.record_change
    from unnest(p_items) i
    left join fieldpost.record_targets(s.name, v_ids) t on t.ref = i.record_id
    left join fieldpost.record_deletions(s.name, v_ids) d on d.ref = i.record_id
    order by i.n);
  v_items := fieldpost.resolve_references(s, v_items, v_ids);
  v_new := array(select i from unnest(v_items) i where i.result is null order by i.record_id);
  if v_new <> '{}' then
    execute format('insert into public.%I (id, client_id, org_id, client_modified_at, last_mutation_id%s%s) '
      'select i.record_id, i.record_id, i.org_id, i.modified_at, i.id%s%s from unnest($1) with ordinality i%s order by i.ordinality',
      s.name, case when s.created then ', created_at' end, v_columns, case when s.created then ', i.modified_at' end, v_values,
      ' cross join lateral jsonb_to_record(i.fields) as r(' || v_types || ')') using v_new;
  end if;
  return array(
    select coalesce(i.result, case when t.ref is not null then fieldpost.record_won(t.id, t.version, t.modified_at)
                                   else fieldpost.record_refused('refused', 'a trigger of this project dropped the record (no row)') end)
    from unnest(v_items) i
    left join fieldpost.record_targets(s.name, array(select x.record_id from unnest(v_new) x)) t on t.ref = i.record_id
    order by i.n);
end
$$;
comment on function fieldpost.create_records(fieldpost.record_shape, fieldpost.record_change[]) is 'Creates records as the caller.';

create or replace function fieldpost.update_records(s fieldpost.record_shape, p_items fieldpost.record_change[]) returns jsonb[]
language plpgsql volatile set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  v_items fieldpost.record_change[];
  v_open fieldpost.record_change[];
  v_known constant text[] := p_items[1].known;
  v_sets constant text := (select string_agg(format('%1$I = r.%1$I, ', k), '' order by k) from unnest(v_known) k);
  v_types constant text := (select string_agg(format('%I %s', k, s.columns ->> k), ', ' order by k) from unnest(v_known) k);
  v_mine uuid[];
  v_texts jsonb;
begin
  v_items := array(
    select row(i.n, i.id, i.name, i.record_id, i.operation, i.org_id, i.fields, i.modified_at, i.after, i.arrival, i.lane, i.turn, i.later, i.known, i.ignored, t.id,
               case when t.id is null then '{"status":"missing"}'::jsonb end)::fieldpost.record_change
    from unnest(p_items) i
    left join fieldpost.record_targets(s.name, array(select x.record_id from unnest(p_items) x)) t on t.ref = i.record_id
    order by i.n);
  v_items := fieldpost.resolve_references(s, v_items, '{}');
  v_open := array(select i from unnest(v_items) i where i.result is null order by i.key);
  if v_open <> '{}' then
    -- In the order of all batches, so that no two of them wait for each other. And whatever she may not change does not come.
    execute format('select array(select t.id from public.%I t where t.id = any ($1) order by t.id for no key update)', s.name)
      using array(select i.key from unnest(v_open) i) into v_mine;
    execute format('update public.%1$I t set %2$s client_modified_at = greatest(i.modified_at, case when i.arrival or t.last_mutation_id = i.after then %4$s end), last_mutation_id = i.id '
      'from unnest($1) i%3$s where t.id = i.key and t.last_mutation_id is distinct from i.id '
      'and (i.arrival or t.last_mutation_id = i.after or (%4$s, coalesce(t.last_mutation_id, ''00000000-0000-0000-0000-000000000000'')) < (i.modified_at, i.id))',
      s.name, v_sets, ' cross join lateral jsonb_to_record(i.fields) as r(' || v_types || ')', s.modified) using v_open;
    select jsonb_object_agg(x.id, x.j::jsonb) into v_texts from fieldpost.record_texts(s.name, array(select i.key from unnest(v_open) i)) x;
  end if;
  return array(
    select coalesce(i.result, case
      when t.id is null then '{"status":"missing"}'
      when t.last_mutation_id = i.id or t.last_mutation_id = any (i.later) then fieldpost.record_won(t.id, t.version, t.modified_at)
      when not coalesce(v_texts, '{}') ? i.key::text then '{"status":"missing"}'
      when i.arrival or t.last_mutation_id = i.after
           or (t.modified_at, coalesce(t.last_mutation_id, '00000000-0000-0000-0000-000000000000')) < (i.modified_at, i.id)
        then case when i.key = any (v_mine) then fieldpost.record_refused('refused', 'a trigger of this project dropped the change (no row)')
                  else fieldpost.record_refused('forbidden', 'a policy of this project keeps the record as it is (42501)') end
      else jsonb_build_object('status', 'lost', 'record', v_texts -> i.key::text) end)
    from unnest(v_items) i
    left join fieldpost.record_targets(s.name, array(select x.key from unnest(v_open) x)) t on t.ref = i.key
    order by i.n);
end
$$;
comment on function fieldpost.update_records(fieldpost.record_shape, fieldpost.record_change[]) is 'Changes records as the caller, where the change is the last one.';

create or replace function fieldpost.delete_records(s fieldpost.record_shape, p_items fieldpost.record_change[]) returns jsonb[]
language plpgsql volatile set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  v_ids constant uuid[] := array(select i.record_id from unnest(p_items) i);
  v_keys jsonb := (select coalesce(jsonb_object_agg(t.ref, t.id), '{}') from fieldpost.record_targets(s.name, v_ids) t where t.id is not null);
  v_left jsonb;
begin
  execute format('delete from public.%I t where t.id = any ($1)', s.name)
    using array(select (k.value #>> '{}')::uuid as key from jsonb_each(v_keys) k order by key);
  v_left := fieldpost.record_references(s.name, v_ids);  -- what she still sees
  return array(
    select case when v_left ? i.record_id::text then fieldpost.record_refused('forbidden', 'a policy or a trigger of this project keeps the record (42501)')
                else fieldpost.record_won(coalesce((v_keys ->> i.record_id::text)::uuid, i.record_id), null, i.modified_at) end
    from unnest(p_items) i order by i.n);
end
$$;
comment on function fieldpost.delete_records(fieldpost.record_shape, fieldpost.record_change[]) is 'Deletes records as the caller.';

create or replace function fieldpost.carry_out_records(s fieldpost.record_shape, p_items fieldpost.record_change[]) returns jsonb[]
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
begin
  return case p_items[1].operation
    when 'create' then fieldpost.create_records(s, p_items)
    when 'update' then fieldpost.update_records(s, p_items)
    else fieldpost.delete_records(s, p_items) end;
end
$$;
comment on function fieldpost.carry_out_records(fieldpost.record_shape, fieldpost.record_change[]) is 'Carries out changes that are alike.';

-- One change, under a savepoint of its own.
create or replace function fieldpost.try_record(s fieldpost.record_shape, p_item fieldpost.record_change, p_stuck uuid[]) returns jsonb
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  v_result jsonb;
begin
  begin
    v_result := (fieldpost.carry_out_records(s, array[p_item]))[1];
  exception when assert_failure or others then
    v_result := fieldpost.record_failed(sqlerrm, sqlstate);
    if sqlstate = '23505' and p_item.operation = 'create' and exists (select from fieldpost.record_targets(s.name, array[p_item.record_id])) then
      begin
        v_result := (fieldpost.carry_out_records(s, array[p_item]))[1];  -- somebody was quicker, with the same record
      exception when assert_failure or others then
        v_result := fieldpost.record_failed(sqlerrm, sqlstate);
      end;
    end if;
  end;
  -- What it refers to is on its way.
  if v_result ->> 'detail' like '%(23503)' and exists (select from jsonb_each_text(p_item.fields) f where f.value = any (p_stuck::text[])) then
    v_result := '{"status":"retry","code":"after_retry"}';
  end if;
  return v_result;
end
$$;
comment on function fieldpost.try_record(fieldpost.record_shape, fieldpost.record_change, uuid[]) is 'Carries out one change, or says why not.';

-- As a set; where that is refused, as two halves of it. So one bad change among 500 costs some twenty statements and not 500.
create or replace function fieldpost.try_records(s fieldpost.record_shape, p_items fieldpost.record_change[], p_stuck uuid[], p_until timestamptz) returns jsonb[]
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  v_half constant int := cardinality(p_items) / 2;
  v_first jsonb[];
begin
  perform fieldpost.wait_until(p_until);
  if v_half = 0 then
    return array[fieldpost.try_record(s, p_items[1], p_stuck)];
  end if;
  begin
    return fieldpost.carry_out_records(s, p_items);
  exception when assert_failure or others then
    null;
  end;
  v_first := fieldpost.try_records(s, p_items[:v_half], p_stuck, p_until);
  return v_first || fieldpost.try_records(s, p_items[v_half + 1:], p_stuck || array(
    select i.record_id from unnest(p_items[:v_half]) with ordinality i where v_first[i.ordinality] ->> 'status' = 'retry'), p_until);
end
$$;
comment on function fieldpost.try_records(fieldpost.record_shape, fieldpost.record_change[], uuid[], timestamptz) is
  'Carries out changes that are alike: as a set, or by halves where that is refused.';

create or replace function fieldpost.records_push(p_protocol int, p_changes jsonb[]) returns json
language plpgsql volatile set search_path = pg_catalog, pg_temp set lock_timeout = '3s'
as $$
declare
  v_refused constant json := fieldpost.push_refused(p_protocol, p_changes);
  v_until constant timestamptz := clock_timestamp() + interval '3 seconds';
  v_all fieldpost.record_change[];
  v_shapes fieldpost.record_shape[];
  v_shape fieldpost.record_shape;
  v_items fieldpost.record_change[];
  v_group record;
  v_results jsonb[];
  v_got jsonb[];
  v_made uuid[];
  v_stuck text[] := '{}';    -- lanes
  v_refusals text[] := '{}';
  v_waiting uuid[] := '{}';  -- records that wait, by what devices call them
begin
  if v_refused is not null then
    return v_refused;
  end if;
  v_all := fieldpost.records_read(p_changes, clock_timestamp());
  v_results := array(select i.result from unnest(v_all) i order by i.n);
  v_shapes := array(select s from fieldpost.record_shapes(array(select distinct i.name from unnest(v_all) i)) s);
  perform set_config('fieldpost.records_push', 'on', true);
  set constraints all immediate;  -- or what one change violates fails the whole call when it commits
  for v_turn in 1 .. coalesce((select max(i.turn) from unnest(v_all) i), 0) loop
    if v_turn > 1 then
      for v_group in select i.n, i.lane from unnest(v_all) i where i.turn = v_turn and i.lane is not null loop
        if v_group.lane = any (v_stuck) then
          v_results[v_group.n] := '{"status":"retry","code":"after_retry"}';
        elsif v_group.lane = any (v_refusals) then
          v_results[v_group.n] := fieldpost.record_refused('after_refused');
        end if;
      end loop;
    end if;
    for v_group in
      select i.operation, i.name, i.known, array_agg(i order by i.n) as items
      from unnest(v_all) i join unnest(v_shapes) s on s.name = i.name
      where i.turn = v_turn and v_results[i.n] is null
      group by i.operation, i.name, i.known, s.rank
      order by array_position(array['create', 'update', 'delete'], i.operation), case when i.operation = 'delete' then -s.rank else s.rank end, i.name, min(i.n)
    loop
      v_items := v_group.items;
      select s.* into v_shape from unnest(v_shapes) s where s.name = v_group.name;
      v_got := fieldpost.try_records(v_shape, v_items, v_waiting, v_until);
      for v_n in 1 .. cardinality(v_items) loop
        v_results[v_items[v_n].n] := v_got[v_n];
        if v_got[v_n] ->> 'status' = 'retry' then
          v_waiting := v_waiting || v_items[v_n].record_id;
        end if;
      end loop;
    end loop;
    -- Tables may refer to themselves and to each other in circles: what named a record that has been made since is tried again.
    for v_pass in 1 .. 3 loop
      v_made := array(select i.record_id from unnest(v_all) i where i.operation = 'create' and v_results[i.n] ->> 'status' = 'won');
      v_items := array(
        select i from unnest(v_all) i
        where i.turn = v_turn and i.operation <> 'delete' and v_results[i.n] ->> 'detail' like '%(23503)'
          and exists (select from jsonb_each_text(i.fields) f where f.value = any (v_made::text[])) order by i.n);
      exit when v_items = '{}';
      for v_n in 1 .. cardinality(v_items) loop
        select s.* into v_shape from unnest(v_shapes) s where s.name = v_items[v_n].name;
        perform fieldpost.wait_until(v_until);
        v_results[v_items[v_n].n] := fieldpost.try_record(v_shape, v_items[v_n], v_waiting);
      end loop;
    end loop;
    v_stuck := v_stuck || array(select i.lane from unnest(v_all) i where i.turn = v_turn and i.lane is not null and v_results[i.n] ->> 'status' = 'retry');
    v_refusals := v_refusals || array(select i.lane from unnest(v_all) i where i.turn = v_turn and i.lane is not null and v_results[i.n] ->> 'status' = 'refused');
  end loop;
  perform set_config('fieldpost.records_push', '', true);
  return fieldpost.answer(fieldpost.envelope(), array['results'], array[(
    select string_agg(concat('{"id":', coalesce('"' || i.id || '"', 'null'), ',', substr(v_results[i.n]::text, 2, length(v_results[i.n]::text) - 2),
                             case when i.ignored <> '{}' and i.result is null then ',"ignored":' || to_jsonb(i.ignored)::text end, '}'), ',' order by i.n)
    from unnest(v_all) i)]);
end
$$;
comment on function fieldpost.records_push(int, jsonb[]) is 'Applies a device''s changes of records as the caller.';

create or replace function public.fieldpost_records_push(
  p_protocol int default null, p_app text default null, p_capabilities text[] default '{}', p_changes jsonb[] default '{}')
returns json
language sql volatile set search_path = pg_catalog, pg_temp
as $$ select fieldpost.records_push(p_protocol, p_changes) $$;
comment on function public.fieldpost_records_push(int, text, text[], jsonb[]) is 'Applies a device''s changes of records (docs/protocol.md).';
