-- react: gives a message a reaction of the caller, or takes it back.
--
-- What must stay true:
--  * The conversation is locked before anything is read of the message: see the triggers of reactions. Her own row is taken without
--    waiting, for a direct writer may hold it and wait for the conversation.
--  * Setting what is set is a success, so a reaction whose answer was lost may come again.
--  * Whoever sees a message may react to it, also where she may not write. Nobody learns of one that she does not see.

-- Judges a reaction, and finds its message. A result: that is the answer.
create or replace function fieldpost.judge_reaction(s fieldpost.scope, p_mutation jsonb, out result jsonb, out message_id uuid, out emoji text, out removed boolean)
language plpgsql set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_named constant uuid := fieldpost.uuid_or_null(p_mutation ->> 'message_id');
  v_lane constant uuid := fieldpost.uuid_or_null(p_mutation ->> 'conversation_id');
  v_conversation constant uuid := fieldpost.canonical(v_lane);
  v_row public.messages;
  v_given bigint;
  v_rows bigint;
begin
  result := case
    when v_named is null then fieldpost.rejected('bad_request', 'message_id')
    when v_lane is null then fieldpost.rejected('bad_request', 'conversation_id')
    when jsonb_typeof(p_mutation -> 'emoji') is distinct from 'string' then fieldpost.rejected('bad_request', 'emoji')
    when coalesce(jsonb_typeof(p_mutation -> 'removed'), 'null') not in ('boolean', 'null') then fieldpost.rejected('bad_request', 'removed')
    when not s.member then fieldpost.rejected('forbidden', 'no membership')
  end;
  if result is not null then
    return;
  end if;
  emoji := normalize(p_mutation ->> 'emoji', nfc);
  removed := coalesce((p_mutation ->> 'removed')::boolean, false);
  if not octet_length(emoji) between 1 and 64 or emoji ~ '[[:space:][:cntrl:]]' or fieldpost.is_blank(emoji) then
    result := fieldpost.rejected('bad_request', 'emoji');
    return;
  end if;
  perform 1 from public.conversations c
  where c.id = v_conversation and (c.org_id = any (s.admin_orgs) or c.id = any (s.conversations)) for no key update;
  if not found then
    result := fieldpost.rejected(fieldpost.absence(s, v_conversation));
    return;
  end if;

  select m.* into v_row from public.messages m where m.id = v_named and m.conversation_id = v_conversation;
  if not found then  -- sent by an older version of the app, under a key
    select m.* into v_row from public.messages m
    where m.sender_id = s.user_id and m.client_key = v_named::text and m.conversation_id = v_conversation;
  end if;
  if not found then
    result := fieldpost.rejected(case when exists (
      select from fieldpost.tombstones t where t.entity = 'message' and t.conversation_id = v_conversation and t.id = v_named
      union all
      select from fieldpost.tombstones t where t.conversation_id = v_conversation and t.client_key = v_named::text
    ) then 'message_deleted' else 'not_found' end);
    return;
  end if;
  message_id := v_row.id;
  if v_row.deleted_at is not null then
    result := fieldpost.rejected('message_deleted');
    return;
  end if;
  select count(*) filter (where not r.removed and r.emoji <> emoji), count(*) filter (where r.emoji <> emoji) into v_given, v_rows
  from public.message_reactions r where r.message_id = v_row.id and r.person_id = s.user_id;
  if not removed and (v_given >= 20 or v_rows >= 100) then
    result := fieldpost.rejected('too_many_reactions');
  end if;
end
$$;
comment on function fieldpost.judge_reaction(fieldpost.scope, jsonb) is 'What becomes of a react, short of writing it.';

-- The rows that a result shows: her own, and how many there are.
create or replace function fieldpost.reacted(p_status text, p_message uuid, p_person uuid, p_emoji text) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('status', p_status, 'reactions', coalesce(jsonb_agg(x.j::jsonb), '[]')) from (
    select fieldpost.reaction_text(r) as j from public.message_reactions r
    where r.message_id = p_message and r.person_id = p_person and r.emoji = p_emoji
    union all
    select fieldpost.reaction_count_text(k) from fieldpost.reaction_counts k where k.message_id = p_message and k.emoji = p_emoji
  ) x
$$;
comment on function fieldpost.reacted(text, uuid, uuid, text) is 'The result of a reaction that is set.';

create or replace function fieldpost.react(s fieldpost.scope, p_mutation jsonb) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  j record;
  v_before boolean;
begin
  select * into j from fieldpost.judge_reaction(s, p_mutation);
  if j.result is not null then
    return j.result;
  end if;
  select not r.removed into v_before from public.message_reactions r
  where r.message_id = j.message_id and r.person_id = s.user_id and r.emoji = j.emoji for no key update nowait;
  if coalesce(v_before, false) = not j.removed then
    return fieldpost.reacted('duplicate', j.message_id, s.user_id, j.emoji);
  end if;
  insert into public.message_reactions (message_id, person_id, emoji, removed)
  values (j.message_id, s.user_id, j.emoji, j.removed)
  on conflict (message_id, person_id, emoji) do update set removed = excluded.removed;
  return fieldpost.reacted('applied', j.message_id, s.user_id, j.emoji);
end
$$;
comment on function fieldpost.react(fieldpost.scope, jsonb) is 'Gives a message a reaction, or takes it back.';

-- Where policies of the project narrow.

create or replace function fieldpost.my_reaction(p_mutation jsonb, out result jsonb, out message_id uuid, out emoji text, out removed boolean, out given boolean)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
begin
  select x.result, x.message_id, x.emoji, x.removed into result, message_id, emoji, removed
  from fieldpost.judge_reaction(fieldpost.scope_of(auth.uid()), p_mutation) x;
  select not r.removed into given from public.message_reactions r
  where r.message_id = message_id and r.person_id = auth.uid() and r.emoji = emoji for no key update nowait;
  given := coalesce(given, false);
end
$$;
comment on function fieldpost.my_reaction(jsonb) is
  'Judges a reaction of the caller''s. Security definer: reads aliases, tombstones and memberships, and locks the conversation.';

create or replace function fieldpost.my_reacted(p_status text, p_message uuid, p_emoji text) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select fieldpost.reacted(p_status, m.id, auth.uid(), p_emoji) from public.messages m, fieldpost.scope_of(auth.uid()) s
  where m.id = p_message and (m.org_id = any (s.admin_orgs) or m.conversation_id = any (s.conversations))
$$;
comment on function fieldpost.my_reacted(text, uuid, text) is
  'The result of a reaction of the caller''s. Security definer: counts are in a table that clients may not read.';

create or replace function fieldpost.react_as_caller(p_mutation jsonb) returns jsonb
language plpgsql volatile set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  j record;
begin
  select * into j from fieldpost.my_reaction(p_mutation);
  if j.message_id is not null and not exists (select from public.messages m where m.id = j.message_id) then
    return fieldpost.rejected('not_found');  -- a policy hides it
  elsif j.result is not null then
    return j.result;
  elsif j.given = not j.removed then
    return fieldpost.my_reacted('duplicate', j.message_id, j.emoji);
  end if;
  insert into public.message_reactions (message_id, person_id, emoji, removed)
  values (j.message_id, fieldpost.uid(), j.emoji, j.removed)
  on conflict (message_id, person_id, emoji) do update set removed = excluded.removed;
  return fieldpost.my_reacted('applied', j.message_id, j.emoji);
end
$$;
comment on function fieldpost.react_as_caller(jsonb) is 'Gives a message a reaction of the caller''s, or takes it back, under all policies.';

grant execute on function fieldpost.my_reaction(jsonb), fieldpost.my_reacted(text, uuid, text), fieldpost.react_as_caller(jsonb) to authenticated;
