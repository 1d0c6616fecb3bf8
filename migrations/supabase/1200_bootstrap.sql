-- fieldpost_bootstrap: the first load.
--
-- The first call takes the cursor before it reads anything, and lists the twenty visible conversations with the newest activity,
-- which is what the first screens show. All others follow in the order of their ids. Newest first all the way would be missing
-- some: activity is what changes while a first load runs, and a conversation that got a message between two pages would jump
-- over such a keyset, for good, if it had been the last thing to happen to it. What comes first is therefore a list, and what
-- comes then is in an order that nothing moves. The list travels in `next_after` until the others are through: they skip it.
--
-- Layout of next_after:   b2.<epoch><run>.<access>.<snapshot>.<first>.<phase>.<rest>
--   <first>   the list, 16 bytes for each id, in base64; with the phases c and k
--   phase c   the conversations of the list after so many
--   phase k   the other conversations after <org>/<conversation>
--   phase p   the people after <org>/<user>
--   phase m   for admins, the read markers of broadcasts after <conversation>/<user>; all others come with c and k
--
-- What must stay true:
--  * The list came back through the client's hands: every id is checked against what she may see now.
--  * A page ends at p_limit messages or people, or at 1 MiB of them, and holds at least one while any is left.
--  * No more than p_limit conversations are looked at for a page, and next_after is never longer than 1 KiB, however many there are.

-- What an earlier version of these files had in their place.
drop function if exists fieldpost.bootstrap_conversations(fieldpost.scope, uuid[], int, text, int, int, fieldpost.page);
drop function if exists fieldpost.bootstrap_list(fieldpost.scope);
drop function if exists fieldpost.bootstrap_conversations(fieldpost.scope, uuid[], int, int, fieldpost.page);

do $$
begin
  if to_regtype('fieldpost.picked') is null then
    -- The rows of a page, chosen. `kinds`: lists of rows as text, by kind of the pass. `messages`: the ids of those of the last kind,
    -- and no texts, where policies of the project decide further.
    create type fieldpost.picked as (
      refusal json, head jsonb, kinds text[], conversations uuid[], users uuid[], messages uuid[], s fieldpost.scope
    );
  end if;
  if to_regtype('fieldpost.page') is null then
    -- What a page has gathered so far. `bytes` counts rows as text, with the separators between them. `messages` are text,
    -- joined by commas.
    create type fieldpost.page as (
      rows int, bytes int, position text, finished boolean,
      people jsonb, conversations jsonb, messages text, read_markers jsonb,
      users uuid[], medics uuid[], conversation_ids uuid[], message_ids uuid[]
    );
  elsif not exists (select from pg_attribute a join pg_type t on t.typrelid = a.attrelid where t.oid = 'fieldpost.page'::regtype and a.attname = 'message_ids') then
    alter type fieldpost.page add attribute conversation_ids uuid[] cascade;  -- version 1 had none
    alter type fieldpost.page add attribute message_ids uuid[] cascade;
  end if;
  if not exists (select from pg_attribute a join pg_type t on t.typrelid = a.attrelid where t.oid = 'fieldpost.page'::regtype and a.attname = 'reactions') then
    alter type fieldpost.page add attribute reactions text cascade;  -- joined by commas, as messages
  end if;
end
$$;

-- 1 MiB less room for the envelope and the people that a page names; or what the caller asked for (1700_calls), if that is less.
create or replace function fieldpost.page_budget() returns int
language sql stable set search_path = pg_catalog, pg_temp
as $$ select greatest(least(1048576 - 16384, nullif(current_setting('fieldpost.page_bytes', true), '')::int), 1) $$;
comment on function fieldpost.page_budget() is 'How many bytes of rows go into one page. A page holds at least one row, whatever this says.';

create or replace function fieldpost.ids_packed(p_ids uuid[]) returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select replace(encode(coalesce(string_agg(uuid_send(i), ''::bytea order by n), ''), 'base64'), E'\n', '')
  from unnest(p_ids) with ordinality t (i, n)
$$;
comment on function fieldpost.ids_packed(uuid[]) is 'Ids as base64, for next_after.';

create or replace function fieldpost.ids_unpacked(p_text text) returns uuid[]
language sql immutable strict set search_path = pg_catalog, pg_temp
as $$
  select array(
    select encode(substr(b, i * 16 + 1, 16), 'hex')::uuid from generate_series(0, octet_length(b) / 16 - 1) i order by i)
  from decode(p_text, 'base64') b
$$;
comment on function fieldpost.ids_unpacked(text) is 'The ids in a next_after.';

create or replace function fieldpost.bootstrap_first(s fieldpost.scope) returns uuid[]
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(f.id order by f.active desc, f.id), '{}')
  from (
    select c.id, coalesce(c.last_message_at, c.created_at) as active
    from (
      select r.conversation_id as id from unnest(s.admin_orgs) o cross join lateral (
        select x.conversation_id from fieldpost.recency x where x.org_id = o order by x.at desc, x.conversation_id limit 20) r
      union  -- where nothing was said yet: those that are new
      select n.id from unnest(s.admin_orgs) o cross join lateral (
        select x.id from public.conversations x where x.org_id = o order by x.sync_xid desc, x.id desc limit 20) n
      union
      select unnest(s.conversations)
    ) v
    -- `offset 0`: looked up one by one. As a join, it is planned for thousands, and reads them all.
    cross join lateral (select x.* from public.conversations x where x.id = v.id offset 0) c
    order by active desc, c.id limit 20
  ) f
$$;
comment on function fieldpost.bootstrap_first(fieldpost.scope) is 'The conversations that a first load begins with, newest activity first.';

create or replace function fieldpost.bootstrap_others(s fieldpost.scope, p_first uuid[], p_after text, p_limit int)
returns table (org_id uuid, id uuid)
language sql stable set search_path = pg_catalog, pg_temp
as $$
  with place as (
    select coalesce(nullif(split_part(p_after, '/', 1), ''), '00000000-0000-0000-0000-000000000000')::uuid as org,
           coalesce(nullif(split_part(p_after, '/', 2), ''), '00000000-0000-0000-0000-000000000000')::uuid as id
  )
  select x.org_id, x.id
  from (
    select q.org_id, q.id from place p, unnest(s.admin_orgs) o cross join lateral (
      select c.org_id, c.id from public.conversations c
      where o >= p.org and c.org_id = o and c.id > case when o = p.org then p.id else '00000000-0000-0000-0000-000000000000' end
        and not c.id = any (p_first)
      order by c.org_id, c.id limit p_limit
    ) q
    union all
    select c.org_id, c.id from place p, public.conversations c
    where c.id = any (s.conversations) and not c.org_id = any (s.admin_orgs) and not c.id = any (p_first)
      and (c.org_id, c.id) > (p.org, p.id)
  ) x
  order by x.org_id, x.id limit p_limit
$$;
comment on function fieldpost.bootstrap_others(fieldpost.scope, uuid[], text, int) is
  'The conversations of a first load that come after the first ones, in an order that nothing moves.';

-- The next conversations with their last messages, as many as fit: after `p_done` of the first ones, then the others.
create or replace function fieldpost.bootstrap_conversations(
  s fieldpost.scope, p_first uuid[], p_done int, p_after text, p_limit int, p_messages int, p_reactions boolean, inout page fieldpost.page)
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  v_budget constant int := fieldpost.page_budget();
  v_list uuid[] := p_first[p_done + 1:p_done + p_limit];
  v_firsts constant int := cardinality(v_list);
  v_orgs uuid[];
  v_others uuid[];
  v_taken bigint;
  v_more boolean;
begin
  select coalesce(array_agg(o.org_id order by o.org_id, o.id), '{}'), coalesce(array_agg(o.id order by o.org_id, o.id), '{}')
    into v_orgs, v_others
  from fieldpost.bootstrap_others(s, p_first, p_after, p_limit - v_firsts) o;
  v_list := v_list || v_others;

  with listed as (
    select l.ord, c, c.id, c.type::text as type,
           sum(least(p_messages, coalesce(c.last_seq, 0))) over (order by l.ord) as upto,
           row_number() over (order by l.ord) as nth
    from unnest(v_list) with ordinality l (id, ord)
    join public.conversations c on c.id = l.id
    where c.org_id = any (s.admin_orgs) or c.id = any (s.conversations)
  ), candidates as (
    select * from listed where upto <= p_limit or nth = 1
  -- A row is asked for twice, and made once. A scalar subquery: the planner may answer `exists` from a scan of all reactions.
  ), built as materialized (
    select k.ord, m.id, m.seq, m.sender_id, m.j, m.reactions, octet_length(m.j) + 1 + coalesce(octet_length(m.reactions) + 1, 0) as size
    from candidates k
    cross join lateral (
      select x.id, x.seq, x.sender_id, fieldpost.message_text(x) as j,
             case when p_reactions and (select true from public.message_reactions r where r.message_id = x.id limit 1) then fieldpost.reactions_to(s, x) end as reactions from public.messages x
      where x.conversation_id = k.id and x.seq is not null
      order by x.seq desc limit least(p_messages, p_limit)
    ) m
  ), recent as (
    select b.*, sum(b.size) over (partition by b.ord order by b.seq desc) as run from built b
  ), fitting as (  -- of a conversation that alone exceeds a page, the newest
    select * from recent where run <= v_budget - 4096
  ), weighed as (
    select f.ord, sum(f.size) as size from fitting f group by f.ord
  ), sized as (
    select k.ord, k.nth, k.id, k.type, (k.c).created_by, (k.c).medic_id,
           fieldpost.conversation_json(k.c, s.user_id) as j,
           coalesce(w.size, 0) as size
    from candidates k left join weighed w on w.ord = k.ord
  ), marked as (
    select z.ord, jsonb_agg(fieldpost.marker_json(r)) as j
    from sized z cross join lateral (  -- her own, and in direct ones the others': a broadcast may have 100,000 more
      select o.* from public.conversation_read_status o where o.user_id = s.user_id and o.conversation_id = z.id
      union all
      select o.* from public.conversation_read_status o
      where z.type = 'direct' and o.conversation_id = z.id and o.user_id <> s.user_id
    ) r
    group by z.ord
  ), cut as (
    select z.*, k.j as markers,
           sum(z.size + octet_length(z.j::text) + 2 + coalesce(octet_length(k.j::text), 0)
             + coalesce((select 260 from public.conversation_settings q where q.user_id = s.user_id and q.conversation_id = z.id), 0)) over (order by z.ord) as run
    from sized z left join marked k on k.ord = z.ord
  ), chosen as (
    select * from cut where run <= v_budget or nth = 1
  ), kept as (
    select f.* from fitting f join chosen c on c.ord = f.ord
  )
  select (select count(*) from kept), coalesce((select max(run) from chosen), 0),
         (select coalesce(jsonb_agg(c.j order by c.ord), '[]') from chosen c),
         (select string_agg(k.j, ',' order by k.ord, k.seq) from kept k),
         (select coalesce(jsonb_agg(m.r), '[]') from chosen c, jsonb_array_elements(c.markers) m (r)),
         array(select distinct k.sender_id from kept k union select c.created_by from chosen c where c.created_by is not null),
         array(select c.medic_id from chosen c where c.medic_id is not null),
         (select max(c.ord) from chosen c), (select count(*) from listed) > (select count(*) from chosen),
         array(select c.id from chosen c order by c.ord), array(select k.id from kept k order by k.ord, k.seq),
         (select string_agg(k.reactions, ',' order by k.ord, k.seq) from kept k)
    into page.rows, page.bytes, page.conversations, page.messages, page.read_markers, page.users, page.medics, v_taken, v_more,
         page.conversation_ids, page.message_ids, page.reactions;
  if not v_more then
    v_taken := cardinality(v_list);  -- whatever is left of the list is gone or hidden by now
  end if;
  if p_done + v_taken < cardinality(p_first) then
    page.position := 'c.' || p_done + v_taken;
  elsif v_taken < cardinality(v_list) or cardinality(v_others) = p_limit - v_firsts then
    page.position := 'k.' || case when v_taken = v_firsts then p_after else v_orgs[v_taken - v_firsts] || '/' || v_others[v_taken - v_firsts] end;
  else
    page.finished := true;
    page.position := '.p.';
    return;
  end if;
  page.finished := false;
  page.position := fieldpost.ids_packed(p_first) || '.' || page.position;
end
$$;
comment on function fieldpost.bootstrap_conversations(fieldpost.scope, uuid[], int, text, int, int, boolean, fieldpost.page) is
  'Fills a page of the first load with conversations and their last messages.';

-- The people after a position, as many as fit beside what the page holds already.
create or replace function fieldpost.bootstrap_people(s fieldpost.scope, p_after text, p_limit int, inout page fieldpost.page)
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  v_org uuid := coalesce(nullif(split_part(p_after, '/', 1), ''), '00000000-0000-0000-0000-000000000000')::uuid;
  v_user uuid := coalesce(nullif(split_part(p_after, '/', 2), ''), '00000000-0000-0000-0000-000000000000')::uuid;
  v_count int;
  v_seen int;
  v_last text;
begin
  with visible as (
    select x as p, x.org_id, x.user_id, fieldpost.person_json(x) as j
    from (
      select q.* from unnest(s.admin_orgs) o cross join lateral (
        select p.* from fieldpost.people p
        where o >= v_org and p.org_id = o and p.user_id > case when o = v_org then v_user else '00000000-0000-0000-0000-000000000000' end
        order by p.org_id, p.user_id limit p_limit - page.rows + 1
      ) q
      union all
      select p.* from fieldpost.people p
      where (p.org_id, p.user_id) > (v_org, v_user) and p.org_id = any (s.medic_orgs) and not p.org_id = any (s.admin_orgs)
        and p.role = 'org_admin' and p.user_id <> s.user_id
      union all
      select p.* from fieldpost.people p
      where (p.org_id, p.user_id) > (v_org, v_user) and p.org_id = any (s.medic_orgs) and not p.org_id = any (s.admin_orgs)
        and p.user_id = s.user_id
    ) x
    order by x.org_id, x.user_id limit p_limit - page.rows + 1
  ), cut as (
    select v.*, row_number() over w as nth, sum(octet_length(v.j::text) + 2) over w as run
    from visible v window w as (order by v.org_id, v.user_id)
  ), chosen as (
    select * from cut c
    where c.nth <= p_limit - page.rows and page.bytes + c.run <= fieldpost.page_budget() or c.nth = 1 and page.rows = 0
  )
  select (select coalesce(jsonb_agg(c.j order by c.nth), '[]') from chosen c), (select count(*) from chosen), (select count(*) from cut),
         (select c.org_id || '/' || c.user_id from chosen c order by c.nth desc limit 1),
         page.bytes + coalesce((select max(c.run) from chosen c), 0)
    into page.people, v_count, v_seen, v_last, page.bytes;
  page.rows := page.rows + v_count;
  page.finished := v_count = v_seen;
  page.position := case when page.finished then '.m.' else '.p.' || coalesce(v_last, p_after) end;
end
$$;
comment on function fieldpost.bootstrap_people(fieldpost.scope, text, int, fieldpost.page) is
  'Fills a page of the first load with people.';

create or replace function fieldpost.bootstrap_markers(s fieldpost.scope, p_after text, p_limit int, inout page fieldpost.page)
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  v_conversation uuid := coalesce(nullif(split_part(p_after, '/', 1), ''), '00000000-0000-0000-0000-000000000000')::uuid;
  v_user uuid := coalesce(nullif(split_part(p_after, '/', 2), ''), '00000000-0000-0000-0000-000000000000')::uuid;
  v_room int := least(p_limit - page.rows, (fieldpost.page_budget() - page.bytes) / 200);
  v_count int;
  v_seen int;
  v_last text;
begin
  if page.rows = 0 then
    v_room := greatest(v_room, 1);
  end if;
  with visible as (
    select r, r.conversation_id, r.user_id, row_number() over (order by r.conversation_id, r.user_id) as nth
    from public.conversations c
    join public.conversation_read_status r on r.conversation_id = c.id
    where c.org_id = any (s.admin_orgs) and c.type = 'broadcast' and r.user_id <> s.user_id
      and (r.conversation_id, r.user_id) > (v_conversation, v_user)
    order by r.conversation_id, r.user_id limit greatest(v_room, 0) + 1
  ), chosen as (
    select * from visible where nth <= v_room
  )
  select page.read_markers || (select coalesce(jsonb_agg(fieldpost.marker_json(c.r)), '[]') from chosen c),
         (select count(*) from chosen), (select count(*) from visible),
         (select c.conversation_id || '/' || c.user_id from chosen c order by c.nth desc limit 1)
    into page.read_markers, v_count, v_seen, v_last;
  page.rows := page.rows + v_count;
  page.finished := v_count = v_seen;
  page.position := case when page.finished then null else '.m.' || coalesce(v_last, p_after) end;
end
$$;
comment on function fieldpost.bootstrap_markers(fieldpost.scope, text, int, fieldpost.page) is
  'Fills a page of an admin''s first load with the read markers of broadcasts.';

create or replace function fieldpost.bootstrap_picks(p_protocol int, p_capabilities text[], p_after text, p_limit int, p_messages int)
returns fieldpost.picked
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  s fieldpost.scope;
  page fieldpost.page;
  v_picked fieldpost.picked;
  v_narrowed constant boolean := fieldpost.narrowed('r');
  v_refused jsonb := fieldpost.refused(p_protocol);
  v_here text := fieldpost.here();
  v_limit int := least(coalesce(p_limit, 2500), 2500);
  v_messages int := least(coalesce(p_messages, 100), 2500);
  v_first uuid[] := '{}';
  v_snapshot text;
  v_phase text := 'c';
  v_done int := 0;
  v_rest text := '';
  v_digest jsonb;
begin
  if v_refused is not null then
    v_picked.refusal := v_refused;
    return v_picked;
  elsif v_limit < 1 then
    v_picked.refusal := fieldpost.refusal('bad_request', 'p_limit');
    return v_picked;
  elsif v_messages < 0 then
    v_picked.refusal := fieldpost.refusal('bad_request', 'p_messages');
    return v_picked;
  end if;
  s := fieldpost.scope_of(fieldpost.uid());

  if nullif(p_after, '') is null then
    v_snapshot := fieldpost.snapshot_text(fieldpost.snapshot_now());
    v_first := fieldpost.bootstrap_first(s);
  else
    if length(p_after) > 1024
       or p_after !~ '^b2\.[0-9a-f]{24}\.[0-9a-z]+\.[0-9]{1,18}:[0-9]{1,18}:[0-9,]*\.[0-9a-zA-Z+/=]*\.[ckpm]\.[0-9a-f/-]*$' then
      v_picked.refusal := fieldpost.refusal('cursor_expired', 'invalid');
      return v_picked;
    elsif left(split_part(p_after, '.', 2), 16) <> left(v_here, 16) then
      v_picked.refusal := fieldpost.refusal('cursor_expired', 'epoch');
      return v_picked;
    elsif split_part(p_after, '.', 3) <> s.fingerprint then
      v_picked.refusal := fieldpost.refusal('cursor_expired', 'access');
      return v_picked;
    end if;
    v_snapshot := split_part(p_after, '.', 4);
    v_phase := split_part(p_after, '.', 6);
    v_rest := split_part(p_after, '.', 7);
    if not fieldpost.snapshot_fits(v_snapshot)
       or v_rest !~ (case v_phase when 'c' then '^[0-9]{1,2}$' else '^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$' end) then
      v_picked.refusal := fieldpost.refusal('cursor_expired', 'invalid');
      return v_picked;
    end if;
    begin
      if not fieldpost.cursor_holds(split_part(p_after, '.', 2), pg_snapshot_xmax(fieldpost.snapshot_of(v_snapshot))) then
        v_picked.refusal := fieldpost.refusal('cursor_expired', 'epoch');
        return v_picked;
      end if;
      v_first := fieldpost.ids_unpacked(split_part(p_after, '.', 5));
    exception when others then  -- what is no snapshot or not base64 is not ours
      v_picked.refusal := fieldpost.refusal('cursor_expired', 'invalid');
      return v_picked;
    end;
    if v_phase = 'c' then
      v_done := v_rest;
      v_rest := '';
    end if;
  end if;

  page := row(0, 0, null, false, '[]', '[]', null, '[]', array[]::uuid[], array[]::uuid[], array[]::uuid[], array[]::uuid[], null)::fieldpost.page;
  if not s.member then
    page.finished := true;
  elsif v_phase in ('c', 'k') then
    if v_phase = 'k' then
      v_done := cardinality(v_first);
    end if;
    page := fieldpost.bootstrap_conversations(s, v_first, v_done, v_rest, v_limit, v_messages,
      'reactions' = any (p_capabilities) and not v_narrowed, page);
    if page.finished then
      v_phase := 'p';
      v_rest := '';
    end if;
  end if;
  if s.member and v_phase = 'p' then
    page := fieldpost.bootstrap_people(s, v_rest, v_limit, page);
    if page.finished then
      v_phase := 'm';
      v_rest := '';
    end if;
  end if;
  if s.member and v_phase = 'm' then
    page := fieldpost.bootstrap_markers(s, v_rest, v_limit, page);
  end if;

  v_digest := case when page.position is null then fieldpost.digest_of(s, p_capabilities) end;
  v_picked.s := s;
  v_picked.head := fieldpost.envelope()
    || jsonb_strip_nulls(jsonb_build_object(
      'me', (select fieldpost.person_json(p) from fieldpost.people p
             where p.user_id = s.user_id and not p.removed and p.org_id = any (s.admin_orgs || s.medic_orgs)
             order by p.org_id limit 1),
      'next_after', concat_ws('.', 'b2', v_here, s.fingerprint, v_snapshot) || '.' || page.position,
      'digest', v_digest))
    || jsonb_build_object(
      'total_conversations', (select v.n from fieldpost.visible_set(s) v),
      'people', page.people, 'read_markers', page.read_markers,
      'cursor', concat_ws('.', 'c1', v_here, s.fingerprint, v_snapshot), 'epoch', left(v_here, 16));
  if 'conversation_settings' = any (p_capabilities) then
    v_picked.head := v_picked.head || jsonb_build_object('settings', ('[' || coalesce(fieldpost.settings_for(s.user_id, page.conversation_ids), '') || ']')::jsonb);
  end if;
  v_picked.conversations := page.conversation_ids;
  v_picked.users := page.users;
  if v_narrowed then
    v_picked.messages := page.message_ids;
  else
    v_picked.head := v_picked.head || jsonb_build_object('conversations', page.conversations,
      'people', (select coalesce(jsonb_agg(distinct p), '[]')
                 from jsonb_array_elements(page.people || fieldpost.people_named(s.admin_orgs || s.medic_orgs, page.users, page.medics)) p));
    v_picked.kinds := array[page.messages, page.reactions];
  end if;
  return v_picked;
end
$$;
comment on function fieldpost.bootstrap_picks(int, text[], text, int, int) is
  'Chooses the rows of a page of the first load. Security definer: it reads by what the caller may see, through indexes made for that, instead of '
  'by policy; every row is chosen by fieldpost.scope_of(auth.uid()). Where a project''s own policies narrow that, it gives ids only.';

create or replace function fieldpost.bootstrap(
  p_protocol int default null, p_app text default null, p_capabilities text[] default '{}',
  p_after text default null, p_limit int default null, p_messages int default 100)
returns json
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  p constant fieldpost.picked := fieldpost.bootstrap_picks(p_protocol, p_capabilities, p_after, p_limit, p_messages);
begin
  return coalesce(p.refusal, fieldpost.answer(p.head, array['messages', case when p.kinds[2] is not null then 'reactions' end], array[p.kinds[1], p.kinds[2]]));
end
$$;
comment on function fieldpost.bootstrap(int, text, text[], text, int, int) is
  'First load (docs/protocol.md). Security definer: as fieldpost.bootstrap_picks.';
