-- Who may call what, and housekeeping.
--
-- What must stay true: nothing of schema fieldpost can be called or read by the API roles but what the policies need,
-- and the four functions can be called by people who are signed in and by nobody else. Hosted projects grant execute on
-- every new function in `public` to the API roles by default, hence the revocations by name.

revoke all on all functions in schema fieldpost from public, anon;
revoke all on all tables in schema fieldpost from public, anon, authenticated;

-- What the API calls. These run as their caller and only pass on what they are given.
create or replace function public.fieldpost_bootstrap(
  p_protocol int default null, p_app text default null, p_capabilities text[] default '{}',
  p_after text default null, p_limit int default null, p_messages int default 100)
returns json
language sql stable set search_path = pg_catalog, pg_temp
as $$ select fieldpost.bootstrap(p_protocol, p_app, p_capabilities, p_after, p_limit, p_messages) $$;
comment on function public.fieldpost_bootstrap(int, text, text[], text, int, int) is 'First load (docs/protocol.md).';

create or replace function public.fieldpost_pull(
  p_protocol int default null, p_app text default null, p_capabilities text[] default '{}',
  p_cursor text default null, p_limit int default null)
returns json
language sql stable set search_path = pg_catalog, pg_temp
as $$ select fieldpost.pull(p_protocol, p_app, p_capabilities, p_cursor, p_limit) $$;
comment on function public.fieldpost_pull(int, text, text[], text, int) is 'Changes since a cursor (docs/protocol.md).';

create or replace function public.fieldpost_push(
  p_protocol int default null, p_app text default null, p_capabilities text[] default '{}',
  p_mutations jsonb[] default '{}')
returns json
language sql volatile set search_path = pg_catalog, pg_temp
as $$ select fieldpost.push(p_protocol, p_app, p_capabilities, p_mutations) $$;
comment on function public.fieldpost_push(int, text, text[], jsonb[]) is 'Applies a device''s mutations (docs/protocol.md).';

create or replace function public.fieldpost_history(
  p_protocol int default null, p_app text default null, p_capabilities text[] default '{}',
  p_conversation uuid default null, p_before_seq bigint default null, p_limit int default null)
returns json
language sql stable set search_path = pg_catalog, pg_temp
as $$ select fieldpost.history(p_protocol, p_app, p_capabilities, p_conversation, p_before_seq, p_limit) $$;
comment on function public.fieldpost_history(int, text, text[], uuid, bigint, int) is 'Older messages of a conversation (docs/protocol.md).';

do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid::regprocedure from pg_catalog.pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.proname in ('fieldpost_bootstrap', 'fieldpost_pull', 'fieldpost_push', 'fieldpost_history')
       or p.pronamespace = 'fieldpost'::regnamespace and p.proname in ('bootstrap', 'pull', 'push', 'history')
  loop
    execute format('revoke all on function %s from public, anon, service_role', v_function);
    execute format('grant execute on function %s to authenticated', v_function);
  end loop;
end
$$;

-- Deletes tombstones older than an age. Cursors from before then expire, with the detail "compacted".
create or replace function fieldpost.compact_tombstones(p_older_than interval default '90 days') returns bigint
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_count bigint;
begin
  with gone as (
    delete from fieldpost.tombstones t
    where t.deleted_at < now() - p_older_than and t.sync_xid < pg_snapshot_xmin(pg_current_snapshot())
    returning t.sync_xid
  ), counted as (
    select count(*) as n, (array_agg(g.sync_xid order by g.sync_xid desc))[1] as newest from gone g
  ), kept as (
    update fieldpost.compaction k set compacted_xid = case when k.epoch = fieldpost.epoch() then greatest(k.compacted_xid, c.newest) else c.newest end,
        epoch = fieldpost.epoch()
    from counted c where c.n > 0
  )
  select c.n into v_count from counted c;
  return v_count;
end
$$;
comment on function fieldpost.compact_tombstones(interval) is
  'Deletes old tombstones. Clients whose cursor is older than the newest of them load everything again.';
revoke all on function fieldpost.compact_tombstones(interval) from public;

-- Hosted Realtime sends what is in this publication; Fieldpost clients take it as a hint to pull, never as the truth.
do $$
declare
  v_table text;
begin
  if exists (select from pg_catalog.pg_publication p where p.pubname = 'supabase_realtime' and not p.puballtables) then
    foreach v_table in array array['conversations', 'messages', 'conversation_read_status'] loop
      if not exists (
        select from pg_catalog.pg_publication_tables t
        where t.pubname = 'supabase_realtime' and t.schemaname = 'public' and t.tablename = v_table
      ) then
        execute format('alter publication supabase_realtime add table public.%I', v_table);
      end if;
    end loop;
  end if;
exception when insufficient_privilege then
  raise notice 'publication supabase_realtime belongs to another role: add the tables there for live hints';
end
$$;
