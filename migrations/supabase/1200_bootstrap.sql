-- fieldpost_bootstrap: the first load.
--
-- The first call takes the cursor before it reads anything, and lists the visible conversations, newest activity first.
-- The list travels in `next_after` and shrinks from page to page. It is a list and not a keyset because activity is
-- what changes while a first load runs: a conversation that got a message between two pages would jump over a
-- newest-first keyset and be missed, for good, if it had been the last thing to happen to it.
--
-- Layout of next_after:   b1.<epoch><run>.<access>.<snapshot>.<phase>.<rest>
--   phase c   rest is the ids that are left, 16 bytes each, in base64
--   phase p   the people after <org>/<user>
--   phase m   for admins, the read markers of broadcasts after <conversation>/<user>; all others come with phase c
--
-- What must stay true:
--  * The list came back through the client's hands: every id is checked against what she may see now.
--  * A page ends at p_limit messages or people, or at 1 MiB of them, and holds at least one while any is left.

do $$
begin
  if to_regtype('fieldpost.page') is null then
    -- What a page has gathered so far. `bytes` counts rows as text, with the separators between them. `messages` are text,
    -- joined by commas.
    create type fieldpost.page as (
      rows int, bytes int, position text, finished boolean,
      people jsonb, conversations jsonb, messages text, read_markers jsonb,
      users uuid[], medics uuid[]
    );
  end if;
end
$$;

-- 1 MiB less room for the envelope and the people that a page names.
create or replace function fieldpost.page_budget() returns int
language sql immutable
as $$ select 1048576 - 16384 $$;
comment on function fieldpost.page_budget() is 'How many bytes of rows go into one page.';

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

create or replace function fieldpost.bootstrap_list(s fieldpost.scope) returns uuid[]
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(c.id order by coalesce(c.last_message_at, c.created_at) desc, c.id), '{}')
  from public.conversations c
  where c.id in (
    select x.id from public.conversations x where x.org_id = any (s.admin_orgs)
    union all select unnest(s.conversations))
$$;
comment on function fieldpost.bootstrap_list(fieldpost.scope) is 'The conversations of a first load, newest activity first.';

-- The next conversations of the list with their last messages, as many as fit.
create or replace function fieldpost.bootstrap_conversations(
  s fieldpost.scope, p_list uuid[], p_limit int, p_messages int, inout page fieldpost.page)
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  v_budget constant int := fieldpost.page_budget();
  v_scan constant int := least(cardinality(p_list), 2500);
  v_taken bigint;
  v_more boolean;
begin
  with listed as (
    select l.ord, c, c.id, c.type::text as type,
           sum(least(p_messages, coalesce(c.last_seq, 0))) over (order by l.ord) as upto,
           row_number() over (order by l.ord) as nth
    from unnest(p_list[1:v_scan]) with ordinality l (id, ord)
    join public.conversations c on c.id = l.id
    where c.org_id = any (s.admin_orgs) or c.id = any (s.conversations)
  ), candidates as (
    select * from listed where upto <= p_limit or nth = 1
  ), built as materialized (  -- a row is asked for twice, and made once
    select k.ord, m.seq, m.sender_id, m.j, octet_length(m.j) + 1 as size
    from candidates k
    cross join lateral (
      select x.seq, x.sender_id, fieldpost.message_text(x) as j from public.messages x
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
    from sized z join public.conversation_read_status r on r.conversation_id = z.id
    where r.user_id = s.user_id or z.type = 'direct'
    group by z.ord
  ), cut as (
    select z.*, k.j as markers,
           sum(z.size + octet_length(z.j::text) + 2 + coalesce(octet_length(k.j::text), 0)) over (order by z.ord) as run
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
         (select max(c.ord) from chosen c), (select count(*) from listed) > (select count(*) from chosen)
    into page.rows, page.bytes, page.conversations, page.messages, page.read_markers, page.users, page.medics, v_taken, v_more;
  if not v_more then
    v_taken := v_scan;  -- whatever is left of the scanned part is gone or hidden by now
  end if;
  page.finished := v_taken >= cardinality(p_list);
  page.position := case when page.finished then 'p.' else 'c.' || fieldpost.ids_packed(p_list[v_taken + 1:]) end;
end
$$;
comment on function fieldpost.bootstrap_conversations(fieldpost.scope, uuid[], int, int, fieldpost.page) is
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
    select p, p.org_id, p.user_id, fieldpost.person_json(p) as j
    from fieldpost.people p
    where (p.org_id, p.user_id) > (v_org, v_user)
      and (p.org_id = any (s.admin_orgs)
           or p.org_id = any (s.medic_orgs) and (p.role = 'org_admin' or p.user_id = s.user_id))
    order by p.org_id, p.user_id limit p_limit - page.rows + 1
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
  page.position := case when page.finished then 'm.' else 'p.' || coalesce(v_last, p_after) end;
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
  page.position := case when page.finished then null else 'm.' || coalesce(v_last, p_after) end;
end
$$;
comment on function fieldpost.bootstrap_markers(fieldpost.scope, text, int, fieldpost.page) is
  'Fills a page of an admin''s first load with the read markers of broadcasts.';

create or replace function fieldpost.bootstrap(
  p_protocol int default null, p_app text default null, p_capabilities text[] default '{}',
  p_after text default null, p_limit int default null, p_messages int default 100)
returns json
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  s fieldpost.scope;
  page fieldpost.page;
  v_refused jsonb := fieldpost.refused(p_protocol);
  v_here text := fieldpost.here();
  v_limit int := least(coalesce(p_limit, 2500), 2500);
  v_messages int := least(coalesce(p_messages, 100), 2500);
  v_list uuid[];
  v_snapshot text;
  v_phase text := 'c';
  v_rest text := '';
  v_digest jsonb;
  v_named jsonb;
begin
  if v_refused is not null then
    return v_refused;
  elsif v_limit < 1 then
    return fieldpost.refusal('bad_request', 'p_limit');
  elsif v_messages < 0 then
    return fieldpost.refusal('bad_request', 'p_messages');
  end if;
  s := fieldpost.scope_of(fieldpost.uid());

  if nullif(p_after, '') is null then
    v_snapshot := fieldpost.snapshot_text(fieldpost.snapshot_now());
    v_list := fieldpost.bootstrap_list(s);
  else
    if p_after !~ '^b1\.[0-9a-f]{24}\.[0-9a-z]+\.[0-9]{1,18}:[0-9]{1,18}:[0-9,]*\.[cpm]\.[0-9a-zA-Z+/=-]*$' then
      return fieldpost.refusal('cursor_expired', 'invalid');
    elsif left(split_part(p_after, '.', 2), 16) <> left(v_here, 16) then
      return fieldpost.refusal('cursor_expired', 'epoch');
    elsif split_part(p_after, '.', 3) <> s.fingerprint then
      return fieldpost.refusal('cursor_expired', 'access');
    end if;
    v_snapshot := split_part(p_after, '.', 4);
    v_phase := split_part(p_after, '.', 5);
    v_rest := split_part(p_after, '.', 6);
    begin
      if not fieldpost.cursor_holds(split_part(p_after, '.', 2), pg_snapshot_xmax(fieldpost.snapshot_of(v_snapshot))) then
        return fieldpost.refusal('cursor_expired', 'epoch');
      elsif v_phase = 'c' then
        v_list := fieldpost.ids_unpacked(v_rest);
      end if;
    exception when others then  -- what is no snapshot or not base64 is not ours
      return fieldpost.refusal('cursor_expired', 'invalid');
    end;
    if v_phase <> 'c' and v_rest !~ '^([0-9a-f-]{36}/[0-9a-f-]{36})?$' then
      return fieldpost.refusal('cursor_expired', 'invalid');
    end if;
  end if;

  page := row(0, 0, null, false, '[]', '[]', null, '[]', array[]::uuid[], array[]::uuid[])::fieldpost.page;
  if not s.member then
    page.finished := true;
  elsif v_phase = 'c' then
    page := fieldpost.bootstrap_conversations(s, v_list, v_limit, v_messages, page);
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

  v_named := fieldpost.people_named(s.admin_orgs || s.medic_orgs, page.users, page.medics);
  v_digest := case when page.position is null then fieldpost.digest_of(s) end;
  return fieldpost.answer(
    fieldpost.envelope()
      || jsonb_strip_nulls(jsonb_build_object(
        'me', (select fieldpost.person_json(p) from fieldpost.people p
               where p.user_id = s.user_id and not p.removed and p.org_id = any (s.admin_orgs || s.medic_orgs)
               order by p.org_id limit 1),
        'next_after', concat_ws('.', 'b1', v_here, s.fingerprint, v_snapshot) || '.' || page.position,
        'digest', v_digest))
      || jsonb_build_object(
        'total_conversations', (select count(*) from (
          select x.id from public.conversations x where x.org_id = any (s.admin_orgs) union select unnest(s.conversations)) v),
        'people', (select coalesce(jsonb_agg(distinct p), '[]') from jsonb_array_elements(page.people || v_named) p),
        'conversations', page.conversations, 'read_markers', page.read_markers,
        'cursor', concat_ws('.', 'c1', v_here, s.fingerprint, v_snapshot), 'epoch', left(v_here, 16)),
    array['messages'], array[page.messages]);
end
$$;
comment on function fieldpost.bootstrap(int, text, text[], text, int, int) is
  'First load (docs/protocol.md). Security definer: it reads by what the caller may see, through indexes made for that, '
  'instead of by policy; every row it returns is chosen by fieldpost.scope_of(auth.uid()).';
