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
  fieldpost.my_medics(), fieldpost.my_medic_orgs(), fieldpost.recipient_fits(uuid, uuid, uuid), fieldpost.is_admin_of(uuid), fieldpost.org_of(uuid), fieldpost.is_medic_of(uuid, uuid),
  fieldpost.trim(text), fieldpost.check_content(text, text),
  fieldpost.mark_row(public.conversation_read_status, public.conversation_read_status)
  to authenticated, service_role;

alter table public.conversations enable row level security;
alter table public.messages enable row level security;
alter table public.message_recipients enable row level security;
alter table public.conversation_read_status enable row level security;
alter table fieldpost.people enable row level security;
alter table fieldpost.tombstones enable row level security;
alter table fieldpost.access_log enable row level security;
alter table fieldpost.conversation_aliases enable row level security;
alter table fieldpost.epoch enable row level security;
alter table fieldpost.compaction enable row level security;
alter table fieldpost.runs enable row level security;

revoke all on public.conversations, public.messages, public.message_recipients, public.conversation_read_status from anon;
revoke truncate, references, trigger
  on public.conversations, public.messages, public.message_recipients, public.conversation_read_status from authenticated;
grant select, insert, update on public.conversations, public.messages, public.message_recipients,
  public.conversation_read_status to authenticated;
grant select, insert, update, delete on public.conversations, public.messages, public.message_recipients,
  public.conversation_read_status to service_role;
grant select on public.organizations, public.medics, public.profiles to authenticated;
grant select, insert, update, delete on public.organizations, public.medics, public.profiles to service_role;

do $$
declare
  v_policy record;
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
end
$$;
