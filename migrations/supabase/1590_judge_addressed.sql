-- Sends that reply to a message or mention people.
--
-- What must stay true:
--  * A reply names a message of its own conversation that its author may see, or none. "Elsewhere", "hidden" and "not there" are
--    one answer. One that was deleted may be answered: its author may not have known yet.
--  * Nobody is mentioned who may not see the conversation. Whom a message mentions already may stay when it is edited.
--  * A push says so; of what another client writes directly, the row is accepted and such a name is left out.
--  * A message that the server has is a duplicate, whatever it says by then.
--  * Most batches address nobody: they pay for one look at their keys.

-- Judges the sends of a batch by whom they address. A reply may answer an earlier message of the batch. An id that stands for
-- another one is replaced by that.
create or replace function fieldpost.judge_addressed(s fieldpost.scope, p_items fieldpost.push_item[]) returns fieldpost.push_item[]
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  v_targets jsonb;
  v_strangers text[];
  v_known uuid[];
  v_sent text[] := '{}';
  v_item fieldpost.push_item;
  v_reply uuid;
begin
  if not exists (select from unnest(p_items) i where i.result is null and i.kind = 'send_message' and i.mutation ?| array['reply_to', 'mentions']) then
    return p_items;
  end if;
  select coalesce(jsonb_object_agg(concat(r.conversation_id, r.reply_to), t.id), '{}') into v_targets
  from (
    select distinct i.conversation_id, fieldpost.uuid_or_null(i.mutation ->> 'reply_to') as reply_to from unnest(p_items) i
    where i.result is null and i.mutation ->> 'reply_to' is not null
  ) r cross join lateral fieldpost.reply_target(r.conversation_id, s.user_id, r.reply_to) t (id)
  where t.id is not null;
  select coalesce(array_agg(concat(x.conversation_id, x.user_id)), '{}') into v_strangers
  from (
    select array_agg(i.conversation_id) as conversations, array_agg(m.person) as people
    from unnest(p_items) i cross join lateral unnest(fieldpost.mentions(i.mutation)) m (person)
    where i.result is null and i.kind = 'send_message' and i.mutation ? 'mentions'
  ) n cross join lateral fieldpost.strangers_to(n.conversations, n.people) x;
  v_known := array(
    select i.message_id from unnest(p_items) i join fieldpost.known_messages(s, array(
      select x::fieldpost.push_item from unnest(p_items) x where x.result is null and x.mutation ?| array['reply_to', 'mentions'])) k on k.n = i.n);

  for v_item in select i.* from unnest(p_items) i where i.result is null and i.kind = 'send_message' order by i.n loop
    if v_item.message_id = any (v_known) then
      continue;
    end if;
    v_reply := fieldpost.uuid_or_null(v_item.mutation ->> 'reply_to');
    if v_reply is not null and v_targets ? concat(v_item.conversation_id, v_reply) then
      v_item.mutation := v_item.mutation || jsonb_build_object('reply_to', v_targets ->> concat(v_item.conversation_id, v_reply));
    elsif v_reply is not null and not concat(v_item.conversation_id, v_reply) = any (v_sent) then
      v_item.result := fieldpost.rejected('reply_not_found');
    end if;
    if v_item.result is null and v_item.mutation ? 'mentions' and exists (
      select from unnest(fieldpost.mentions(v_item.mutation)) p where concat(v_item.conversation_id, p) = any (v_strangers)
    ) then
      v_item.result := fieldpost.rejected('mention_not_allowed');
    end if;
    if v_item.result is null then
      v_sent := v_sent || concat(v_item.conversation_id, v_item.message_id);
    end if;
    p_items[v_item.n] := v_item;
  end loop;
  return p_items;
end
$$;
comment on function fieldpost.judge_addressed(fieldpost.scope, fieldpost.push_item[]) is
  'The sends of a batch, with results for those that reply to what is not there or mention who may not see it.';

-- Where policies of the project narrow: what they hide from the caller cannot be answered by her.
create or replace function fieldpost.hidden_replies_as_caller(p_items fieldpost.push_item[]) returns int[]
language sql stable set search_path = pg_catalog, public, extensions, pg_temp
as $$
  select array(
    select i.n from unnest(p_items) i
    where i.result is null and i.kind = 'send_message' and i.mutation ->> 'reply_to' is not null
      and not exists (select from public.messages m where m.id = (i.mutation ->> 'reply_to')::uuid)
      and not exists (select from public.messages m where m.id = i.message_id)
      and not exists (select from unnest(p_items) e where e.n < i.n and e.result is null and e.message_id = (i.mutation ->> 'reply_to')::uuid))
$$;
comment on function fieldpost.hidden_replies_as_caller(fieldpost.push_item[]) is 'The places of sends that reply to what policies hide from the caller.';

grant execute on function fieldpost.hidden_replies_as_caller(fieldpost.push_item[]) to authenticated;
