-- Reports: what people tell the admins of their organization about a message of somebody else.
--
-- One row for each message and reporter. Another report of the same person takes the words of the row and opens it again. Clients
-- other than Fieldpost's write the table themselves: they name the message, the reason and a note.
--
-- What must stay true:
--  * A person reports in her own name, what others wrote, and what she may read. She sees her own rows; an admin sees those of the
--    organization. Nobody else sees any, and reports are in no page of a device.
--  * What the message said when it was first reported is kept in `fieldpost.reported_texts`, for admins alone, who get it from
--    `fieldpost_reports`. An edit or a deletion after that does not change it. (A column of the row would be the reporter's to read
--    after the author has taken the words back.)
--  * A report that comes again, because its answer was lost, changes nothing: the row remembers the mutations that wrote it. So it
--    does not open what an admin has dealt with.
--  * The reporter writes reason and note, an admin whether it is resolved, and nobody anything else.
--  * Reports outlast their message, and leave with its conversation.

create table if not exists public.message_reports (
  id uuid primary key default gen_random_uuid(),
  message_id uuid not null,
  reporter_id uuid not null,
  reason text not null,
  note text,
  conversation_id uuid not null,
  org_id uuid not null,
  sender_id uuid,
  reported_at timestamptz not null default now(),
  resolved_at timestamptz,
  resolved_by uuid,
  mutation_ids uuid[] not null default '{}',
  constraint message_reports_one_of_each unique (message_id, reporter_id),
  constraint message_reports_reason check (octet_length(reason) between 1 and 64 and reason !~ '[[:space:][:cntrl:]]'),
  constraint message_reports_note check (char_length(note) <= 1000)
);
comment on table public.message_reports is
  'Fieldpost: reports of messages to the admins. Name message, reason (spam, harassment, inappropriate, other) and a note; the rest is filled in. Admins set `resolved_at`.';
create index if not exists message_reports_open on public.message_reports (org_id, reported_at desc, id desc) where resolved_at is null;
create index if not exists message_reports_resolved on public.message_reports (org_id, reported_at desc, id desc) where resolved_at is not null;
create index if not exists message_reports_by_conversation on public.message_reports (conversation_id);
create index if not exists message_reports_by_reporter on public.message_reports (reporter_id);
alter table public.message_reports enable row level security;
insert into fieldpost.managed (name, how) values ('message_reports', 'made') on conflict do nothing;

create table if not exists fieldpost.reported_texts (
  report_id uuid primary key,
  content text not null
);
comment on table fieldpost.reported_texts is 'What messages said when they were reported.';

create or replace function fieldpost.reports_before_insert() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_client constant boolean := tg_argv[0] = 'client';
  v_message record;
begin
  new.reporter_id := coalesce(new.reporter_id, fieldpost.uid());
  new.note := nullif(btrim(new.note, E' \t\n\r'), '');
  select m.conversation_id, m.org_id, m.sender_id into v_message from public.messages m where m.id = new.message_id;
  if found or v_client then  -- a restore may bring reports of messages that are gone
    new.conversation_id := v_message.conversation_id;
    new.org_id := v_message.org_id;
    new.sender_id := v_message.sender_id;
  end if;
  if v_client then
    new.id := gen_random_uuid();
    new.mutation_ids := '{}';
    new.reported_at := now();
    new.resolved_at := null;
    new.resolved_by := null;
  end if;
  return new;
end
$$;
comment on function fieldpost.reports_before_insert() is
  'Fills in what a report has from its message. Security definer: whoever reports need not be allowed to read every column of messages.';

create or replace function fieldpost.reports_after_insert() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into fieldpost.reported_texts (report_id, content)
  select n.id, left(m.content::text, 5000) from fieldpost_new n join public.messages m on m.id = n.message_id
  where m.deleted_at is null and m.content is not null
  on conflict do nothing;
  return null;
end
$$;
comment on function fieldpost.reports_after_insert() is
  'Keeps what the message says now. Security definer: nobody else writes these texts.';

-- A client: the reporter says something else, which opens the report, or an admin has dealt with it. Back ends say what they like.
create or replace function fieldpost.reports_before_update() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v constant public.message_reports := new;
  v_me constant uuid := fieldpost.uid();
  v_note constant text := nullif(btrim(new.note, E' \t\n\r'), '');
begin
  new := old;
  if tg_argv[0] <> 'client' then
    new.reason := v.reason;
    new.note := v_note;
    new.mutation_ids := v.mutation_ids;
    new.reported_at := v.reported_at;
    new.resolved_at := v.resolved_at;
    new.resolved_by := v.resolved_by;
  elsif old.reporter_id = v_me and (v.reason, v_note) is distinct from (old.reason, old.note) then
    new.reason := v.reason;
    new.note := v_note;
    new.reported_at := greatest(now(), old.reported_at);
    new.resolved_at := null;
    new.resolved_by := null;
  elsif (v.resolved_at is null) is distinct from (old.resolved_at is null) and fieldpost.is_admin_of(old.org_id) then
    new.resolved_at := case when v.resolved_at is not null then now() end;
    new.resolved_by := case when v.resolved_at is not null then v_me end;
  end if;
  return new;
end
$$;
comment on function fieldpost.reports_before_update() is
  'Lets a reporter change her words and an admin resolve, and restores the rest. Security definer: asks who is an admin.';

-- As for reactions: a client comes through the API, and policies apply to it.
do $$
declare
  c_client constant text := 'row_security_active(''public.message_reports''::regclass) and coalesce(nullif(current_setting(''request.jwt.claims'', true), ''''), '
    'nullif(current_setting(''request.jwt.claim.sub'', true), '''')) is not null';
  v_op text;
begin
  foreach v_op in array array['insert', 'update'] loop
    execute format('create or replace trigger zz_fieldpost_before_%s before %s on public.message_reports for each row when (not (%s)) '
      'execute function fieldpost.reports_before_%s(''back_end'')', v_op, v_op, c_client, v_op);
    execute format('create or replace trigger zz_fieldpost_before_%s_client before %s on public.message_reports for each row when (%s) '
      'execute function fieldpost.reports_before_%s(''client'')', v_op, v_op, c_client, v_op);
  end loop;
end
$$;
create or replace trigger zz_fieldpost_after_insert after insert on public.message_reports
  referencing new table as fieldpost_new for each statement execute function fieldpost.reports_after_insert();

create or replace function fieldpost.reports_after_delete() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  delete from fieldpost.reported_texts t using fieldpost_old o where t.report_id = o.id;
  return null;
end
$$;
comment on function fieldpost.reports_after_delete() is
  'Removes what is kept with reports. Security definer: nobody else writes these texts.';
create or replace trigger zz_fieldpost_after_delete after delete on public.message_reports
  referencing old table as fieldpost_old for each statement execute function fieldpost.reports_after_delete();

create or replace function fieldpost.drop_reports() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'TRUNCATE' then
    delete from public.message_reports;
  else
    delete from public.message_reports r using fieldpost_old o where r.conversation_id = o.id;
  end if;
  return null;
end
$$;
comment on function fieldpost.drop_reports() is
  'Removes the reports of conversations that are deleted for good. Security definer: nobody else deletes reports.';
create or replace trigger zz_fieldpost_reports_gone after delete on public.conversations
  referencing old table as fieldpost_old for each statement execute function fieldpost.drop_reports();
create or replace trigger zz_fieldpost_reports_truncate after truncate on public.conversations
  for each statement execute function fieldpost.drop_reports();

-- Whoever sees a message, under all policies, reports it unless it is her own. A reporter sees her rows, an admin the organization's.
grant execute on function fieldpost.uid(), fieldpost.my_admin_orgs(), fieldpost.my_medic_conversations() to authenticated;
do $$
declare
  c_admin constant text := 'org_id in (select fieldpost.my_admin_orgs())';
  c_own constant text := 'reporter_id = (select fieldpost.uid()) and (' || c_admin || ' or conversation_id in (select fieldpost.my_medic_conversations()))';
  c_new constant text := c_own || ' and sender_id is distinct from reporter_id and exists (select from public.messages m where m.id = message_reports.message_id)';
  c_either constant text := c_admin || ' or ' || c_own;
  v_policy record;
begin
  for v_policy in
    select * from (values ('select', c_either, null), ('insert', null, c_new), ('update', c_either, c_either), ('delete', 'false', null)) p (cmd, using_, check_)
  loop
    execute format('drop policy if exists %I on public.message_reports', 'fieldpost_' || v_policy.cmd);
    execute format('drop policy if exists %I on public.message_reports', 'fieldpost_only_' || v_policy.cmd);
    execute format('create policy %I on public.message_reports as restrictive for %s to authenticated%s%s', 'fieldpost_only_' || v_policy.cmd,
      v_policy.cmd, ' using (' || v_policy.using_ || ')', ' with check (' || v_policy.check_ || ')');
    execute format('create policy %I on public.message_reports for %s to authenticated%s%s', 'fieldpost_' || v_policy.cmd, v_policy.cmd,
      ' using (' || v_policy.using_ || ')', ' with check (' || v_policy.check_ || ')');
  end loop;
  drop policy if exists fieldpost_only_anon on public.message_reports;
  create policy fieldpost_only_anon on public.message_reports as restrictive for all to anon using (false) with check (false);
end
$$;
