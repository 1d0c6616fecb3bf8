-- fieldpost_history: one page of older messages of a conversation.
--
-- The page says which range of seq it covers, and the client trusts that over counting: a number in the range that
-- comes neither as a message nor as a tombstone was deleted so long ago that its tombstone was compacted away.
--
-- What must stay true: messages and tombstones share the limit, so that a page stays small where much was deleted.

drop function if exists fieldpost.history_picks(int, uuid, bigint, int);  -- of an earlier version
create or replace function fieldpost.history_picks(p_protocol int, p_capabilities text[], p_conversation uuid, p_before_seq bigint, p_limit int)
returns fieldpost.picked
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  s fieldpost.scope;
  v_picked fieldpost.picked;
  v_narrowed constant boolean := fieldpost.narrowed('r');
  v_ids uuid[];
  v_refused jsonb := fieldpost.refused(p_protocol);
  v_limit int := least(coalesce(p_limit, 2500), 2500);
  v_row public.conversations;
  v_to bigint;
  v_from bigint;
  v_messages text;
  v_reacts constant boolean := 'reactions' = any (p_capabilities) and not v_narrowed;
  v_reactions text;
  v_tombstones text;
  v_users uuid[];
  v_more boolean;
begin
  if v_refused is not null then
    v_picked.refusal := v_refused;
    return v_picked;
  elsif v_limit < 1 then
    v_picked.refusal := fieldpost.refusal('bad_request', 'p_limit');
    return v_picked;
  elsif p_conversation is null then
    v_picked.refusal := fieldpost.refusal('bad_request', 'p_conversation');
    return v_picked;
  end if;
  s := fieldpost.scope_of(fieldpost.uid());
  select c.* into v_row from public.conversations c
  where c.id = coalesce((select a.conversation_id from fieldpost.conversation_aliases a where a.alias_id = p_conversation), p_conversation)
    and (c.org_id = any (s.admin_orgs) or c.id = any (s.conversations));
  if not found then
    v_picked.refusal := fieldpost.refusal('not_found');
    return v_picked;
  end if;

  v_to := least(coalesce(p_before_seq - 1, v_row.last_seq), v_row.last_seq);
  with rows as (
    (select m.seq, m.id, m.sender_id, fieldpost.message_text(m) as j, case when v_reacts and (select true from public.message_reactions r where r.message_id = m.id limit 1) then fieldpost.reactions_to(s, m) end as reactions, true as is_message from public.messages m
     where m.conversation_id = v_row.id and m.seq <= v_to order by m.seq desc limit v_limit + 1)
    union all
    (select t.seq, t.id, null, fieldpost.tombstone_json(t)::text, null, false from fieldpost.tombstones t
     where t.conversation_id = v_row.id and t.entity = 'message' and t.seq <= v_to order by t.seq desc limit v_limit + 1)
  ), cut as (
    select r.*, row_number() over w as n, sum(octet_length(r.j) + 1 + coalesce(octet_length(r.reactions) + 1, 0)) over w as run
    from rows r window w as (order by r.seq desc)
  ), page as (
    select * from cut where n <= v_limit and run <= fieldpost.page_budget() or n = 1
  )
  select (select string_agg(p.j, ',' order by p.seq) filter (where p.is_message) from page p),
         (select string_agg(p.j, ',' order by p.seq) filter (where not p.is_message) from page p),
         (select array_agg(distinct p.sender_id) from page p), (select min(p.seq) from page p),
         (select count(*) from cut) > (select count(*) from page),
         (select array_agg(p.id order by p.seq) filter (where p.is_message) from page p),
         (select string_agg(p.reactions, ',' order by p.seq) from page p)
    into v_messages, v_tombstones, v_users, v_from, v_more, v_ids, v_reactions;

  v_picked.s := s;
  v_picked.head := fieldpost.envelope() || jsonb_build_object(
    -- With nothing older, the page covers everything down to the first number.
    'from_seq', case when v_more then v_from else 1 end, 'to_seq', greatest(v_to, 0), 'complete', not v_more);
  v_picked.conversations := array[v_row.id];
  v_picked.users := v_users || v_row.created_by;
  v_picked.kinds := array[null, null, null, v_tombstones, null, case when not v_narrowed then v_messages end, v_reactions];
  v_picked.messages := case when v_narrowed then v_ids end;
  return v_picked;
end
$$;
comment on function fieldpost.history_picks(int, text[], uuid, bigint, int) is
  'Chooses the rows of a page of history. Security definer: it reads through the index on (conversation, seq) instead of by policy, after '
  'checking that the caller may see the conversation. Where a project''s own policies narrow that, it gives no messages, only their ids.';

create or replace function fieldpost.history(
  p_protocol int default null, p_app text default null, p_capabilities text[] default '{}',
  p_conversation uuid default null, p_before_seq bigint default null, p_limit int default null)
returns json
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  p constant fieldpost.picked := fieldpost.history_picks(p_protocol, p_capabilities, p_conversation, p_before_seq, p_limit);
begin
  if p.refusal is not null then
    return p.refusal;
  end if;
  return (
    select fieldpost.answer(p.head || jsonb_build_object(
        'people', fieldpost.people_named(array[c.org_id], p.users, array[c.medic_id]),
        'conversation', fieldpost.conversation_json(c, (p.s).user_id)),
      array['messages', 'tombstones', case when p.kinds[7] is not null then 'reactions' end], array[p.kinds[6], p.kinds[4], p.kinds[7]])
    from public.conversations c where c.id = p.conversations[1]);
end
$$;
comment on function fieldpost.history(int, text, text[], uuid, bigint, int) is
  'Older messages of a conversation (docs/protocol.md). Security definer: as fieldpost.history_picks.';
