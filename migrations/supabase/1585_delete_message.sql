-- delete_message: takes away the content of a message, by its author or by an admin of the organization. The row stays.
--
-- What must stay true:
--  * The conversation is locked first, then the message, and that without waiting: see the triggers of messages.
--  * What is deleted already is a success, before any rights are asked: a deletion whose answer was lost may come again.
--  * Nobody learns of a message in a conversation that she does not see.

-- Judges a deletion, and finds and locks its message. A result: that is the answer.
create or replace function fieldpost.judge_deletion(s fieldpost.scope, p_mutation jsonb, out result jsonb, out message_id uuid)
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_named constant uuid := fieldpost.uuid_or_null(p_mutation ->> 'message_id');
  v_lane constant uuid := fieldpost.uuid_or_null(p_mutation ->> 'conversation_id');
  v_conversation constant uuid := fieldpost.canonical(v_lane);
  v_admin boolean;
  v_writes boolean;
  v_row public.messages;
begin
  result := case
    when v_named is null then fieldpost.rejected('bad_request', 'message_id')
    when v_lane is null then fieldpost.rejected('bad_request', 'conversation_id')
    when not s.member then fieldpost.rejected('forbidden', 'no membership')
  end;
  if result is not null then
    return;
  end if;
  select c.org_id = any (s.admin_orgs), c.org_id = any (s.admin_orgs) or c.id = any (s.directs) into v_admin, v_writes
  from public.conversations c
  where c.id = v_conversation and (c.org_id = any (s.admin_orgs) or c.id = any (s.conversations)) for no key update;
  if not found then
    result := fieldpost.rejected(fieldpost.absence(s, v_conversation));
    return;
  end if;

  select m.* into v_row from public.messages m
  where m.id = v_named and m.conversation_id = v_conversation for no key update nowait;
  if not found then  -- sent by an older version of the app, under a key
    select m.* into v_row from public.messages m
    where m.sender_id = s.user_id and m.client_key = v_named::text and m.conversation_id = v_conversation for no key update nowait;
  end if;
  if not found then
    select jsonb_build_object('status', 'duplicate', 'tombstone', fieldpost.tombstone_json(t)) into result from fieldpost.tombstones t
    where t.conversation_id = v_conversation and ((t.entity = 'message' and t.id = v_named) or t.client_key = v_named::text) limit 1;
    result := coalesce(result, fieldpost.rejected('not_found'));
    return;
  end if;

  message_id := v_row.id;
  result := case
    when v_row.deleted_at is not null then jsonb_build_object('status', 'duplicate', 'message', fieldpost.message_json(v_row))
    when v_admin then null
    when v_row.sender_id is distinct from s.user_id or v_row.message_type::text = 'system' then fieldpost.rejected('forbidden', 'not hers')
    when not v_writes then fieldpost.rejected('forbidden', 'read only')
  end;
end
$$;
comment on function fieldpost.judge_deletion(fieldpost.scope, jsonb) is 'What becomes of a delete_message, short of deleting the message.';

create or replace function fieldpost.delete_message(s fieldpost.scope, p_mutation jsonb) returns jsonb
language plpgsql set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  d record;
  v_row public.messages;
begin
  select * into d from fieldpost.judge_deletion(s, p_mutation);
  if d.result is not null then
    return d.result;
  end if;
  update public.messages m set deleted_at = now() where m.id = d.message_id returning m.* into v_row;
  if not found or v_row.deleted_at is null then
    return fieldpost.refused_by_project('a trigger of this project dropped the change', 'no row');
  end if;
  return jsonb_build_object('status', 'applied', 'message', fieldpost.message_json(v_row));
end
$$;
comment on function fieldpost.delete_message(fieldpost.scope, jsonb) is 'Takes away the content of a message.';

-- Where policies of the project narrow.

create or replace function fieldpost.my_deletion(p_mutation jsonb, out result jsonb, out message_id uuid)
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$ select * from fieldpost.judge_deletion(fieldpost.scope_of(auth.uid()), p_mutation) $$;
comment on function fieldpost.my_deletion(jsonb) is
  'Judges a deletion of the caller''s. Security definer: reads aliases, tombstones and memberships, and locks the conversation.';

create or replace function fieldpost.my_deleted(p_message uuid) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('status', 'applied', 'message', fieldpost.message_json(m)) from public.messages m
  where m.id = p_message and m.deleted_at is not null and m.sync_xid = pg_current_xact_id()
    and (m.sender_id = auth.uid() or fieldpost.is_admin_of(m.org_id))
$$;
comment on function fieldpost.my_deleted(uuid) is
  'The result of a deletion that the caller has made in this transaction. Security definer: a project may let nobody read all columns.';

create or replace function fieldpost.delete_as_caller(p_mutation jsonb) returns jsonb
language plpgsql volatile set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  d record;
  v_rows bigint;
begin
  select * into d from fieldpost.my_deletion(p_mutation);
  if d.message_id is not null and not exists (select from public.messages m where m.id = d.message_id) then
    return fieldpost.rejected('not_found');  -- a policy hides it
  elsif d.result is not null then
    return d.result;
  end if;
  update public.messages m set deleted_at = now() where m.id = d.message_id;
  get diagnostics v_rows = row_count;
  return coalesce(case when v_rows > 0 then fieldpost.my_deleted(d.message_id) end,
    fieldpost.refused_by_project('a policy or trigger of this project keeps the message as it is', 'no row'));
end
$$;
comment on function fieldpost.delete_as_caller(jsonb) is 'Takes away the content of a message, under all policies.';

grant execute on function fieldpost.my_deletion(jsonb), fieldpost.my_deleted(uuid), fieldpost.delete_as_caller(jsonb) to authenticated;
