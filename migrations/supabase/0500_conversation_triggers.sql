-- Conversations: stamps, immutable columns, tombstones, and the end of an epoch.
--
-- What must stay true: a message never changes its conversation's stamp or version. Messages are many and travel by
-- themselves; a conversation that was sent again with each of them would double the feed. So a change of nothing but
-- last_seq and the last_message columns, which clients are given freshly derived with every page, is no change here.

-- The ids of deleted conversations, for ever: a tombstone may be compacted away, and a device that slept through all of that must
-- still not open the conversation anew under its id. The rest says who could see it.
create table if not exists fieldpost.deleted_conversations (
  id uuid primary key,
  org_id uuid not null,
  medic_id uuid,
  broadcast boolean not null
);
insert into fieldpost.deleted_conversations (id, org_id, medic_id, broadcast)
select t.id, t.org_id, t.medic_id, coalesce(t.type = 'broadcast', false) from fieldpost.tombstones t where t.entity = 'conversation'
on conflict (id) do nothing;
comment on table fieldpost.deleted_conversations is 'Ids that were those of conversations. Never compacted.';

-- A subject that no list can show is kept, and travels as omitted.
create or replace function fieldpost.subject_excess(p_subject text) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select case when char_length(p_subject) > 500 then jsonb_build_object('reason', 'subject_too_long', 'bytes', octet_length(p_subject)) end
$$;
comment on function fieldpost.subject_excess(text) is 'Whether a subject exceeds the limit, and by how many bytes it is there; null within.';

-- Two triggers call it, and the one for updates, with `client` or `back_end`, and with `own` or `guest`: whose the table is.
create or replace function fieldpost.conversations_before_insert() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_argv[0] = 'client' then
    new.created_at := now();
    new.last_message_at := null;
    new.last_message_preview := null;
  end if;
  new.created_at := coalesce(new.created_at, now());
  new.omitted := case when char_length(new.subject) > 500 then fieldpost.subject_excess(new.subject) end;  -- a call costs more than the rest
  if new.omitted is not null and tg_argv[0] = 'client' and tg_argv[1] = 'own' then
    raise check_violation using message = 'subject_too_long', constraint = 'fieldpost_subject', table = 'conversations', schema = 'public';
  end if;
  new.updated_at := new.created_at;
  new.last_seq := 0;
  new.version := 1;
  new.sync_xid := pg_current_xact_id();
  return new;
end
$$;
comment on function fieldpost.conversations_before_insert() is
  'Gives a new conversation the columns that only the server may set. Security definer: whoever may write conversations need not be allowed to look into this schema.';

create or replace function fieldpost.conversations_after_insert() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  -- (Scalar subqueries, looked up by id: as a join, one large statement would be planned for all the next ones.)
  if exists (select from fieldpost_new n
             where (select true from fieldpost.deleted_conversations d where d.id = n.id)
                or (select true from fieldpost.conversation_aliases a where a.alias_id = n.id)) then
    raise unique_violation using message = 'the id belongs to another conversation, or to one that was deleted';
  end if;
  return null;
end
$$;
comment on function fieldpost.conversations_after_insert() is
  'Refuses ids of aliases and of deleted conversations. Security definer: reads tables that clients may not read.';

create or replace function fieldpost.conversations_before_update() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_same public.conversations;
  -- A function of this schema tells everybody of the row again: what is derived from other tables has changed.
  v_again constant boolean := tg_argv[0] <> 'client' and new.version = old.version + 1 and new.sync_xid = pg_current_xact_id();
begin
  new.id := old.id;
  new.org_id := old.org_id;
  new.type := old.type;
  new.created_at := old.created_at;
  new.version := old.version;
  new.sync_xid := old.sync_xid;
  new.updated_at := old.updated_at;
  if new.subject is distinct from old.subject or new.omitted is distinct from old.omitted then
    new.omitted := fieldpost.subject_excess(new.subject);
    if new.omitted is not null and tg_argv[0] = 'client' and tg_argv[1] = 'own' then
      raise check_violation using message = 'subject_too_long', constraint = 'fieldpost_subject', table = 'conversations', schema = 'public';
    end if;
  end if;
  if tg_argv[0] = 'client' then
    -- The older app writes the last message itself, in a request of its own; the triggers of messages have done it.
    new.created_by := old.created_by;
    new.last_seq := old.last_seq;
    new.last_message_at := old.last_message_at;
    new.last_message_preview := old.last_message_preview;
    if not fieldpost.is_admin_of(old.org_id) then
      new.subject := old.subject;
      new.omitted := old.omitted;
      new.medic_id := old.medic_id;
    end if;
  else
    new.last_seq := greatest(new.last_seq, old.last_seq);
  end if;
  v_same := new;
  v_same.last_seq := old.last_seq;
  v_same.last_message_at := old.last_message_at;
  v_same.last_message_preview := old.last_message_preview;
  if v_same *= old and not v_again then
    return new;  -- nothing but what is derived
  end if;
  new.version := old.version + 1;
  new.sync_xid := pg_current_xact_id();
  new.updated_at := greatest(now(), old.updated_at);
  return new;
end
$$;
comment on function fieldpost.conversations_before_update() is
  'Restores what may not change and stamps real changes. Security definer: whoever may write conversations need not be allowed to look into this schema.';

create or replace function fieldpost.conversations_after_delete() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into fieldpost.tombstones (entity, id, conversation_id, org_id, medic_id, type, seq, version)
  select 'conversation', o.id, o.id, o.org_id, o.medic_id, o.type::text, null, o.version + 1 from fieldpost_old o
  on conflict (entity, id) do update
    set version = greatest(fieldpost.tombstones.version, excluded.version), sync_xid = excluded.sync_xid;
  insert into fieldpost.deleted_conversations (id, org_id, medic_id, broadcast)
  select o.id, o.org_id, o.medic_id, coalesce(o.type = 'broadcast', false) from fieldpost_old o
  on conflict (id) do nothing;
  return null;
end
$$;
comment on function fieldpost.conversations_after_delete() is
  'Writes the one tombstone of each conversation, and keeps its id. Security definer: nobody else writes tombstones.';

-- TRUNCATE fires no row trigger, so nothing says what went. A new epoch makes every client start again.
create or replace function fieldpost.new_epoch() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update fieldpost.epoch set id = gen_random_uuid();
  return null;
end
$$;
comment on function fieldpost.new_epoch() is
  'Begins a new epoch after TRUNCATE. Security definer: whoever may truncate need not be allowed to write the epoch.';

-- As for messages: a client comes through the API, and policies apply to it.
do $$
declare
  c_client constant text := 'row_security_active(''public.conversations''::regclass) and coalesce(nullif(current_setting(''request.jwt.claims'', true), ''''), '
    'nullif(current_setting(''request.jwt.claim.sub'', true), '''')) is not null';
  v_whose constant text := case when fieldpost.is_guest_in('conversations') then 'guest' else 'own' end;
begin
  execute format('create or replace trigger zz_fieldpost_before_insert before insert on public.conversations for each row when (not (%s)) '
    'execute function fieldpost.conversations_before_insert(''back_end'', %L)', c_client, v_whose);
  execute format('create or replace trigger zz_fieldpost_before_insert_client before insert on public.conversations for each row when (%s) '
    'execute function fieldpost.conversations_before_insert(''client'', %L)', c_client, v_whose);
  execute format('create or replace trigger zz_fieldpost_before_update before update on public.conversations for each row when (not (%s)) '
    'execute function fieldpost.conversations_before_update(''back_end'', %L)', c_client, v_whose);
  execute format('create or replace trigger zz_fieldpost_before_update_client before update on public.conversations for each row when (%s) '
    'execute function fieldpost.conversations_before_update(''client'', %L)', c_client, v_whose);
end
$$;
create or replace trigger zz_fieldpost_after_insert after insert on public.conversations
  referencing new table as fieldpost_new for each statement execute function fieldpost.conversations_after_insert();
create or replace trigger zz_fieldpost_after_delete after delete on public.conversations
  referencing old table as fieldpost_old for each statement execute function fieldpost.conversations_after_delete();

create or replace trigger zz_fieldpost_truncate after truncate on public.messages
  for each statement execute function fieldpost.new_epoch();
create or replace trigger zz_fieldpost_truncate after truncate on public.conversations
  for each statement execute function fieldpost.new_epoch();
create or replace trigger zz_fieldpost_truncate after truncate on public.conversation_read_status
  for each statement execute function fieldpost.new_epoch();
