-- How rows look on the wire (docs/protocol.md). The only place that spells a field's name.
--
-- What must stay true:
--  * A null field is left out (`concat` skips it), but nulls inside a message's `metadata` are the app's and are kept.
--  * The row functions are plain SQL, STABLE, without STRICT or SET: anything else keeps the planner from inlining them, and
--    a page is thousands of rows.
--  * Nothing here looks at who asks, except `conversation_json`, whose unread count is the caller's. Whether the caller
--    may see the row was decided by whoever calls these.

create or replace function fieldpost.time_text(p_time timestamptz) returns text
language sql stable parallel safe
as $$
  select to_char(case when p_time >= '2000-01-01' and p_time <= '9999-12-31' then p_time when p_time < '2000-01-01' then '2000-01-01'
                      when p_time is not null then '9999-12-31' end at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;
comment on function fieldpost.time_text(timestamptz) is 'RFC 3339 with microseconds, in UTC. Four digits of a year, and no end of time: what devices can read.';

-- As text: a page is thousands of these, and building, joining and printing them as jsonb costs four times as much.
create or replace function fieldpost.message_text(m public.messages) returns text
language sql stable
as $$
  select concat('{"id":"' || m.id || '"', ',"conversation_id":"' || m.conversation_id || '"', ',"sender_id":"',
    coalesce(m.sender_id, '00000000-0000-0000-0000-000000000000'), '"',
    ',"kind":' || to_json(m.message_type), case when m.omitted is null then ',"content":' || to_json(m.content) else ',"omitted":' || m.omitted::text end, ',"reply_to":"' || m.reply_to || '"',
    ',"status":' || to_json(m.status), ',"seq":' || m.seq,
    ',"composed_at":"' || fieldpost.time_text(m.composed_at) || '"', ',"created_at":"' || fieldpost.time_text(m.created_at) || '"',
    ',"updated_at":"' || fieldpost.time_text(m.updated_at) || '"', ',"edited_at":"' || fieldpost.time_text(m.edited_at) || '"', ',"deleted_at":"' || fieldpost.time_text(m.deleted_at) || '"',
    ',"version":' || m.version, case when m.omitted is null then ',"metadata":' || m.metadata::text end,
    ',"mentions":' || array_to_json(m.mentions)::text, '}')
$$;
comment on function fieldpost.message_text(public.messages) is 'A message on the wire.';

create or replace function fieldpost.message_json(m public.messages) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
as $$ select fieldpost.message_text(m)::jsonb $$;
comment on function fieldpost.message_json(public.messages) is 'A message on the wire, inside of something else.';

-- With what is derived: by a function that reads past the policies, or as the caller.
create or replace function fieldpost.conversation_row(c public.conversations, p_medic_name text, p_unread bigint, p_last_at timestamptz, p_preview text)
returns jsonb
language sql stable
as $$
  select jsonb_strip_nulls(jsonb_build_object(
    'id', c.id, 'org_id', c.org_id, 'kind', c.type, 'subject', case when c.omitted is null then c.subject end, 'omitted', c.omitted,
    'medic_id', c.medic_id, 'medic_name', p_medic_name,
    'created_by', coalesce(c.created_by, '00000000-0000-0000-0000-000000000000'),
    'created_at', fieldpost.time_text(c.created_at), 'updated_at', fieldpost.time_text(c.updated_at),
    'last_seq', coalesce(c.last_seq, 0), 'last_message_at', fieldpost.time_text(p_last_at), 'last_message_preview', p_preview,
    'unread', p_unread, 'version', c.version))
$$;
comment on function fieldpost.conversation_row(public.conversations, text, bigint, timestamptz, text) is 'A conversation on the wire.';

create or replace function fieldpost.unread_mentions(p_count bigint) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select case when p_count > 0 then jsonb_build_object('unread_mentions', p_count) else '{}' end $$;
comment on function fieldpost.unread_mentions(bigint) is 'The field of a conversation that says how many unread messages mention its reader; absent for none.';

create or replace function fieldpost.conversation_json(c public.conversations, p_user uuid) returns jsonb
language sql stable
as $$
  select fieldpost.conversation_row(c,
    (select nullif(fieldpost.trim(concat_ws(' ', r.first_name, r.last_name)), '') from fieldpost.roster(c.org_id) r where r.medic_id = c.medic_id),
    u.unread, c.last_message_at, c.last_message_preview)
    || fieldpost.unread_mentions(u.mentions)
  from (
    select count(*) as unread, count(*) filter (where p_user = any (m.mentions)) as mentions from public.messages m
    where m.conversation_id = c.id and m.deleted_at is null and m.sender_id is distinct from p_user
      and m.seq > (select fieldpost.unread_above(
         (select r.read_seq from public.conversation_read_status r
          where r.user_id = p_user and r.conversation_id = c.id), p_user, c.id))
  ) u
$$;
comment on function fieldpost.conversation_json(public.conversations, uuid) is 'A conversation on the wire, as one person sees it.';

create or replace function fieldpost.person_json(p fieldpost.people) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select jsonb_strip_nulls(jsonb_build_object(
    'id', p.user_id, 'org_id', p.org_id, 'role', p.role, 'first_name', p.first_name, 'last_name', p.last_name,
    'medic_id', p.medic_id, 'removed', case when p.removed then true end, 'version', p.version))
$$;
comment on function fieldpost.person_json(fieldpost.people) is 'A person on the wire.';

create or replace function fieldpost.marker_json(r public.conversation_read_status) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select jsonb_strip_nulls(jsonb_build_object('conversation_id', r.conversation_id, 'person_id', r.user_id,
    'delivered_seq', r.delivered_seq, 'delivered_at', fieldpost.time_text(r.delivered_seq_at),
    'read_seq', r.read_seq, 'read_at', fieldpost.time_text(r.read_seq_at), 'version', r.version))
$$;
comment on function fieldpost.marker_json(public.conversation_read_status) is 'A read marker on the wire.';

create or replace function fieldpost.tombstone_json(t fieldpost.tombstones) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select jsonb_strip_nulls(jsonb_build_object('entity', t.entity, 'id', t.id, 'conversation_id', t.conversation_id,
    'seq', t.seq, 'version', t.version))
$$;
comment on function fieldpost.tombstone_json(fieldpost.tombstones) is 'A tombstone on the wire.';

-- The people that a page's rows name: senders, whoever opened a conversation, and its medic.
create or replace function fieldpost.people_named(p_orgs uuid[], p_users uuid[], p_medics uuid[]) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_agg(fieldpost.person_json(p)), '[]')
  from fieldpost.people p
  where (p.org_id, p.user_id) in (
    select x.org_id, x.user_id from fieldpost.people x where x.user_id = any (p_users) and x.org_id = any (p_orgs)
    union
    select x.org_id, x.user_id from fieldpost.people x where x.medic_id = any (p_medics) and x.org_id = any (p_orgs))
$$;
comment on function fieldpost.people_named(uuid[], uuid[], uuid[]) is 'The person rows of users and medics of some organizations.';

create or replace function fieldpost.envelope() returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object(
    'protocol', 1, 'min_protocol', 1, 'sql_version', 2, 'capabilities', to_jsonb(fieldpost.capabilities()),
    'limits', jsonb_build_object('push_rows', 500, 'push_bytes', 1048576, 'page_rows', 2500, 'page_bytes', 1048576,
                                 'content_chars', 5000, 'metadata_bytes', 16384, 'metadata_depth', 64, 'subject_chars', 500),
    'server_time', fieldpost.time_text(clock_timestamp()))
$$;
comment on function fieldpost.envelope() is 'What every answer carries.';

-- Rows come joined by commas, under the names that `p_names` gives them.
create or replace function fieldpost.answer(p_head jsonb, p_names text[], p_rows text[]) returns json
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select (left(p_head::text, -1) || string_agg(',"' || n.name || '":[' || coalesce(n.list, '') || ']', '') || '}')::json
  from unnest(p_names, p_rows) n (name, list)
$$;
comment on function fieldpost.answer(jsonb, text[], text[]) is 'An answer with lists of rows that are text already.';

create or replace function fieldpost.refusal(p_code text, p_detail text default null) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select fieldpost.envelope() || jsonb_build_object('error', jsonb_strip_nulls(jsonb_build_object('code', p_code, 'detail', p_detail)))
$$;
comment on function fieldpost.refusal(text, text) is 'The answer to a call that is refused as a whole.';

-- The checks that every call begins with: null when all is well, else the refusal.
create or replace function fieldpost.refused(p_protocol int) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  if fieldpost.uid() is null then
    raise sqlstate 'PT401' using message = 'not signed in';
  end if;
  -- While this index is there, old messages wait for their numbers (`fieldpost.backfill`).
  if to_regclass('public.fieldpost_conversations_unnumbered') is not null then
    raise sqlstate 'PT503' using message = 'Fieldpost is being installed: old messages are being numbered',
      hint = 'select fieldpost.backfill(50), again and again until it answers 0';
  end if;
  if p_protocol is null then
    return fieldpost.refusal('bad_request', 'p_protocol');
  elsif p_protocol < 1 then
    return fieldpost.refusal('client_too_old', 'protocol 1 or newer is needed');
  end if;
  return null;
end
$$;
comment on function fieldpost.refused(int) is 'Refuses callers who are not signed in or speak too old a protocol.';
