-- Restoring data into a project that has Fieldpost already (docs/howto/supabase.md, "Restoring").
--
-- What must stay true:
--  * A dump of schema fieldpost can be restored beside what an apply has written there: rows that are there stay. Also with
--    `session_replication_role = replica`, which is what the Supabase CLI's dumps of data say: hence `enable always`.
--  * After `begin_epoch()` no cursor of before means anything, and what is derived is what the tables say.

create or replace function fieldpost.keep_what_is_there() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_there boolean;
begin
  execute format('select exists (select from %s t where %s)', tg_relid::regclass, tg_argv[0]) into v_there using to_jsonb(new);
  return case when v_there then null else new end;
end
$$;
comment on function fieldpost.keep_what_is_there() is 'Lets a restore pass by rows that are there already, instead of failing.';

do $$
declare
  v_row record;
begin
  for v_row in
    select c.oid::regclass as tab, string_agg(format('t.%I = ($1 ->> %L)::%s', a.attname, a.attname, format_type(a.atttypid, null)), ' and ' order by a.attnum) as same
    from pg_class c
    join pg_index i on i.indrelid = c.oid and i.indisprimary
    join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey::int2[])
    where c.relnamespace = 'fieldpost'::regnamespace and c.relkind = 'r' and c.relname not in ('applying', 'person_turns')
    group by c.oid
  loop
    -- Not inside of triggers, which know what they do and are many.
    execute format('create or replace trigger aa_fieldpost_keep before insert on %s for each row when (pg_trigger_depth() = 0) '
      'execute function fieldpost.keep_what_is_there(%L)', v_row.tab, v_row.same);
    execute format('alter table %s enable always trigger aa_fieldpost_keep', v_row.tab);
  end loop;
end
$$;

create or replace function fieldpost.prepare_restore() returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  truncate fieldpost.people, fieldpost.tombstones, fieldpost.access_log, fieldpost.conversation_aliases, fieldpost.deleted_conversations,
    fieldpost.digest_parts, fieldpost.digest_marks, fieldpost.reaction_counts, fieldpost.recency, fieldpost.redated, fieldpost.record_tombstones;
end
$$;
comment on function fieldpost.prepare_restore() is
  'Empties the tables that a dump of data brings again. Restore the dump then, and call fieldpost.begin_epoch().';

create or replace function fieldpost.begin_epoch() returns text
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  insert into fieldpost.epoch default values on conflict (one) do nothing;
  insert into fieldpost.compaction default values on conflict (one) do nothing;
  update fieldpost.epoch set id = gen_random_uuid();
  perform fieldpost.backfill();
  if exists (select from pg_attribute a where a.attrelid = 'public.profiles'::regclass and a.attname = 'id' and a.atttypid = 'uuid'::regtype) then
    perform fieldpost.members_changed(array(select p.id from public.profiles p));
  end if;
  perform fieldpost.members_changed(array(select p.user_id from fieldpost.people p));
  perform fieldpost.refresh_recency();
  perform fieldpost.check_digest();
  return fieldpost.epoch();
end
$$;
comment on function fieldpost.begin_epoch() is
  'For operators, after rows came or went past the triggers: devices load everything anew and keep what they have not sent.';
