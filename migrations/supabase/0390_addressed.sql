-- Whom a message addresses: the message that it replies to, and the people that it mentions. What a push does with that is in
-- 1590_judge_addressed.sql, what happens to direct writers in the triggers of messages.
--
-- What must stay true:
--  * A reply names a message of its own conversation, or none.
--  * Nobody is mentioned who may not see the conversation. Whom a message mentions already may stay when it is edited.

-- Who of these people may not see a conversation. Each person's memberships are asked for once.
create or replace function fieldpost.strangers_to(p_conversations uuid[], p_people uuid[]) returns table (conversation_id uuid, user_id uuid)
language sql stable set search_path = pg_catalog, pg_temp
as $$
  with named as materialized (select distinct u.conversation_id, u.user_id from unnest(p_conversations, p_people) u (conversation_id, user_id)),
  members as materialized (
    select p.user_id, m.org_id, m.role, m.medic_id
    from (select distinct n.user_id from named n) p cross join lateral fieldpost.memberships(p.user_id) m
  )
  select n.conversation_id, n.user_id from named n
  where not exists (
    select from public.conversations c join members m on m.user_id = n.user_id and m.org_id = c.org_id
    where c.id = n.conversation_id and (m.role = 'org_admin' or c.type::text = 'broadcast' or m.medic_id = c.medic_id))
$$;
comment on function fieldpost.strangers_to(uuid[], uuid[]) is 'Pairs of a conversation and a person who may not see it.';

-- The mentions of people who may see the conversation; null for none.
create or replace function fieldpost.mentions_kept(p_conversation uuid, p_people uuid[]) returns uuid[]
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select nullif(array(
    select p from unnest(p_people) p
    except select x.user_id from fieldpost.strangers_to(array(select p_conversation from unnest(p_people)), p_people) x), '{}')
$$;
comment on function fieldpost.mentions_kept(uuid, uuid[]) is 'Those of the mentioned people who may see the conversation.';

-- Whether one of these people, beside those of before, may not see the conversation.
create or replace function fieldpost.names_strangers(p_conversation uuid, p_people uuid[], p_before uuid[]) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  v_new constant uuid[] := array(select unnest(p_people) except select unnest(p_before));
begin
  return v_new <> '{}' and exists (select from fieldpost.strangers_to(array(select p_conversation from unnest(v_new)), v_new));
end
$$;
comment on function fieldpost.names_strangers(uuid, uuid[], uuid[]) is 'Whether somebody is newly mentioned who may not see the conversation.';

-- What a reply answers: the message of this conversation, also under the key of an older version of the app, or what was deleted.
create or replace function fieldpost.reply_target(p_conversation uuid, p_author uuid, p_reply_to uuid) returns uuid
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select x.id from (
    select 1 as rank, m.id from public.messages m where m.id = p_reply_to and m.conversation_id = p_conversation
    union all
    select 2, m.id from public.messages m
    where m.sender_id = p_author and m.client_key = p_reply_to::text and m.conversation_id = p_conversation
    union all
    select 3, t.id from fieldpost.tombstones t where t.entity = 'message' and t.id = p_reply_to and t.conversation_id = p_conversation
  ) x order by x.rank limit 1
$$;
comment on function fieldpost.reply_target(uuid, uuid, uuid) is 'The id of the message that a reply answers, in its conversation; null if there is none.';
