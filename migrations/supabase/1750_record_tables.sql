-- Records: tables of a project's own that devices hold offline (docs/howto/records.md).
--
-- `fieldpost.add_record_table('public.visits')` offers a table, `fieldpost.remove_record_table` takes it back. Nothing is offered
-- unasked, and a project that offers nothing has no trigger of this part.
--
-- What a table gets:
--   client_id           the id that a device made, unique; rows of other clients have none
--   client_modified_at  when somebody changed the row, by the server's clock: what last-write-wins compares
--   last_mutation_id    the change of a device that the row had last; null if another client changed it since
--   version, sync_xid   as on messages (0300)
--   BEFORE INSERT, UPDATE, row       stamp the row, whoever writes it
--   AFTER UPDATE, row; DELETE        write tombstones
--
-- What must stay true:
--  * The stamps are never the writer's. A direct writer's change counts as made now, whatever she claims; the claims of a device
--    count only inside of `fieldpost.records_push`, and never as later than now.
--  * A version is above that of every tombstone of its id, also of one that housekeeping has forgotten.
--  * New columns have constant defaults or none, so adding them rewrites no table. The indexes of a large table are built beforehand,
--    concurrently (`fieldpost.prepare_record_table`).
--  * What existed is not altered: no policy, no grant, no constraint, no trigger of the project's.

create table if not exists fieldpost.record_tables (
  name text primary key,
  added_at timestamptz not null default now()
);
comment on table fieldpost.record_tables is 'The tables of schema public that are offered to devices.';

-- One for each organization that a row has left: by being deleted, or by moving to another.
create table if not exists fieldpost.record_tombstones (
  name text not null,
  org_id uuid not null,
  id uuid not null,
  client_id uuid,
  version bigint not null,
  sync_xid xid8 not null default pg_catalog.pg_current_xact_id(),
  deleted_at timestamptz not null default now(),
  primary key (name, id, org_id)
);
create index if not exists record_tombstones_feed on fieldpost.record_tombstones (name, org_id, sync_xid, id);
create index if not exists record_tombstones_client on fieldpost.record_tombstones (name, client_id) where client_id is not null;
create index if not exists record_tombstones_by_age on fieldpost.record_tombstones (deleted_at);
comment on table fieldpost.record_tombstones is 'Records that an organization has no more, kept so that clients and retries learn of it.';
create or replace trigger aa_fieldpost_run before insert or update or delete on fieldpost.record_tombstones
  for each statement execute function fieldpost.note_run();

-- Where versions begin of records that may have been there before.
alter table fieldpost.compaction add column if not exists records_version bigint not null default 0;

-- A table that was dropped, renamed, or whose row level security was switched off since is not offered.
create or replace function fieldpost.offered_tables() returns table (name text, relid oid)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select r.name, c.oid
  from fieldpost.record_tables r
  join pg_class c on c.relname = r.name and c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relrowsecurity
  join pg_attribute a on a.attrelid = c.oid and a.attname = 'sync_xid' and a.atttypid = 'xid8'::regtype and not a.attisdropped
$$;
comment on function fieldpost.offered_tables() is
  'The tables that are offered to devices. Security definer: reads a table that clients may not read.';

-- When a row was changed, as an expression over its alias t. Rows from before have the dates of the project.
create or replace function fieldpost.record_modified(p_table oid) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select 'coalesce(t.client_modified_at, ' || coalesce(string_agg(format('t.%I, ', w.col), '' order by w.n), '') || 'timestamptz ''2000-01-01 00:00:00+00'')'
  from unnest(array['updated_at', 'created_at']) with ordinality w (col, n)
  join pg_attribute a on a.attrelid = p_table and a.attname = w.col and a.atttypid = 'timestamptz'::regtype and not a.attisdropped
  where has_column_privilege('authenticated', p_table, a.attnum, 'select')
$$;
comment on function fieldpost.record_modified(oid) is 'The expression of when a row of a table was changed.';

-- What stamps the rows.

create or replace function fieldpost.record_before_insert() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_name constant text := tg_table_name;  -- of type name it would use no index
begin
  if new.last_mutation_id is not null and coalesce(current_setting('fieldpost.records_push', true), '') = 'on' then
    new.client_modified_at := least(coalesce(new.client_modified_at, clock_timestamp()), clock_timestamp());
  else
    new.client_modified_at := clock_timestamp();
    new.last_mutation_id := null;
  end if;
  new.version := 1 + greatest(
    (select k.records_version from fieldpost.compaction k),
    (select max(t.version) from fieldpost.record_tombstones t where t.name = v_name and t.id = new.id));
  new.sync_xid := pg_current_xact_id();
  return new;
end
$$;
comment on function fieldpost.record_before_insert() is
  'Stamps a new record. Security definer: whoever may write records need not be allowed to look into this schema.';

-- Asked for when a row is written, for the project may add such a column at any time, or keep one and drop its expression.
create or replace function fieldpost.generated_columns(p_table oid) returns text[]
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(a.attname::text), '{}') from pg_attribute a
  where a.attrelid = p_table and a.attnum > 0 and a.attgenerated <> '' and not a.attisdropped
$$;
comment on function fieldpost.generated_columns(oid) is 'The columns that have no value yet in a BEFORE trigger.';

create or replace function fieldpost.record_before_update() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_push constant boolean := coalesce(current_setting('fieldpost.records_push', true), '') = 'on';
  v_generated text[];
begin
  if old.client_id is not null or fieldpost.uid() is not null then
    new.client_id := old.client_id;
  end if;
  new.version := old.version;
  new.sync_xid := old.sync_xid;
  if v_push and new.last_mutation_id is not null and new.last_mutation_id is distinct from old.last_mutation_id then
    new.client_modified_at := least(coalesce(new.client_modified_at, clock_timestamp()), clock_timestamp());
  else
    new.client_modified_at := old.client_modified_at;
    new.last_mutation_id := old.last_mutation_id;
    v_generated := fieldpost.generated_columns(tg_relid);
    if to_jsonb(new) - v_generated = to_jsonb(old) - v_generated then
      return new;  -- nothing changed: no device needs to hear of it
    end if;
    -- What a trigger of the project makes of a change that this transaction has pushed is a part of that change.
    if not (v_push and old.sync_xid = pg_current_xact_id() and old.last_mutation_id is not null and pg_trigger_depth() > 1) then
      new.client_modified_at := greatest(clock_timestamp(), old.client_modified_at);
      new.last_mutation_id := null;
    end if;
  end if;
  new.version := old.version + 1;
  new.sync_xid := pg_current_xact_id();
  return new;
end
$$;
comment on function fieldpost.record_before_update() is
  'Stamps a changed record, and restores what may not change. Security definer: as record_before_insert.';

-- A tombstone of a row that is still there has the version before: whoever may see both keeps the row.
create or replace function fieldpost.record_after_update() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into fieldpost.record_tombstones as t (name, org_id, id, client_id, version)
  select tg_table_name, old.org_id, old.id, old.client_id, case when old.id = new.id then new.version - 1 else new.version end
  where old.org_id is not null
  on conflict (name, id, org_id) do update
    set version = greatest(t.version, excluded.version), client_id = excluded.client_id, sync_xid = excluded.sync_xid, deleted_at = excluded.deleted_at;
  return null;
end
$$;
comment on function fieldpost.record_after_update() is
  'Tells an organization that a record has left it. Security definer: nobody else writes tombstones.';

create or replace function fieldpost.record_after_delete() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into fieldpost.record_tombstones as t (name, org_id, id, client_id, version)
  select tg_table_name, o.org_id, o.id, o.client_id, o.version + 1
  from fieldpost_old o where o.org_id is not null order by o.id
  on conflict (name, id, org_id) do update
    set version = greatest(t.version, excluded.version), client_id = excluded.client_id, sync_xid = excluded.sync_xid, deleted_at = excluded.deleted_at;
  return null;
end
$$;
comment on function fieldpost.record_after_delete() is
  'Writes tombstones of deleted records. Security definer: nobody else writes tombstones.';

create or replace function fieldpost.watch_record_table(p_name text) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_table constant text := format('public.%I', p_name);
begin
  execute format('create or replace trigger aa_fieldpost_run before insert or update or delete on %s for each statement '
    'execute function fieldpost.note_run()', v_table);
  execute format('create or replace trigger zz_fieldpost_record_insert before insert on %s for each row '
    'execute function fieldpost.record_before_insert()', v_table);
  execute format('create or replace trigger zz_fieldpost_record_update before update on %s for each row '
    'execute function fieldpost.record_before_update()', v_table);
  execute format('create or replace trigger zz_fieldpost_record_moved after update on %s for each row '
    'when (old.org_id is distinct from new.org_id or old.id <> new.id) execute function fieldpost.record_after_update()', v_table);
  execute format('create or replace trigger zz_fieldpost_record_delete after delete on %s referencing old table as fieldpost_old '
    'for each statement execute function fieldpost.record_after_delete()', v_table);
  execute format('create or replace trigger zz_fieldpost_truncate after truncate on %s for each statement '
    'execute function fieldpost.new_epoch()', v_table);
end
$$;
comment on function fieldpost.watch_record_table(text) is 'Puts the triggers of records on a table.';

-- What stands in the way of offering a table, in sentences.
create or replace function fieldpost.record_table_faults(p_table regclass) returns setof text
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  c pg_class;
  v_row record;
  v_name text;
begin
  select x.* into c from pg_class x where x.oid = p_table;
  v_name := format('%s.%s', c.relnamespace::regnamespace, c.relname);
  if c.relnamespace <> 'public'::regnamespace then
    return next format('%s is in another schema than public, which is the one that the API exposes.', v_name);
  elsif c.relname !~ '^[a-z][a-z0-9_]{0,47}$' then
    return next format('%s has a name that devices cannot use: 1 to 48 of a–z, 0–9 and _, and a letter first.', v_name);
  end if;
  if c.relkind <> 'r' or exists (select from pg_inherits i where p_table in (i.inhrelid, i.inhparent)) then
    return next format('%s is no plain table: views, foreign, partitioned and inheriting tables cannot carry what Fieldpost adds.', v_name);
    return;
  end if;
  if exists (select from fieldpost.managed m where m.name = c.relname) and c.relnamespace = 'public'::regnamespace then
    return next format('%s is a table of the messages, which devices have already.', v_name);
  end if;
  if not pg_has_role(c.relowner, 'usage') then
    return next format('%s belongs to %s: call this as that role.', v_name, c.relowner::regrole);
  end if;
  if not c.relrowsecurity then
    return next format('Row level security is off on %s, so that everybody reads and writes all of it. Switch it on, with policies that say who may do what.', v_name);
  end if;
  for v_row in
    select w.col, format_type(a.atttypid, a.atttypmod) as has from (values ('id'), ('org_id')) w (col)
    left join pg_attribute a on a.attrelid = p_table and a.attname = w.col and a.attnum > 0 and not a.attisdropped
    where a.atttypid is distinct from 'uuid'::regtype
  loop
    return next case when v_row.has is null then format('%s has no column %s of type uuid.', v_name, v_row.col)
      else format('%s.%s is %s, and Fieldpost needs uuid: ids are made on devices.', v_name, v_row.col, v_row.has) end;
  end loop;
  if not exists (select from pg_index i join pg_attribute a on a.attrelid = p_table and a.attname = 'id'
                 where i.indrelid = p_table and i.indisprimary and i.indnkeyatts = 1 and i.indkey[0] = a.attnum) then
    return next format('%s needs a primary key over the column id alone.', v_name);
  end if;
  for v_row in
    select w.col, w.type, format_type(a.atttypid, a.atttypmod) as has, w.col <> 'client_id' and coalesce(col_description(p_table, a.attnum), '') not like 'Fieldpost: %' as own
    from (values ('client_id', 'uuid'), ('client_modified_at', 'timestamp with time zone'), ('last_mutation_id', 'uuid'), ('version', 'bigint'), ('sync_xid', 'xid8')) w (col, type)
    join pg_attribute a on a.attrelid = p_table and a.attname = w.col and a.attnum > 0 and not a.attisdropped
  loop
    if v_row.own then
      return next format('%s has a column %s of its own (%s), and Fieldpost adds one of that name: rename yours.', v_name, v_row.col, v_row.has);
    elsif v_row.has <> v_row.type then
      return next format('%s.%s is %s, and Fieldpost needs %s.', v_name, v_row.col, v_row.has, v_row.type);
    end if;
  end loop;
end
$$;
comment on function fieldpost.record_table_faults(regclass) is 'Why a table cannot be offered to devices, in sentences.';

create or replace function fieldpost.record_columns() returns table (col text, definition text, note text)
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select x.* from (values
    ('client_id', 'uuid', 'Fieldpost: the id that a device made.'),
    ('client_modified_at', 'timestamptz', 'Fieldpost: when the row was changed, by the server''s clock.'),
    ('last_mutation_id', 'uuid', 'Fieldpost: the change of a device that the row had last.'),
    ('version', format('bigint not null default %s', 1 + (select k.records_version from fieldpost.compaction k)), 'Fieldpost: grows with every change.'),
    ('sync_xid', 'xid8 not null default ''0''', 'Fieldpost: the transaction that changed the row last.')) x
$$;
comment on function fieldpost.record_columns() is 'The columns that a table of records gets.';

-- Whether a client's id is unique already: by a constraint of the project's, or by the index that is made here.
create or replace function fieldpost.client_id_is_unique(p_table regclass) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from pg_index i join pg_attribute a on a.attrelid = p_table and a.attname = 'client_id' and not a.attisdropped
    where i.indrelid = p_table and i.indisunique and i.indisvalid and i.indnkeyatts = 1 and i.indkey[0] = a.attnum and i.indexprs is null
      and coalesce(pg_get_expr(i.indpred, p_table), '(client_id IS NOT NULL)') = '(client_id IS NOT NULL)')
$$;
comment on function fieldpost.client_id_is_unique(regclass) is 'Whether the client_id of a table is unique.';

create or replace function fieldpost.prepare_record_table(p_table regclass) returns setof text
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  v_name constant text := (select c.relname from pg_class c where c.oid = p_table);
  v_faults constant text := (select string_agg(E'\n  ' || f, '') from fieldpost.record_table_faults(p_table) f);
begin
  if v_faults is not null then
    raise exception 'this table cannot be offered to devices.%', v_faults;
  end if;
  return next 'set lock_timeout = ''2s'';';
  return next format('alter table public.%I %s;', v_name, (select string_agg(format('add column if not exists %I %s', k.col, k.definition), ', ') from fieldpost.record_columns() k));
  -- An own client_id stays the project's: what bears the note is dropped with the table's removal.
  return query
  select format('comment on column public.%I.%I is %L;', v_name, k.col, k.note) from fieldpost.record_columns() k
  where not exists (select from pg_attribute a where a.attrelid = p_table and a.attname = k.col and not a.attisdropped);
  return next 'set lock_timeout = 0;';
  if not fieldpost.client_id_is_unique(p_table) then
    return next format('create unique index concurrently if not exists %I on public.%I (client_id) where client_id is not null;', 'fieldpost_' || v_name || '_key', v_name);
  end if;
  return next format('create index concurrently if not exists %I on public.%I (org_id, sync_xid, id);', 'fieldpost_' || v_name || '_feed', v_name);
end
$$;
comment on function fieldpost.prepare_record_table(regclass) is
  'The statements that build the columns and indexes of a large table while people write it. To be run one by one, in no transaction.';

create or replace function fieldpost.lock_table(p_table regclass, p_mode text) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_until constant timestamptz := clock_timestamp() + interval '60 seconds';
begin
  loop
    begin
      perform set_config('lock_timeout', '400ms', true);
      execute format('lock table %s in %s mode', p_table, p_mode);
      exit;
    exception when lock_not_available or deadlock_detected then
      if clock_timestamp() > v_until then
        raise exception 'somebody holds % for too long', p_table
          using errcode = 'lock_not_available', hint = 'Look for long transactions in pg_stat_activity, and call this again.';
      end if;
      perform pg_sleep(0.2 + random() * 0.3);  -- whoever waited behind this request goes first
    end;
  end loop;
  perform set_config('lock_timeout', '10s', true);
end
$$;
comment on function fieldpost.lock_table(regclass, text) is 'Locks a table for a change, without keeping anybody waiting for longer than 0.4 s.';

create or replace function fieldpost.add_record_table(p_table regclass) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  c_large constant int := 200000;
  v_name constant text := (select c.relname from pg_class c where c.oid = p_table);
  v_row record;
  v_faults text;
begin
  if exists (select from fieldpost.offered_tables() o where o.relid = p_table)
     and 6 = (select count(*) from pg_trigger t where t.tgrelid = p_table and not t.tgisinternal
              and (t.tgname like 'zz\_fieldpost\_record\_%' or t.tgname in ('aa_fieldpost_run', 'zz_fieldpost_truncate'))) then
    return;  -- asked for again: nobody is kept waiting for that
  end if;
  v_faults := (select string_agg(E'\n  ' || f, '') from fieldpost.record_table_faults(p_table) f);
  if v_faults is not null then
    raise exception 'this table cannot be offered to devices. Nothing was changed.%', v_faults;
  end if;
  if (select c.reltuples > c_large from pg_class c where c.oid = p_table)
     and not exists (select from pg_index i where i.indexrelid = to_regclass(format('public.%I', 'fieldpost_' || v_name || '_feed')) and i.indisvalid) then
    raise exception 'public.% has more than % rows: building its indexes would keep your app waiting', v_name, c_large
      using hint = format('Build them beforehand, which keeps nobody waiting: psql "$DATABASE_URL" -Atc "select fieldpost.prepare_record_table(''public.%s'')" | psql "$DATABASE_URL"', v_name);
  end if;

  perform fieldpost.lock_table(p_table, 'access exclusive');
  for v_row in
    select k.* from fieldpost.record_columns() k
    where not exists (select from pg_attribute a where a.attrelid = p_table and a.attname = k.col and not a.attisdropped)
  loop
    execute format('alter table public.%I add column %I %s', v_name, v_row.col, v_row.definition);
    execute format('comment on column public.%I.%I is %L', v_name, v_row.col, v_row.note);
    -- Where the project grants columns one by one, these are new ones, which nobody has a right to yet.
    if not has_table_privilege('authenticated', p_table, 'select') and has_any_column_privilege('authenticated', p_table, 'select') then
      execute format('grant select (%I) on public.%I to authenticated', v_row.col, v_name);
    end if;
    if v_row.col in ('client_id', 'client_modified_at', 'last_mutation_id') then
      if not has_table_privilege('authenticated', p_table, 'insert') and has_any_column_privilege('authenticated', p_table, 'insert') then
        execute format('grant insert (%I) on public.%I to authenticated', v_row.col, v_name);
      end if;
      if not has_table_privilege('authenticated', p_table, 'update') and has_any_column_privilege('authenticated', p_table, 'update') then
        execute format('grant update (%I) on public.%I to authenticated', v_row.col, v_name);
      end if;
    end if;
  end loop;
  if not fieldpost.client_id_is_unique(p_table) then
    begin
      execute format('create unique index %I on public.%I (client_id) where client_id is not null', 'fieldpost_' || v_name || '_key', v_name);
    exception when unique_violation then
      raise exception 'this table cannot be offered to devices. Nothing was changed.%',
        format(E'\n  Several rows of public.%s have one client_id. Each names one record: give them different ones, or null.', v_name);
    end;
  end if;
  execute format('create index if not exists %I on public.%I (org_id, sync_xid, id)', 'fieldpost_' || v_name || '_feed', v_name);
  perform fieldpost.watch_record_table(v_name);
  insert into fieldpost.record_tables (name) values (v_name) on conflict do nothing;
end
$$;
comment on function fieldpost.add_record_table(regclass) is
  'Offers a table to devices (docs/howto/records.md). Says in sentences what is in the way. Calling it again changes nothing.';

create or replace function fieldpost.remove_record_table(p_table regclass) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_name constant text := (select c.relname from pg_class c where c.oid = p_table);
  v_row record;
  v_version bigint;
begin
  if not exists (select from fieldpost.record_tables r where r.name = v_name) or p_table <> to_regclass(format('public.%I', v_name)) then
    raise exception '% is not offered to devices', p_table;
  end if;
  perform fieldpost.lock_table(p_table, 'access exclusive');
  -- If it is offered again, versions go on from here.
  execute format('select max(t.version) from public.%I t', v_name) into v_version;
  update fieldpost.compaction k set records_version = greatest(k.records_version, v_version,
    (select max(t.version) from fieldpost.record_tombstones t where t.name = v_name));
  delete from fieldpost.record_tables r where r.name = v_name;
  delete from fieldpost.record_tombstones t where t.name = v_name;
  for v_row in
    select t.tgname from pg_trigger t where t.tgrelid = p_table and not t.tgisinternal
      and (t.tgname like 'zz\_fieldpost\_record\_%' or t.tgname in ('aa_fieldpost_run', 'zz_fieldpost_truncate'))
  loop
    execute format('drop trigger %I on public.%I', v_row.tgname, v_name);
  end loop;
  execute format('drop index if exists public.%I, public.%I', 'fieldpost_' || v_name || '_key', 'fieldpost_' || v_name || '_feed');
  for v_row in
    select a.attname from pg_attribute a where a.attrelid = p_table and a.attnum > 0 and not a.attisdropped
      and col_description(p_table, a.attnum) like 'Fieldpost: %'
  loop
    execute format('alter table public.%I drop column %I', v_name, v_row.attname);
  end loop;
end
$$;
comment on function fieldpost.remove_record_table(regclass) is
  'Takes a table back from devices: its triggers, and the columns and indexes that add_record_table has added. The rows stay.';

create or replace function fieldpost.compact_records(p_older_than interval default '90 days') returns bigint
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_count bigint;
  v_newest xid8;
  v_version bigint;
begin
  with gone as (
    delete from fieldpost.record_tombstones t
    where t.deleted_at < now() - p_older_than and t.sync_xid < pg_snapshot_xmin(pg_current_snapshot())
    returning t.sync_xid, t.version
  )
  select count(*), (array_agg(g.sync_xid order by g.sync_xid desc))[1], max(g.version) into v_count, v_newest, v_version from gone g;
  update fieldpost.compaction k set records_version = greatest(k.records_version, v_version) where v_count > 0;
  perform fieldpost.note_compaction(v_newest);
  return v_count;
end
$$;
comment on function fieldpost.compact_records(interval) is 'Forgets old deletions of records.';

-- For the tables of migrations/supabase/clinical. Grants say the same of a client; they are lost with a dump.
create or replace function fieldpost.keep_maker() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_stamps constant text[] := array['client_id', 'client_modified_at', 'last_mutation_id', 'version', 'sync_xid', 'updated_at'] || fieldpost.generated_columns(tg_relid);
begin
  if fieldpost.uid() is not null then
    new.id := old.id;
    new.org_id := old.org_id;
    new.created_by := old.created_by;
    new.created_at := old.created_at;
  end if;
  new.updated_at := case when to_jsonb(new) - v_stamps = to_jsonb(old) - v_stamps then old.updated_at else now() end;
  return new;
end
$$;
comment on function fieldpost.keep_maker() is
  'Keeps who made a row, and updated_at. Security definer: roles of a project''s own may not look into this schema.';
