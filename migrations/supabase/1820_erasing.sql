-- Erasing a person, and what is stored of one (docs/howto/erasing.md).
--
-- What must stay true:
--  * Devices converge by what they know already: a person without a name, a message that was deleted, a reaction that was taken
--    back, a read marker of a higher version without times. So no row goes that a device keeps and would not hear of.
--  * A call is one transaction of a bounded number of rows of each kind, and people go first: as with retention (1810).
--  * Called again it goes on; when all is done it changes nothing.
--  * None of these can be called through the API.

drop function if exists fieldpost.erase_person(uuid, text);  -- of an earlier version

-- When she has read what: her markers lose their times, and stay as numbers, from which devices compute who has read a message.
create or replace function fieldpost.markers_erased() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  new.delivered_seq_at := null;
  new.read_seq_at := null;
  new.last_read_at := '1970-01-01';
  new.version := old.version + 1;
  new.sync_xid := pg_current_xact_id();
  return new;
end
$$;
comment on function fieldpost.markers_erased() is 'Takes the times out of a read marker.';
-- (Named to run after zz_fieldpost_before_write, which keeps them. And not for a client, who may set what she likes.)
create or replace trigger zz_fieldpost_erased before update on public.conversation_read_status
  for each row when (current_setting('fieldpost.erasing', true) = 'on' and not row_security_active('public.conversation_read_status'::regclass))
  execute function fieldpost.markers_erased();

create or replace function fieldpost.erase_markers(p_user uuid, p_rows int) returns bigint
language plpgsql set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  v_conversations constant uuid[] := array(
    select r.conversation_id from public.conversation_read_status r
    where r.user_id = p_user and (r.read_seq_at is not null or r.delivered_seq_at is not null or r.last_read_at > '1970-01-01')
    limit p_rows for update skip locked);
begin
  perform set_config('fieldpost.erasing', 'on', true);
  update public.conversation_read_status r set last_read_at = '1970-01-01'
  where r.user_id = p_user and r.conversation_id = any (v_conversations);
  perform set_config('fieldpost.erasing', '', true);
  return cardinality(v_conversations);
end
$$;
comment on function fieldpost.erase_markers(uuid, int) is 'Takes the times out of a person''s read markers.';

create or replace function fieldpost.erase_receipts(p_user uuid, p_rows int) returns bigint
language plpgsql set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  v_count bigint;
begin
  delete from public.message_recipients r
  where r.recipient_id = p_user and r.message_id = any (array(
    select x.message_id from public.message_recipients x where x.recipient_id = p_user limit p_rows for update skip locked));
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
comment on function fieldpost.erase_receipts(uuid, int) is 'Deletes a person''s rows of recipients.';

create or replace function fieldpost.erase_reactions(p_user uuid, p_rows int) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_given constant uuid[] := array(
    select r.id from public.message_reactions r where r.person_id = p_user and not r.removed order by r.sync_xid, r.id limit p_rows);
  v_conversations constant uuid[] := fieldpost.hold_conversations(
    array(select distinct r.conversation_id from public.message_reactions r where r.id = any (v_given)));
  v_held constant uuid[] := array(
    select r.id from public.message_reactions r where r.id = any (v_given) and r.conversation_id = any (v_conversations) order by r.id for update skip locked);
  v_count bigint;
begin
  update public.message_reactions r set removed = true where r.id = any (v_held) and not r.removed;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
comment on function fieldpost.erase_reactions(uuid, int) is 'Takes back a person''s reactions.';

-- The messages of a person that are to go next: as many as fit in so many rows, and at least one.
create or replace function fieldpost.messages_to_erase(p_user uuid, p_messages text, p_rows int) returns setof uuid
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  v_rows bigint := 0;
  v_id uuid;
begin
  for v_id in
    select m.id from public.messages m where m.sender_id = p_user and (p_messages = 'remove' or p_messages = 'erase' and m.deleted_at is null)
  loop
    if v_rows >= p_rows then
      return;
    end if;
    v_rows := v_rows + case when p_messages = 'remove' then fieldpost.rows_of(v_id) else 1 end;
    return next v_id;
  end loop;
end
$$;
comment on function fieldpost.messages_to_erase(uuid, text, int) is 'The messages of a person that are to be erased next.';

create or replace function fieldpost.erase_messages(p_user uuid, p_messages text, p_rows int) returns bigint
language plpgsql set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  v_held constant uuid[] := fieldpost.hold_messages(array(select fieldpost.messages_to_erase(p_user, p_messages, p_rows)));
  v_count bigint;
begin
  if p_messages = 'erase' then
    update public.messages m set deleted_at = now() where m.id = any (v_held) and m.deleted_at is null;
    get diagnostics v_count = row_count;
  else
    delete from public.messages m where m.id = any (v_held);
    get diagnostics v_count = row_count;
    delete from fieldpost.redated d where d.message_id = any (v_held);
  end if;
  return v_count;
end
$$;
comment on function fieldpost.erase_messages(uuid, text, int) is 'Takes the content out of a person''s messages, or deletes them.';

-- Counts by the indexes that begin with the person.
create or replace function fieldpost.stored_of(p_user uuid) returns table (what text, rows bigint)
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select 'names', count(*) from fieldpost.people p where p.user_id = p_user and (p.first_name is not null or p.last_name is not null)
  union all select 'messages', count(*) from public.messages m where m.sender_id = p_user
  union all select 'messages with content', count(*) from public.messages m where m.sender_id = p_user and m.deleted_at is null
  union all select 'reactions', count(*) from public.message_reactions r where r.person_id = p_user and not r.removed
  union all select 'read markers', count(*) from public.conversation_read_status r where r.user_id = p_user
  union all select 'read markers with times', count(*) from public.conversation_read_status r
    where r.user_id = p_user and (r.read_seq_at is not null or r.delivered_seq_at is not null or r.last_read_at > '1970-01-01')
  union all select 'receipts', count(*) from public.message_recipients r where r.recipient_id = p_user
  union all select 'settings of conversations', count(*) from public.conversation_settings s where s.user_id = p_user
  union all select 'reports by her', count(*) from public.message_reports r where r.reporter_id = p_user
  union all select 'notes in them', count(*) from public.message_reports r where r.reporter_id = p_user and r.note is not null
  union all select 'texts of hers in reports', count(*) from fieldpost.reported_texts t join public.message_reports r on r.id = t.report_id where r.sender_id = p_user
  union all select 'texts in open reports', count(*) from fieldpost.reported_texts t join public.message_reports r on r.id = t.report_id
    where r.sender_id = p_user and r.resolved_at is null
  union all select 'changes of access', count(*) from fieldpost.access_log l where l.user_id = p_user
  union all select 'conversations opened', count(*) from public.conversations c where c.created_by = p_user
  union all select 'aliases', count(*) from fieldpost.conversation_aliases a where a.created_by = p_user
$$;
comment on function fieldpost.stored_of(uuid) is 'What Fieldpost''s tables have of a person, as counts. The records of a project are its own.';

create or replace function fieldpost.erase_person(p_user uuid, p_messages text default 'keep', p_batch int default 1000) returns table (what text, rows bigint)
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '500ms'
as $$
begin
  if p_messages is null or p_messages not in ('keep', 'erase', 'remove') then
    raise invalid_parameter_value using message = 'p_messages is keep, erase or remove';
  elsif p_batch is null or p_batch not between 1 and 100000 then
    raise invalid_parameter_value using message = 'p_batch is a number of rows from 1 to 100,000';
  elsif exists (select from fieldpost.memberships(p_user)) then
    raise exception 'this person is still a member of an organization'
      using hint = 'Delete her from your own tables first: what they say about her would come back with the next change.';
  end if;
  perform fieldpost.members_changed(array[p_user]);
  what := 'names erased';
  update fieldpost.people p
  set first_name = null, last_name = null, medic_id = null, version = p.version + 1, sync_xid = pg_current_xact_id()
  where p.user_id = p_user and (p.first_name, p.last_name, p.medic_id) is distinct from (null, null, null);
  get diagnostics rows = row_count;
  return next;
  what := 'aliases without a maker';
  update fieldpost.conversation_aliases a set created_by = null where a.created_by = p_user;
  get diagnostics rows = row_count;
  return next;
  what := 'settings of conversations removed';
  delete from public.conversation_settings s where s.user_id = p_user;
  get diagnostics rows = row_count;
  return next;
  delete from fieldpost.sent s where s.user_id = p_user;
  if p_messages in ('erase', 'remove') then
    what := 'texts in reports erased';
    delete from fieldpost.reported_texts t using public.message_reports r where r.id = t.report_id and r.sender_id = p_user;
    get diagnostics rows = row_count;
    return next;
    what := 'notes of reports erased';
    update public.message_reports r set note = null where r.reporter_id = p_user and r.note is not null;
    get diagnostics rows = row_count;
    return next;
  end if;
  return query select w.* from fieldpost.erase_some(p_user, p_messages, p_batch) w;
  what := 'left to do';
  rows := (
    select sum(s.rows) from fieldpost.stored_of(p_user) s
    where s.what in ('read markers with times', 'receipts') or p_messages <> 'keep' and s.what = 'reactions'
       or s.what = case p_messages when 'erase' then 'messages with content' when 'remove' then 'messages' end);
  return next;
end
$$;
comment on function fieldpost.erase_person(uuid, text, int) is
  'Erases what Fieldpost has of somebody who is no member any more (docs/howto/erasing.md), a batch at a time, until nothing is left to do.';

-- The part that meets other writers. What somebody holds longer than half a second is left to the next call, and the rest with it.
create or replace function fieldpost.erase_some(p_user uuid, p_messages text, p_rows int) returns table (what text, rows bigint)
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_messages bigint := 0;
  v_reactions bigint := 0;
  v_markers bigint := 0;
  v_receipts bigint := 0;
begin
  begin
    if p_messages <> 'keep' then
      v_messages := fieldpost.erase_messages(p_user, p_messages, p_rows);
      v_reactions := fieldpost.erase_reactions(p_user, p_rows);
    end if;
    v_receipts := fieldpost.erase_receipts(p_user, p_rows);
    v_markers := fieldpost.erase_markers(p_user, p_rows);
  exception when lock_not_available or deadlock_detected then
    select 0, 0, 0, 0 into v_messages, v_reactions, v_receipts, v_markers;
  end;
  return query
  select w.* from (values
    (case p_messages when 'erase' then 'messages erased' when 'remove' then 'messages removed' end, v_messages),
    (case when p_messages <> 'keep' then 'reactions taken back' end, v_reactions),
    ('receipts removed', v_receipts), ('times of read markers erased', v_markers)) w (what, rows)
  where w.what is not null;
end
$$;
comment on function fieldpost.erase_some(uuid, text, int) is 'A batch of a person''s messages, reactions and receipts.';
