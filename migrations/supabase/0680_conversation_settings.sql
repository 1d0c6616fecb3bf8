-- What a person sets for a conversation: muted, pinned, archived, marked unread. Hers alone, on all her devices.
--
-- One row for each person and conversation. Clients other than Fieldpost's write the table themselves.
--
-- What must stay true:
--  * A row is its person's: nobody else reads or writes it, admins neither.
--  * Field by field, the last change to arrive counts. A change that changes nothing is stamped with nothing.
--  * `unread_from` counts messages as unread again from there on; the read marker stays. A marker that moves takes it back, in the
--    same transaction. One that does not move is one that comes again.
--  * Whether a conversation is in the archive follows from `archived_seq` and what others have written since. No message writes a row
--    of everybody who has archived its conversation.
--  * No foreign keys: the tables that they would lead to are other people's.

create table if not exists public.conversation_settings (
  user_id uuid not null,
  conversation_id uuid not null,
  org_id uuid not null,
  muted_until timestamptz,
  pinned_at timestamptz,
  archived_at timestamptz,
  archived_seq bigint,
  unread_from bigint,
  version bigint not null default 1,
  sync_xid xid8 not null default '0',
  primary key (user_id, conversation_id)
);
comment on table public.conversation_settings is
  'Fieldpost: what a person has set for a conversation, for herself. The organization, `archived_seq` and the version are filled in.';
create index if not exists conversation_settings_feed on public.conversation_settings (user_id, sync_xid, conversation_id);
create index if not exists conversation_settings_by_conversation on public.conversation_settings (conversation_id);
alter table public.conversation_settings enable row level security;
insert into fieldpost.managed (name, how) values ('conversation_settings', 'made') on conflict do nothing;

create or replace function fieldpost.settings_before_write() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_last bigint;
  v_same public.conversation_settings;
begin
  if tg_op = 'UPDATE' then
    new.user_id := old.user_id;
    new.conversation_id := old.conversation_id;
  else
    new.user_id := coalesce(new.user_id, fieldpost.uid());
  end if;
  select c.org_id, coalesce(c.last_seq, 0) into new.org_id, v_last from public.conversations c where c.id = new.conversation_id;
  if tg_op = 'UPDATE' and new.org_id is null then
    new.org_id := old.org_id;  -- its conversation is being deleted
  end if;
  if new.archived_at is null then
    new.archived_seq := null;
  elsif tg_op = 'UPDATE' and new.archived_at is distinct from old.archived_at and new.archived_seq is not distinct from old.archived_seq then
    new.archived_seq := v_last;  -- by somebody who says when, and not after which message
  end if;
  if new.archived_at is not null then
    new.archived_seq := least(greatest(coalesce(new.archived_seq, v_last), 0), v_last);
  end if;
  if new.unread_from < 1 then
    new.unread_from := 1;
  end if;
  if tg_op = 'INSERT' then
    new.version := 1;
    new.sync_xid := pg_current_xact_id();
    return new;
  end if;
  new.version := old.version;
  new.sync_xid := old.sync_xid;
  v_same := new;
  v_same.org_id := old.org_id;
  if v_same is distinct from old then
    new.version := old.version + 1;
    new.sync_xid := pg_current_xact_id();
  end if;
  return new;
end
$$;
comment on function fieldpost.settings_before_write() is
  'Fills in what settings have from their conversation, and stamps real changes. Security definer: whoever may write settings need not be allowed to look into this schema.';

create or replace trigger aa_fieldpost_run before insert or update or delete on public.conversation_settings
  for each statement execute function fieldpost.note_run();
create or replace trigger zz_fieldpost_before_write before insert or update on public.conversation_settings
  for each row execute function fieldpost.settings_before_write();
create or replace trigger zz_fieldpost_truncate after truncate on public.conversation_settings
  for each statement execute function fieldpost.new_epoch();

-- Who has read on takes back what she marked unread, whoever writes her marker.
create or replace function fieldpost.take_back_unread() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update public.conversation_settings s set unread_from = null
  where s.user_id = new.user_id and s.conversation_id = new.conversation_id and s.unread_from is not null;
  return null;
end
$$;
comment on function fieldpost.take_back_unread() is
  'Takes back a mark as unread when its person reads on. Security definer: whoever may write markers need not be allowed to write settings.';
create or replace trigger zz_fieldpost_unread after update on public.conversation_read_status
  for each row when (new.read_seq > old.read_seq) execute function fieldpost.take_back_unread();
create or replace trigger zz_fieldpost_unread_first after insert on public.conversation_read_status
  for each row when (new.read_seq > 0) execute function fieldpost.take_back_unread();

create or replace function fieldpost.drop_settings() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'TRUNCATE' then
    delete from public.conversation_settings;
  else
    delete from public.conversation_settings s using fieldpost_old o where s.conversation_id = o.id;
  end if;
  return null;
end
$$;
comment on function fieldpost.drop_settings() is
  'Removes the settings of conversations that are deleted for good. Security definer: nobody else deletes settings.';
create or replace trigger zz_fieldpost_settings_gone after delete on public.conversations
  referencing old table as fieldpost_old for each statement execute function fieldpost.drop_settings();
create or replace trigger zz_fieldpost_settings_truncate after truncate on public.conversations
  for each statement execute function fieldpost.drop_settings();

-- The seq above which messages are unread for a person: her marker, or below it from where on she has marked them unread.
create or replace function fieldpost.unread_above(p_read bigint, p_user uuid, p_conversation uuid) returns bigint
language sql stable
as $$
  select least(coalesce(p_read, 0), (select s.unread_from - 1 from public.conversation_settings s
                                     where s.user_id = p_user and s.conversation_id = p_conversation))
$$;
comment on function fieldpost.unread_above(bigint, uuid, uuid) is 'Above which seq messages count as unread. `least` ignores what is not set.';

-- People read and write their own rows, of conversations that they see.
grant execute on function fieldpost.uid(), fieldpost.my_admin_orgs(), fieldpost.my_medic_conversations() to authenticated;
do $$
declare
  c_own constant text := 'user_id = (select fieldpost.uid())';
  c_seen constant text := c_own || ' and (org_id in (select fieldpost.my_admin_orgs()) or conversation_id in (select fieldpost.my_medic_conversations()))';
  v_policy record;
begin
  for v_policy in
    select * from (values ('select', c_own, null), ('insert', null, c_seen), ('update', c_own, c_seen), ('delete', 'false', null)) p (cmd, using_, check_)
  loop
    execute format('drop policy if exists %I on public.conversation_settings', 'fieldpost_' || v_policy.cmd);
    execute format('drop policy if exists %I on public.conversation_settings', 'fieldpost_only_' || v_policy.cmd);
    execute format('create policy %I on public.conversation_settings as restrictive for %s to authenticated%s%s', 'fieldpost_only_' || v_policy.cmd,
      v_policy.cmd, ' using (' || v_policy.using_ || ')', ' with check (' || v_policy.check_ || ')');
    execute format('create policy %I on public.conversation_settings for %s to authenticated%s%s', 'fieldpost_' || v_policy.cmd, v_policy.cmd,
      ' using (' || v_policy.using_ || ')', ' with check (' || v_policy.check_ || ')');
  end loop;
  drop policy if exists fieldpost_only_anon on public.conversation_settings;
  create policy fieldpost_only_anon on public.conversation_settings as restrictive for all to anon using (false) with check (false);
end
$$;
