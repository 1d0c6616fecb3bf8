-- set_conversation: what a person sets for a conversation, for herself.
--
-- What must stay true:
--  * A field that is not named stays; null takes its value away. Arrival decides, field by field.
--  * What changes nothing is a success, so it can come again.

-- Judges a change, and finds its conversation. A result: that is the answer.
create or replace function fieldpost.judge_settings(s fieldpost.scope, p_mutation jsonb, out result jsonb, out conversation_id uuid, out org_id uuid)
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  v_lane constant uuid := fieldpost.uuid_or_null(p_mutation ->> 'conversation_id');
  v_field text;
begin
  result := case
    when v_lane is null then fieldpost.rejected('bad_request', 'conversation_id')
    when not s.member then fieldpost.rejected('forbidden', 'no membership')
  end;
  foreach v_field in array array['muted_until', 'pinned_at', 'archived_at'] loop
    if result is null and jsonb_typeof(p_mutation -> v_field) <> 'null'
       and (jsonb_typeof(p_mutation -> v_field) <> 'string' or fieldpost.careful_time(p_mutation ->> v_field) is null) then
      result := fieldpost.rejected('bad_request', v_field);
    end if;
  end loop;
  foreach v_field in array array['archived_seq', 'unread_from'] loop
    if result is null and jsonb_typeof(p_mutation -> v_field) <> 'null'
       and coalesce(fieldpost.int_or_null(p_mutation -> v_field), -1) < (case v_field when 'unread_from' then 1 else 0 end) then
      result := fieldpost.rejected('bad_request', v_field);
    end if;
  end loop;
  if result is not null then
    return;
  end if;
  conversation_id := fieldpost.canonical(v_lane);
  select c.org_id into org_id from public.conversations c
  where c.id = judge_settings.conversation_id and (c.org_id = any (s.admin_orgs) or c.id = any (s.conversations));
  if not found then
    result := fieldpost.rejected(fieldpost.absence(s, conversation_id));
  end if;
end
$$;
comment on function fieldpost.judge_settings(fieldpost.scope, jsonb) is 'What becomes of a set_conversation, short of writing it.';

-- Writes it, as whoever calls.
create or replace function fieldpost.write_settings(p_user uuid, p_conversation uuid, p_org uuid, p_mutation jsonb) returns jsonb
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  v_before public.conversation_settings;
  v_row public.conversation_settings;
  m constant jsonb := p_mutation;
begin
  select k.* into v_before from public.conversation_settings k where k.user_id = p_user and k.conversation_id = p_conversation for update;
  if not found and num_nonnulls(m ->> 'muted_until', m ->> 'pinned_at', m ->> 'archived_at', m ->> 'unread_from') = 0 then
    return jsonb_build_object('status', 'duplicate', 'settings', jsonb_build_object('conversation_id', p_conversation, 'version', 0));
  end if;
  insert into public.conversation_settings as k (user_id, conversation_id, org_id, muted_until, pinned_at, archived_at, archived_seq, unread_from)
  values (p_user, p_conversation, p_org, (m ->> 'muted_until')::timestamptz, (m ->> 'pinned_at')::timestamptz, (m ->> 'archived_at')::timestamptz,
          (m ->> 'archived_seq')::bigint, (m ->> 'unread_from')::bigint)
  on conflict (user_id, conversation_id) do update set
    muted_until = case when m ? 'muted_until' then excluded.muted_until else k.muted_until end,
    pinned_at = case when m ? 'pinned_at' then excluded.pinned_at else k.pinned_at end,
    archived_at = case when m ? 'archived_at' then excluded.archived_at else k.archived_at end,
    archived_seq = case when m ? 'archived_at' then excluded.archived_seq else k.archived_seq end,
    unread_from = case when m ? 'unread_from' then excluded.unread_from else k.unread_from end
  returning k.* into v_row;
  if v_row.user_id is null then
    return fieldpost.refused_by_project('a trigger of this project dropped the change', 'no row');
  end if;
  return jsonb_build_object('status', case when v_row.version = v_before.version then 'duplicate' else 'applied' end,
                            'settings', fieldpost.settings_text(v_row)::jsonb);
end
$$;
comment on function fieldpost.write_settings(uuid, uuid, uuid, jsonb) is 'Changes what a person has set for a conversation.';

create or replace function fieldpost.set_conversation(s fieldpost.scope, p_mutation jsonb) returns jsonb
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  t record;
begin
  select * into t from fieldpost.judge_settings(s, p_mutation);
  return coalesce(t.result, fieldpost.write_settings(s.user_id, t.conversation_id, t.org_id, p_mutation));
end
$$;
comment on function fieldpost.set_conversation(fieldpost.scope, jsonb) is 'Changes what the caller has set for a conversation.';

-- Where policies of the project narrow.

create or replace function fieldpost.my_setting(p_mutation jsonb, out result jsonb, out conversation_id uuid, out org_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select * from fieldpost.judge_settings(fieldpost.scope_of(auth.uid()), p_mutation) $$;
comment on function fieldpost.my_setting(jsonb) is
  'Judges a change of the caller''s settings. Security definer: reads aliases, tombstones and memberships.';

create or replace function fieldpost.set_as_caller(p_mutation jsonb) returns jsonb
language plpgsql volatile set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  t record;
begin
  select * into t from fieldpost.my_setting(p_mutation);
  if t.result is null and not exists (select from public.conversations c where c.id = t.conversation_id) then
    return fieldpost.rejected('not_found');  -- a policy hides it
  end if;
  return coalesce(t.result, fieldpost.write_settings(fieldpost.uid(), t.conversation_id, t.org_id, p_mutation));
end
$$;
comment on function fieldpost.set_as_caller(jsonb) is 'Changes what the caller has set for a conversation, under all policies.';

grant execute on function fieldpost.my_setting(jsonb), fieldpost.set_as_caller(jsonb), fieldpost.write_settings(uuid, uuid, uuid, jsonb),
  fieldpost.settings_text(public.conversation_settings), fieldpost.unread_above(bigint, uuid, uuid) to authenticated;
