-- Who may read and write the messaging tables through the API.
--
-- An admin sees the conversations of the organization; a medic sees her own direct conversation and the broadcasts.
-- Each table has permissive policies that say so and RESTRICTIVE ones that say the same: policies that a project
-- already has are joined to the permissive ones with OR, and an older, wider one ("everybody of the organization") must
-- not open again what is closed here.
--
-- What must stay true:
--  * `sender_id`, `created_by` and `user_id` are the caller.
--  * There is no policy to delete: deleting for good is the back end's. A person deletes a message by `deleted_at`.
--  * Columns are the triggers' business; policies decide about rows.
--  * The sets in the conditions do not depend on the row, so they are computed once per statement.
--  * Conversations are judged by their own columns: `insert … returning` asks the policy for reading about a row that
--    no function can find yet.

grant usage on schema fieldpost to authenticated, service_role;
grant execute on function
  fieldpost.uid(), fieldpost.my_admin_orgs(), fieldpost.my_direct_conversations(), fieldpost.my_medic_conversations(),
  fieldpost.my_medics(), fieldpost.my_medic_orgs(), fieldpost.recipient_fits(uuid, uuid, uuid), fieldpost.is_admin_of(uuid),
  fieldpost.org_of(uuid), fieldpost.is_medic_of(uuid, uuid)
  to authenticated, service_role;

-- Grants, on tables that Fieldpost made or adopted. On those of a project the grants are the project's.
do $$
declare
  v_table text;
begin
  for v_table in select m.name from fieldpost.managed m where m.how in ('made', 'adopted') loop
    if v_table in ('organizations', 'medics', 'profiles') then
      execute format('revoke all on public.%I from anon, authenticated', v_table);
      execute format('grant select on public.%I to authenticated', v_table);
    else
      execute format('revoke all on public.%I from anon', v_table);
      execute format('revoke truncate, references, trigger on public.%I from authenticated', v_table);
      execute format('grant select, insert, update on public.%I to authenticated', v_table);
    end if;
    execute format('grant select, insert, update, delete on public.%I to service_role', v_table);
  end loop;
end
$$;

-- Who is who, in tables that Fieldpost made: people see themselves, admins see the roster and the organization.
do $$
begin
  if not fieldpost.is_guest_in('medics') then
    drop policy if exists medics_read_self on public.medics;      -- of version 1
    drop policy if exists medics_read_as_admin on public.medics;
    drop policy if exists fieldpost_select on public.medics;
    create policy fieldpost_select on public.medics for select to authenticated
      using (user_id = (select fieldpost.uid()) or org_id in (select fieldpost.my_admin_orgs()));
  end if;
  if not fieldpost.is_guest_in('profiles') then
    drop policy if exists profiles_read_self on public.profiles;
    drop policy if exists fieldpost_select on public.profiles;
    create policy fieldpost_select on public.profiles for select to authenticated using (id = (select fieldpost.uid()));
  end if;
  if not fieldpost.is_guest_in('organizations') then
    drop policy if exists fieldpost_select on public.organizations;
    create policy fieldpost_select on public.organizations for select to authenticated
      using (id in (select fieldpost.my_admin_orgs()));
  end if;
end
$$;

-- Who may write org or role of an own profile makes herself what she likes. Where Fieldpost made the table nobody may; a project
-- whose policies let people write their profile calls `fieldpost.guard_memberships()` (docs/howto/supabase.md).
create or replace function fieldpost.refuse_own_membership() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_new constant jsonb := to_jsonb(new);
  v_old constant jsonb := case when tg_op = 'UPDATE' then to_jsonb(old) else '{}' end;
  v_column text;
begin
  foreach v_column in array tg_argv loop
    if v_new -> v_column is distinct from coalesce(v_old -> v_column, 'null') then
      raise insufficient_privilege using
        message = format('%s of %s decides who may read what: people do not change it themselves', v_column, tg_table_name),
        hint = 'Change it with the service key, or as the owner of the table.';
    end if;
  end loop;
  return new;
end
$$;
comment on function fieldpost.refuse_own_membership() is
  'Refuses a client''s change of the columns that make a membership. Security definer: roles of a project''s own may not look into this schema.';

create or replace function fieldpost.guard_memberships() returns setof text
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  create or replace trigger zz_fieldpost_guard before insert or update on public.profiles for each row
    when (current_user in ('anon', 'authenticated'))
    execute function fieldpost.refuse_own_membership('org_id', 'role');
  return next 'public.profiles: people change neither org_id nor role';
  create or replace trigger zz_fieldpost_guard before insert or update on public.medics for each row
    when (current_user in ('anon', 'authenticated'))
    execute function fieldpost.refuse_own_membership('org_id', 'user_id');
  return next 'public.medics: people change neither org_id nor user_id';
end
$$;
comment on function fieldpost.guard_memberships() is
  'Keeps people from making themselves members: triggers on profiles and medics. Says what it did.';

do $$
begin
  if not fieldpost.is_guest_in('profiles') and not fieldpost.is_guest_in('medics') then
    perform fieldpost.guard_memberships();
  end if;
end
$$;

do $$
declare
  v_policy record;
  v_table text;
begin
  for v_policy in
    select * from (values
      ('conversations', 'select',
       'org_id in (select fieldpost.my_admin_orgs())'
       ' or (type = ''broadcast'' and org_id in (select fieldpost.my_medic_orgs()))'
       ' or (type = ''direct'' and (org_id, medic_id) in (select m.org_id, m.medic_id from fieldpost.my_medics() m))', null),
      ('conversations', 'insert', null,
       'created_by = (select fieldpost.uid()) and ('
       '(org_id in (select fieldpost.my_admin_orgs()) and (type = ''broadcast'' and medic_id is null'
       '   or type = ''direct'' and fieldpost.is_medic_of(medic_id, org_id)))'
       ' or (type = ''direct'' and (org_id, medic_id) in ('
       '   select m.org_id, m.medic_id from fieldpost.my_medics() m)))'),
      ('conversations', 'update',
       'org_id in (select fieldpost.my_admin_orgs())'
       ' or (type = ''direct'' and (org_id, medic_id) in (select m.org_id, m.medic_id from fieldpost.my_medics() m))',
       '(org_id in (select fieldpost.my_admin_orgs()) and (type = ''broadcast'' or medic_id is null'
       '   or fieldpost.is_medic_of(medic_id, org_id)))'
       ' or (type = ''direct'' and (org_id, medic_id) in (select m.org_id, m.medic_id from fieldpost.my_medics() m))'),
      ('messages', 'select',
       'org_id in (select fieldpost.my_admin_orgs()) or conversation_id in (select fieldpost.my_medic_conversations())', null),
      ('messages', 'insert', null,
       'sender_id = (select fieldpost.uid()) and message_type <> ''system'''
       ' and org_id = fieldpost.org_of(conversation_id)'
       ' and (org_id in (select fieldpost.my_admin_orgs()) or conversation_id in (select fieldpost.my_direct_conversations()))'),
      ('messages', 'update',
       'org_id in (select fieldpost.my_admin_orgs()) or conversation_id in (select fieldpost.my_direct_conversations())',
       'org_id in (select fieldpost.my_admin_orgs()) or conversation_id in (select fieldpost.my_direct_conversations())'),
      ('message_recipients', 'select',
       'recipient_id = (select fieldpost.uid()) or org_id in (select fieldpost.my_admin_orgs())', null),
      ('message_recipients', 'insert', null,
       'org_id in (select fieldpost.my_admin_orgs()) and fieldpost.recipient_fits(message_id, recipient_id, org_id)'),
      ('message_recipients', 'update', 'recipient_id = (select fieldpost.uid())', 'recipient_id = (select fieldpost.uid())'),
      ('conversation_read_status', 'select', 'user_id = (select fieldpost.uid())', null),
      ('conversation_read_status', 'insert', null,
       'user_id = (select fieldpost.uid()) and org_id = fieldpost.org_of(conversation_id)'
       ' and (org_id in (select fieldpost.my_admin_orgs()) or conversation_id in (select fieldpost.my_medic_conversations()))'),
      ('conversation_read_status', 'update', 'user_id = (select fieldpost.uid())',
       'user_id = (select fieldpost.uid())'
       ' and (org_id in (select fieldpost.my_admin_orgs()) or conversation_id in (select fieldpost.my_medic_conversations()))'),
      ('conversations', 'delete', 'false', null),
      ('messages', 'delete', 'false', null),
      ('message_recipients', 'delete', 'false', null),
      ('conversation_read_status', 'delete', 'false', null)
    ) as p (tab, cmd, using_, check_)
  loop
    execute format('drop policy if exists %I on public.%I', 'fieldpost_' || v_policy.cmd, v_policy.tab);
    execute format('drop policy if exists %I on public.%I', 'fieldpost_only_' || v_policy.cmd, v_policy.tab);
    -- format() prints nothing for the half that a command does not have.
    execute format('create policy %I on public.%I as restrictive for %s to authenticated%s%s',
      'fieldpost_only_' || v_policy.cmd, v_policy.tab, v_policy.cmd,
      ' using (' || v_policy.using_ || ')', ' with check (' || v_policy.check_ || ')');
    execute format('create policy %I on public.%I for %s to authenticated%s%s',
      'fieldpost_' || v_policy.cmd, v_policy.tab, v_policy.cmd,
      ' using (' || v_policy.using_ || ')', ' with check (' || v_policy.check_ || ')');
  end loop;
  -- A grant to anon that a restored dump or a project brings opens nothing.
  foreach v_table in array array['conversations', 'messages', 'message_recipients', 'conversation_read_status'] loop
    execute format('drop policy if exists fieldpost_only_anon on public.%I', v_table);
    execute format('create policy fieldpost_only_anon on public.%I as restrictive for all to anon using (false) with check (false)', v_table);
  end loop;
end
$$;
