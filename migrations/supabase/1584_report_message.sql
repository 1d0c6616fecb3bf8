-- report_message: tells the admins of the organization about somebody else's message.
--
-- What must stay true:
--  * Whoever sees a message may report it, also where she may not write. Nobody learns of one that she does not see.
--  * A message that was deleted since can be reported still: its author does not get away by that. One that is gone for good cannot.
--  * A report that comes again is a success and changes nothing, also if the report was resolved since. The last ten mutations of a
--    row are remembered.

-- Judges a report, and finds its message. A result: that is the answer.
create or replace function fieldpost.judge_report(s fieldpost.scope, p_mutation jsonb, out result jsonb, out message_id uuid)
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_named constant uuid := fieldpost.uuid_or_null(p_mutation ->> 'message_id');
  v_lane constant uuid := fieldpost.uuid_or_null(p_mutation ->> 'conversation_id');
  v_conversation constant uuid := fieldpost.canonical(v_lane);
  v_reason constant text := p_mutation ->> 'reason';
  v_sender uuid;
begin
  result := case
    when v_named is null then fieldpost.rejected('bad_request', 'message_id')
    when v_lane is null then fieldpost.rejected('bad_request', 'conversation_id')
    when jsonb_typeof(p_mutation -> 'reason') is distinct from 'string' or not octet_length(v_reason) between 1 and 64
      or v_reason ~ '[[:space:][:cntrl:]]' then fieldpost.rejected('bad_request', 'reason')
    when coalesce(jsonb_typeof(p_mutation -> 'note'), 'null') not in ('string', 'null') then fieldpost.rejected('bad_request', 'note')
    when char_length(fieldpost.note_of(p_mutation)) > 1000 then fieldpost.rejected('note_too_long')
    when not s.member then fieldpost.rejected('forbidden', 'no membership')
  end;
  if result is not null then
    return;
  end if;
  perform 1 from public.conversations c where c.id = v_conversation and (c.org_id = any (s.admin_orgs) or c.id = any (s.conversations));
  if not found then
    result := fieldpost.rejected(fieldpost.absence(s, v_conversation));
    return;
  end if;
  select m.id, m.sender_id into message_id, v_sender from public.messages m where m.id = v_named and m.conversation_id = v_conversation;
  if not found then
    result := fieldpost.rejected(case when exists (
      select from fieldpost.tombstones t where t.entity = 'message' and t.conversation_id = v_conversation and t.id = v_named
    ) then 'message_deleted' else 'not_found' end);
  elsif v_sender = s.user_id then
    result := fieldpost.rejected('forbidden', 'her own');
  end if;
end
$$;
comment on function fieldpost.judge_report(fieldpost.scope, jsonb) is 'What becomes of a report_message, short of writing it.';

-- What a mutation says in words; null for nothing.
create or replace function fieldpost.note_of(p_mutation jsonb) returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select nullif(btrim(p_mutation ->> 'note', E' \t\n\r'), '') $$;
comment on function fieldpost.note_of(jsonb) is 'The note of a report.';

create or replace function fieldpost.write_report(p_reporter uuid, p_message uuid, p_mutation jsonb) returns jsonb
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  v_mutation constant uuid := fieldpost.uuid_or_null(p_mutation ->> 'id');
  v_before public.message_reports;
begin
  select r.* into v_before from public.message_reports r where r.message_id = p_message and r.reporter_id = p_reporter for no key update;
  if v_mutation = any (v_before.mutation_ids) then
    return '{"status":"duplicate"}';
  end if;
  insert into public.message_reports as r (message_id, reporter_id, reason, note, mutation_ids)
  values (p_message, p_reporter, p_mutation ->> 'reason', fieldpost.note_of(p_mutation), array[v_mutation])
  on conflict (message_id, reporter_id) do update set
    reason = excluded.reason, note = excluded.note, reported_at = greatest(now(), r.reported_at), resolved_at = null, resolved_by = null,
    mutation_ids = (r.mutation_ids || excluded.mutation_ids)[greatest(cardinality(r.mutation_ids) - 8, 1) :];
  return '{"status":"applied"}';
end
$$;
comment on function fieldpost.write_report(uuid, uuid, jsonb) is 'Writes a report, or that of the same person anew.';

create or replace function fieldpost.report_message(s fieldpost.scope, p_mutation jsonb) returns jsonb
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  j record;
begin
  select * into j from fieldpost.judge_report(s, p_mutation);
  return coalesce(j.result, fieldpost.write_report(s.user_id, j.message_id, p_mutation));
end
$$;
comment on function fieldpost.report_message(fieldpost.scope, jsonb) is 'Reports a message to the admins.';

-- Where policies of the project narrow. The table is Fieldpost's own, so whether the message may be read is all that they decide.

create or replace function fieldpost.my_report(p_mutation jsonb, p_write boolean, out result jsonb, out message_id uuid)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
begin
  select x.result, x.message_id into result, message_id from fieldpost.judge_report(fieldpost.scope_of(auth.uid()), p_mutation) x;
  if result is null and p_write then
    result := fieldpost.write_report(auth.uid(), message_id, p_mutation);
  end if;
end
$$;
comment on function fieldpost.my_report(jsonb, boolean) is
  'Judges a report of the caller''s, and writes it. Security definer: reads aliases, tombstones and memberships, and notes the mutation.';

create or replace function fieldpost.report_as_caller(p_mutation jsonb) returns jsonb
language plpgsql volatile set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  j record;
begin
  select * into j from fieldpost.my_report(p_mutation, false);
  if j.message_id is not null and not exists (select from public.messages m where m.id = j.message_id) then
    return fieldpost.rejected('not_found');  -- a policy hides it
  end if;
  return coalesce(j.result, (select x.result from fieldpost.my_report(p_mutation, true) x));
end
$$;
comment on function fieldpost.report_as_caller(jsonb) is 'Reports a message to the admins, under all policies.';

grant execute on function fieldpost.my_report(jsonb, boolean), fieldpost.report_as_caller(jsonb) to authenticated;
