-- The parts of a push: opening conversations, sending messages, moving read markers.
--
-- What must stay true:
--  * Every id that a client names is resolved (aliases) and then checked against what she may see, before anything is
--    said about it: "not yours" and "does not exist" are one answer.
--  * Results never hold a row that its reader could not read in another way.

-- Text to values, null where the text is no such value. A cast in a set would take the whole statement down; what is asked for
-- every message of a batch is therefore asked twice: with `p_careful` false it costs a fraction, and raises where a text only
-- looks like a value. These two are plain SQL without a SET clause, so that the planner inlines them.
drop function if exists fieldpost.uuid_or_null(text), fieldpost.time_or_null(text);  -- of an earlier version
create or replace function fieldpost.uuid_or_null(p_text text, p_careful boolean default true) returns uuid
language sql immutable
as $$
  -- The hyphens in their places, no fifth one, and nothing but digits beside.
  select case when p_text like '________-____-____-____-____________'
    and (not p_careful or p_text not like '%-%-%-%-%-%' and p_text !~ '[^0-9a-fA-F-]') then p_text::uuid end
$$;
comment on function fieldpost.uuid_or_null(text, boolean) is 'A hyphenated uuid, or null. Not careful: or an error.';

create or replace function fieldpost.careful_time(p_text text) returns timestamptz
language plpgsql stable strict set search_path = pg_catalog, pg_temp
as $$
begin
  if p_text ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$' then
    return p_text::timestamptz;  -- it names its zone, so the session's has no say
  end if;
  return null;
exception when datetime_field_overflow or invalid_datetime_format or invalid_time_zone_displacement_value then
  return null;
end
$$;
comment on function fieldpost.careful_time(text) is 'An RFC 3339 time, or null, at the price of a savepoint.';

create or replace function fieldpost.time_or_null(p_text text, p_careful boolean) returns timestamptz
language sql stable
as $$
  -- As devices write it: everything in its place, nothing of it twice, and nothing but digits in between. (One expression for
  -- all of that takes three times as long.)
  select case when not p_careful and p_text !~ '[^0-9T:.Z-]' and p_text not like '%-%-%-%' and p_text not like '%:%:%:%'
                and p_text not like '%T%T%' and p_text not like '%Z%Z%'
                and (p_text like '____-__-__T__:__:__Z' and p_text not like '%.%'
                     or p_text like '____-__-__T__:__:__._%Z' and p_text not like '%.%.%') then p_text::timestamptz
              when p_text is not null then fieldpost.careful_time(p_text) end
$$;
comment on function fieldpost.time_or_null(text, boolean) is 'An RFC 3339 time, or null. Not careful: or an error.';

-- A seq or count: a JSON integer, or null.
create or replace function fieldpost.int_or_null(p_value jsonb) returns bigint
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select case when jsonb_typeof(p_value) = 'number' and p_value::text ~ '^[0-9]{1,15}$' then p_value::text::bigint end
$$;
comment on function fieldpost.int_or_null(jsonb) is 'A JSON integer that is not negative, or null.';

-- Why the caller may not have this conversation: it is hidden or unknown, or it was deleted and she could see it.
create or replace function fieldpost.absence(s fieldpost.scope, p_conversation uuid) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select case when exists (
    select from fieldpost.deleted_conversations d
    where d.id = p_conversation
      and (d.org_id = any (s.admin_orgs)
           or d.org_id = any (s.medic_orgs) and (d.broadcast or d.medic_id = any (s.medic_ids)))
  ) then 'conversation_deleted' else 'not_found' end
$$;
comment on function fieldpost.absence(fieldpost.scope, uuid) is 'not_found or conversation_deleted.';

create or replace function fieldpost.canonical(p_conversation uuid) returns uuid
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select coalesce((select a.conversation_id from fieldpost.conversation_aliases a where a.alias_id = p_conversation), p_conversation)
$$;
comment on function fieldpost.canonical(uuid) is 'The id that the server knows a conversation by.';

create or replace function fieldpost.rejected(p_code text, p_detail text default null) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select jsonb_strip_nulls(jsonb_build_object('status', 'rejected', 'code', p_code, 'detail', p_detail)) $$;
comment on function fieldpost.rejected(text, text) is 'A result that is final.';

-- What a send or an edit says about who is meant.
create or replace function fieldpost.mentions(p_mutation jsonb) returns uuid[]
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select fieldpost.few(array(select m::uuid from jsonb_array_elements_text(nullif(p_mutation -> 'mentions', 'null')) m)) $$;
comment on function fieldpost.mentions(jsonb) is 'The mentions of a mutation that were judged already; null for none.';

create or replace function fieldpost.mentions_fault(p_value jsonb) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select case when p_value is null or p_value = 'null' then null
    when jsonb_typeof(p_value) <> 'array' then fieldpost.rejected('bad_request', 'mentions')
    when exists (select from jsonb_array_elements(p_value) e where jsonb_typeof(e) <> 'string' or fieldpost.uuid_or_null(e #>> '{}') is null)
      then fieldpost.rejected('bad_request', 'mentions')
    when jsonb_array_length(p_value) > 100 then fieldpost.rejected('too_many_mentions') end
$$;
comment on function fieldpost.mentions_fault(jsonb) is 'What is wrong with mentions, as a result: they are at most a hundred ids.';

-- Every alias is a row that is kept for 90 days. A device makes one for each conversation that it opened offline and that was
-- there already, which is a handful; whoever makes 500 a day waits for the next one.
create or replace function fieldpost.may_alias(p_user uuid) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select count(*) < 500 from (
    select from fieldpost.conversation_aliases a where a.created_by = p_user and a.created_at > now() - interval '1 day' limit 500) x
$$;
comment on function fieldpost.may_alias(uuid) is 'Whether a person may make one more alias today.';

-- What the database refuses has a reason that the person should read: a trigger, a constraint or a policy of the project.
create or replace function fieldpost.refused_by_project(p_text text, p_state text) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select fieldpost.rejected('refused', left(p_text, 500) || ' (' || p_state || ')') $$;
comment on function fieldpost.refused_by_project(text, text) is 'The result of what the project itself refuses, with its words.';

-- Where an opening leads: to a result, or to a conversation that is to be made.
do $$
begin
  if to_regtype('fieldpost.opening') is null then
    create type fieldpost.opening as (result jsonb, id uuid, org_id uuid, type text, medic_id uuid, subject text);
  end if;
end
$$;

-- Judges an opening, and finds the conversation that is there. The lock that it takes lets one opener at a time through.
create or replace function fieldpost.judge_opening(s fieldpost.scope, p_mutation jsonb) returns fieldpost.opening
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_opening fieldpost.opening;
  v_kind text := case p_mutation ->> 'kind' when 'open_direct' then 'direct' else 'broadcast' end;
  v_id uuid := fieldpost.uuid_or_null(p_mutation ->> 'conversation_id');
  v_org uuid := fieldpost.uuid_or_null(p_mutation ->> 'org_id');
  v_medic uuid := fieldpost.uuid_or_null(p_mutation ->> 'medic_id');
  v_subject text := p_mutation ->> 'subject';
  v_row public.conversations;
  v_known uuid;
begin
  if v_id is null then
    v_opening.result := fieldpost.rejected('bad_request', 'conversation_id');
    return v_opening;
  elsif v_org is null and nullif(p_mutation -> 'org_id', 'null') is not null then
    v_opening.result := fieldpost.rejected('bad_request', 'org_id');
    return v_opening;
  elsif v_medic is null and nullif(p_mutation -> 'medic_id', 'null') is not null then
    v_opening.result := fieldpost.rejected('bad_request', 'medic_id');
    return v_opening;
  elsif v_subject is not null and jsonb_typeof(p_mutation -> 'subject') <> 'string' then
    v_opening.result := fieldpost.rejected('bad_request', 'subject');
    return v_opening;
  elsif char_length(v_subject) > 500 then
    v_opening.result := fieldpost.rejected('subject_too_long');
    return v_opening;
  elsif not s.member then
    v_opening.result := fieldpost.rejected('forbidden', 'no membership');
    return v_opening;
  elsif not v_org = any (s.admin_orgs || s.medic_orgs) then
    v_opening.result := fieldpost.rejected('not_found');
    return v_opening;  -- an organization that she does not belong to, or none
  end if;
  -- Somebody in two organizations may name the wrong one: the medic says which it is.
  if v_kind = 'direct' and v_medic is not null and not (
    exists (select from fieldpost.memberships(s.user_id) m where m.medic_id = v_medic and m.org_id = v_org)
    or v_org = any (s.admin_orgs) and exists (select from fieldpost.roster(v_org) x where x.medic_id = v_medic)
  ) then
    v_org := null;
  end if;

  -- Whose, and where.
  if v_kind = 'broadcast' then
    if v_org is null and cardinality(s.admin_orgs) = 1 then
      v_org := s.admin_orgs[1];
    end if;
    if v_org is null then
      v_opening.result := case when cardinality(s.admin_orgs) = 0 then fieldpost.rejected('forbidden', 'admins only')
                  else fieldpost.rejected('bad_request', 'org_id') end;
    return v_opening;
    elsif not v_org = any (s.admin_orgs) then
      v_opening.result := case when v_org = any (s.medic_orgs) then fieldpost.rejected('forbidden', 'admins only')
                  else fieldpost.rejected('not_found') end;
    return v_opening;
    end if;
    v_medic := null;
  else
    if v_medic is null and cardinality(s.medic_ids) > 0 then
      select m.org_id, m.medic_id into v_org, v_medic from fieldpost.memberships(s.user_id) m
      where m.medic_id is not null and (v_org is null or m.org_id = v_org) order by m.org_id limit 1;
    elsif v_medic = any (s.medic_ids) then
      select m.org_id into v_org from fieldpost.memberships(s.user_id) m
      where m.medic_id = v_medic and (v_org is null or m.org_id = v_org) order by m.org_id limit 1;
      if v_org is null then
        v_opening.result := fieldpost.rejected('not_found');
    return v_opening;
      end if;
    elsif v_medic is not null then
      select r.org_id into v_org from (
        select o as org_id from unnest(s.admin_orgs) o
        where (v_org is null or o = v_org) and exists (select from fieldpost.roster(o) x where x.medic_id = v_medic)
        order by o limit 1) r;
      if v_org is null then
        v_opening.result := fieldpost.rejected('not_found');
    return v_opening;
      end if;
    end if;
    if v_medic is null or v_org is null then
      v_opening.result := fieldpost.rejected('bad_request', 'medic_id');
    return v_opening;
    end if;
  end if;

  -- One opener at a time per organization: right with and without the unique indexes.
  perform pg_advisory_xact_lock(hashtextextended('fieldpost.open:' || v_org::text, 0));
  select c.* into v_row from public.conversations c
  where c.org_id = v_org and c.type::text = v_kind and (v_kind = 'broadcast' or c.medic_id = v_medic)
  order by c.created_at, c.id limit 1;

  -- The id: unused, this conversation's, or an alias of it. Anything else is somebody else's.
  v_known := fieldpost.canonical(v_id);
  if v_row.id is not null and v_known = v_row.id then
    v_opening.result := jsonb_build_object('status', 'duplicate', 'conversation', fieldpost.conversation_json(v_row, s.user_id));
  elsif v_known <> v_id then
    v_opening.result := fieldpost.rejected(case when fieldpost.absence(s, v_known) = 'conversation_deleted' then 'conversation_deleted' else 'id_taken' end);
    return v_opening;
  elsif exists (select from public.conversations c where c.id = v_id) then
    v_opening.result := fieldpost.rejected('id_taken');
    return v_opening;
  elsif exists (select from fieldpost.deleted_conversations d where d.id = v_id) then
    v_opening.result := fieldpost.rejected(case when fieldpost.absence(s, v_id) = 'conversation_deleted' then 'conversation_deleted' else 'id_taken' end);
    return v_opening;
  elsif v_row.id is not null and not fieldpost.may_alias(s.user_id) then
    v_opening.result := '{"status":"retry","code":"busy"}';
    return v_opening;
  elsif v_row.id is not null then
    insert into fieldpost.conversation_aliases (alias_id, conversation_id, created_by) values (v_id, v_row.id, s.user_id);
    v_opening.result := jsonb_build_object('status', 'duplicate', 'conversation', fieldpost.conversation_json(v_row, s.user_id));
  else
    v_opening.id := v_id;
    v_opening.org_id := v_org;
    v_opening.type := v_kind;
    v_opening.medic_id := v_medic;
    v_opening.subject := nullif(fieldpost.trim(v_subject), '');
  end if;
  return v_opening;
end
$$;
comment on function fieldpost.judge_opening(fieldpost.scope, jsonb) is 'What becomes of open_direct and open_broadcast, short of making the conversation.';

-- Makes what an opening asks for. A direct writer may have been quicker and have committed since: then it is that one.
create or replace function fieldpost.open_conversation(s fieldpost.scope, p_mutation jsonb) returns jsonb
language plpgsql set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  o fieldpost.opening := fieldpost.judge_opening(s, p_mutation);
  v_row public.conversations;
  -- The column's own type, which may be an enum of the project's.
  v_type public.conversations.type%type := o.type;
begin
  if o.result is not null then
    return o.result;
  end if;
  insert into public.conversations (id, org_id, type, medic_id, subject, created_by)
  values (o.id, o.org_id, v_type, o.medic_id, o.subject, s.user_id)
  on conflict do nothing
  returning * into v_row;
  if v_row.id is not null then
    return jsonb_build_object('status', 'applied', 'conversation', fieldpost.conversation_json(v_row, s.user_id));
  end if;
  o := fieldpost.judge_opening(s, p_mutation);  -- its row is visible now. If none is, the id was what clashed
  return coalesce(o.result, fieldpost.rejected('id_taken'));
end
$$;
comment on function fieldpost.open_conversation(fieldpost.scope, jsonb) is 'open_direct and open_broadcast.';

create or replace function fieldpost.mark_read(s fieldpost.scope, p_mutation jsonb) returns jsonb
language plpgsql set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  v_id uuid := fieldpost.uuid_or_null(p_mutation ->> 'conversation_id');
  v_seq bigint := fieldpost.int_or_null(p_mutation -> 'read_seq');
  v_org uuid;
  v_before public.conversation_read_status;
  v_row public.conversation_read_status;
begin
  if v_id is null then
    return fieldpost.rejected('bad_request', 'conversation_id');
  elsif v_seq is null then
    return fieldpost.rejected('bad_request', 'read_seq');
  elsif not s.member then
    return fieldpost.rejected('forbidden', 'no membership');
  end if;
  v_id := fieldpost.canonical(v_id);
  select c.org_id into v_org from public.conversations c
  where c.id = v_id and (c.org_id = any (s.admin_orgs) or c.id = any (s.conversations));
  if not found then
    return fieldpost.rejected(fieldpost.absence(s, v_id));
  end if;

  select r.* into v_before from public.conversation_read_status r where r.user_id = s.user_id and r.conversation_id = v_id for update;
  if coalesce(v_before.read_seq, 0) < v_seq then
    perform fieldpost.wait_briefly();
    -- The trigger holds the number to what the conversation has and finds the time that belongs to it.
    insert into public.conversation_read_status as r (user_id, conversation_id, org_id, last_read_at, read_seq)
    values (s.user_id, v_id, v_org, '1970-01-01', v_seq)
    on conflict (user_id, conversation_id) do update set read_seq = greatest(r.read_seq, v_seq)
    returning r.* into v_row;
  else
    v_row := v_before;
  end if;
  return jsonb_build_object(
    'status', case when v_row.read_seq > coalesce(v_before.read_seq, 0) then 'applied' else 'duplicate' end,
    'read_marker', case when v_row.user_id is null
      then jsonb_build_object('conversation_id', v_id, 'person_id', s.user_id, 'delivered_seq', 0, 'read_seq', 0, 'version', 0)
      else fieldpost.marker_json(v_row) end);
end
$$;
comment on function fieldpost.mark_read(fieldpost.scope, jsonb) is 'Moves the caller''s own read marker forward.';
