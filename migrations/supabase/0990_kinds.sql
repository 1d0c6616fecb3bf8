-- The kinds of mutation: what a push does after the sends, and what the server says that it can do.
--
-- A new kind has a file of its own and a line in each list here, and nothing else of the server knows of it.

-- The kinds that are carried out one by one after the sends, in the order of these steps. Each has a file.
create or replace function fieldpost.later_kinds() returns text[]
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select array['edit_message', 'react', 'report_message', 'delete_message', 'mark_delivered', 'mark_read', 'set_conversation'] $$;
comment on function fieldpost.later_kinds() is 'What a push does after the sends, in this order.';

-- A change may name its message by the key of an older version of the app. The row that answers it has another id then, and may
-- have lost the key, so the result repeats what was named.
create or replace function fieldpost.naming(p_mutation jsonb, p_result jsonb) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select case when p_mutation ->> 'message_id' <> coalesce(p_result #>> '{message,id}', p_result #>> '{tombstone,id}')
    then p_result || jsonb_build_object('named', p_mutation ->> 'message_id') else p_result end
$$;
comment on function fieldpost.naming(jsonb, jsonb) is 'A result, with the id that the mutation named if its row has another one.';

create or replace function fieldpost.carry_out(s fieldpost.scope, p_kind text, p_mutation jsonb) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  return fieldpost.naming(p_mutation, case p_kind
    when 'edit_message' then fieldpost.edit_message(s, p_mutation)
    when 'react' then fieldpost.react(s, p_mutation)
    when 'report_message' then fieldpost.report_message(s, p_mutation)
    when 'delete_message' then fieldpost.delete_message(s, p_mutation)
    when 'mark_delivered' then fieldpost.mark_delivered(s, p_mutation)
    when 'mark_read' then fieldpost.mark_read(s, p_mutation)
    when 'set_conversation' then fieldpost.set_conversation(s, p_mutation)
  end);
end
$$;
comment on function fieldpost.carry_out(fieldpost.scope, text, jsonb) is 'Carries out one mutation of a later kind.';

create or replace function fieldpost.carry_out_as_caller(p_kind text, p_mutation jsonb) returns jsonb
language plpgsql volatile set search_path = pg_catalog, public, extensions, pg_temp
as $$
begin
  return fieldpost.naming(p_mutation, case p_kind
    when 'edit_message' then fieldpost.edit_as_caller(p_mutation)
    when 'react' then fieldpost.react_as_caller(p_mutation)
    when 'report_message' then fieldpost.report_as_caller(p_mutation)
    when 'delete_message' then fieldpost.delete_as_caller(p_mutation)
    when 'mark_delivered' then fieldpost.mark_delivered_as_caller(p_mutation)
    when 'mark_read' then fieldpost.mark_as_caller(p_mutation)
    when 'set_conversation' then fieldpost.set_as_caller(p_mutation)
  end);
end
$$;
comment on function fieldpost.carry_out_as_caller(text, jsonb) is 'Carries out one mutation of a later kind, under all policies.';

-- The index is the switch (1670_search).
create or replace function fieldpost.search_is_on() returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$ select exists (select from pg_index i where i.indexrelid = to_regclass('public.fieldpost_messages_search') and i.indisvalid) $$;
comment on function fieldpost.search_is_on() is 'Whether the index of a search is there, and complete.';

create or replace function fieldpost.capabilities() returns text[]
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select array['set_digest', 'ranges', 'edit_message', 'delete_message', 'reactions', 'reports', 'mark_delivered', 'mentions_count', 'conversation_settings', 'page_bytes', 'records', 'quiet_push']
    || case when fieldpost.search_is_on() then '{search_server}'::text[] end
    || case when fieldpost.live_is_on() then '{live}'::text[] end
$$;
grant execute on function fieldpost.search_is_on() to authenticated;
grant execute on function fieldpost.naming(jsonb, jsonb) to authenticated;
comment on function fieldpost.capabilities() is 'What this server can do beyond protocol 1.';
