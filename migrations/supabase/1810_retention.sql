-- Retention: messages of an organization that are older than an age go away, on the server and on every device.
--
-- They are deleted for good, as any message may be: the triggers write tombstones, which tell the devices, and bring preview, counts,
-- reactions and recipients up to date. A device that was away for longer than tombstones are kept loads anew.
--
-- What must stay true:
--  * Old is what the server's clock says. In a conversation created_at grows with seq, so the oldest are the first by the index of
--    seqs: what is young is not read, and no index is needed for it.
--  * People go first. Conversations are locked before messages, as by a push, and what somebody holds is passed by until the next call.
--    A lock that must be waited for is given up after half a second, before PostgreSQL looks for a deadlock and ends somebody else.
--  * A call is one transaction of a bounded number of rows, those included that go along with a message of a broadcast.
--  * What a reported message said is kept as long as the report is open. Then its words have the age of the report.
--  * None of these can be called through the API.

-- Locks conversations, and passes by those that somebody holds. If all are held it waits for one, since it holds nothing else then:
-- so a conversation that is never quiet has its turn too.
create or replace function fieldpost.hold_conversations(p_conversations uuid[]) returns uuid[]
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_held uuid[] := array(
    select c.id from public.conversations c where c.id = any (p_conversations) order by c.id for no key update skip locked);
begin
  if v_held = '{}' then
    v_held := array(select c.id from public.conversations c where c.id = any (p_conversations) order by c.id limit 1 for no key update);
  end if;
  return v_held;
end
$$;
comment on function fieldpost.hold_conversations(uuid[]) is 'Locks conversations that nobody holds, and answers which.';

-- Locks messages and what goes with them. Whoever writes a recipient row holds it before messages, so it is never waited for here.
create or replace function fieldpost.hold_messages(p_messages uuid[]) returns uuid[]
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_conversations constant uuid[] := fieldpost.hold_conversations(
    array(select distinct m.conversation_id from public.messages m where m.id = any (p_messages)));
  v_held constant uuid[] := array(
    select m.id from public.messages m where m.id = any (p_messages) and m.conversation_id = any (v_conversations)
    order by m.conversation_id, m.seq for update skip locked);
begin
  perform 1 from public.message_recipients r where r.message_id = any (v_held) for update nowait;
  perform 1 from public.message_reactions r where r.message_id = any (v_held) for update nowait;
  return v_held;
end
$$;
comment on function fieldpost.hold_messages(uuid[]) is 'Locks messages that nobody holds, with their conversations, and answers which.';

-- How many rows go with a message: itself, and its recipients.
create or replace function fieldpost.rows_of(p_message uuid) returns bigint
language sql stable set search_path = pg_catalog, pg_temp
as $$ select 1 + count(*) from public.message_recipients r where r.message_id = p_message $$;
comment on function fieldpost.rows_of(uuid) is 'How many rows are deleted with a message.';

-- The oldest messages of an organization that are older than a time: as many as fit in so many rows, and at least one.
create or replace function fieldpost.expired_messages(p_org uuid, p_before timestamptz, p_rows int) returns setof uuid
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  v_rows bigint := 0;
  v_conversation record;
  v_message record;
begin
  for v_conversation in
    select c.id, c.type::text = 'broadcast' as for_all from public.conversations c
    where c.org_id = p_org and (
      select m.created_at from public.messages m where m.conversation_id = c.id and m.seq is not null order by m.seq limit 1) < p_before
    order by c.id
  loop
    for v_message in
      select m.id, m.created_at from public.messages m where m.conversation_id = v_conversation.id and m.seq is not null order by m.seq
    loop
      exit when v_message.created_at >= p_before;
      if v_rows >= p_rows then
        return;
      end if;
      v_rows := v_rows + case when v_conversation.for_all then fieldpost.rows_of(v_message.id) else 1 end;
      return next v_message.id;
    end loop;
  end loop;
end
$$;
comment on function fieldpost.expired_messages(uuid, timestamptz, int) is 'The messages of an organization that are to expire next.';

-- Takes the words out of reports that were dealt with and are as old. That a message was reported, why and by whom stays.
create or replace function fieldpost.expire_reports(p_org uuid, p_before timestamptz, p_rows int) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_reports constant uuid[] := array(
    select r.id from public.message_reports r
    where r.org_id = p_org and r.resolved_at is not null and r.reported_at < p_before
      and (r.note is not null or exists (select from fieldpost.reported_texts t where t.report_id = r.id))
    order by r.reported_at desc limit p_rows for update skip locked);
begin
  delete from fieldpost.reported_texts t where t.report_id = any (v_reports);
  update public.message_reports r set note = null where r.id = any (v_reports) and r.note is not null;
  return cardinality(v_reports);
end
$$;
comment on function fieldpost.expire_reports(uuid, timestamptz, int) is 'Takes the words out of old reports that were dealt with.';

create or replace function fieldpost.expire_preview(p_org uuid, p_before timestamptz) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('preview', true, 'before', p_before, 'messages', count(*), 'conversations', count(distinct m.conversation_id),
    'oldest', min(m.created_at), 'kept_for_open_reports', count(*) filter (where exists (
      select from public.message_reports r where r.message_id = m.id and r.resolved_at is null)),
    'reports', (
      select count(*) from public.message_reports r
      where r.org_id = p_org and r.resolved_at is not null and r.reported_at < p_before
        and (r.note is not null or exists (select from fieldpost.reported_texts t where t.report_id = r.id))))
  from public.messages m where m.org_id = p_org and m.created_at < p_before and m.seq is not null
$$;
comment on function fieldpost.expire_preview(uuid, timestamptz) is 'What expire_messages would delete, all in all. Reads all messages of the organization.';

create or replace function fieldpost.expire_messages(
  p_org uuid, p_older_than interval, p_batch int default 1000, p_preview boolean default false) returns jsonb
language plpgsql set search_path = pg_catalog, public, extensions, pg_temp set lock_timeout = '500ms'
as $$
declare
  v_before constant timestamptz := now() - p_older_than;
  v_due uuid[];
  v_held uuid[];
  v_count bigint := 0;
  v_reports bigint := 0;
begin
  if p_older_than is null or v_before > now() - interval '1 day' then
    raise invalid_parameter_value using message = 'p_older_than is one day or more';
  elsif p_batch is null or p_batch not between 1 and 100000 then
    raise invalid_parameter_value using message = 'p_batch is a number of rows from 1 to 100,000';
  elsif not exists (select from public.organizations o where o.id = p_org) then
    raise no_data_found using message = 'there is no such organization';
  elsif p_preview then
    return fieldpost.expire_preview(p_org, v_before);
  end if;
  v_due := array(select fieldpost.expired_messages(p_org, v_before, p_batch));
  begin
    v_held := fieldpost.hold_messages(v_due);
    delete from public.messages m where m.id = any (v_held);
    get diagnostics v_count = row_count;
    delete from fieldpost.redated d where d.message_id = any (v_held);
    v_reports := fieldpost.expire_reports(p_org, v_before, p_batch);
  exception when lock_not_available or deadlock_detected then
    v_count := 0;
    v_reports := 0;
    v_held := '{}';
  end;
  if v_count = 0 and v_held <> '{}' then
    raise exception 'a trigger of this project keeps messages from being deleted';
  end if;
  return jsonb_build_object('before', v_before, 'messages', v_count, 'reports', v_reports,
    'more', v_reports = p_batch or v_due <> '{}' and exists (select from fieldpost.expired_messages(p_org, v_before, 1)));
end
$$;
comment on function fieldpost.expire_messages(uuid, interval, int, boolean) is
  'Deletes messages of an organization that are older than that, a batch at a time, until it answers that there are no more (docs/howto/erasing.md).';
