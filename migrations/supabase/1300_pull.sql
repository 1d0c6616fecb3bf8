-- fieldpost_pull: everything visible to the caller that was committed since her cursor.
--
-- A pass goes through eight kinds of rows, one after the other, each in the order of (stamp, id): access, people,
-- conversations, tombstones, read markers, messages, reactions, settings (the last two for clients that name the capability). `to`, the snapshot that ends the pass, is taken with its first page
-- and kept for the rest, and becomes `from` of the next pass. So a row that is changed while a pass is under way is not
-- in it twice: its new stamp is beyond `to`, and the next pass has it.
--
-- What must stay true:
--  * Every query below takes an index with the stamp in it, by organization for an admin and by conversation for a
--    medic, and asks only for the ranges of `stamp_ranges`. A pull that finds nothing reads a few index pages, however
--    many messages there are and however long somebody's transaction idles.
--  * Visibility is that of now, not of the time of the change. The log of access changes decides nothing.

do $$
begin
  if to_regtype('fieldpost.feed_row') is null then
    -- `j`: the row as text. `extra`: bytes of rows that the page will hold because of this one. `a`, `b`: the id, in two
    -- parts for markers.
    create type fieldpost.feed_row as (
      xid xid8, a uuid, b uuid, j text, conversation_id uuid, person_id uuid, extra int
    );
  end if;
  if to_regtype('fieldpost.span') is null then
    -- What one query of the feed looks for: stamps that `from_` did not see and `to_` sees, after (xid, a, b).
    create type fieldpost.span as (from_ pg_snapshot, to_ pg_snapshot, xid xid8, a uuid, b uuid, rows int);
  end if;
end
$$;

-- The ranges of stamps that are left of a pass, and within the first of them the ids that are. An index scan begins where
-- these say; the exact position is a filter (`is true` keeps it one): a row comparison among the conditions of a B-tree
-- is where the scan would begin, and at the start of a pass that is the first row that there ever was.
create or replace function fieldpost.ranges_left(f fieldpost.span) returns table (lo xid8, hi xid8, a uuid)
language sql immutable rows 5 set search_path = pg_catalog, pg_temp
as $$
  select greatest(r.lo, f.xid), case when r.lo <= f.xid then f.xid else r.hi end,
         case when r.lo <= f.xid then f.a else '00000000-0000-0000-0000-000000000000' end
  from fieldpost.stamp_ranges(f.from_, f.to_) r where r.hi >= f.xid
  union all
  select (f.xid::text::bigint + 1)::text::xid8, r.hi, '00000000-0000-0000-0000-000000000000'
  from fieldpost.stamp_ranges(f.from_, f.to_) r where r.lo <= f.xid and r.hi > f.xid
$$;
comment on function fieldpost.ranges_left(fieldpost.span) is 'Where the index scans of one query of the feed begin and end.';

create or replace function fieldpost.feed_access(s fieldpost.scope, f fieldpost.span) returns setof fieldpost.feed_row
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select x.sync_xid, x.conversation_id, null::uuid,
         -- A scalar subquery: the planner answers `exists` from a scan of all conversations when it expects many rows.
         jsonb_build_object('conversation_id', x.conversation_id, 'version', x.version, 'access', case when (
           select c.org_id = any (s.admin_orgs) or c.id = any (s.conversations)
           from public.conversations c where c.id = x.conversation_id) then 'grant' else 'revoke' end)::text,
         case when x.access = 'grant' then x.conversation_id end, null::uuid,
         case when x.access = 'grant' then 1300 else 0 end
  from fieldpost.ranges_left(f) r
  cross join lateral (
    select l.* from fieldpost.access_log l
    where l.user_id = s.user_id and l.sync_xid between r.lo and r.hi and l.conversation_id >= r.a and ((l.sync_xid, l.conversation_id) > (f.xid, f.a)) is true
      and pg_visible_in_snapshot(l.sync_xid, f.to_)
    order by l.sync_xid, l.conversation_id limit f.rows
  ) x
  order by 1, 2 limit f.rows
$$;
comment on function fieldpost.feed_access(fieldpost.scope, fieldpost.span) is
  'Access changes of a person. What the log says is checked against what she may see now.';

create or replace function fieldpost.feed_people(s fieldpost.scope, f fieldpost.span) returns setof fieldpost.feed_row
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select x.sync_xid, x.user_id, x.org_id, fieldpost.person_json(x)::text, null::uuid, null::uuid, 0
  from (
    select p.* from fieldpost.ranges_left(f) r, unnest(s.admin_orgs) o cross join lateral (
      select q.* from fieldpost.people q
      where q.org_id = o and q.sync_xid between r.lo and r.hi and q.user_id >= r.a and ((q.sync_xid, q.user_id, q.org_id) > (f.xid, f.a, f.b)) is true
        and pg_visible_in_snapshot(q.sync_xid, f.to_)
      order by q.sync_xid, q.user_id limit f.rows
    ) p
    union all
    select p.* from fieldpost.ranges_left(f) r, unnest(s.medic_orgs) o cross join lateral (
      select q.* from fieldpost.people q
      where q.org_id = o and q.role = 'org_admin' and q.sync_xid between r.lo and r.hi
        and q.user_id >= r.a and ((q.sync_xid, q.user_id, q.org_id) > (f.xid, f.a, f.b)) is true and pg_visible_in_snapshot(q.sync_xid, f.to_)
      order by q.sync_xid, q.user_id limit f.rows
    ) p
    union all
    select p.* from fieldpost.people p  -- herself, also as what she was
    where p.user_id = s.user_id and not p.org_id = any (s.admin_orgs)
      and not (p.role = 'org_admin' and p.org_id = any (s.medic_orgs))
      and not pg_visible_in_snapshot(p.sync_xid, f.from_) and pg_visible_in_snapshot(p.sync_xid, f.to_)
      and (p.sync_xid, p.user_id, p.org_id) > (f.xid, f.a, f.b)
  ) x
  order by 1, 2, 3 limit f.rows
$$;
comment on function fieldpost.feed_people(fieldpost.scope, fieldpost.span) is 'People who changed: all of an admin''s, admins and herself for a medic.';

create or replace function fieldpost.feed_conversations(s fieldpost.scope, f fieldpost.span) returns setof fieldpost.feed_row
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select x.sync_xid, x.id, null::uuid, null::text, x.id, x.created_by, 700 + 2 * octet_length(coalesce(x.subject, ''))
  from (
    select c.* from fieldpost.ranges_left(f) r, unnest(s.admin_orgs) o cross join lateral (
      select q.* from public.conversations q
      where q.org_id = o and q.sync_xid between r.lo and r.hi and q.id >= r.a and ((q.sync_xid, q.id) > (f.xid, f.a)) is true
        and pg_visible_in_snapshot(q.sync_xid, f.to_)
      order by q.sync_xid, q.id limit f.rows
    ) c
    union all
    select c.* from public.conversations c
    where c.id = any (s.conversations)
      and not pg_visible_in_snapshot(c.sync_xid, f.from_) and pg_visible_in_snapshot(c.sync_xid, f.to_)
      and (c.sync_xid, c.id) > (f.xid, f.a)
  ) x
  order by 1, 2 limit f.rows
$$;
comment on function fieldpost.feed_conversations(fieldpost.scope, fieldpost.span) is
  'Conversations that changed. Their rows are built once for the page, with those that its messages name.';

create or replace function fieldpost.feed_tombstones(s fieldpost.scope, f fieldpost.span) returns setof fieldpost.feed_row
language sql stable set search_path = pg_catalog, pg_temp
as $$
  -- A message that is gone may have been unread: its conversation's row comes along, once.
  select x.sync_xid, x.id, null::uuid, fieldpost.tombstone_json(x)::text,
         case when x.entity = 'message' then x.conversation_id end, null::uuid,
         case when row_number() over (partition by x.conversation_id order by x.sync_xid, x.id) = 1 then 900 else 0 end
  from (
    select t.* from fieldpost.ranges_left(f) r, unnest(s.admin_orgs) o cross join lateral (
      select q.* from fieldpost.tombstones q
      where q.org_id = o and q.sync_xid between r.lo and r.hi and q.id >= r.a and ((q.sync_xid, q.id) > (f.xid, f.a)) is true
        and pg_visible_in_snapshot(q.sync_xid, f.to_)
      order by q.sync_xid, q.id limit f.rows
    ) t
    union all
    select t.* from fieldpost.ranges_left(f) r, unnest(s.conversations) v cross join lateral (
      select q.* from fieldpost.tombstones q
      where q.conversation_id = v and q.sync_xid between r.lo and r.hi and q.id >= r.a and ((q.sync_xid, q.id) > (f.xid, f.a)) is true
        and pg_visible_in_snapshot(q.sync_xid, f.to_)
      order by q.sync_xid, q.id limit f.rows
    ) t
    union all
    select t.* from fieldpost.ranges_left(f) r, unnest(s.medic_orgs) o cross join lateral (
      select q.* from fieldpost.tombstones q  -- conversations she could see
      where q.org_id = o and q.entity = 'conversation' and (q.type = 'broadcast' or q.medic_id = any (s.medic_ids))
        and q.sync_xid between r.lo and r.hi and q.id >= r.a and ((q.sync_xid, q.id) > (f.xid, f.a)) is true
        and pg_visible_in_snapshot(q.sync_xid, f.to_)
      order by q.sync_xid, q.id limit f.rows
    ) t
  ) x
  order by 1, 2 limit f.rows
$$;
comment on function fieldpost.feed_tombstones(fieldpost.scope, fieldpost.span) is 'Rows deleted for good that the person could see.';

create or replace function fieldpost.feed_markers(s fieldpost.scope, f fieldpost.span) returns setof fieldpost.feed_row
language sql stable set search_path = pg_catalog, pg_temp
as $$
  -- Her own reading, on whatever device, changes what is unread: the conversation's row comes along.
  select x.sync_xid, x.conversation_id, x.user_id, fieldpost.marker_json(x)::text,
         case when x.user_id = s.user_id then x.conversation_id end, null::uuid,
         case when x.user_id = s.user_id then 900 else 0 end
  from (
    select k.* from fieldpost.ranges_left(f) r, unnest(s.admin_orgs) o cross join lateral (
      select q.* from public.conversation_read_status q
      where q.org_id = o and q.sync_xid between r.lo and r.hi
        and q.conversation_id >= r.a and ((q.sync_xid, q.conversation_id, q.user_id) > (f.xid, f.a, f.b)) is true and pg_visible_in_snapshot(q.sync_xid, f.to_)
      order by q.sync_xid, q.conversation_id, q.user_id limit f.rows
    ) k
    union all
    select k.* from fieldpost.ranges_left(f) r, unnest(s.directs) d cross join lateral (
      select q.* from public.conversation_read_status q
      where q.conversation_id = d and q.sync_xid between r.lo and r.hi
        and q.conversation_id >= r.a and ((q.sync_xid, q.conversation_id, q.user_id) > (f.xid, f.a, f.b)) is true and pg_visible_in_snapshot(q.sync_xid, f.to_)
      order by q.sync_xid, q.user_id limit f.rows
    ) k
    union all
    -- Of broadcasts, only her own. (One by one: an admin's own markers are many, and none of these.)
    select k.* from unnest(s.conversations) v cross join lateral (
      select q.* from public.conversation_read_status q where q.user_id = s.user_id and q.conversation_id = v offset 0
    ) k
    where not k.conversation_id = any (s.directs)
      and not pg_visible_in_snapshot(k.sync_xid, f.from_) and pg_visible_in_snapshot(k.sync_xid, f.to_)
      and (k.sync_xid, k.conversation_id, k.user_id) > (f.xid, f.a, f.b)
  ) x
  order by 1, 2, 3 limit f.rows
$$;
comment on function fieldpost.feed_markers(fieldpost.scope, fieldpost.span) is 'Read markers that moved and that the person may see.';

create or replace function fieldpost.feed_messages(s fieldpost.scope, f fieldpost.span) returns setof fieldpost.feed_row
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select x.sync_xid, x.id, null::uuid, fieldpost.message_text(x), x.conversation_id, x.sender_id,
         -- the first row of a conversation, and the first of a sender, bring another row with them
         case when row_number() over (partition by x.conversation_id order by x.sync_xid, x.id) = 1 then 900 else 0 end
         + case when row_number() over (partition by x.sender_id order by x.sync_xid, x.id) = 1 then 300 else 0 end
  from (
    select y.* from (
      select m.* from fieldpost.ranges_left(f) r, unnest(s.admin_orgs) o cross join lateral (
        select q.* from public.messages q
        where q.org_id = o and q.sync_xid between r.lo and r.hi and q.id >= r.a and ((q.sync_xid, q.id) > (f.xid, f.a)) is true
          and pg_visible_in_snapshot(q.sync_xid, f.to_) and q.seq is not null
        order by q.sync_xid, q.id limit f.rows
      ) m
      union all
      select m.* from fieldpost.ranges_left(f) r, unnest(s.conversations) v cross join lateral (
        select q.* from public.messages q
        where q.conversation_id = v and q.sync_xid between r.lo and r.hi and q.id >= r.a and ((q.sync_xid, q.id) > (f.xid, f.a)) is true
          and pg_visible_in_snapshot(q.sync_xid, f.to_) and q.seq is not null
        order by q.sync_xid, q.id limit f.rows
      ) m
    ) y
    order by y.sync_xid, y.id limit f.rows
  ) x
  order by 1, 2
$$;
comment on function fieldpost.feed_messages(fieldpost.scope, fieldpost.span) is 'Messages that changed, in the conversations that the person may see.';

create or replace function fieldpost.feed(p_kind int, s fieldpost.scope, f fieldpost.span) returns setof fieldpost.feed_row
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  case p_kind
    when 1 then return query select * from fieldpost.feed_access(s, f);
    when 2 then return query select * from fieldpost.feed_people(s, f);
    when 3 then return query select * from fieldpost.feed_conversations(s, f);
    when 4 then return query select * from fieldpost.feed_tombstones(s, f);
    when 5 then return query select * from fieldpost.feed_markers(s, f);
    when 6 then return query select * from fieldpost.feed_messages(s, f);
    when 7 then return query select * from fieldpost.feed_reactions(s, f);
    when 8 then return query select * from fieldpost.feed_settings(s, f);
  end case;
end
$$;
comment on function fieldpost.feed(int, fieldpost.scope, fieldpost.span) is 'One kind of rows of the feed, in the order of a pass.';

-- The rows of conversations and people that a page names, the markers in conversations that came into sight (they may be
-- older than the cursor), and the page itself.
create or replace function fieldpost.pull_page(
  s fieldpost.scope, p_head jsonb, p_kinds text[], p_conversations uuid[], p_users uuid[])
returns json
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  v_access constant jsonb := '[' || coalesce(p_kinds[1], '') || ']';
  v_people constant jsonb := '[' || coalesce(p_kinds[2], '') || ']';
  v_markers constant jsonb := '[' || coalesce(p_kinds[5], '') || ']';
  -- Not null: for a client that knows settings. Those of a conversation that came into sight may be older than the cursor.
  v_settings constant text := case when p_kinds[8] is not null then concat_ws(',', nullif(p_kinds[8], ''), fieldpost.settings_for(s.user_id, array(
    select (g ->> 'conversation_id')::uuid from jsonb_array_elements(v_access) g where g ->> 'access' = 'grant'))) end;
  v_conversations jsonb;
  v_users uuid[];
  v_medics uuid[];
begin
  select coalesce(jsonb_agg(fieldpost.conversation_json(c, s.user_id)), '[]'), p_users || array_agg(c.created_by),
         array_agg(c.medic_id)
    into v_conversations, v_users, v_medics
  from public.conversations c
  where c.id = any (p_conversations) and (c.org_id = any (s.admin_orgs) or c.id = any (s.conversations));

  return fieldpost.answer(
    p_head || jsonb_build_object(
      'access', v_access,
      'people', (
        select coalesce(jsonb_agg(distinct p), '[]')
        from jsonb_array_elements(v_people || fieldpost.people_named(s.admin_orgs || s.medic_orgs, v_users, v_medics)) p),
      'conversations', v_conversations,
      'read_markers', (
        select coalesce(jsonb_agg(distinct r), '[]') from (
          select jsonb_array_elements(v_markers) as r
          union all
          select fieldpost.marker_json(k)
          from jsonb_array_elements(v_access) g
          join public.conversation_read_status k on k.conversation_id = (g ->> 'conversation_id')::uuid
          where g ->> 'access' = 'grant'
            and (k.user_id = s.user_id or k.conversation_id = any (s.directs) or k.org_id = any (s.admin_orgs))) x)),
    array['tombstones', 'messages', case when p_kinds[7] is not null then 'reactions' end, case when v_settings is not null then 'settings' end],
    array[p_kinds[4], p_kinds[6], p_kinds[7], v_settings]);
end
$$;
comment on function fieldpost.pull_page(fieldpost.scope, jsonb, text[], uuid[], uuid[]) is 'Puts a page of the feed together.';

create or replace function fieldpost.pull_picks(p_protocol int, p_capabilities text[], p_cursor text, p_limit int)
returns fieldpost.picked
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  s fieldpost.scope;
  f fieldpost.span;
  v_picked fieldpost.picked;
  v_narrowed constant boolean := fieldpost.narrowed('r');
  -- The kinds after the messages are for clients that name a capability.
  v_wanted constant int[] := array[1, 2, 3, 4, 5, 6] || case when 'reactions' = any (p_capabilities) then array[7] else '{}' end
    || case when 'conversation_settings' = any (p_capabilities) then array[8] else '{}' end;
  v_messages uuid[];
  v_refused jsonb := fieldpost.refused(p_protocol);
  v_limit int := least(coalesce(p_limit, 2500), 2500);
  v_here text := fieldpost.here();
  v_seen xid8;
  v_now pg_snapshot := fieldpost.snapshot_of(fieldpost.snapshot_text(fieldpost.snapshot_now()));
  v_part text[];
  v_kind int;
  v_begin int := 1;
  v_kinds text[] := '{}';
  v_conversations uuid[] := '{}';
  v_users uuid[] := '{}';
  v_bytes int := fieldpost.page_budget();
  v_rows int := 0;
  v_got record;
  v_more boolean := false;
  c_zero constant uuid := '00000000-0000-0000-0000-000000000000';
begin
  if v_refused is not null then
    v_picked.refusal := v_refused;
    return v_picked;
  elsif v_limit < 1 then
    v_picked.refusal := fieldpost.refusal('bad_request', 'p_limit');
    return v_picked;
  elsif length(p_cursor) > 1024 or coalesce(p_cursor, '') !~ ('^c1\.[0-9a-f]{24}\.[0-9a-z]+\.[0-9]{1,18}:[0-9]{1,18}:[0-9,]*'
      '(\.[0-9]{1,18}:[0-9]{1,18}:[0-9,]*\.[1-8]\.[0-9]{1,18}\.[0-9a-f-]{36}\.[0-9a-f-]{36})?$') then
    v_picked.refusal := fieldpost.refusal('cursor_expired', 'invalid');
    return v_picked;
  end if;
  s := fieldpost.scope_of(fieldpost.uid());
  v_part := string_to_array(p_cursor, '.');
  if not (fieldpost.snapshot_fits(v_part[4]) and fieldpost.snapshot_fits(coalesce(v_part[5], ''))) then
    v_picked.refusal := fieldpost.refusal('cursor_expired', 'invalid');
    return v_picked;
  end if;
  f := row(null, v_now, '0', c_zero, c_zero, 0)::fieldpost.span;
  begin
    f.from_ := fieldpost.snapshot_of(v_part[4]);
    v_seen := pg_snapshot_xmax(f.from_);
    if cardinality(v_part) > 4 then
      f.to_ := fieldpost.snapshot_of(v_part[5]);
      v_seen := greatest(v_seen, pg_snapshot_xmax(f.to_));
      v_begin := v_part[6];
      f.xid := v_part[7];
      f.a := v_part[8];
      f.b := v_part[9];
    end if;
  exception when others then  -- what does not read as a snapshot is not ours
    v_picked.refusal := fieldpost.refusal('cursor_expired', 'invalid');
    return v_picked;
  end;
  if left(v_part[2], 16) <> left(v_here, 16) then
    v_picked.refusal := fieldpost.refusal('cursor_expired', 'epoch');
    return v_picked;
  elsif pg_is_in_recovery() and v_seen > pg_snapshot_xmax(v_now) then
    -- A standby that is behind what the client has seen elsewhere: nothing new here, and nothing to expire.
    v_picked := row(null, fieldpost.envelope() || jsonb_build_object('more', false, 'cursor', p_cursor), v_kinds, '{}', '{}', null, s)::fieldpost.picked;
    return v_picked;
  elsif v_seen > pg_snapshot_xmax(v_now) or not fieldpost.cursor_holds(v_part[2], v_seen) then
    v_picked.refusal := fieldpost.refusal('cursor_expired', 'epoch');
    return v_picked;  -- from a future that this server does not have, or no longer
  elsif s.member and v_part[3] <> s.fingerprint then
    v_picked.refusal := fieldpost.refusal('cursor_expired', 'access');
    return v_picked;  -- another role or organization: nothing on the device is as it was
  elsif pg_snapshot_xmin(f.from_) <= (select k.compacted_xid from fieldpost.compaction k where k.epoch = left(v_here, 16)) then
    v_picked.refusal := fieldpost.refusal('cursor_expired', 'compacted');
    return v_picked;
  end if;

  if 8 = any (v_wanted) then
    v_kinds[8] := '';  -- a list, also where the page ends before it
  end if;
  -- (A loop of its own making: `for` would declare a variable that is gone after it.)
  v_kind := v_begin - 1;
  while v_kind < v_wanted[cardinality(v_wanted)] loop
    v_kind := v_kind + 1;
    continue when not v_kind = any (v_wanted);
    f.rows := v_limit - v_rows + 1;
    select count(*) as fetched, count(*) filter (where c.fits) as taken,
           string_agg(c.j, ',' order by c.n) filter (where c.fits) as list,
           coalesce(array_agg(distinct c.conversation_id) filter (where c.fits and c.conversation_id is not null), '{}') as conversations,
           coalesce(array_agg(distinct c.person_id) filter (where c.fits and c.person_id is not null), '{}') as users,
           coalesce(max(c.run) filter (where c.fits), 0) as bytes,
           (array_agg(c.xid order by c.n desc) filter (where c.fits))[1] as xid,
           (array_agg(c.a order by c.n desc) filter (where c.fits))[1] as a,
           (array_agg(c.b order by c.n desc) filter (where c.fits))[1] as b,
           array_agg(c.a order by c.n) filter (where c.fits and v_narrowed and v_kind = 6) as ids
      into v_got
    from (
      select r.*, r.n <= v_limit - v_rows and (r.run <= v_bytes or (r.n = 1 and v_rows = 0)) as fits
      from (
        select w.*, sum(coalesce(octet_length(w.j), 0) + 1 + w.extra) over (order by w.n) as run
        from (select d.*, row_number() over () as n from fieldpost.feed(v_kind, s, f) d) w
      ) r
    ) c;
    v_kinds[v_kind] := case when v_kind = 8 then coalesce(v_got.list, '') else v_got.list end;
    if v_narrowed and v_kind = 6 then
      v_kinds[6] := null;
      v_messages := v_got.ids;
    end if;
    v_conversations := v_conversations || v_got.conversations;
    v_users := v_users || v_got.users;
    v_bytes := v_bytes - v_got.bytes;
    v_rows := v_rows + v_got.taken;
    if v_got.taken > 0 then
      f.xid := v_got.xid;
      f.a := v_got.a;
      f.b := coalesce(v_got.b, c_zero);
    end if;
    if v_got.taken < v_got.fetched then
      v_more := true;
      exit;
    end if;
    f.xid := '0';
    f.a := c_zero;
    f.b := c_zero;
  end loop;

  v_picked.head := fieldpost.envelope() || jsonb_build_object('more', v_more, 'cursor',
      case when v_more then concat_ws('.', 'c1', v_here, s.fingerprint, v_part[4], fieldpost.snapshot_text(f.to_),
                                      v_kind, f.xid, f.a, f.b)
           else concat_ws('.', 'c1', v_here, s.fingerprint, fieldpost.snapshot_text(f.to_)) end)
    || case when v_more then '{}'::jsonb else jsonb_build_object('digest', fieldpost.digest_of(s, p_capabilities)) end;
  v_picked.kinds := v_kinds;
  v_picked.conversations := v_conversations;
  v_picked.users := v_users;
  v_picked.messages := v_messages;
  v_picked.s := s;
  return v_picked;
end
$$;
comment on function fieldpost.pull_picks(int, text[], text, int) is
  'Chooses the rows of a page. Security definer: it reads by what the caller may see, through indexes made for that, instead of by policy; '
  'every row is chosen by fieldpost.scope_of(auth.uid()). Where a project''s own policies narrow that, it gives no messages, only their ids.';

create or replace function fieldpost.pull(
  p_protocol int default null, p_app text default null, p_capabilities text[] default '{}',
  p_cursor text default null, p_limit int default null)
returns json
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  p constant fieldpost.picked := fieldpost.pull_picks(p_protocol, p_capabilities, p_cursor, p_limit);
begin
  if p.refusal is not null then
    return p.refusal;
  end if;
  return fieldpost.pull_page(p.s, p.head, p.kinds, p.conversations, p.users);
end
$$;
comment on function fieldpost.pull(int, text, text[], text, int) is
  'Changes since a cursor (docs/protocol.md). Security definer: as fieldpost.pull_picks.';
