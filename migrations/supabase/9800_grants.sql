-- Who may call what, and housekeeping.
--
-- What must stay true: nothing of schema fieldpost can be called or read by the API roles but what the policies need,
-- and the ten functions can be called by people who are signed in and by nobody else. Hosted projects grant execute on
-- every new function in `public` to the API roles by default, hence the revocations by name.

revoke all on all functions in schema fieldpost from public, anon;
revoke all on all tables in schema fieldpost from public, anon, authenticated;

do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid::regprocedure from pg_catalog.pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.proname in (
         'fieldpost_bootstrap', 'fieldpost_pull', 'fieldpost_push', 'fieldpost_history', 'fieldpost_search', 'fieldpost_reports', 'fieldpost_resolve_report', 'fieldpost_records_pull', 'fieldpost_records_push', 'fieldpost_audit_push')
       or p.pronamespace = 'fieldpost'::regnamespace and p.proname in (
         'bootstrap', 'pull', 'push', 'history',
         -- what runs as the caller, and what that calls
         'narrowed', 'narrowed_on', 'people_i_see', 'medic_names', 'hidden', 'markers_i_see', 'texts_i_see', 'conversations_i_see',
         'pull_as_caller', 'history_as_caller', 'pull_picks', 'bootstrap_picks', 'bootstrap_as_caller', 'history_picks', 'digest_i_see', 'id_bits', 'conversation_row', 'unread_mentions', 'message_text', 'time_text', 'answer',
         'refusal', 'envelope', 'push_read', 'sends_known', 'sends_done', 'mark_target', 'write_messages', 'send_as_caller', 'mark_as_caller',
         'push_as_caller', 'open_as_caller', 'my_opening', 'openings', 'refused_by_project', 'rejected', 'marker_json',
         'push_refused', 'push_tag', 'refused', 'uuid_or_null', 'wait_until',
         'carry_out_as_caller', 'later_kinds', 'capabilities', 'mentions', 'few',
         'report_as_caller', 'my_report', 'reports', 'reported_messages', 'reports_as_caller', 'resolve_report',
         'react_as_caller', 'my_reaction', 'my_reacted', 'reactions_i_see', 'reactions_of',
         'search', 'search_as_caller', 'search_picks', 'search_refused', 'search_answer', 'search_place', 'search_terms', 'search_quoted', 'search_months', 'search_mark', 'search_month', 'search_words', 'search_words_beyond_ascii',
         'search_is_on',
         -- records, which all run as the caller
         'records_pull', 'records_scope', 'record_walk', 'record_picks', 'record_texts', 'record_modified', 'page_budget', 'snapshot_text',
         'records_push', 'records_read', 'record_targets', 'record_deletions', 'record_shapes', 'offered_tables', 'record_refused', 'record_failed', 'told_time',
         'int_or_null', 'time_or_null', 'careful_time', 'record_references', 'resolve_references', 'record_won', 'create_records', 'update_records', 'delete_records',
         'carry_out_records', 'try_record', 'try_records', 'audit_push', 'audit_orgs', 'audit_owned', 'write_audit')
  loop
    execute format('revoke all on function %s from public, anon, service_role', v_function);
    execute format('grant execute on function %s to authenticated', v_function);
  end loop;
end
$$;

-- Whoever writes a message, whatever the role, computes what the index of a search has of it.
grant execute on function fieldpost.search_vector(text, uuid, uuid, uuid, timestamp), fieldpost.search_vector(text, uuid, uuid, uuid, timestamptz) to public;

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

-- Tables of Fieldpost's own schema are nobody's but its functions'. The policy says so to whoever grants something on them.
do $$
declare
  v_table regclass;
begin
  for v_table in select c.oid from pg_class c where c.relnamespace = 'fieldpost'::regnamespace and c.relkind = 'r' loop
    execute format('alter table %s enable row level security', v_table);
    execute format('drop policy if exists fieldpost_nobody on %s', v_table);
    execute format('create policy fieldpost_nobody on %s for all to public using (false)', v_table);
  end loop;
end
$$;

-- Version 1 added the tables to the publication of Realtime. Realtime applies no policy to deletes, so that anybody signed in, of
-- any organization, was sent the keys of deleted rows. What it added is taken out: nothing of Fieldpost needs it.
do $$
declare
  v_table text;
begin
  if fieldpost.note('upgrades_version_1')::boolean and exists (select from pg_publication p where p.pubname = 'supabase_realtime' and not p.puballtables) then
    for v_table in
      select t.tablename from pg_publication_tables t
      where t.pubname = 'supabase_realtime' and t.schemaname = 'public' and t.tablename in ('conversations', 'messages', 'conversation_read_status')
        and not fieldpost.is_guest_in(t.tablename)  -- in a project's own table it may be the project's own doing
    loop
      execute format('alter publication supabase_realtime drop table public.%I', v_table);
    end loop;
  end if;
exception when insufficient_privilege then
  raise notice 'publication supabase_realtime belongs to another role: take conversations, messages and conversation_read_status out of it there';
end
$$;
