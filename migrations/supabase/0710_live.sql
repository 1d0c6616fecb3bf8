-- Live hints: through Supabase Realtime, where a project has it, devices hear at once that there is something to pull.
--
-- A hint is a broadcast from the database with nothing in it but the tag of the push that caused it, on a private topic:
--   fieldpost:user:<user>                  what concerns one person: a medic's direct conversation, her markers and settings, her access
--   fieldpost:admins:<organization>        what only admins see: direct conversations, who reads broadcasts
--   fieldpost:org:<organization>           what everybody sees: broadcasts, and who the admins are
--   fieldpost:conversation:<conversation>  no hints: people say here that they are typing
--
-- What must stay true:
--  * A hint is no truth. Nothing depends on one that is lost, late, doubled or forged, and none has content.
--  * A write neither fails nor waits because of a hint: what sending raises is a warning, and it waits 50 ms for a lock, once.
--  * One hint for each topic and transaction. Realtime sends what is committed, so a second one of the same transaction would arrive
--    with the first and say the same. A push of 100 changes says one word to each who listens.
--  * More than 50 topics of a transaction are told to the organization instead: a device more is woken, and an import of 1,000 people
--    is no flood.
--  * What no page brings is no hint: the status that follows markers, columns of a conversation that follow messages. Two things
--    that pages bring are none either, or one broadcast would wake 1,000 devices 1,000 times: how far a broadcast has been
--    delivered, and how many have reacted to it. What an admin's device has got of a direct conversation is told to the medic alone: told to
--    the other admins, it would cost the square of their number.
--  * Fieldpost is a guest in schema realtime: it has five policies there, on topics of its own, and changes nothing else.

-- What the operator has said. Whether hints are sent also depends on what is there: `fieldpost.live_is_on()`.
create table if not exists fieldpost.live (
  one boolean primary key default true check (one),
  off boolean not null default false
);
insert into fieldpost.live default values on conflict do nothing;
comment on table fieldpost.live is 'Whether the operator has switched live hints off. One row.';

-- (Step by step: a schema that the owner may not look into is an error to whoever asks about its tables, the planner of a query too.)
create or replace function fieldpost.live_is_on() returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_schema constant regnamespace := to_regnamespace('realtime');
  v_table regclass;
  v_send regprocedure;
begin
  if v_schema is null or not has_schema_privilege(v_schema, 'usage') or (select l.off from fieldpost.live l) then
    return false;
  end if;
  v_table := to_regclass('realtime.messages');
  v_send := to_regprocedure('realtime.send(jsonb,text,text,boolean)');
  return coalesce(has_function_privilege(v_send, 'execute') and has_table_privilege(v_table, 'insert') and not row_security_active(v_table::oid)
    -- Without row level security every private topic is open to everybody.
    and (select c.relrowsecurity from pg_class c where c.oid = v_table)
    and (select count(*) = 2 from pg_policy p where p.polrelid = v_table and p.polname in ('fieldpost_hear', 'fieldpost_type')), false);
end
$$;
comment on function fieldpost.live_is_on() is
  'Whether hints are sent, and may be heard. Security definer: asks what the owner may do, who sends them.';

-- Topics.

-- Who is told of what happens in conversations: everybody of a broadcast; of a direct one its medic and the admins.
create or replace function fieldpost.conversation_topics(p_conversations uuid[]) returns setof text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select distinct t.topic
  from public.conversations c
  cross join lateral (
    select 'fieldpost:org:' || c.org_id as topic where c.type = 'broadcast'
    union all
    select 'fieldpost:admins:' || c.org_id where c.type = 'direct'
    union all
    select 'fieldpost:user:' || r.user_id from fieldpost.roster(c.org_id) r
    where c.type = 'direct' and r.medic_id = c.medic_id and r.user_id is not null
  ) t
  where c.id = any (p_conversations)
$$;
comment on function fieldpost.conversation_topics(uuid[]) is 'The topics of what happens in conversations.';

-- Of a delivery of a direct conversation: what has arrived at an admin's device, the other admins learn with their next pull.
create or replace function fieldpost.delivery_topics(p_conversations uuid[], p_users uuid[]) returns setof text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select distinct t.topic
  from unnest(p_conversations, p_users) d (conversation_id, user_id)
  cross join lateral (
    select x as topic, bool_or(x = 'fieldpost:user:' || d.user_id) over () as by_medic from fieldpost.conversation_topics(array[d.conversation_id]) x
  ) t
  where t.by_medic or left(t.topic, 17) <> 'fieldpost:admins:'
$$;
comment on function fieldpost.delivery_topics(uuid[], uuid[]) is 'The topics of what has arrived at people''s devices of direct conversations, pair by pair.';

-- Its device knows a push by its tag, and need not pull for what it has said itself. To others it is a number.
create or replace function fieldpost.push_tag(p_mutations jsonb[]) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$ select left(encode(sha256(convert_to(p_mutations[1] ->> 'id', 'UTF8')), 'hex'), 16) $$;
comment on function fieldpost.push_tag(jsonb[]) is 'What hints say of a push (docs/protocol.md).';

-- One topic after the other, and not for long. (Today's `realtime.send` swallows what goes wrong inside of it, a lock that it does not get
-- too, and says so in a warning; older ones raise.)
create or replace function fieldpost.send_hints(p_topics text[]) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '50ms'
as $$
declare
  v_before constant text := coalesce(current_setting('realtime.topic', true), '');
  v_until constant timestamptz := clock_timestamp() + interval '40 milliseconds';
  v_payload constant jsonb := jsonb_strip_nulls(jsonb_build_object('push', nullif(current_setting('fieldpost.push', true), '')));
  v_topic text;
begin
  foreach v_topic in array p_topics loop
    perform realtime.send(v_payload, 'hint', v_topic, true);
    exit when clock_timestamp() > v_until;  -- somebody holds the table
  end loop;
  perform set_config('realtime.topic', v_before, true);  -- which `realtime.send` sets for the transaction
  return clock_timestamp() <= v_until;
end
$$;
comment on function fieldpost.send_hints(text[]) is 'Sends hints. Answers whether this transaction should send more.';

-- Sends what this transaction has not sent yet. It remembers that in a setting of its own: 'off', or the topics.
create or replace function fieldpost.hint_once(p_topics text[], p_orgs uuid[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_sent constant text[] := string_to_array(nullif(current_setting('fieldpost.hinted', true), ''), ' ');
  v_new text[] := array(select distinct t from unnest(p_topics) t where t <> all (coalesce(v_sent, '{}')) order by t);
begin
  if coalesce(cardinality(v_sent), 0) + cardinality(v_new) > 50 then
    v_new := array(
      select distinct 'fieldpost:org:' || o as t from unnest(p_orgs) o
      where o is not null and 'fieldpost:org:' || o <> all (coalesce(v_sent, '{}')) order by t limit 50);
  end if;
  if v_new = '{}' then
    return;
  end if;
  perform set_config('fieldpost.hinted', case
    when not fieldpost.send_hints(v_new) or cardinality(v_sent) > 200 then 'off'
    else array_to_string(v_sent || v_new, ' ') end, true);
end
$$;
comment on function fieldpost.hint_once(text[], uuid[]) is 'Sends one hint for each topic and transaction.';

-- After every statement that writes what a page brings. Rows that a page brings anew are those with the stamp of this transaction.
create or replace function fieldpost.hint() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_stamp constant xid8 := pg_current_xact_id();
  v_sent constant text := current_setting('fieldpost.hinted', true);
  v_topics text[];
  v_conversations uuid[];
  v_delivered uuid[];
  v_recipients uuid[];
  v_orgs uuid[];
begin
  if v_sent = 'off' or current_setting('fieldpost.backfilling', true) = 'on' then
    return null;
  elsif coalesce(v_sent, '') = '' and not fieldpost.live_is_on() then
    perform set_config('fieldpost.hinted', 'off', true);
    return null;
  end if;
  case tg_table_name
    when 'messages', 'conversations' then
      if tg_table_name = 'messages' then
        select array_agg(distinct n.conversation_id), array_agg(distinct n.org_id) into v_conversations, v_orgs from fieldpost_new n where n.sync_xid = v_stamp;
      else
        select array_agg(n.id), array_agg(distinct n.org_id) into v_conversations, v_orgs from fieldpost_new n where n.sync_xid = v_stamp;
      end if;
    when 'conversation_read_status' then
      if tg_op = 'INSERT' then
        select array_agg(distinct n.conversation_id) filter (where c.type = 'direct' and n.read_seq > 0),
               array_agg(n.conversation_id) filter (where c.type = 'direct' and n.read_seq = 0),
               array_agg(n.user_id) filter (where c.type = 'direct' and n.read_seq = 0),
               array_agg('fieldpost:user:' || n.user_id) filter (where c.type = 'broadcast' and n.read_seq > 0)
                 || array_agg('fieldpost:admins:' || c.org_id) filter (where c.type = 'broadcast' and n.read_seq > 0),
               array_agg(distinct c.org_id)
          into v_conversations, v_delivered, v_recipients, v_topics, v_orgs
        from fieldpost_new n join public.conversations c on c.id = n.conversation_id where n.sync_xid = v_stamp;
      else
        select array_agg(distinct n.conversation_id) filter (where c.type = 'direct' and n.read_seq > o.read_seq),
               array_agg(n.conversation_id) filter (where c.type = 'direct' and n.read_seq = o.read_seq),
               array_agg(n.user_id) filter (where c.type = 'direct' and n.read_seq = o.read_seq),
               array_agg('fieldpost:user:' || n.user_id) filter (where c.type = 'broadcast' and n.read_seq > o.read_seq)
                 || array_agg('fieldpost:admins:' || c.org_id) filter (where c.type = 'broadcast' and n.read_seq > o.read_seq),
               array_agg(distinct c.org_id)
          into v_conversations, v_delivered, v_recipients, v_topics, v_orgs
        from fieldpost_new n join fieldpost_old o on o.user_id = n.user_id and o.conversation_id = n.conversation_id
        join public.conversations c on c.id = n.conversation_id
        where n.sync_xid = v_stamp and (n.read_seq, n.delivered_seq) is distinct from (o.read_seq, o.delivered_seq);
      end if;
    when 'message_reactions' then
      select array_agg(distinct n.conversation_id) filter (where c.type = 'direct'),
             array_agg('fieldpost:user:' || n.person_id) filter (where c.type = 'broadcast')
               || array_agg('fieldpost:admins:' || n.org_id) filter (where c.type = 'broadcast'),
             array_agg(distinct n.org_id)
        into v_conversations, v_topics, v_orgs
      from fieldpost_new n join public.conversations c on c.id = n.conversation_id where n.sync_xid = v_stamp;
    when 'conversation_settings' then
      select array_agg(distinct 'fieldpost:user:' || n.user_id), array_agg(distinct n.org_id)
        into v_topics, v_orgs from fieldpost_new n where n.sync_xid = v_stamp;
    when 'tombstones' then
      select array_agg(distinct n.conversation_id) filter (where n.entity = 'message'),
             array_agg(distinct case when n.type = 'broadcast' then 'fieldpost:org:' else 'fieldpost:admins:' end || n.org_id) filter (where n.entity = 'conversation')
               || (select array_agg('fieldpost:user:' || r.user_id) from fieldpost_new d cross join lateral fieldpost.roster(d.org_id) r
                   where d.entity = 'conversation' and d.type = 'direct' and r.medic_id = d.medic_id and r.user_id is not null),
             array_agg(distinct n.org_id)
        into v_conversations, v_topics, v_orgs from fieldpost_new n;
    when 'access_log' then
      select array_agg(distinct 'fieldpost:user:' || n.user_id), array_agg(distinct c.org_id) into v_topics, v_orgs
      from fieldpost_new n left join public.conversations c on c.id = n.conversation_id where n.sync_xid = v_stamp;
    when 'people' then
      -- Members see who the admins are, and admins everybody.
      select array_agg(distinct 'fieldpost:user:' || n.user_id)
               || array_agg(distinct case when n.role = 'org_admin' then 'fieldpost:org:' else 'fieldpost:admins:' end || n.org_id),
             array_agg(distinct n.org_id)
        into v_topics, v_orgs from fieldpost_new n where n.sync_xid = v_stamp;
  end case;
  if cardinality(v_conversations) > 50 or cardinality(v_delivered) > 50 then
    v_topics := v_topics || array(select 'fieldpost:org:' || o from unnest(v_orgs) o);  -- nobody looks up so many
  elsif v_conversations is not null or v_delivered is not null then
    v_topics := v_topics || array(
      select fieldpost.conversation_topics(v_conversations) union select fieldpost.delivery_topics(v_delivered, v_recipients));
  end if;
  if v_topics is not null then
    perform fieldpost.hint_once(v_topics, v_orgs);
  end if;
  return null;
exception when assert_failure or others then
  raise warning 'no live hint: % (%)', sqlerrm, sqlstate;
  perform set_config('fieldpost.hinted', 'off', true);
  return null;
end
$$;
comment on function fieldpost.hint() is
  'Hints to those who may see what a statement wrote. Security definer: whoever writes need not be allowed to send, or to know who else is there.';

do $$
declare
  v_table text;
begin
  foreach v_table in array array['public.messages', 'public.conversations', 'public.conversation_read_status', 'public.message_reactions',
                                 'public.conversation_settings', 'fieldpost.tombstones', 'fieldpost.access_log', 'fieldpost.people'] loop
    execute format('create or replace trigger zz_fieldpost_hint_insert after insert on %s '
      'referencing new table as fieldpost_new for each statement execute function fieldpost.hint()', v_table);
    -- What is derived is no news. (A client that says so to itself gives others no hint of what she writes, and nothing else.)
    execute format('create or replace trigger zz_fieldpost_hint_update after update on %s '
      'referencing old table as fieldpost_old new table as fieldpost_new for each statement '
      'when (current_setting(''fieldpost.deriving'', true) is distinct from ''on'') execute function fieldpost.hint()', v_table);
  end loop;
end
$$;

-- Who may join and who may send: what the policies on realtime.messages ask. Realtime asks at the join and at each new token, and
-- remembers the answer until then. A topic that is none of ours, or none at all, is refused and is no error: an error would refuse
-- the project's own channels too.

create or replace function fieldpost.may_hear(p_topic text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_me uuid;
begin
  if p_topic is null or left(p_topic, 10) <> 'fieldpost:' then
    return false;
  end if;
  v_me := auth.uid();
  return coalesce(case split_part(p_topic, ':', 2)
    when 'user' then p_topic = 'fieldpost:user:' || v_me
    when 'admins' then exists (select from fieldpost.memberships(v_me) m where m.role = 'org_admin' and p_topic = 'fieldpost:admins:' || m.org_id)
    when 'org' then exists (select from fieldpost.memberships(v_me) m where p_topic = 'fieldpost:org:' || m.org_id)
    when 'conversation' then exists (
      select from fieldpost.memberships(v_me) m
      join public.conversations c on c.org_id = m.org_id and (m.role = 'org_admin' or c.type = 'broadcast' or c.type = 'direct' and c.medic_id = m.medic_id)
      where c.id = fieldpost.uuid_or_null(substr(p_topic, 24)) and p_topic = 'fieldpost:conversation:' || c.id)
  end, false);
exception when others then
  return false;
end
$$;
comment on function fieldpost.may_hear(text) is
  'Whether the caller may join a topic. Security definer: reads the membership tables past their policies.';

-- Typing alone: hints come from the database. In a broadcast only admins write.
create or replace function fieldpost.may_type(p_topic text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce(left(p_topic, 23) = 'fieldpost:conversation:' and fieldpost.may_hear(p_topic) and exists (
    select from public.conversations c
    where c.id = fieldpost.uuid_or_null(substr(p_topic, 24)) and (c.type = 'direct' or fieldpost.is_admin_of(c.org_id))), false);
exception when others then
  return false;
end
$$;
comment on function fieldpost.may_type(text) is
  'Whether the caller may say on a topic that she is typing. Security definer: as fieldpost.may_hear.';

-- The policies ask these two, as the caller: what a project's own policies hide is not heard of.
create or replace function fieldpost.may_hear_as_caller(p_topic text, p_sends boolean) returns boolean
language plpgsql stable set search_path = pg_catalog, public, extensions, pg_temp
as $$
begin
  if not (case when p_sends then fieldpost.may_type(p_topic) else fieldpost.may_hear(p_topic) end) then
    return false;
  elsif left(p_topic, 23) = 'fieldpost:conversation:' and fieldpost.narrowed('r') then
    return exists (select from public.conversations c where c.id = fieldpost.uuid_or_null(substr(p_topic, 24)));
  end if;
  return true;
exception when others then
  return false;
end
$$;
comment on function fieldpost.may_hear_as_caller(text, boolean) is 'Whether the caller may join a topic, or send there, under all policies.';

grant execute on function fieldpost.live_is_on(), fieldpost.may_hear(text), fieldpost.may_type(text), fieldpost.may_hear_as_caller(text, boolean),
  fieldpost.narrowed(text) to authenticated;

-- For operators.

-- Asks what Realtime asks at a join (one row of its own, read as the person), for somebody and her own topic. Answers what a policy raises
-- there; none if nothing is raised, or if it cannot be asked: nobody is there yet, no partition for today, no right to be `authenticated`.
create or replace function fieldpost.raised_at_a_join() returns text
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_user constant uuid := (select p.user_id from fieldpost.people p where p.user_id is not null limit 1);
begin
  begin
    perform set_config('realtime.topic', 'fieldpost:user:' || v_user, true), set_config('request.jwt.claim.sub', v_user::text, true),
      set_config('request.jwt.claims', jsonb_build_object('sub', v_user, 'role', 'authenticated')::text, true);
    insert into realtime.messages (topic, extension) values (current_setting('realtime.topic'), 'broadcast');
    set local role authenticated;
    begin
      perform from realtime.messages m where m.topic = current_setting('realtime.topic');
    exception when others then
      raise exception using errcode = 'FPASK', message = sqlerrm;
    end;
    raise exception using errcode = 'FPASK', message = '';  -- takes back all of this
  exception
    when sqlstate 'FPASK' then
      return nullif(sqlerrm, '');
    when others then
      return null;
  end;
end
$$;
comment on function fieldpost.raised_at_a_join() is 'What a policy of the project raises when a device joins a topic of Fieldpost.';

create or replace function fieldpost.enable_live() returns text
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '2s'
as $$
declare
  v_policies int;
  v_raised text;
begin
  if to_regnamespace('realtime') is null then
    raise undefined_table using message = 'this project has no Realtime: there is no schema realtime',
      hint = 'Start Realtime, and call fieldpost.enable_live() again. Devices sync without it.';
  elsif not has_schema_privilege(to_regnamespace('realtime'), 'usage') then
    raise insufficient_privilege using message = format('the role %s may not look into schema realtime', current_user),
      hint = 'Call fieldpost.enable_live() as a role that may: on a hosted project as postgres, in the SQL editor.';
  elsif to_regclass('realtime.messages') is null or to_regprocedure('realtime.send(jsonb,text,text,boolean)') is null then
    raise undefined_function using message = 'the Realtime of this project cannot broadcast from the database: realtime.send(jsonb, text, text, boolean) or realtime.messages is missing',
      hint = 'Upgrade Realtime, start it once, and call fieldpost.enable_live() again.';
  elsif not (select c.relrowsecurity from pg_class c where c.oid = to_regclass('realtime.messages')) then
    raise object_not_in_prerequisite_state using message = 'row level security of realtime.messages is off: everybody may listen to every private channel of this project',
      hint = 'alter table realtime.messages enable row level security; then call fieldpost.enable_live() again.';
  end if;
  update fieldpost.live set off = false;
  -- A policy locks the table for a moment, so those that are there stay: what they mean is in the function. (Nor is their text
  -- looked at, which takes a lock too.)
  select count(*) into v_policies from pg_policy p
  join pg_depend d on d.classid = 'pg_policy'::regclass and d.objid = p.oid and d.refclassid = 'pg_proc'::regclass
   and d.refobjid = 'fieldpost.may_hear_as_caller(text, boolean)'::regprocedure
  where p.polrelid = 'realtime.messages'::regclass and p.polname in ('fieldpost_hear', 'fieldpost_type', 'fieldpost_only_hear', 'fieldpost_only_type');
  if v_policies < 4 or not exists (select from pg_policy p where p.polrelid = 'realtime.messages'::regclass and p.polname = 'fieldpost_only') then
    begin
      drop policy if exists fieldpost_hear on realtime.messages;
      create policy fieldpost_hear on realtime.messages for select to authenticated
        using (extension = 'broadcast' and (select fieldpost.may_hear_as_caller(realtime.topic(), false)));
      drop policy if exists fieldpost_type on realtime.messages;
      create policy fieldpost_type on realtime.messages for insert to authenticated
        with check (extension = 'broadcast' and (select fieldpost.may_hear_as_caller(realtime.topic(), true)));
      -- What policies permit adds up, and many a project lets everybody hear and send everything. So these say who else may not, on
      -- topics of Fieldpost alone. The first asks no function: other roles may call none of Fieldpost's.
      drop policy if exists fieldpost_only on realtime.messages;
      create policy fieldpost_only on realtime.messages as restrictive for all to public
        using (left(realtime.topic(), 10) is distinct from 'fieldpost:' or (current_user = 'authenticated' and extension = 'broadcast'));
      drop policy if exists fieldpost_only_hear on realtime.messages;
      create policy fieldpost_only_hear on realtime.messages as restrictive for select to authenticated
        using (left(realtime.topic(), 10) is distinct from 'fieldpost:' or (select fieldpost.may_hear_as_caller(realtime.topic(), false)));
      drop policy if exists fieldpost_only_type on realtime.messages;
      create policy fieldpost_only_type on realtime.messages as restrictive for insert to authenticated
        with check (left(realtime.topic(), 10) is distinct from 'fieldpost:' or (select fieldpost.may_hear_as_caller(realtime.topic(), true)));
    exception
      when insufficient_privilege then
        raise insufficient_privilege using message = format('the role %s may not make policies on realtime.messages: %s', current_user, sqlerrm),
          hint = 'On a hosted project: `select fieldpost.enable_live()` in the SQL editor of the dashboard. Elsewhere: as the owner of that table, or a superuser.';
      when lock_not_available then
        raise lock_not_available using message = 'somebody holds realtime.messages', hint = 'Call fieldpost.enable_live() again.';
    end;
  end if;
  perform set_config('fieldpost.hinted', '', true);
  if not fieldpost.live_is_on() then
    raise insufficient_privilege using message = format('the role %s, which owns Fieldpost, may not send: it needs execute on realtime.send, insert on realtime.messages, and bypassrls',
        (select p.proowner::regrole from pg_proc p where p.oid = 'fieldpost.hint()'::regprocedure)),
      hint = 'On a hosted project the role postgres has all of that.';
  end if;
  v_raised := fieldpost.raised_at_a_join();
  if v_raised is not null then
    return 'live hints are on, but no device hears them: a policy of this project on realtime.messages raises on topics that are not its own: ' || v_raised;
  end if;
  return 'live hints are on';
end
$$;
comment on function fieldpost.enable_live() is
  'Lets devices hear live hints: policies on realtime.messages (docs/howto/live.md). For operators; may be called again.';

create or replace function fieldpost.disable_live() returns text
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '2s'
as $$
begin
  update fieldpost.live set off = true;
  perform set_config('fieldpost.hinted', '', true);
  if exists (select from pg_policy p where p.polrelid = to_regclass('realtime.messages')
               and p.polname in ('fieldpost_hear', 'fieldpost_type', 'fieldpost_only', 'fieldpost_only_hear', 'fieldpost_only_type')) then
    begin
      drop policy if exists fieldpost_hear on realtime.messages;
      drop policy if exists fieldpost_type on realtime.messages;
      drop policy if exists fieldpost_only on realtime.messages;
      drop policy if exists fieldpost_only_hear on realtime.messages;
      drop policy if exists fieldpost_only_type on realtime.messages;
    exception when insufficient_privilege or lock_not_available then
      return 'live hints are off; the policies that begin with fieldpost_ stay on realtime.messages: ' || sqlerrm;
    end;
  end if;
  return 'live hints are off';
end
$$;
comment on function fieldpost.disable_live() is 'Switches live hints off, and typing. For operators; fieldpost.enable_live() switches them on.';
