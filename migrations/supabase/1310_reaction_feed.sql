-- Reactions on the wire: in the feed, and with the messages of a first load and of history.
--
-- What must stay true:
--  * A page that brings a message for the first time brings its reactions, those that were taken back included: a device that heard
--    of one meanwhile goes by its version.
--  * In a broadcast the counts are what counts. Of the rows beside them an admin gets the first 200 of a message; what she is told of
--    one message is bounded, however many people reacted.

create or replace function fieldpost.reaction_text(r public.message_reactions) returns text
language sql stable
as $$
  select concat('{"message_id":"' || r.message_id, '","conversation_id":"' || r.conversation_id, '","person_id":"' || r.person_id, '","emoji":' || to_json(r.emoji),
    case when r.removed then ',"removed":true' end, ',"created_at":"' || fieldpost.time_text(r.created_at), '","version":' || r.version, '}')
$$;
comment on function fieldpost.reaction_text(public.message_reactions) is 'A reaction on the wire.';

create or replace function fieldpost.reaction_count_text(k fieldpost.reaction_counts) returns text
language sql stable
as $$
  select concat('{"message_id":"' || k.message_id, '","conversation_id":"' || k.conversation_id, '","emoji":' || to_json(k.emoji), ',"count":' || k.count,
    ',"created_at":"' || fieldpost.time_text(k.created_at), '","version":' || k.version, '}')
$$;
comment on function fieldpost.reaction_count_text(fieldpost.reaction_counts) is 'How many reactions of an emoji there are, on the wire.';

-- The reactions to a message that its page holds; null for none. Whether she sees the message was decided by whoever calls this.
create or replace function fieldpost.reactions_to(s fieldpost.scope, m public.messages) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select string_agg(x.j, ',') from (
    select fieldpost.reaction_count_text(k) as j from fieldpost.reaction_counts k where k.message_id = m.id
    union all
    select y.j from (
      select fieldpost.reaction_text(r) as j from public.message_reactions r
      where r.message_id = m.id and (r.org_id = any (s.admin_orgs) or r.conversation_id = any (s.directs) or r.person_id = s.user_id)
      order by r.person_id = s.user_id desc, r.removed, r.created_at, r.id
      limit (select case when c.type = 'broadcast' then 200 end from public.conversations c where c.id = m.conversation_id)
    ) y
  ) x
$$;
comment on function fieldpost.reactions_to(fieldpost.scope, public.messages) is 'The reactions to a message on the wire, as one person sees them.';

create or replace function fieldpost.feed_reactions(s fieldpost.scope, f fieldpost.span) returns setof fieldpost.feed_row
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select x.sync_xid, x.id, null::uuid, x.j, null::uuid, x.person_id, 0
  from (
    select r.* from fieldpost.ranges_left(f) g, unnest(s.admin_orgs) o cross join lateral (
      select q.sync_xid, q.id, q.person_id, fieldpost.reaction_text(q) as j from public.message_reactions q
      where q.org_id = o and q.sync_xid between g.lo and g.hi and q.id >= g.a and ((q.sync_xid, q.id) > (f.xid, f.a)) is true
        and pg_visible_in_snapshot(q.sync_xid, f.to_)
      order by q.sync_xid, q.id limit f.rows
    ) r
    union all
    select r.* from fieldpost.ranges_left(f) g, unnest(s.directs) d cross join lateral (
      select q.sync_xid, q.id, q.person_id, fieldpost.reaction_text(q) as j from public.message_reactions q
      where q.conversation_id = d and not q.org_id = any (s.admin_orgs) and q.sync_xid between g.lo and g.hi and q.id >= g.a
        and ((q.sync_xid, q.id) > (f.xid, f.a)) is true and pg_visible_in_snapshot(q.sync_xid, f.to_)
      order by q.sync_xid, q.id limit f.rows
    ) r
    union all
    select r.* from fieldpost.ranges_left(f) g cross join lateral (  -- her own in broadcasts
      select q.sync_xid, q.id, q.person_id, fieldpost.reaction_text(q) as j from public.message_reactions q
      where q.person_id = s.user_id and q.conversation_id = any (s.conversations) and not q.conversation_id = any (s.directs)
        and not q.org_id = any (s.admin_orgs) and q.sync_xid between g.lo and g.hi and q.id >= g.a
        and ((q.sync_xid, q.id) > (f.xid, f.a)) is true and pg_visible_in_snapshot(q.sync_xid, f.to_)
      order by q.sync_xid, q.id limit f.rows
    ) r
    union all
    select r.* from fieldpost.ranges_left(f) g, unnest(s.admin_orgs) o cross join lateral (
      select q.sync_xid, q.id, null::uuid, fieldpost.reaction_count_text(q) as j from fieldpost.reaction_counts q
      where q.org_id = o and q.sync_xid between g.lo and g.hi and q.id >= g.a and ((q.sync_xid, q.id) > (f.xid, f.a)) is true
        and pg_visible_in_snapshot(q.sync_xid, f.to_)
      order by q.sync_xid, q.id limit f.rows
    ) r
    union all
    select r.* from fieldpost.ranges_left(f) g, unnest(s.conversations) v cross join lateral (
      select q.sync_xid, q.id, null::uuid, fieldpost.reaction_count_text(q) as j from fieldpost.reaction_counts q
      where q.conversation_id = v and not q.org_id = any (s.admin_orgs) and q.sync_xid between g.lo and g.hi and q.id >= g.a
        and ((q.sync_xid, q.id) > (f.xid, f.a)) is true and pg_visible_in_snapshot(q.sync_xid, f.to_)
      order by q.sync_xid, q.id limit f.rows
    ) r
  ) x (sync_xid, id, person_id, j)
  order by 1, 2 limit f.rows
$$;
comment on function fieldpost.feed_reactions(fieldpost.scope, fieldpost.span) is
  'Reactions that changed: all of an admin''s and of a medic''s direct conversation; in broadcasts a medic''s own, and how many there are.';

-- Where policies of the project narrow: the reactions that a page chose, and those to the messages that it holds. A message that was
-- hidden until now brings all of its own along.
create or replace function fieldpost.reactions_of(p_messages uuid[]) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select string_agg(fieldpost.reactions_to(s, m), ',') from fieldpost.scope_of(auth.uid()) s
  join public.messages m on m.id = any (p_messages) and m.deleted_at is null
    and (m.org_id = any (s.admin_orgs) or m.conversation_id = any (s.conversations))
$$;
comment on function fieldpost.reactions_of(uuid[]) is
  'The reactions to messages that the caller may see, as she may see them. Security definer: counts are in a table that clients may not read.';

create or replace function fieldpost.reactions_i_see(p_chosen text, p_messages uuid[]) returns text
language sql stable set search_path = pg_catalog, public, extensions, pg_temp
as $$
  select nullif(concat_ws(',',
    (select string_agg(r::text, ',') from jsonb_array_elements(('[' || p_chosen || ']')::jsonb) r
     where (select true from public.messages m where m.id = (r ->> 'message_id')::uuid limit 1)),
    fieldpost.reactions_of(p_messages)), '')
$$;
comment on function fieldpost.reactions_i_see(text, uuid[]) is 'The reactions of a page, to messages that policies let the caller read.';

grant execute on function fieldpost.reactions_of(uuid[]), fieldpost.reactions_i_see(text, uuid[]) to authenticated;
