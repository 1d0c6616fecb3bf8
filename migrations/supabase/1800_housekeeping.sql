-- What keeps the tables beside the messages from growing for ever, and what an operator may be asked to do.
--
-- What must stay true:
--  * Whoever may have missed what is forgotten here is told so: her cursor is answered `cursor_expired: compacted`.
--  * Versions only grow, also of a row that was compacted away and is there again: a device keeps the newest version it has
--    seen and ignores an older one. So a floor is kept for what may come back.
--  * None of these can be called through the API.

create index if not exists conversation_aliases_by_maker on fieldpost.conversation_aliases (created_by, created_at);
create index if not exists conversation_aliases_by_age on fieldpost.conversation_aliases (created_at);

-- Cursors that have not seen this transaction are refused from now on.
create or replace function fieldpost.note_compaction(p_newest xid8) returns void
language sql set search_path = pg_catalog, pg_temp
as $$
  update fieldpost.compaction k
  set compacted_xid = case when k.epoch = fieldpost.epoch() then greatest(k.compacted_xid, p_newest) else p_newest end,
      epoch = fieldpost.epoch()
  where p_newest is not null
$$;
comment on function fieldpost.note_compaction(xid8) is 'Remembers up to where changes may have been forgotten.';

create or replace function fieldpost.compact_access(p_older_than interval default '90 days') returns bigint
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_count bigint;
  v_newest xid8;
  v_version bigint;
begin
  with gone as (
    delete from fieldpost.access_log l
    where l.changed_at < now() - p_older_than and l.sync_xid < pg_snapshot_xmin(pg_current_snapshot())
    returning l.sync_xid, l.version
  )
  select count(*), (array_agg(g.sync_xid order by g.sync_xid desc))[1], max(g.version) into v_count, v_newest, v_version from gone g;
  update fieldpost.compaction k set access_version = greatest(k.access_version, v_version) where v_count > 0;
  perform fieldpost.note_compaction(v_newest);
  return v_count;
end
$$;
comment on function fieldpost.compact_access(interval) is 'Forgets old changes of access.';

-- Who wrote a message that is there, or opened a conversation, is kept: a page holds the people that its rows name.
create or replace function fieldpost.compact_people(p_older_than interval default '90 days') returns bigint
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_left uuid[];
  v_count bigint;
  v_newest xid8;
  v_version bigint;
begin
  v_left := array(
    select distinct p.user_id from fieldpost.people p
    where p.removed and p.removed_at < now() - p_older_than and p.sync_xid < pg_snapshot_xmin(pg_current_snapshot()));
  if v_left = '{}' then
    return 0;
  end if;
  -- There is no index by sender: all messages are read once, and only when somebody has left.
  v_left := array(
    select unnest(v_left) except select m.sender_id from public.messages m where m.sender_id = any (v_left)
    except select c.created_by from public.conversations c where c.created_by = any (v_left));
  with gone as (
    delete from fieldpost.people p
    where p.user_id = any (v_left) and p.removed and p.removed_at < now() - p_older_than
      and p.sync_xid < pg_snapshot_xmin(pg_current_snapshot())
    returning p.sync_xid, p.version
  )
  select count(*), (array_agg(g.sync_xid order by g.sync_xid desc))[1], max(g.version) into v_count, v_newest, v_version from gone g;
  update fieldpost.compaction k set people_version = greatest(k.people_version, v_version) where v_count > 0;
  perform fieldpost.note_compaction(v_newest);
  return v_count;
end
$$;
comment on function fieldpost.compact_people(interval) is 'Forgets people who left long ago and are named by nothing.';

create or replace function fieldpost.housekeeping(p_older_than interval default '90 days') returns table (what text, rows bigint)
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  what := 'deletions forgotten';
  rows := fieldpost.compact_tombstones(p_older_than);
  return next;
  what := 'changes of access forgotten';
  rows := fieldpost.compact_access(p_older_than);
  return next;
  what := 'people who left forgotten';
  rows := fieldpost.compact_people(p_older_than);
  return next;
  what := 'aliases forgotten';
  delete from fieldpost.conversation_aliases a where a.created_at < now() - p_older_than;
  get diagnostics rows = row_count;
  return next;
  what := 'deletions of records forgotten';
  rows := fieldpost.compact_records(p_older_than);
  return next;
  what := 'digests put right';
  rows := (select count(*) from fieldpost.check_digest());
  return next;
  what := 'times of last messages put right';
  rows := fieldpost.refresh_recency();
  return next;
end
$$;
comment on function fieldpost.housekeeping(interval) is
  'To be called once a day (docs/howto/supabase.md). Forgets what is older than that, and says how much of what.';

-- A message that was deleted for good, back under its id. Devices that know of the deletion take the row because its version is
-- newer. It gets the next number of its conversation: its old one is a hole, which devices have closed.
create or replace function fieldpost.messages_restored() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if split_part(current_setting('fieldpost.restored', true), ':', 1) = new.id::text then
    new.version := split_part(current_setting('fieldpost.restored', true), ':', 2)::bigint;
  end if;
  return new;
end
$$;
comment on function fieldpost.messages_restored() is
  'Gives the version to a message that is restored.';
-- (Named to run after zz_fieldpost_before_insert, which sets the version of new rows. And not for a client, who may set what she likes.)
create or replace trigger zz_fieldpost_restored before insert on public.messages
  for each row when (current_setting('fieldpost.restored', true) <> '' and not row_security_active('public.messages'::regclass)) execute function fieldpost.messages_restored();

create or replace function fieldpost.restore_message(
  p_id uuid, p_sender uuid, p_content text, p_metadata jsonb default null, p_composed_at timestamptz default null)
returns bigint
language plpgsql set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  v_tombstone fieldpost.tombstones;
  v_row public.conversations;
  v_seq bigint;
begin
  select t.* into v_tombstone from fieldpost.tombstones t where t.entity = 'message' and t.id = p_id;
  if not found then
    raise no_data_found using message = 'no deletion of this message is known',
      hint = 'If it was forgotten by housekeeping, insert the message again under a new id.';
  end if;
  select c.* into v_row from public.conversations c where c.id = v_tombstone.conversation_id for no key update;
  if not found then
    raise no_data_found using message = 'the conversation of this message is gone';
  end if;
  delete from fieldpost.tombstones t where t.entity = 'message' and t.id = p_id;
  perform set_config('fieldpost.restored', p_id || ':' || v_tombstone.version + 1, true);
  insert into public.messages (id, conversation_id, org_id, sender_id, content, metadata, composed_at)
  values (p_id, v_row.id, v_row.org_id, p_sender, p_content, p_metadata, p_composed_at);
  perform set_config('fieldpost.restored', '', true);
  select m.seq into v_seq from public.messages m where m.id = p_id;
  return v_seq;
end
$$;
comment on function fieldpost.restore_message(uuid, uuid, text, jsonb, timestamptz) is
  'Brings back a message that was deleted for good, with the next number of its conversation, which it answers.';
