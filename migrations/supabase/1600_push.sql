-- fieldpost_push: what a device did while it had no network.
--
-- A batch is worked through in steps: conversations are opened one by one; all messages are judged as a set and inserted with
-- one statement; the later kinds follow one by one, kind by kind. Within a step the client's order is kept, and across steps
-- nothing depends on it but the lane rule below.
--
-- What must stay true:
--  * One bad mutation never undoes another. The set insert cannot fail for a reason that is one row's alone, as far as
--    this schema goes; if something else refuses it (a lock, a project's own trigger), each message is tried again under
--    a savepoint of its own. Savepoints are not the normal way because 500 of them cost four times as much.
--  * A lane keeps its order: what has to be retried takes all later mutations of its conversation with it.
--  * What can be said without a lock is said before the first one is taken: others wait until this transaction ends.
--  * Plans are made once for a connection, and for any batch: they go by ids, of which there are few.

create or replace function fieldpost.openings(p_mutations jsonb[]) returns setof fieldpost.push_item
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select e.n::int, null::uuid, null::text, e.m, fieldpost.uuid_or_null(e.m ->> 'conversation_id'), null::uuid, null::uuid, null::text, null::timestamptz, null::jsonb
  from unnest(p_mutations) with ordinality e (m, n)
  where e.m ->> 'kind' in ('open_direct', 'open_broadcast') and fieldpost.uuid_or_null(e.m ->> 'id') is not null
$$;
comment on function fieldpost.openings(jsonb[]) is 'The mutations of a batch that open conversations.';

-- What is done one by one may wait for locks as long as one of them may, all together: a batch ends in time whoever holds what.
create or replace function fieldpost.wait_until(p_until timestamptz) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('lock_timeout', greatest(1, ceil(extract(epoch from p_until - clock_timestamp()) * 1000))::int::text, true);
end
$$;
comment on function fieldpost.wait_until(timestamptz) is 'Lets this transaction wait for locks until then, and no longer.';

-- Opens what a batch opens, in its order. Answers the openings, each with its result.
create or replace function fieldpost.open_conversations(s fieldpost.scope, p_mutations jsonb[]) returns fieldpost.push_item[]
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_item fieldpost.push_item;
  v_opened fieldpost.push_item[] := '{}';
  v_stuck uuid[] := '{}';
  v_until constant timestamptz := clock_timestamp() + interval '3 seconds';
begin
  for v_item in select o.* from fieldpost.openings(p_mutations) o order by o.n loop
    perform fieldpost.wait_until(v_until);
    begin
      if v_item.lane = any (v_stuck) then
        v_item.result := '{"status":"retry","code":"after_retry"}';
      else
        v_item.result := fieldpost.open_conversation(s, v_item.mutation);
        if v_item.result ->> 'status' = 'retry' then
          v_stuck := v_stuck || v_item.lane;
        end if;
      end if;
    exception
      when serialization_failure or deadlock_detected or lock_not_available then
        v_item.result := '{"status":"retry","code":"conflict"}';
        v_stuck := v_stuck || v_item.lane;
      when insufficient_resources or disk_full or out_of_memory or too_many_connections or configuration_limit_exceeded then
        v_item.result := '{"status":"retry","code":"busy"}';
        v_stuck := v_stuck || v_item.lane;
      when assert_failure or others then
        v_item.result := fieldpost.refused_by_project(sqlerrm, sqlstate);
    end;
    v_opened := v_opened || v_item;
  end loop;
  perform set_config('lock_timeout', '3s', true);
  return v_opened;
end
$$;
comment on function fieldpost.open_conversations(fieldpost.scope, jsonb[]) is 'The openings of a batch, each with its result.';

-- Reads a batch and judges what can be judged before anything is locked: each mutation in itself, then where it goes. Those
-- that nothing speaks against have no result yet.
create or replace function fieldpost.read_batch(
  s fieldpost.scope, p_mutations jsonb[], p_opened fieldpost.push_item[], p_careful boolean)
returns fieldpost.push_item[]
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  v_stuck constant uuid[] := array(select o.lane from unnest(p_opened) o where o.result ->> 'status' = 'retry');
begin
  return fieldpost.judge_addressed(s, array(
    select row(r.n, r.id, r.kind, r.m, r.lane, g.conversation_id, r.message_id, r.content, r.composed_at, case
             when r.id is null then fieldpost.rejected('bad_request', 'id')
             when r.kind is null then fieldpost.rejected('bad_request', 'kind')
             when r.kind in ('open_direct', 'open_broadcast') then o.result
             when r.kind = any (fieldpost.later_kinds()) then null
             when r.kind <> 'send_message' then fieldpost.rejected('unknown_kind', left(r.kind, 100))
             when r.lane = any (v_stuck) then '{"status":"retry","code":"after_retry"}'
             else coalesce(fieldpost.send_fault(r.m, r.message_id, r.lane, r.type, r.content, r.composed_at), case
               when not s.member then fieldpost.rejected('forbidden', 'no membership')
               when c.id is null then fieldpost.rejected(fieldpost.absence(s, g.conversation_id))
               when not (c.org_id = any (s.admin_orgs) or c.id = any (s.directs)) then fieldpost.rejected('forbidden', 'read only')
             end)
           end)::fieldpost.push_item
    from (
      -- `offset 0`: each field is looked up once, however often it is named above.
      select f.n, f.m, f.kind, f.type, f.content,
             fieldpost.uuid_or_null(f.id, p_careful) as id, fieldpost.uuid_or_null(f.lane, p_careful) as lane,
             fieldpost.uuid_or_null(f.message_id, p_careful) as message_id, fieldpost.time_or_null(f.composed_at, p_careful) as composed_at
      from (
        select e.n::int as n, e.m, e.m ->> 'id' as id, e.m ->> 'kind' as kind, e.m ->> 'conversation_id' as lane,
               e.m ->> 'message_id' as message_id, e.m ->> 'message_type' as type, e.m ->> 'content' as content,
               e.m ->> 'composed_at' as composed_at
        from unnest(p_mutations) with ordinality e (m, n) offset 0
      ) f offset 0
    ) r
    left join unnest(p_opened) o on o.n = r.n
    left join fieldpost.conversation_aliases a on a.alias_id = r.lane
    cross join lateral (select coalesce(a.conversation_id, r.lane) as conversation_id) g
    left join public.conversations c
      on c.id = g.conversation_id and (c.org_id = any (s.admin_orgs) or c.id = any (s.conversations))
    order by r.n));
end
$$;
comment on function fieldpost.read_batch(fieldpost.scope, jsonb[], fieldpost.push_item[], boolean) is
  'The mutations of a batch, with results for those that are refused by what they say or where they go.';

-- Carries out the later kinds, step by step. Answers the results of the whole batch with theirs.
create or replace function fieldpost.carry_out_all(s fieldpost.scope, p_items fieldpost.push_item[], p_results text[]) returns text[]
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_item fieldpost.push_item;
  v_result jsonb;
  v_stuck fieldpost.push_item[] := array(select x::fieldpost.push_item from unnest(p_items) x where p_results[x.n]::jsonb ->> 'status' = 'retry');
  v_until constant timestamptz := clock_timestamp() + interval '3 seconds';
begin
  for v_item in
    select i.* from unnest(p_items) i where i.kind = any (fieldpost.later_kinds()) and i.result is null
    order by array_position(fieldpost.later_kinds(), i.kind), i.n
  loop
    perform fieldpost.wait_until(v_until);
    begin
      if exists (select from unnest(v_stuck) x where x.n < v_item.n and x.lane = v_item.lane) then
        v_result := '{"status":"retry","code":"after_retry"}';
      else
        v_result := fieldpost.carry_out(s, v_item.kind, v_item.mutation);
      end if;
    exception
      when serialization_failure or deadlock_detected or lock_not_available then
        v_result := '{"status":"retry","code":"conflict"}';
      when insufficient_resources or disk_full or out_of_memory or too_many_connections or configuration_limit_exceeded then
        v_result := '{"status":"retry","code":"busy"}';
      when assert_failure or others then
        v_result := fieldpost.refused_by_project(sqlerrm, sqlstate);
    end;
    if v_result ->> 'status' = 'retry' then
      v_stuck := v_stuck || v_item;
    end if;
    p_results[v_item.n] := v_result;
  end loop;
  return p_results;
end
$$;
comment on function fieldpost.carry_out_all(fieldpost.scope, fieldpost.push_item[], text[]) is 'The later kinds of a batch, each with its result.';
drop function if exists fieldpost.mark_all_read(fieldpost.scope, fieldpost.push_item[], text[]);  -- of an earlier version

-- What a call is refused for as a whole: null when nothing speaks against it.
create or replace function fieldpost.push_refused(p_protocol int, p_mutations jsonb[]) returns json
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  if cardinality(p_mutations) > 500 then
    return coalesce(fieldpost.refused(p_protocol), fieldpost.refusal('too_large', 'push_rows'));
  elsif pg_column_size(p_mutations) > 1048576 and (select sum(octet_length(m::text)) from unnest(p_mutations) m) > 1048576 * 5 / 4 then
    -- What takes no more room than the limit need not be written out to be measured. And a quarter more than the limit: the
    -- same JSON takes more room here than a client writes for it.
    return coalesce(fieldpost.refused(p_protocol), fieldpost.refusal('too_large', 'push_bytes'));
  end if;
  return fieldpost.refused(p_protocol);
end
$$;
comment on function fieldpost.push_refused(int, jsonb[]) is 'Refuses a push as a whole: not signed in, too old, too large.';

drop function if exists fieldpost.push(int, text, text[], jsonb[]);  -- of an earlier version, which knew no quiet pushes
create or replace function fieldpost.push(
  p_protocol int default null, p_app text default null, p_capabilities text[] default '{}',
  p_mutations jsonb[] default '{}', p_cursor text default null)
returns json
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp set lock_timeout = '3s' set plan_cache_mode = force_generic_plan
as $$
declare
  s fieldpost.scope;
  v_refused constant json := fieldpost.push_refused(p_protocol, p_mutations);
  v_opened fieldpost.push_item[];
  v_items fieldpost.push_item[];
  v_sends fieldpost.push_item[];
  v_results text[];
  v_quiet text;
begin
  if v_refused is not null then
    return v_refused;
  elsif fieldpost.narrowed('aw') then
    -- Not this way: it writes past the policies.
    return fieldpost.refusal('bad_request', 'policies');
  end if;
  s := fieldpost.scope_of(fieldpost.uid());
  v_opened := fieldpost.open_conversations(s, p_mutations);
  if v_opened <> '{}' then
    s := fieldpost.scope_of(s.user_id);  -- with the conversations opened just now
  end if;
  begin
    v_items := fieldpost.read_batch(s, p_mutations, v_opened, false);
  exception when data_exception then
    v_items := fieldpost.read_batch(s, p_mutations, v_opened, true);  -- of these, something only looks like an id or a time
  end;
  v_items := fieldpost.hold_back(s.user_id, v_items);
  v_sends := v_items;
  if exists (select from unnest(v_items) i where i.kind is distinct from 'send_message' or i.result is not null) then
    v_sends := array(select i::fieldpost.push_item from unnest(v_items) i where i.kind = 'send_message' and i.result is null order by i.n);
  end if;
  if v_sends <> '{}' then
    v_results := fieldpost.send_all(s, v_sends);
  end if;
  if cardinality(v_sends) < cardinality(v_items) then
    v_results := array(
      select coalesce(r.result, i.result::text)
      from unnest(v_items) i
      left join unnest(array(select x.n from unnest(v_sends) x order by x.n), v_results) r (n, result) on r.n = i.n
      order by i.n);
  end if;
  if exists (select from unnest(v_items) i where i.kind = any (fieldpost.later_kinds()) and i.result is null) then
    v_results := fieldpost.carry_out_all(s, v_items, v_results);
  end if;

  if p_cursor is not null then
    v_quiet := fieldpost.quiet(s.user_id, p_capabilities, p_cursor, p_mutations, v_results);
  end if;
  return fieldpost.answer(fieldpost.envelope() || case when v_quiet is null then '{}' else jsonb_build_object('quiet', jsonb_build_object('cursor', v_quiet)) end,
    array['results'], array[(
    select string_agg(concat('{"id":', coalesce('"' || i.id || '"', 'null'), ',', substr(r.result, 2)), ',' order by i.n)
    from unnest(v_items) i join unnest(v_results) with ordinality r (result, n) on r.n = i.n)]);
end
$$;
comment on function fieldpost.push(int, text, text[], jsonb[], text) is
  'Applies a device''s mutations (docs/protocol.md). Security definer: it locks conversations and keeps aliases, which the '
  'API roles may not; every mutation is checked against fieldpost.scope_of(auth.uid()) first, and the sender is the caller.';
