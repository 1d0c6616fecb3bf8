-- Sending messages: what is wrong with one in itself, which of them the server has, and the insert.
--
-- A set of messages is written with one statement, each row once: its number is known before, for the conversations are
-- locked. What can go wrong with a set is left to the set, which then fails as a whole. Where a unique index refused it, it is
-- tried once more after a look at what is known; where anything else did, every message is tried by itself. Nearly all pushes
-- are sets in which nothing is wrong, and they pay for no more than that.
--
-- What must stay true:
--  * All conversations are locked first, in id order, before anything is read about the messages. Two sends of one
--    message meet on that lock, and the second finds the row of the first.
--  * The id of a message is its idempotency key. Somebody else's row under that id is never shown.
--  * A set leaves nothing behind when it fails, its locks included.
--  * A lane keeps its order: what has to be retried takes all later messages of its conversation with it.

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

-- What an earlier version of these files had in their place.
drop function if exists fieldpost.send_fault(jsonb, text, timestamptz);
drop function if exists fieldpost.insert_messages(fieldpost.scope, fieldpost.push_item[]);
drop function if exists fieldpost.send_messages(fieldpost.scope, fieldpost.push_item[]);

-- Judges a send by its own fields, some of which have been read already. Null: nothing wrong with it. Without a SET clause, so
-- that the planner inlines it.
create or replace function fieldpost.send_fault(m jsonb, p_message uuid, p_lane uuid, p_type text, p_content text, p_composed timestamptz)
returns jsonb
language sql immutable
as $$
  select case
    when p_message is null then fieldpost.rejected('bad_request', 'message_id')
    when p_lane is null then fieldpost.rejected('bad_request', 'conversation_id')
    when coalesce(p_type, 'text') not in ('text', 'attachment') then fieldpost.rejected('bad_request', 'message_type')
    when jsonb_typeof(m -> 'content') not in ('string', 'null') then fieldpost.rejected('bad_request', 'content')
    when jsonb_typeof(m -> 'metadata') not in ('object', 'null') then fieldpost.rejected('bad_request', 'metadata')
    when m ->> 'reply_to' is not null and fieldpost.uuid_or_null(m ->> 'reply_to') is null then fieldpost.rejected('bad_request', 'reply_to')
    when m ? 'mentions' and fieldpost.mentions_fault(m -> 'mentions') is not null then fieldpost.mentions_fault(m -> 'mentions')
    -- A year of five digits is a clock that is wrong, and no reason to keep the message.
    when p_composed is null and m ->> 'composed_at' is not null and m ->> 'composed_at' !~ '^[+-]?[0-9]{5,}-' then fieldpost.rejected('bad_request', 'composed_at')
    when coalesce(p_type, 'text') = 'text' and fieldpost.is_blank(coalesce(p_content, '')) then fieldpost.rejected('content_empty')
    when char_length(p_content) > 5000 then fieldpost.rejected('content_too_long')
    when p_content <> fieldpost.trim(p_content) then fieldpost.rejected('not_trimmed')
    when m -> 'metadata' is not null and fieldpost.excess(null, m -> 'metadata') is not null
      then fieldpost.rejected(fieldpost.excess(null, m -> 'metadata') ->> 'reason')
  end
$$;
comment on function fieldpost.send_fault(jsonb, uuid, uuid, text, text, timestamptz) is 'What is wrong with a send_message in itself, as a result.';

-- What message ids mean to this sender in the conversations that she names, for those that the server knows. Not in plain SQL: that
-- would be planned anew with each call, which is for each message where a batch has to be sent one by one.
create or replace function fieldpost.known_messages(s fieldpost.scope, p_items fieldpost.push_item[])
returns table (n int, result jsonb)
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  return query
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
    -- It is gone for good. The sender knows it by its key alone, and takes no other id for it.
    else jsonb_build_object('status', 'duplicate', 'tombstone', fieldpost.tombstone_json(d) || jsonb_build_object('id', i.message_id))
  end
  from unnest(p_items) i
  left join public.messages m on m.id = i.message_id
  left join fieldpost.tombstones t on t.entity = 'message' and t.id = i.message_id
  left join public.messages k
    on k.sender_id = s.user_id and k.client_key = i.message_id::text and k.conversation_id = i.conversation_id
  left join fieldpost.tombstones d on d.client_key = i.message_id::text and d.conversation_id = i.conversation_id
  where coalesce(m.id, t.id, k.id, d.id) is not null;
end
$$;
comment on function fieldpost.known_messages(fieldpost.scope, fieldpost.push_item[]) is
  'The results for message ids that the server knows. A row is in them only for its own sender, in its own conversation.';

-- A message that an older version of the app sent has another id here, so that no index would refuse it.
create or replace function fieldpost.older_keys(s fieldpost.scope, p_conversations uuid[]) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (select from public.messages k where k.sender_id = s.user_id and k.client_key is not null)
    or exists (select from fieldpost.tombstones d where d.conversation_id = any (p_conversations) and d.client_key is not null);
end
$$;
comment on function fieldpost.older_keys(fieldpost.scope, uuid[]) is
  'Whether an older version of the app may have sent a message of this person to these conversations.';

-- As text, which costs less than half: objects that are built one by one are taken apart again to be put into the answer.
create or replace function fieldpost.applied(p_message uuid, p_conversation uuid, p_seq bigint, p_created_at timestamptz, p_version bigint)
returns text
language sql stable
as $$
  select concat('{"status":"applied","ack":{"message_id":"', p_message, '","conversation_id":"', p_conversation, '","seq":', p_seq,
                ',"created_at":"', fieldpost.time_text(p_created_at), '","version":', p_version, '}}')
$$;
comment on function fieldpost.applied(uuid, uuid, bigint, timestamptz, bigint) is 'The result of a message that was inserted, as JSON text.';

create or replace function fieldpost.with_row(p_result text, m public.messages) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$ select left(p_result, -1) || ',"message":' || fieldpost.message_text(m) || '}' $$;
comment on function fieldpost.with_row(text, public.messages) is
  'A result with the row as it was stored: a trigger of the project made something else of it than what was sent.';

-- Sends a set, or raises whatever stands in its way. Answers the results in the order of the items. With `p_look` it looks first which messages the server has; without, that
-- is left to the unique indexes and to the trigger that knows the tombstones.
create or replace function fieldpost.send_as_set(s fieldpost.scope, p_items fieldpost.push_item[], p_look boolean)
returns text[]
language plpgsql set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  -- The column's own type, which may be an enum of the project's.
  v_text constant public.messages.message_type%type := 'text';
  v_attachment constant public.messages.message_type%type := 'attachment';
  v_conversations constant uuid[] := array(select distinct x.conversation_id from unnest(p_items) x);
  v_start constant timestamptz := least(now(), clock_timestamp()) - interval '1 microsecond';
  v_fresh fieldpost.push_item[] := p_items;
  v_locked bigint;
  v_results text[];
  v_rewritten uuid[];
begin
  perform 1 from public.conversations c where c.id = any (v_conversations) order by c.id for no key update;
  get diagnostics v_locked = row_count;
  if v_locked < cardinality(v_conversations) then
    raise no_data_found using message = 'a conversation was deleted just now';
  end if;
  perform fieldpost.number_conversation(c.id) from public.conversations c where c.id = any (v_conversations) and c.last_seq is null;

  -- After the lock: whatever another transaction did to these messages is visible now. Of an id that is twice in the
  -- batch the first is inserted; the later ones are judged by the row that it made, below.
  if p_look or fieldpost.older_keys(s, v_conversations) then
    v_fresh := array(
      select x::fieldpost.push_item from (
        select distinct on (y.message_id) y.* from unnest(p_items) y order by y.message_id, y.n
      ) x where not exists (select from fieldpost.known_messages(s, p_items) k where k.n = x.n));
  end if;

  with heads as materialized (
    select h.* from fieldpost.heads(v_conversations) h
  ), placed as (
    select i.*, row_number() over (partition by i.conversation_id order by i.n) as k from unnest(v_fresh) i
  ), sent as (
    insert into public.messages (id, conversation_id, org_id, sender_id, message_type, content, metadata, mentions, reply_to, composed_at,
                                 seq, created_at, updated_at, sync_xid)
    select p.message_id, p.conversation_id, h.org_id, s.user_id,
           case when p.mutation ->> 'message_type' = 'attachment' then v_attachment else v_text end, p.content,
           nullif(p.mutation -> 'metadata', 'null'), case when p.mutation ? 'mentions' then fieldpost.mentions(p.mutation) end, fieldpost.uuid_or_null(p.mutation ->> 'reply_to'),
           case when p.composed_at >= '2000-01-01' and p.composed_at < v_start + interval '1 day' then p.composed_at end,
           h.last_seq + p.k, t.created_at, t.created_at, pg_current_xact_id()
    from placed p join heads h on h.conversation_id = p.conversation_id
    cross join lateral (select greatest(v_start, h.created_at) + p.k * interval '1 microsecond' as created_at) t
    order by p.conversation_id, p.n
    returning id, conversation_id, seq, created_at, version, content, metadata, message_type
  )
  select array_agg(case when m.id is not null then fieldpost.applied(m.id, m.conversation_id, m.seq, m.created_at, m.version) end
                   order by i.n),
         array_agg(m.id) filter (where m.content is distinct from i.content or m.metadata::jsonb is distinct from nullif(i.mutation -> 'metadata', 'null')
                                    or m.message_type::text <> coalesce(i.mutation ->> 'message_type', 'text'))
    into v_results, v_rewritten
  from unnest(v_fresh) i left join sent m on m.id = i.message_id;
  if v_rewritten is not null then
    v_results := array(
      select case when m.id is null then r.result else fieldpost.with_row(r.result, m) end
      from unnest(array(select f.message_id from unnest(v_fresh) f order by f.n), v_results) with ordinality r (id, result, place)
      left join public.messages m on m.id = r.id and m.id = any (v_rewritten)
      order by r.place);
  end if;
  if cardinality(v_fresh) < cardinality(p_items) or array_position(v_results, null) is not null then
    -- Those that were known before, or twice in the batch; and what a trigger of the project dropped without a word.
    v_results := array(
      select coalesce(r.result, k.result::text, fieldpost.refused_by_project('a trigger of this project dropped the message', 'no row')::text)
      from unnest(p_items) i
      left join unnest(array(select f.n from unnest(v_fresh) f order by f.n), v_results) r (n, result) on r.n = i.n
      left join fieldpost.known_messages(s, p_items) k on k.n = i.n
      order by i.n);
  end if;
  return v_results;
end
$$;
comment on function fieldpost.send_as_set(fieldpost.scope, fieldpost.push_item[], boolean) is
  'Sends a set of messages with one statement, and raises what stands in its way.';

-- Sends one message that the server does not have, whatever its neighbours are.
create or replace function fieldpost.send_alone(s fieldpost.scope, p_item fieldpost.push_item) returns text
language plpgsql set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  v_text constant public.messages.message_type%type := 'text';
  v_attachment constant public.messages.message_type%type := 'attachment';
  v_result jsonb;
  v_row public.messages;
  v_done text;
begin
  perform 1 from public.conversations c where c.id = p_item.conversation_id for no key update nowait;
  if not found then
    return fieldpost.rejected(fieldpost.absence(s, p_item.conversation_id));
  end if;
  v_result := (select k.result from fieldpost.known_messages(s, array[p_item]) k);
  if v_result is not null then
    return v_result;
  end if;
  insert into public.messages (id, conversation_id, org_id, sender_id, message_type, content, metadata, mentions, reply_to, composed_at)
  select p_item.message_id, c.id, c.org_id, s.user_id,
         case when p_item.mutation ->> 'message_type' = 'attachment' then v_attachment else v_text end, p_item.content,
         nullif(p_item.mutation -> 'metadata', 'null'), fieldpost.mentions(p_item.mutation), fieldpost.uuid_or_null(p_item.mutation ->> 'reply_to'),
         case when fieldpost.is_sane(p_item.composed_at) then p_item.composed_at end
  from public.conversations c where c.id = p_item.conversation_id
  on conflict do nothing;
  select m.* into v_row from public.messages m where m.id = p_item.message_id and m.sync_xid = pg_current_xact_id();
  if not found then
    -- Somebody else's row has the id or the key, or a trigger of the project dropped it.
    return coalesce((select k.result from fieldpost.known_messages(s, array[p_item]) k),
                    fieldpost.refused_by_project('a trigger of this project dropped the message', 'no row'));
  end if;
  v_done := fieldpost.applied(v_row.id, v_row.conversation_id, v_row.seq, v_row.created_at, v_row.version);
  if v_row.content is distinct from p_item.content or v_row.metadata::jsonb is distinct from nullif(p_item.mutation -> 'metadata', 'null')
     or v_row.message_type::text <> coalesce(p_item.mutation ->> 'message_type', 'text') then
    v_done := fieldpost.with_row(v_done, v_row);
  end if;
  return v_done;
end
$$;
comment on function fieldpost.send_alone(fieldpost.scope, fieldpost.push_item) is 'Sends one message, without waiting for anybody.';

-- The results of sends, in the order of the items.
create or replace function fieldpost.send_all(s fieldpost.scope, p_items fieldpost.push_item[]) returns text[]
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_item fieldpost.push_item;
  v_place int;
  v_results text[] := '{}';
  v_stuck uuid[] := '{}';
begin
  begin
    return fieldpost.send_as_set(s, p_items, false);
  exception
    when unique_violation then
      begin
        return fieldpost.send_as_set(s, p_items, true);  -- some of it is here already
      exception when assert_failure or others then
        null;
      end;
    when assert_failure or others then
      null;
  end;

  -- Something stood in the way of the set. One by one, in the order of locks, without waiting for anybody.
  for v_place in
    select x.place from (select y.conversation_id, row_number() over (order by y.n) as place from unnest(p_items) y) x
    order by x.conversation_id, x.place
  loop
    v_item := p_items[v_place];
    if v_item.conversation_id = any (v_stuck) then
      v_results[v_place] := '{"status":"retry","code":"after_retry"}';
      continue;
    end if;
    begin
      v_results[v_place] := fieldpost.send_alone(s, v_item);
    exception
      when serialization_failure or deadlock_detected or lock_not_available then
        v_stuck := v_stuck || v_item.conversation_id;
        v_results[v_place] := '{"status":"retry","code":"conflict"}';
      when insufficient_resources or disk_full or out_of_memory or too_many_connections or configuration_limit_exceeded then
        v_stuck := v_stuck || v_item.conversation_id;
        v_results[v_place] := '{"status":"retry","code":"busy"}';
      when assert_failure or others then
        v_results[v_place] := fieldpost.refused_by_project(sqlerrm, sqlstate);
    end;
  end loop;
  return v_results;
end
$$;
comment on function fieldpost.send_all(fieldpost.scope, fieldpost.push_item[]) is
  'Sends a set of messages: with one statement, or one by one where that is refused.';
