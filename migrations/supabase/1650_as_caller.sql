-- Where a project has policies of its own that narrow, they decide too.
--
-- Functions that run as their owner choose the rows of a page, by index and by membership. They say which, and not what is in them. The
-- functions here run as the caller: they read the chosen messages and conversations under all policies, and what does not come is
-- hidden. A push writes as the caller, like any direct client, so that policies and triggers see who it is.
--
-- Without such policies none of this is called (see `fieldpost.narrowed`).
--
-- What must stay true:
--  * No content of a message and no row of a conversation comes from a function that runs as its owner.
--  * Hidden numbers are no gaps: their ranges are said, without ids.
--  * A row that its reader could see before and cannot any more is withdrawn: as a tombstone one version below the row's, so that
--    the row can come back. A row that was never changed was never seen, and is not named.
--  * What it costs is bounded: unread looks at the last 1,000 numbers, the preview at the last 50.

-- Helpers that tell the caller what is hers anyway. Each asks who is calling.

create or replace function fieldpost.people_i_see(p_users uuid[], p_medics uuid[]) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select fieldpost.people_named(s.admin_orgs || s.medic_orgs, p_users, p_medics) from fieldpost.scope_of(auth.uid()) s
$$;
comment on function fieldpost.people_i_see(uuid[], uuid[]) is
  'The person rows that a page names, of the caller''s organizations. Security definer: reads a table that clients may not read.';

create or replace function fieldpost.medic_names(p_conversations uuid[]) returns table (conversation_id uuid, name text)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select c.id, (select nullif(fieldpost.trim(concat_ws(' ', r.first_name, r.last_name)), '') from fieldpost.roster(c.org_id) r where r.medic_id = c.medic_id)
  from public.conversations c, fieldpost.scope_of(auth.uid()) s
  where c.id = any (p_conversations) and (c.org_id = any (s.admin_orgs) or c.id = any (s.conversations))
$$;
comment on function fieldpost.medic_names(uuid[]) is
  'The names of the medics of conversations that the caller may see. Security definer: reads the roster past its policies.';

-- Of messages that a page chose and the caller may not read: the ranges of their numbers, and tombstones of those that were seen.
create or replace function fieldpost.hidden(p_messages uuid[], out ranges jsonb, out tombstones text)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  with gone as (
    select m.id, m.conversation_id, m.seq, m.version from public.messages m, fieldpost.scope_of(auth.uid()) s
    where m.id = any (p_messages) and (m.org_id = any (s.admin_orgs) or m.conversation_id = any (s.conversations))
  ), runs as (
    select g.conversation_id, min(g.seq) as lo, max(g.seq) as hi
    from (select x.*, x.seq - row_number() over (partition by x.conversation_id order by x.seq) as run from gone x) g
    group by g.conversation_id, g.run
  )
  select (select coalesce(jsonb_agg(jsonb_build_object('conversation_id', r.conversation_id, 'from_seq', r.lo, 'to_seq', r.hi) order by r.conversation_id, r.lo), '[]') from runs r),
         (select string_agg(jsonb_build_object('entity', 'message', 'id', g.id, 'conversation_id', g.conversation_id, 'seq', g.seq, 'version', g.version - 1)::text, ',')
          from gone g where g.version > 1)
$$;
comment on function fieldpost.hidden(uuid[]) is
  'What a reader is told of messages that policies hide from her: no content. Security definer: she cannot look at them herself.';

create or replace function fieldpost.markers_i_see(p_conversations uuid[]) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_agg(fieldpost.marker_json(k)), '[]')
  from fieldpost.scope_of(auth.uid()) s
  join public.conversation_read_status k on k.conversation_id = any (p_conversations)
  where k.user_id = s.user_id or k.conversation_id = any (s.directs) or k.org_id = any (s.admin_orgs)
$$;
comment on function fieldpost.markers_i_see(uuid[]) is
  'The read markers of conversations, those that the caller may see. Security definer: the table''s policies show everybody her own only.';

-- From here on as the caller.

create or replace function fieldpost.texts_i_see(p_messages uuid[], out texts text, out seen uuid[])
language sql stable set search_path = pg_catalog, public, extensions, pg_temp
as $$
  select string_agg(fieldpost.message_text(m), ',' order by o.n), array_agg(m.id)
  from unnest(p_messages) with ordinality o (id, n) join public.messages m on m.id = o.id
$$;
comment on function fieldpost.texts_i_see(uuid[]) is 'Messages on the wire, as far as policies let the caller read them.';

create or replace function fieldpost.conversations_i_see(p_conversations uuid[])
returns table (id uuid, created_by uuid, medic_id uuid, j jsonb)
language sql stable set search_path = pg_catalog, public, extensions, pg_temp
as $$
  select c.id, c.created_by, c.medic_id, fieldpost.conversation_row(c, n.name, coalesce(u.unread, 0), l.created_at, l.preview)
         || fieldpost.unread_mentions(u.mentions)
  from public.conversations c
  left join fieldpost.medic_names(p_conversations) n on n.conversation_id = c.id
  left join lateral (
    select count(*) as unread, count(*) filter (where (select fieldpost.uid()) = any (x.mentions)) as mentions from (
      select m.mentions from public.messages m
      where m.conversation_id = c.id and m.deleted_at is null and m.sender_id is distinct from (select fieldpost.uid())
        and m.seq > greatest(c.last_seq - 1000, (select fieldpost.unread_above(
          (select r.read_seq from public.conversation_read_status r where r.user_id = (select fieldpost.uid()) and r.conversation_id = c.id),
          (select fieldpost.uid()), c.id)))
      limit 1000) x
  ) u on true
  left join lateral (
    select m.created_at, case when m.omitted is null then left(m.content, 100) end as preview from public.messages m
    where m.conversation_id = c.id and m.seq > c.last_seq - 50 order by m.seq desc limit 1
  ) l on true
  where c.id = any (p_conversations)
$$;
comment on function fieldpost.conversations_i_see(uuid[]) is 'Conversations on the wire, as far as policies let the caller read them and what is in them.';

create or replace function fieldpost.pull_as_caller(p_protocol int, p_capabilities text[], p_cursor text, p_limit int) returns json
language plpgsql stable set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  p constant fieldpost.picked := fieldpost.pull_picks(p_protocol, p_capabilities, p_cursor, p_limit);
  v_texts text;
  v_seen uuid[];
  v_ranges jsonb;
  v_tombstones text;
  v_conversations jsonb;
  v_ids uuid[];
  v_users uuid[];
  v_medics uuid[];
  v_access jsonb;
begin
  if p.refusal is not null then
    return p.refusal;
  end if;
  select t.texts, t.seen into v_texts, v_seen from fieldpost.texts_i_see(p.messages) t;
  select h.ranges, h.tombstones into v_ranges, v_tombstones
  from fieldpost.hidden(array(select unnest(p.messages) except select unnest(v_seen))) h;
  select coalesce(jsonb_agg(c.j), '[]'), coalesce(array_agg(c.id), '{}'), p.users || array_agg(c.created_by), array_agg(c.medic_id)
    into v_conversations, v_ids, v_users, v_medics
  from fieldpost.conversations_i_see(p.conversations) c;
  -- A conversation that policies hide is none that came into sight.
  select coalesce(jsonb_agg(case when a ->> 'access' = 'grant' and not (a ->> 'conversation_id')::uuid = any (v_ids)
                                 then a || '{"access":"revoke"}' else a end), '[]') into v_access
  from jsonb_array_elements(('[' || coalesce(p.kinds[1], '') || ']')::jsonb) a;

  return fieldpost.answer(
    p.head
      || case when p.head ? 'digest' and fieldpost.narrowed_on('public.conversations') then jsonb_build_object('digest', fieldpost.digest_i_see(p_capabilities)) else '{}' end
      || case when 'ranges' = any (p_capabilities) then jsonb_build_object('ranges', v_ranges) else '{}' end
      || jsonb_build_object(
        'access', v_access,
        'people', (select coalesce(jsonb_agg(distinct x), '[]') from jsonb_array_elements(
                     ('[' || coalesce(p.kinds[2], '') || ']')::jsonb || fieldpost.people_i_see(v_users, v_medics)) x),
        'conversations', v_conversations,
        'read_markers', (
          select coalesce(jsonb_agg(distinct r), '[]') from (
            select x as r from jsonb_array_elements(('[' || coalesce(p.kinds[5], '') || ']')::jsonb) x
            union all
            select jsonb_array_elements(fieldpost.markers_i_see(array(
              select (a ->> 'conversation_id')::uuid from jsonb_array_elements(v_access) a where a ->> 'access' = 'grant')))) k)),
    array['tombstones', 'messages', case when 'reactions' = any (p_capabilities) then 'reactions' end,
          case when 'conversation_settings' = any (p_capabilities) then 'settings' end],
    array[concat_ws(',', p.kinds[4], v_tombstones), v_texts, case when 'reactions' = any (p_capabilities) then fieldpost.reactions_i_see(p.kinds[7], v_seen) end,
          case when 'conversation_settings' = any (p_capabilities) then fieldpost.own_settings(p.kinds[8], v_access, v_ids) end]);
end
$$;
comment on function fieldpost.pull_as_caller(int, text[], text, int) is 'fieldpost_pull where policies of the project narrow.';

create or replace function fieldpost.bootstrap_as_caller(p_protocol int, p_capabilities text[], p_after text, p_limit int, p_messages int) returns json
language plpgsql stable set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  p constant fieldpost.picked := fieldpost.bootstrap_picks(p_protocol, p_capabilities, p_after, p_limit, p_messages);
  v_texts text;
  v_seen uuid[];
  v_ranges jsonb;
  v_conversations jsonb;
  v_ids uuid[];
  v_users uuid[];
  v_medics uuid[];
begin
  if p.refusal is not null then
    return p.refusal;
  end if;
  select coalesce(jsonb_agg(c.j order by o.n), '[]'), coalesce(array_agg(c.id), '{}'), p.users || array_agg(c.created_by), array_agg(c.medic_id)
    into v_conversations, v_ids, v_users, v_medics
  from fieldpost.conversations_i_see(p.conversations) c join unnest(p.conversations) with ordinality o (id, n) on o.id = c.id;
  select t.texts, t.seen into v_texts, v_seen from fieldpost.texts_i_see(p.messages) t;
  select h.ranges into v_ranges from fieldpost.hidden(array(select unnest(p.messages) except select unnest(v_seen))) h;
  return fieldpost.answer(
    p.head
      || case when not fieldpost.narrowed_on('public.conversations') then '{}'::jsonb
              else jsonb_build_object('total_conversations', (select count(*) from public.conversations))
                || case when p.head ? 'digest' then jsonb_build_object('digest', fieldpost.digest_i_see(p_capabilities)) else '{}' end end
      || case when 'ranges' = any (p_capabilities) then jsonb_build_object('ranges', (
           select coalesce(jsonb_agg(r), '[]') from jsonb_array_elements(v_ranges) r where (r ->> 'conversation_id')::uuid = any (v_ids))) else '{}' end
      || case when p.head ? 'settings' then jsonb_build_object('settings', (
           select coalesce(jsonb_agg(r), '[]') from jsonb_array_elements(p.head -> 'settings') r where (r ->> 'conversation_id')::uuid = any (v_ids))) else '{}' end
      || jsonb_build_object(
        'people', (select coalesce(jsonb_agg(distinct x), '[]') from jsonb_array_elements((p.head -> 'people') || fieldpost.people_i_see(v_users, v_medics)) x),
        'conversations', v_conversations,
        'read_markers', (select coalesce(jsonb_agg(r), '[]') from jsonb_array_elements(p.head -> 'read_markers') r
                         where (r ->> 'conversation_id')::uuid = any (v_ids) or not (r ->> 'conversation_id')::uuid = any (p.conversations))),
    array['messages', case when 'reactions' = any (p_capabilities) then 'reactions' end],
    array[v_texts, case when 'reactions' = any (p_capabilities) then fieldpost.reactions_i_see(null, v_seen) end]);
end
$$;
comment on function fieldpost.bootstrap_as_caller(int, text[], text, int, int) is 'fieldpost_bootstrap where policies of the project narrow.';

drop function if exists fieldpost.history_as_caller(int, uuid, bigint, int);  -- of an earlier version
create or replace function fieldpost.history_as_caller(p_protocol int, p_capabilities text[], p_conversation uuid, p_before_seq bigint, p_limit int) returns json
language plpgsql stable set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  p constant fieldpost.picked := fieldpost.history_picks(p_protocol, p_capabilities, p_conversation, p_before_seq, p_limit);
  v_conversation record;
  v_texts text;
  v_seen uuid[];
begin
  if p.refusal is not null then
    return p.refusal;
  end if;
  select c.* into v_conversation from fieldpost.conversations_i_see(p.conversations) c;
  if not found then
    return fieldpost.refusal('not_found');
  end if;
  select t.texts, t.seen into v_texts, v_seen from fieldpost.texts_i_see(p.messages) t;
  return fieldpost.answer(p.head || jsonb_build_object(
      'people', fieldpost.people_i_see(p.users, array[v_conversation.medic_id]), 'conversation', v_conversation.j),
    array['messages', 'tombstones', case when 'reactions' = any (p_capabilities) then 'reactions' end],
    array[v_texts, p.kinds[4], case when 'reactions' = any (p_capabilities) then fieldpost.reactions_i_see(null, v_seen) end]);
end
$$;
comment on function fieldpost.history_as_caller(int, text[], uuid, bigint, int) is 'fieldpost_history where policies of the project narrow.';

create or replace function fieldpost.narrowed_on(p_table regclass) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from pg_policy p
    where p.polrelid = p_table and not p.polpermissive and p.polname not like 'fieldpost\_only\_%' and p.polcmd in ('r', '*')
      and (p.polroles = '{0}' or (select r.oid from pg_roles r where r.rolname = 'authenticated') = any (p.polroles)))
$$;
comment on function fieldpost.narrowed_on(regclass) is 'Whether the project''s own policies hide rows of a table.';

-- Of all conversations that she may see: there is no shorter way to know what policies say of each.
create or replace function fieldpost.digest_i_see(p_capabilities text[]) returns jsonb
language sql stable set search_path = pg_catalog, public, extensions, pg_temp
as $$
  select jsonb_build_object('count', count(*)) || case when 'set_digest' = any (p_capabilities) then
      jsonb_build_object('set', lpad(to_hex(coalesce(bit_xor(b.hi), 0)), 16, '0') || lpad(to_hex(coalesce(bit_xor(b.lo), 0)), 16, '0'))
    else
      jsonb_build_object('sha256', encode(sha256(convert_to(coalesce(string_agg(c.id::text, '' order by c.id), ''), 'UTF8')), 'hex')) end
  from public.conversations c cross join lateral fieldpost.id_bits(c.id) b
$$;
comment on function fieldpost.digest_i_see(text[]) is 'A digest of the conversations that policies let the caller see.';

-- Pushing. What a batch says is read, and what can be said without writing is answered, by a function that runs as its owner.

do $$
begin
  if to_regtype('fieldpost.batch') is null then
    create type fieldpost.batch as (refusal json, items fieldpost.push_item[]);
  end if;
end
$$;

-- Openings are judged and written below; whatever depends on them comes in a second reading.
create or replace function fieldpost.push_read(p_protocol int, p_mutations jsonb[], p_opened fieldpost.push_item[]) returns fieldpost.batch
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_batch fieldpost.batch;
begin
  v_batch.refusal := fieldpost.push_refused(p_protocol, p_mutations);
  if v_batch.refusal is null then
    v_batch.items := fieldpost.hold_back(auth.uid(), fieldpost.read_batch(fieldpost.scope_of(auth.uid()), p_mutations, p_opened, true));
  end if;
  return v_batch;
end
$$;
comment on function fieldpost.push_read(int, jsonb[], fieldpost.push_item[]) is
  'Reads and judges a batch for its caller. Security definer: reads aliases, tombstones and memberships.';

-- Locks the conversations in the order of all writers, and answers what the server has already.
create or replace function fieldpost.sends_known(p_items fieldpost.push_item[]) returns table (n int, result text)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  s constant fieldpost.scope := fieldpost.scope_of(auth.uid());
begin
  perform 1 from public.conversations c
  where c.id in (select i.conversation_id from unnest(p_items) i) and (c.org_id = any (s.admin_orgs) or c.id = any (s.directs))
  order by c.id for no key update;
  return query select k.n, k.result::text from fieldpost.known_messages(s, p_items) k;
end
$$;
comment on function fieldpost.sends_known(fieldpost.push_item[]) is
  'Locks the conversations of sends and answers those that are known. Security definer: a client may not lock conversations.';

create or replace function fieldpost.sends_done(p_items fieldpost.push_item[]) returns table (n int, result text)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return query
  select i.n, case when m.content is distinct from i.content or m.metadata::jsonb is distinct from nullif(i.mutation -> 'metadata', 'null')
                     or m.message_type::text <> coalesce(i.mutation ->> 'message_type', 'text')
                   then fieldpost.with_row(a.ack, m) else a.ack end
  from unnest(p_items) i
  join public.messages m on m.id = i.message_id and m.sender_id = auth.uid() and m.conversation_id = i.conversation_id and m.sync_xid = pg_current_xact_id()
  cross join lateral fieldpost.applied(m.id, m.conversation_id, m.seq, m.created_at, m.version) a (ack);
end
$$;
comment on function fieldpost.sends_done(fieldpost.push_item[]) is
  'The results of messages that the caller has written in this transaction. Security definer: a project may let nobody read all columns.';

create or replace function fieldpost.mark_target(p_mutation jsonb, out result jsonb, out conversation_id uuid, out org_id uuid, out read_seq bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  s constant fieldpost.scope := fieldpost.scope_of(auth.uid());
begin
  conversation_id := fieldpost.canonical(fieldpost.uuid_or_null(p_mutation ->> 'conversation_id'));
  read_seq := fieldpost.int_or_null(p_mutation -> 'read_seq');
  if conversation_id is null then
    result := fieldpost.rejected('bad_request', 'conversation_id');
  elsif read_seq is null then
    result := fieldpost.rejected('bad_request', 'read_seq');
  elsif not s.member then
    result := fieldpost.rejected('forbidden', 'no membership');
  else
    select c.org_id into org_id from public.conversations c
    where c.id = mark_target.conversation_id and (c.org_id = any (s.admin_orgs) or c.id = any (s.conversations));
    if not found then
      result := fieldpost.rejected(fieldpost.absence(s, conversation_id));
    end if;
  end if;
end
$$;
comment on function fieldpost.mark_target(jsonb) is
  'What a read mark is for, or why it cannot be. Security definer: reads aliases, tombstones and memberships.';

-- As the caller again.

create or replace function fieldpost.write_messages(p_items fieldpost.push_item[]) returns void
language plpgsql volatile set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  v_text constant public.messages.message_type%type := 'text';
  v_attachment constant public.messages.message_type%type := 'attachment';
begin
  insert into public.messages (id, conversation_id, org_id, sender_id, message_type, content, metadata, mentions, reply_to, composed_at)
  select i.message_id, i.conversation_id, fieldpost.org_of(i.conversation_id), fieldpost.uid(),
         case when i.mutation ->> 'message_type' = 'attachment' then v_attachment else v_text end, i.content,
         nullif(i.mutation -> 'metadata', 'null'), fieldpost.mentions(i.mutation), (i.mutation ->> 'reply_to')::uuid, i.composed_at
  from unnest(p_items) i order by i.conversation_id, i.n;
end
$$;
comment on function fieldpost.write_messages(fieldpost.push_item[]) is 'Inserts messages as any client does: under all policies.';

-- Answers the results by the number of the item.
create or replace function fieldpost.send_as_caller(p_items fieldpost.push_item[]) returns text[]
language plpgsql volatile set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  v_item fieldpost.push_item;
  v_fresh fieldpost.push_item[];
  v_row record;
  v_results text[] := '{}';
  v_stuck uuid[] := '{}';
begin
  begin
    for v_row in select k.* from fieldpost.sends_known(p_items) k loop
      v_results[v_row.n] := v_row.result;
    end loop;
    v_fresh := array(
      select x::fieldpost.push_item from (select distinct on (y.message_id) y.* from unnest(p_items) y order by y.message_id, y.n) x
      where v_results[x.n] is null order by x.n);
    perform fieldpost.write_messages(v_fresh);
    for v_row in select d.* from fieldpost.sends_done(v_fresh) d loop
      v_results[v_row.n] := v_row.result;
    end loop;
    -- What is left: ids that are twice in the batch, and what a trigger dropped.
    for v_row in
      select i.n, coalesce(k.result, fieldpost.refused_by_project('a trigger of this project dropped the message', 'no row')::text) as result
      from unnest(p_items) i left join fieldpost.sends_known(p_items) k on k.n = i.n
    loop
      v_results[v_row.n] := coalesce(v_results[v_row.n], v_row.result);
    end loop;
    return v_results;
  exception when assert_failure or others then
    v_results := '{}';  -- one by one
  end;
  for v_item in select i.* from unnest(p_items) i order by i.conversation_id, i.n loop
    if v_item.conversation_id = any (v_stuck) then
      v_results[v_item.n] := '{"status":"retry","code":"after_retry"}';
      continue;
    end if;
    begin
      v_results[v_item.n] := (select k.result from fieldpost.sends_known(array[v_item]) k);
      if v_results[v_item.n] is null then
        perform fieldpost.write_messages(array[v_item]);
        v_results[v_item.n] := coalesce((select d.result from fieldpost.sends_done(array[v_item]) d),
          fieldpost.refused_by_project('a trigger of this project dropped the message', 'no row')::text);
      end if;
    exception
      when serialization_failure or deadlock_detected or lock_not_available then
        v_stuck := v_stuck || v_item.conversation_id;
        v_results[v_item.n] := '{"status":"retry","code":"conflict"}';
      when insufficient_resources or disk_full or out_of_memory or too_many_connections or configuration_limit_exceeded then
        v_stuck := v_stuck || v_item.conversation_id;
        v_results[v_item.n] := '{"status":"retry","code":"busy"}';
      when unique_violation then
        v_results[v_item.n] := coalesce((select k.result from fieldpost.sends_known(array[v_item]) k), fieldpost.rejected('id_taken')::text);
      when assert_failure or others then
        v_results[v_item.n] := fieldpost.refused_by_project(sqlerrm, sqlstate);
    end;
  end loop;
  return v_results;
end
$$;
comment on function fieldpost.send_as_caller(fieldpost.push_item[]) is 'Sends messages as the caller: as a set, or one by one where that is refused.';

create or replace function fieldpost.my_opening(p_mutation jsonb) returns fieldpost.opening
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$ select fieldpost.judge_opening(fieldpost.scope_of(auth.uid()), p_mutation) $$;
comment on function fieldpost.my_opening(jsonb) is 'Judges an opening of the caller''s. Security definer: reads aliases, tombstones and memberships, and writes aliases.';

create or replace function fieldpost.open_as_caller(p_protocol int, p_mutations jsonb[]) returns fieldpost.push_item[]
language plpgsql volatile set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  v_item fieldpost.push_item;
  v_opened fieldpost.push_item[] := '{}';
  v_stuck uuid[] := '{}';
  o fieldpost.opening;
  v_type public.conversations.type%type;
  v_until constant timestamptz := clock_timestamp() + interval '3 seconds';
begin
  for v_item in select i.* from fieldpost.openings(p_mutations) i order by i.n loop
    perform fieldpost.wait_until(v_until);
    begin
      if v_item.lane = any (v_stuck) then
        v_item.result := '{"status":"retry","code":"after_retry"}';
      else
        o := fieldpost.my_opening(v_item.mutation);
        if o.result is null then
          v_type := o.type;
          insert into public.conversations (id, org_id, type, medic_id, subject, created_by)
          values (o.id, o.org_id, v_type, o.medic_id, o.subject, fieldpost.uid());
          o := fieldpost.my_opening(v_item.mutation);
          o.result := o.result || '{"status":"applied"}';
        end if;
        v_item.result := coalesce(o.result, fieldpost.refused_by_project('a trigger of this project dropped the conversation', 'no row'));
        if v_item.result ->> 'status' = 'retry' then
          v_stuck := v_stuck || v_item.lane;
        end if;
      end if;
    exception
      when serialization_failure or deadlock_detected or lock_not_available then
        v_item.result := '{"status":"retry","code":"conflict"}';
        v_stuck := v_stuck || v_item.lane;
      when insufficient_resources or disk_full or out_of_memory or too_many_connections or configuration_limit_exceeded then
        v_item.result := '{"status":"retry","code":"busy"}';
        v_stuck := v_stuck || v_item.lane;
      when unique_violation then
        v_item.result := coalesce((fieldpost.my_opening(v_item.mutation)).result, fieldpost.rejected('id_taken'));
      when assert_failure or others then
        v_item.result := fieldpost.refused_by_project(sqlerrm, sqlstate);
    end;
    -- Its row as policies let her see it.
    if v_item.result ? 'conversation' then
      v_item.result := coalesce((
        select v_item.result || jsonb_build_object('conversation', c.j)
        from fieldpost.conversations_i_see(array[(v_item.result -> 'conversation' ->> 'id')::uuid]) c
      ), fieldpost.refused_by_project('a policy of this project hides the conversation', '42501'));
    end if;
    v_opened := v_opened || v_item;
  end loop;
  perform fieldpost.wait_until(clock_timestamp() + interval '3 seconds');
  return v_opened;
end
$$;
comment on function fieldpost.open_as_caller(int, jsonb[]) is 'Opens what a batch opens, as the caller.';

create or replace function fieldpost.mark_as_caller(p_mutation jsonb) returns jsonb
language plpgsql volatile set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  t record;
  v_before public.conversation_read_status;
  v_row public.conversation_read_status;
begin
  select * into t from fieldpost.mark_target(p_mutation);
  if t.result is not null then
    return t.result;
  end if;
  select r.* into v_before from public.conversation_read_status r
  where r.user_id = fieldpost.uid() and r.conversation_id = t.conversation_id;
  v_row := v_before;
  if v_before.user_id is null then
    insert into public.conversation_read_status as r (user_id, conversation_id, org_id, last_read_at, read_seq)
    values (fieldpost.uid(), t.conversation_id, t.org_id, '1970-01-01', t.read_seq) returning r.* into v_row;
  elsif v_before.read_seq < t.read_seq then
    update public.conversation_read_status r set read_seq = t.read_seq
    where r.user_id = fieldpost.uid() and r.conversation_id = t.conversation_id returning r.* into v_row;
  end if;
  if v_row.user_id is null then
    return fieldpost.refused_by_project('a policy of this project keeps the read marker', '42501');
  end if;
  return jsonb_build_object(
    'status', case when v_row.read_seq > coalesce(v_before.read_seq, 0) then 'applied' else 'duplicate' end,
    'read_marker', fieldpost.marker_json(v_row));
end
$$;
comment on function fieldpost.mark_as_caller(jsonb) is 'Moves the caller''s own read marker forward, under all policies.';

create or replace function fieldpost.push_as_caller(p_protocol int, p_mutations jsonb[]) returns json
language plpgsql volatile set search_path = pg_catalog, public, extensions, pg_temp set lock_timeout = '3s'
as $$
declare
  v_opened fieldpost.push_item[];
  v_batch fieldpost.batch;
  v_results text[];
  v_item fieldpost.push_item;
  v_place int;
  v_result jsonb;
  v_sent text[];
begin
  v_batch.refusal := fieldpost.push_refused(p_protocol, p_mutations);
  if v_batch.refusal is not null then
    return v_batch.refusal;
  end if;
  v_opened := fieldpost.open_as_caller(p_protocol, p_mutations);
  v_batch := fieldpost.push_read(p_protocol, p_mutations, v_opened);
  if v_batch.refusal is not null then
    return v_batch.refusal;
  end if;
  foreach v_place in array fieldpost.hidden_replies_as_caller(v_batch.items) loop
    v_item := v_batch.items[v_place];
    v_item.result := fieldpost.rejected('reply_not_found');
    v_batch.items[v_place] := v_item;
  end loop;
  v_sent := fieldpost.send_as_caller(array(
    select i::fieldpost.push_item from unnest(v_batch.items) i where i.kind = 'send_message' and i.result is null order by i.n));
  v_results := array(
    select coalesce(i.result::text, v_sent[i.n]) from unnest(v_batch.items) i order by i.n);
  for v_item in
    select i.* from unnest(v_batch.items) i where i.kind = any (fieldpost.later_kinds()) and i.result is null
    order by array_position(fieldpost.later_kinds(), i.kind), i.n
  loop
    begin
      if exists (select from unnest(v_batch.items) x where x.n < v_item.n and x.lane = v_item.lane and v_results[x.n]::jsonb ->> 'status' = 'retry') then
        v_result := '{"status":"retry","code":"after_retry"}';
      else
        v_result := fieldpost.carry_out_as_caller(v_item.kind, v_item.mutation);
      end if;
    exception
      when serialization_failure or deadlock_detected or lock_not_available then
        v_result := '{"status":"retry","code":"conflict"}';
      when insufficient_resources or disk_full or out_of_memory or too_many_connections or configuration_limit_exceeded then
        v_result := '{"status":"retry","code":"busy"}';
      when assert_failure or others then
        v_result := fieldpost.refused_by_project(sqlerrm, sqlstate);
    end;
    v_results[v_item.n] := v_result;
  end loop;
  return fieldpost.answer(fieldpost.envelope(), array['results'], array[(
    select string_agg(concat('{"id":', coalesce('"' || i.id || '"', 'null'), ',', substr(v_results[i.n], 2)), ',' order by i.n)
    from unnest(v_batch.items) i)]);
end
$$;
comment on function fieldpost.push_as_caller(int, jsonb[]) is 'fieldpost_push where policies of the project narrow what may be written.';
