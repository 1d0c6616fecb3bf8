-- mark_delivered: what is on one of a person's devices. It moves `delivered_seq` and nothing else.
--
-- What must stay true:
--  * A mark is held to what the conversation has, and never goes back: the triggers of the markers see to it.
--  * Where a push holds conversations, it waits for messages only briefly: see the triggers of messages.

-- Below deadlock_timeout: nobody is made a victim. What waited longer is tried again.
create or replace function fieldpost.wait_briefly() returns void
language sql volatile set search_path = pg_catalog, pg_temp
as $$ select set_config('lock_timeout', '200ms', true) $$;
comment on function fieldpost.wait_briefly() is 'Lets this transaction wait for a lock no longer than a deadlock takes to be found.';

-- What a mark is for, or why it cannot be.
create or replace function fieldpost.judge_delivery(s fieldpost.scope, p_mutation jsonb, out result jsonb, out conversation_id uuid, out org_id uuid, out delivered_seq bigint)
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  conversation_id := fieldpost.canonical(fieldpost.uuid_or_null(p_mutation ->> 'conversation_id'));
  delivered_seq := fieldpost.int_or_null(p_mutation -> 'delivered_seq');
  result := case
    when conversation_id is null then fieldpost.rejected('bad_request', 'conversation_id')
    when delivered_seq is null then fieldpost.rejected('bad_request', 'delivered_seq')
    when not s.member then fieldpost.rejected('forbidden', 'no membership')
  end;
  if result is null then
    select c.org_id into org_id from public.conversations c
    where c.id = judge_delivery.conversation_id and (c.org_id = any (s.admin_orgs) or c.id = any (s.conversations));
    if not found then
      result := fieldpost.rejected(fieldpost.absence(s, conversation_id));
    end if;
  end if;
end
$$;
comment on function fieldpost.judge_delivery(fieldpost.scope, jsonb) is 'What a mark_delivered is for, or why it cannot be.';

create or replace function fieldpost.marked(p_before public.conversation_read_status, p_row public.conversation_read_status) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('status', case when p_row.version is distinct from p_before.version then 'applied' else 'duplicate' end,
    'read_marker', fieldpost.marker_json(p_row))
$$;
comment on function fieldpost.marked(public.conversation_read_status, public.conversation_read_status) is 'The result of a mark.';

create or replace function fieldpost.mark_delivered(s fieldpost.scope, p_mutation jsonb) returns jsonb
language plpgsql set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  d record;
  v_before public.conversation_read_status;
  v_row public.conversation_read_status;
begin
  select * into d from fieldpost.judge_delivery(s, p_mutation);
  if d.result is not null then
    return d.result;
  end if;
  select r.* into v_before from public.conversation_read_status r where r.user_id = s.user_id and r.conversation_id = d.conversation_id for update;
  v_row := v_before;
  if v_before.user_id is null or v_before.delivered_seq < d.delivered_seq then
    perform fieldpost.wait_briefly();
    insert into public.conversation_read_status as r (user_id, conversation_id, org_id, last_read_at, delivered_seq)
    values (s.user_id, d.conversation_id, d.org_id, '1970-01-01', d.delivered_seq)
    on conflict (user_id, conversation_id) do update set delivered_seq = greatest(r.delivered_seq, excluded.delivered_seq)
    returning r.* into v_row;
  end if;
  return fieldpost.marked(v_before, v_row);
end
$$;
comment on function fieldpost.mark_delivered(fieldpost.scope, jsonb) is 'Says what is on a device of the caller''s.';

-- Where policies of the project narrow.

create or replace function fieldpost.my_delivery(p_mutation jsonb, out result jsonb, out conversation_id uuid, out org_id uuid, out delivered_seq bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select * from fieldpost.judge_delivery(fieldpost.scope_of(auth.uid()), p_mutation) $$;
comment on function fieldpost.my_delivery(jsonb) is
  'What a mark of the caller''s is for. Security definer: reads aliases, tombstones and memberships.';

create or replace function fieldpost.mark_delivered_as_caller(p_mutation jsonb) returns jsonb
language plpgsql volatile set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  d record;
  v_before public.conversation_read_status;
  v_row public.conversation_read_status;
begin
  select * into d from fieldpost.my_delivery(p_mutation);
  if d.result is not null then
    return d.result;
  end if;
  select r.* into v_before from public.conversation_read_status r
  where r.user_id = fieldpost.uid() and r.conversation_id = d.conversation_id;
  v_row := v_before;
  if v_before.user_id is null then
    insert into public.conversation_read_status as r (user_id, conversation_id, org_id, last_read_at, delivered_seq)
    values (fieldpost.uid(), d.conversation_id, d.org_id, '1970-01-01', d.delivered_seq) returning r.* into v_row;
  elsif v_before.delivered_seq < d.delivered_seq then
    update public.conversation_read_status r set delivered_seq = d.delivered_seq
    where r.user_id = fieldpost.uid() and r.conversation_id = d.conversation_id returning r.* into v_row;
  end if;
  if v_row.user_id is null then
    return fieldpost.refused_by_project('a policy of this project keeps the read marker', '42501');
  end if;
  return fieldpost.marked(v_before, v_row);
end
$$;
comment on function fieldpost.mark_delivered_as_caller(jsonb) is 'Says what is on a device of the caller''s, under all policies.';

grant execute on function fieldpost.my_delivery(jsonb), fieldpost.marked(public.conversation_read_status, public.conversation_read_status),
  fieldpost.mark_delivered_as_caller(jsonb) to authenticated;
