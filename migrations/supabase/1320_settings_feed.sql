-- Settings on the wire: in the feed, and with the conversations of a first load and of a grant. Only to clients that name the
-- capability `conversation_settings`, and only her own.

create or replace function fieldpost.settings_text(s public.conversation_settings) returns text
language sql stable
as $$
  select concat('{"conversation_id":"' || s.conversation_id || '"', ',"muted_until":"' || fieldpost.time_text(s.muted_until) || '"',
    ',"pinned_at":"' || fieldpost.time_text(s.pinned_at) || '"', ',"archived_at":"' || fieldpost.time_text(s.archived_at) || '"',
    ',"archived_seq":' || s.archived_seq, ',"unread_from":' || s.unread_from, ',"version":' || s.version, '}')
$$;
comment on function fieldpost.settings_text(public.conversation_settings) is 'Settings on the wire.';

-- The settings of one person for some conversations, as a list without its brackets.
create or replace function fieldpost.settings_for(p_user uuid, p_conversations uuid[]) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select string_agg(fieldpost.settings_text(s), ',' order by s.conversation_id) from public.conversation_settings s
  where s.user_id = p_user and s.conversation_id = any (p_conversations)
$$;
comment on function fieldpost.settings_for(uuid, uuid[]) is 'What a person has set for conversations that come into her sight.';

create or replace function fieldpost.feed_settings(s fieldpost.scope, f fieldpost.span) returns setof fieldpost.feed_row
language sql stable set search_path = pg_catalog, pg_temp
as $$
  -- What is marked unread changes the count: the conversation's row comes along.
  select x.sync_xid, x.conversation_id, null::uuid, fieldpost.settings_text(x), x.conversation_id, null::uuid, 900
  from fieldpost.ranges_left(f) r
  cross join lateral (
    select q.* from public.conversation_settings q
    where q.user_id = s.user_id and q.sync_xid between r.lo and r.hi and q.conversation_id >= r.a
      and ((q.sync_xid, q.conversation_id) > (f.xid, f.a)) is true and pg_visible_in_snapshot(q.sync_xid, f.to_)
      and (q.org_id = any (s.admin_orgs) or q.conversation_id = any (s.conversations))
    order by q.sync_xid, q.conversation_id limit f.rows
  ) x
  order by 1, 2 limit f.rows
$$;
comment on function fieldpost.feed_settings(fieldpost.scope, fieldpost.span) is 'What the person has set, of conversations that she sees.';

create or replace function fieldpost.own_settings(p_chosen text, p_access jsonb, p_conversations uuid[]) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select string_agg(x.j, ',') from (
    select r::text as j from jsonb_array_elements(('[' || coalesce(p_chosen, '') || ']')::jsonb) r
    where (r ->> 'conversation_id')::uuid = any (p_conversations)
    union
    select k::text from jsonb_array_elements(('[' || coalesce(fieldpost.settings_for(auth.uid(), array(
      select (g ->> 'conversation_id')::uuid from jsonb_array_elements(p_access) g where g ->> 'access' = 'grant')), '') || ']')::jsonb) k
  ) x
$$;
comment on function fieldpost.own_settings(text, jsonb, uuid[]) is
  'The caller''s settings for a page: those that were chosen, of conversations that she sees, and those that come with a grant. Security definer: it asks who is calling.';
grant execute on function fieldpost.own_settings(text, jsonb, uuid[]) to authenticated;
