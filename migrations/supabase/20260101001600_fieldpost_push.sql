-- fieldpost_push: what a device did while it had no network.
--
-- A batch is worked through in three steps: conversations are opened one by one; all messages are judged as a set and
-- inserted with one statement; read markers are moved one by one. Within a step the client's order is kept, and across
-- steps nothing depends on it but the lane rule below.
--
-- What must stay true:
--  * One bad mutation never undoes another. The set insert cannot fail for a reason that is one row's alone, as far as
--    this schema goes; if something else refuses it (a lock, a project's own trigger), each message is tried again under
--    a savepoint of its own. Savepoints are not the normal way because 500 of them cost four times as much.
--  * A lane keeps its order: what has to be retried takes all later mutations of its conversation with it.
--  * All conversations are locked first, in id order, before anything is read about the messages. Two sends of one
--    message meet on that lock, and the second finds the row of the first.
--  * The id of a message is its idempotency key. Somebody else's row under that id is never shown.

do $$
begin
  if to_regtype('fieldpost.push_item') is null then
    create type fieldpost.push_item as (
      n int, id uuid, kind text, mutation jsonb, lane uuid,
      conversation_id uuid, message_id uuid, content text, composed_at timestamptz, result jsonb
    );
  end if;
end
$$;

-- Judges a send by its own fields. Null: nothing wrong with it.
create or replace function fieldpost.send_fault(m jsonb, p_content text, p_composed timestamptz) returns jsonb
language sql immutable set search_path = ''
as $$
  select case
    when fieldpost.uuid_or_null(m ->> 'message_id') is null then fieldpost.rejected('bad_request', 'message_id')
    when fieldpost.uuid_or_null(m ->> 'conversation_id') is null then fieldpost.rejected('bad_request', 'conversation_id')
    when coalesce(m ->> 'message_type', 'text') not in ('text', 'attachment') then fieldpost.rejected('bad_request', 'message_type')
    when jsonb_typeof(m -> 'content') not in ('string', 'null') then fieldpost.rejected('bad_request', 'content')
    when jsonb_typeof(m -> 'metadata') not in ('object', 'null') then fieldpost.rejected('bad_request', 'metadata')
    when m ->> 'reply_to' is not null and fieldpost.uuid_or_null(m ->> 'reply_to') is null then fieldpost.rejected('bad_request', 'reply_to')
    when m ->> 'composed_at' is not null and p_composed is null then fieldpost.rejected('bad_request', 'composed_at')
    when coalesce(m ->> 'message_type', 'text') = 'text' and fieldpost.trim(coalesce(p_content, '')) = '' then fieldpost.rejected('content_empty')
    when char_length(p_content) > 5000 then fieldpost.rejected('content_too_long')
    when p_content <> fieldpost.trim(p_content) then fieldpost.rejected('not_trimmed')
  end
$$;
comment on function fieldpost.send_fault(jsonb, text, timestamptz) is 'What is wrong with a send_message in itself, as a result.';

-- What message ids mean to this sender in the conversations that she names, for those that the server knows.
create or replace function fieldpost.known_messages(s fieldpost.scope, p_items fieldpost.push_item[])
returns table (n int, result jsonb)
language sql stable set search_path = ''
as $$
  select i.n, case
    when m.id is not null then
      case when m.sender_id = s.user_id and m.conversation_id = i.conversation_id
           then jsonb_build_object('status', 'duplicate', 'message', fieldpost.message_json(m))
           else fieldpost.rejected('id_taken') end
    when t.id is not null then
      case when t.conversation_id = i.conversation_id
           then jsonb_build_object('status', 'duplicate', 'tombstone', fieldpost.tombstone_json(t))
           else fieldpost.rejected('id_taken') end
    -- An older version of the app sent this message under its key: the same message, under the id it got then.
    when k.id is not null then jsonb_build_object('status', 'duplicate', 'message', fieldpost.message_json(k))
    else jsonb_build_object('status', 'duplicate', 'tombstone', fieldpost.tombstone_json(d))
  end
  from unnest(p_items) i
  left join public.messages m on m.id = i.message_id
  left join fieldpost.tombstones t on t.entity = 'message' and t.id = i.message_id
  left join public.messages k
    on k.sender_id = s.user_id and k.client_key = i.message_id::text and k.conversation_id = i.conversation_id
  left join fieldpost.tombstones d on d.client_key = i.message_id::text and d.conversation_id = i.conversation_id
  where coalesce(m.id, t.id, k.id, d.id) is not null
$$;
comment on function fieldpost.known_messages(fieldpost.scope, fieldpost.push_item[]) is
  'The results for message ids that the server knows. A row is in them only for its own sender, in its own conversation.';

-- Inserts sends that nothing speaks against, and answers what became of them: pairs of n and result.
create or replace function fieldpost.insert_messages(s fieldpost.scope, p_items fieldpost.push_item[])
returns table (n int, result jsonb)
language plpgsql set search_path = ''
as $$
declare
  v_inserted uuid[];
  -- The column's own type, which may be an enum of the project's.
  v_text constant public.messages.message_type%type := 'text';
  v_attachment constant public.messages.message_type%type := 'attachment';
begin
  with sent as (
    insert into public.messages (id, conversation_id, org_id, sender_id, message_type, content, metadata, reply_to, composed_at)
    select i.message_id, i.conversation_id, c.org_id, s.user_id,
           case when i.mutation ->> 'message_type' = 'attachment' then v_attachment else v_text end, i.content,
           nullif(i.mutation -> 'metadata', 'null'), fieldpost.uuid_or_null(i.mutation ->> 'reply_to'), i.composed_at
    from unnest(p_items) i join public.conversations c on c.id = i.conversation_id
    order by i.n
    on conflict do nothing
    returning id
  )
  select coalesce(array_agg(x.id), '{}') into v_inserted from sent x;

  insert into public.message_recipients (message_id, recipient_id, org_id)
  select i.message_id, r.user_id, c.org_id
  from unnest(p_items) i
  join public.conversations c on c.id = i.conversation_id and c.type = 'broadcast'
  cross join lateral fieldpost.roster(c.org_id) r
  where i.message_id = any (v_inserted) and r.user_id is not null
  on conflict do nothing;

  return query
  select i.n, case when m.id is not null then jsonb_build_object('status', 'applied', 'ack', jsonb_build_object(
             'message_id', m.id, 'conversation_id', m.conversation_id, 'seq', m.seq,
             'created_at', fieldpost.time_text(m.created_at), 'version', m.version))
           else coalesce(k.result, fieldpost.rejected('id_taken')) end
  from unnest(p_items) i
  left join public.messages m on m.id = i.message_id and m.id = any (v_inserted)
  left join (
    select x.n, x.result from fieldpost.known_messages(s, array(
      select y from unnest(p_items) y where not y.message_id = any (v_inserted))) x
  ) k on k.n = i.n;
end
$$;
comment on function fieldpost.insert_messages(fieldpost.scope, fieldpost.push_item[]) is
  'Inserts messages with one statement, with the recipient rows of broadcasts.';

-- The results of all sends of a batch, one way or the other.
create or replace function fieldpost.send_messages(s fieldpost.scope, p_items fieldpost.push_item[])
returns table (n int, result jsonb)
language plpgsql set search_path = ''
as $$
declare
  v_items fieldpost.push_item[];
  v_fresh fieldpost.push_item[];
  v_item fieldpost.push_item;
  v_known fieldpost.push_item[];
  v_done fieldpost.push_item[];
  v_again fieldpost.push_item[];
  v_stuck uuid[] := '{}';
begin
  select array_agg(x order by x.n) into v_items from unnest(p_items) x;
  begin
    perform 1 from public.conversations c
    where c.id in (select x.conversation_id from unnest(v_items) x) order by c.id for no key update;
    -- After the lock: whatever another transaction did to these messages is visible now. Of an id that is twice in the
    -- batch the first is inserted; the later ones are judged by the row that it made, in a statement of their own.
    select array_agg(row(k.n, null, null, null, null, null, null, null, null, k.result)::fieldpost.push_item) into v_known
    from fieldpost.known_messages(s, v_items) k;
    select array_agg(x order by x.n) into v_fresh from (
      select distinct on (y.message_id) y.* from unnest(v_items) y order by y.message_id, y.n
    ) x where not exists (select from unnest(v_known) k where k.n = x.n);
    select array_agg(row(r.n, null, null, null, null, null, null, null, null, r.result)::fieldpost.push_item) into v_done
    from fieldpost.insert_messages(s, coalesce(v_fresh, '{}')) r;
    select array_agg(row(r.n, null, null, null, null, null, null, null, null, r.result)::fieldpost.push_item) into v_again
    from fieldpost.known_messages(s, array(
      select y from unnest(v_items) y
      where not exists (select from unnest(v_fresh) z where z.n = y.n) and not exists (select from unnest(v_known) k where k.n = y.n))) r;
    v_again := v_again || v_known;
  exception when others then
    v_done := null;
    v_again := null;
  end;
  if v_done is not null or v_again is not null then
    return query select d.n, d.result from unnest(v_done || v_again) d;
    return;
  end if;

  -- Something stood in the way of the set. One by one, in the order of locks, without waiting for anybody.
  for v_item in select x.* from unnest(v_items) x order by x.conversation_id, x.n loop
    n := v_item.n;
    if v_item.conversation_id = any (v_stuck) then
      result := '{"status":"retry","code":"after_retry"}';
      return next;
      continue;
    end if;
    begin
      perform 1 from public.conversations c where c.id = v_item.conversation_id for no key update nowait;
      result := (select k.result from fieldpost.known_messages(s, array[v_item]) k);
      if result is null then
        select r.result into result from fieldpost.insert_messages(s, array[v_item]) r;
      end if;
    exception
      when serialization_failure or deadlock_detected or lock_not_available then
        v_stuck := v_stuck || v_item.conversation_id;
        result := '{"status":"retry","code":"conflict"}';
      when insufficient_resources or disk_full or out_of_memory or too_many_connections or configuration_limit_exceeded then
        v_stuck := v_stuck || v_item.conversation_id;
        result := '{"status":"retry","code":"busy"}';
      when others then
        result := fieldpost.rejected('bad_request', 'refused by the database: ' || sqlstate);
    end;
    return next;
  end loop;
end
$$;
comment on function fieldpost.send_messages(fieldpost.scope, fieldpost.push_item[]) is
  'Sends a set of messages: with one statement, or one by one where that is refused.';

create or replace function public.fieldpost_push(
  p_protocol int default null, p_app text default null, p_capabilities text[] default '{}',
  p_mutations jsonb[] default '{}')
returns jsonb
language plpgsql volatile security definer set search_path = '' set lock_timeout = '3s'
as $$
declare
  s fieldpost.scope;
  v_refused jsonb := fieldpost.refused(p_protocol);
  v_items fieldpost.push_item[];
  v_item fieldpost.push_item;
  v_sends fieldpost.push_item[];
  v_results jsonb[];
  v_stuck uuid[] := '{}';
  v_row record;
begin
  if v_refused is not null then
    return v_refused;
  elsif cardinality(p_mutations) > 500 then
    return fieldpost.refusal('too_large', 'push_rows');
  elsif (select sum(octet_length(m::text)) from unnest(p_mutations) m) > 1048576 * 5 / 4 then
    -- A quarter more than the limit: the same JSON takes more room here than a client writes for it.
    return fieldpost.refusal('too_large', 'push_bytes');
  end if;
  s := fieldpost.scope_of(fieldpost.uid());

  -- Read the batch. What is no object or has no id is answered in its place.
  select array_agg(row(u.n, fieldpost.uuid_or_null(u.m ->> 'id'), u.m ->> 'kind', u.m,
           fieldpost.uuid_or_null(u.m ->> 'conversation_id'), null, fieldpost.uuid_or_null(u.m ->> 'message_id'),
           u.m ->> 'content', fieldpost.time_or_null(u.m ->> 'composed_at'), null)::fieldpost.push_item order by u.n)
    into v_items
  from (
    select t.n::int as n, case when jsonb_typeof(t.m) = 'object' then t.m else '{}' end as m
    from unnest(p_mutations) with ordinality t (m, n)
  ) u;
  v_results := array_fill(null::jsonb, array[coalesce(cardinality(v_items), 0)]);

  -- Openings.
  foreach v_item in array coalesce(v_items, '{}') loop
    if v_item.id is null then
      v_results[v_item.n] := '{"id":null}'::jsonb || fieldpost.rejected('bad_request', 'id');
    elsif v_item.kind is null then
      v_results[v_item.n] := fieldpost.rejected('bad_request', 'kind');
    elsif v_item.kind not in ('send_message', 'open_direct', 'open_broadcast', 'mark_read') then
      v_results[v_item.n] := fieldpost.rejected('unknown_kind', left(v_item.kind, 100));
    elsif v_item.kind in ('open_direct', 'open_broadcast') then
      if v_item.lane = any (v_stuck) then
        v_results[v_item.n] := '{"status":"retry","code":"after_retry"}';
        continue;
      end if;
      begin
        v_results[v_item.n] := fieldpost.open_conversation(s, v_item.mutation);
      exception
        when serialization_failure or deadlock_detected or lock_not_available then
          v_results[v_item.n] := '{"status":"retry","code":"conflict"}';
          v_stuck := v_stuck || v_item.lane;
        when insufficient_resources or disk_full or out_of_memory or too_many_connections or configuration_limit_exceeded then
          v_results[v_item.n] := '{"status":"retry","code":"busy"}';
          v_stuck := v_stuck || v_item.lane;
        when others then
          v_results[v_item.n] := fieldpost.rejected('bad_request', 'refused by the database: ' || sqlstate);
      end;
    end if;
  end loop;
  s := fieldpost.scope_of(s.user_id);  -- with the conversations opened just now

  -- Messages: each in itself, then where it goes.
  select array_agg(row(i.n, i.id, i.kind, i.mutation, i.lane, g.conversation_id, i.message_id, i.content, i.composed_at,
           case
             when i.lane = any (v_stuck) then '{"status":"retry","code":"after_retry"}'::jsonb
             when f.fault is not null then f.fault
             when not s.member then fieldpost.rejected('forbidden', 'no membership')
             when c.id is null then fieldpost.rejected(fieldpost.absence(s, g.conversation_id))
             when not (c.org_id = any (s.admin_orgs) or c.id = any (s.directs)) then fieldpost.rejected('forbidden', 'read only')
           end)::fieldpost.push_item order by i.n)
    into v_sends
  from unnest(v_items) i
  cross join lateral (select fieldpost.send_fault(i.mutation, i.content, i.composed_at) as fault) f
  cross join lateral (select fieldpost.canonical(i.lane) as conversation_id) g
  left join public.conversations c
    on c.id = g.conversation_id and (c.org_id = any (s.admin_orgs) or c.id = any (s.conversations))
  where i.kind = 'send_message' and i.id is not null;

  foreach v_item in array coalesce(v_sends, '{}') loop
    v_results[v_item.n] := v_item.result;
  end loop;
  if exists (select from unnest(v_sends) x where x.result is null) then
    for v_row in
      select r.n, r.result from fieldpost.send_messages(s, array(select x from unnest(v_sends) x where x.result is null)) r
    loop
      v_results[v_row.n] := v_row.result;
      if v_row.result ->> 'status' = 'retry' then
        v_stuck := v_stuck || v_items[v_row.n].lane;
      end if;
    end loop;
  end if;

  -- Read markers.
  foreach v_item in array coalesce(v_items, '{}') loop
    if v_item.kind = 'mark_read' and v_item.id is not null then
      if exists (select from unnest(v_items) x where x.n < v_item.n and x.lane = v_item.lane
                   and v_results[x.n] ->> 'status' = 'retry') then
        v_results[v_item.n] := '{"status":"retry","code":"after_retry"}';
        continue;
      end if;
      begin
        v_results[v_item.n] := fieldpost.mark_read(s, v_item.mutation);
      exception
        when serialization_failure or deadlock_detected or lock_not_available then
          v_results[v_item.n] := '{"status":"retry","code":"conflict"}';
        when insufficient_resources or disk_full or out_of_memory or too_many_connections or configuration_limit_exceeded then
          v_results[v_item.n] := '{"status":"retry","code":"busy"}';
        when others then
          v_results[v_item.n] := fieldpost.rejected('bad_request', 'refused by the database: ' || sqlstate);
      end;
    end if;
  end loop;

  return fieldpost.envelope() || jsonb_build_object('results', (
    select coalesce(jsonb_agg(jsonb_build_object('id', i.id) || v_results[i.n] order by i.n), '[]') from unnest(v_items) i));
end
$$;
comment on function public.fieldpost_push(int, text, text[], jsonb[]) is
  'Applies a device''s mutations (docs/protocol.md). Security definer: it locks conversations and keeps aliases, which the '
  'API roles may not; every mutation is checked against fieldpost.scope_of(auth.uid()) first, and the sender is the caller.';
