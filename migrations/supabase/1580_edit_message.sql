-- edit_message: another text, and other mentions, of a message that its author sent.
--
-- What must stay true:
--  * The conversation is locked first, then the message, and that without waiting: see the triggers of messages.
--  * Two edits: the later one to arrive counts. One that would change nothing is a success, so an edit whose answer was lost may
--    come again. What was deleted stays deleted.
--  * Nobody learns of a message in a conversation that she does not see.

-- Judges an edit, and finds and locks its message. A result: that is the answer.
create or replace function fieldpost.judge_edit(s fieldpost.scope, p_mutation jsonb, out result jsonb, out message_id uuid)
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_named constant uuid := fieldpost.uuid_or_null(p_mutation ->> 'message_id');
  v_lane constant uuid := fieldpost.uuid_or_null(p_mutation ->> 'conversation_id');
  v_conversation constant uuid := fieldpost.canonical(v_lane);
  v_content constant text := coalesce(p_mutation ->> 'content', '');
  v_writes boolean;
  v_row public.messages;
begin
  result := case
    when v_named is null then fieldpost.rejected('bad_request', 'message_id')
    when v_lane is null then fieldpost.rejected('bad_request', 'conversation_id')
    when jsonb_typeof(p_mutation -> 'content') not in ('string', 'null') then fieldpost.rejected('bad_request', 'content')
    else coalesce(fieldpost.mentions_fault(p_mutation -> 'mentions'), case when not s.member then fieldpost.rejected('forbidden', 'no membership') end)
  end;
  if result is not null then
    return;
  end if;
  select c.org_id = any (s.admin_orgs) or c.id = any (s.directs) into v_writes from public.conversations c
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
    result := fieldpost.rejected(case when exists (
      select from fieldpost.tombstones t where t.entity = 'message' and t.conversation_id = v_conversation and t.id = v_named
      union all
      select from fieldpost.tombstones t where t.conversation_id = v_conversation and t.client_key = v_named::text
    ) then 'message_deleted' else 'not_found' end);
    return;
  end if;

  message_id := v_row.id;
  result := case
    when v_row.deleted_at is not null then fieldpost.rejected('message_deleted')
    when v_row.sender_id is distinct from s.user_id or v_row.message_type::text not in ('text', 'attachment') then fieldpost.rejected('forbidden', 'not hers')
    when coalesce(v_row.content, '') = v_content and fieldpost.few(v_row.mentions) is not distinct from fieldpost.mentions(p_mutation)
      then jsonb_build_object('status', 'duplicate', 'message', fieldpost.message_json(v_row))
    when not v_writes then fieldpost.rejected('forbidden', 'read only')
    when v_row.message_type::text = 'text' and fieldpost.is_blank(v_content) then fieldpost.rejected('content_empty')
    when char_length(v_content) > 5000 then fieldpost.rejected('content_too_long')
    when v_content <> fieldpost.trim(v_content) then fieldpost.rejected('not_trimmed')
    when fieldpost.names_strangers(v_conversation, fieldpost.mentions(p_mutation), v_row.mentions) then fieldpost.rejected('mention_not_allowed')
  end;
end
$$;
comment on function fieldpost.judge_edit(fieldpost.scope, jsonb) is 'What becomes of an edit_message, short of changing the message.';

create or replace function fieldpost.edit_message(s fieldpost.scope, p_mutation jsonb) returns jsonb
language plpgsql set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  e record;
  v_row public.messages;
begin
  select * into e from fieldpost.judge_edit(s, p_mutation);
  if e.result is not null then
    return e.result;
  end if;
  update public.messages m set content = coalesce(p_mutation ->> 'content', ''), mentions = fieldpost.mentions(p_mutation)
  where m.id = e.message_id returning m.* into v_row;
  if not found then
    return fieldpost.refused_by_project('a trigger of this project dropped the change', 'no row');
  end if;
  return jsonb_build_object('status', 'applied', 'message', fieldpost.message_json(v_row));
end
$$;
comment on function fieldpost.edit_message(fieldpost.scope, jsonb) is 'Changes the text and the mentions of a message.';

-- Where policies of the project narrow.

create or replace function fieldpost.my_edit(p_mutation jsonb, out result jsonb, out message_id uuid)
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$ select * from fieldpost.judge_edit(fieldpost.scope_of(auth.uid()), p_mutation) $$;
comment on function fieldpost.my_edit(jsonb) is
  'Judges an edit of the caller''s. Security definer: reads aliases, tombstones and memberships, and locks the conversation.';

create or replace function fieldpost.my_edited(p_message uuid) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('status', 'applied', 'message', fieldpost.message_json(m)) from public.messages m
  where m.id = p_message and m.sender_id = auth.uid() and m.sync_xid = pg_current_xact_id()
$$;
comment on function fieldpost.my_edited(uuid) is
  'The result of an edit that the caller has made in this transaction. Security definer: a project may let nobody read all columns.';

create or replace function fieldpost.edit_as_caller(p_mutation jsonb) returns jsonb
language plpgsql volatile set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  e record;
begin
  select * into e from fieldpost.my_edit(p_mutation);
  if e.message_id is not null and not exists (select from public.messages m where m.id = e.message_id) then
    return fieldpost.rejected('not_found');  -- a policy hides it
  elsif e.result is not null then
    return e.result;
  end if;
  update public.messages m set content = coalesce(p_mutation ->> 'content', ''), mentions = fieldpost.mentions(p_mutation)
  where m.id = e.message_id;
  if not found then
    return fieldpost.refused_by_project('a policy or trigger of this project keeps the message as it is', 'no row');
  end if;
  return fieldpost.my_edited(e.message_id);
end
$$;
comment on function fieldpost.edit_as_caller(jsonb) is 'Changes the text and the mentions of a message of the caller''s, under all policies.';

grant execute on function fieldpost.my_edit(jsonb), fieldpost.my_edited(uuid), fieldpost.edit_as_caller(jsonb) to authenticated;
