-- The second transaction: numbers what the project had before, oldest first, and builds the indexes. Writers wait for it, readers do
-- not. A table that was prepared because it is large is numbered later, by `fieldpost.backfill`.
--
-- What must stay true: the project's triggers do not run. No row changes in anything that is theirs; but an impossible date is mended, and
-- what it was is kept.

create or replace function fieldpost.number_what_is_new() returns void
language plpgsql set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  v_row record;
  v_off text[] := '{}';
  -- Columns that cannot be null are emptied.
  v_content constant boolean := (select a.attnotnull from pg_attribute a where a.attrelid = 'public.messages'::regclass and a.attname = 'content');
  v_metadata constant boolean := (select a.attnotnull from pg_attribute a where a.attrelid = 'public.messages'::regclass and a.attname = 'metadata');
begin
  for v_row in select t.tgname, t.tgrelid::regclass as tab from pg_trigger t
               where t.tgrelid in ('public.messages'::regclass, 'public.conversations'::regclass) and not t.tgisinternal and t.tgenabled = 'O' loop
    execute format('alter table %s disable trigger %I', v_row.tab, v_row.tgname);
    v_off := v_off || format('alter table %s enable trigger %I', v_row.tab, v_row.tgname);
  end loop;

  insert into fieldpost.redated (message_id, created_at)
  select m.id, m.created_at from public.messages m
  where not (m.created_at >= '2000-01-01' and m.created_at < now() + interval '1 day') on conflict do nothing;
  if found then
    update public.messages m
    set created_at = case when m.created_at < '2000-01-01' then '2000-01-01' else coalesce((
          select max(o.created_at) from public.messages o where o.conversation_id = m.conversation_id and fieldpost.is_sane(o.created_at)), now()) end
    from fieldpost.redated r where r.message_id = m.id;
  end if;

  with keyed as (
    -- In the order that the dates gave before they were mended.
    select m.id, m.conversation_id, m.sender_id, coalesce(d.created_at, m.created_at) as created_at, nullif(m.metadata::jsonb ->> 'idempotency_key', '') as key,
           case when octet_length(m.content) > 5000 or octet_length(m.metadata::text) > 127 then fieldpost.excess(m.content, m.metadata::jsonb) end as omitted
    from public.messages m left join fieldpost.redated d on d.message_id = m.id
    where m.seq is null
  ), numbered as (
    select k.id, k.omitted, coalesce(c.last_seq, 0) + row_number() over (partition by k.conversation_id order by k.created_at, k.id) as seq,
           -- Of a key that an old race stored twice, one row has it.
           case when length(k.key) <= 200 and o.client_key is null
                 and row_number() over (partition by k.conversation_id, k.sender_id, k.key order by k.created_at, k.id) = 1
                then k.key end as key
    from keyed k
    join public.conversations c on c.id = k.conversation_id
    left join public.messages o
      on o.conversation_id = k.conversation_id and o.sender_id = k.sender_id and o.client_key = k.key and o.client_key is not null
  )
  update public.messages m set seq = n.seq, omitted = n.omitted, client_key = n.key,
      content = case when m.deleted_at is null then m.content when v_content then '' end,
      metadata = case when m.deleted_at is null then m.metadata when v_metadata then '{}' end
  from numbered n where n.id = m.id;

  with counted as (
    select m.conversation_id, max(m.seq) as last from public.messages m group by m.conversation_id
  )
  update public.conversations c
  set last_seq = coalesce(k.last, c.last_seq, 0), last_message_at = m.created_at, last_message_preview = case when m.omitted is null then left(m.content, 100) end,
      omitted = case when char_length(c.subject) > 500 then jsonb_build_object('reason', 'subject_too_long', 'bytes', octet_length(c.subject)) end
  from public.conversations x
  left join counted k on k.conversation_id = x.id
  left join public.messages m on m.conversation_id = k.conversation_id and m.seq = k.last
  where x.id = c.id and (x.last_seq is null or k.last > x.last_seq);

  for v_row in select unnest(v_off) as statement loop
    execute v_row.statement;
  end loop;
end
$$;
comment on function fieldpost.number_what_is_new() is
  'Numbers the messages that have no number yet, while nobody else writes. For the time before the triggers are there.';

-- For those who remove Fieldpost: the dates that were mended say again what they said.
create or replace function fieldpost.restore_dates() returns bigint
language plpgsql set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  v_row record;
  v_off text[] := '{}';
  v_count bigint;
begin
  for v_row in select t.tgname from pg_trigger t where t.tgrelid = 'public.messages'::regclass and not t.tgisinternal and t.tgenabled = 'O' loop
    execute format('alter table public.messages disable trigger %I', v_row.tgname);
    v_off := v_off || format('alter table public.messages enable trigger %I', v_row.tgname);
  end loop;
  update public.messages m set created_at = r.created_at from fieldpost.redated r where r.message_id = m.id;
  get diagnostics v_count = row_count;
  for v_row in select unnest(v_off) as statement loop
    execute v_row.statement;
  end loop;
  return v_count;
end
$$;
comment on function fieldpost.restore_dates() is 'Undoes what was done to impossible dates. For the removal of Fieldpost.';

commit;
begin;

set local statement_timeout = 0;
set local client_min_messages = warning;
set local search_path = pg_catalog, pg_temp;
-- The triggers of an earlier version number by themselves. Where the index is there and no number yet, the table was prepared.
insert into fieldpost.applying (name, value)
select 'numbers_now', (
  not exists (select from pg_trigger t where t.tgrelid = 'public.messages'::regclass and t.tgname = 'zz_fieldpost_after_insert')
  and (to_regclass('public.fieldpost_messages_seq') is null or exists (select from public.conversations c where c.last_seq is not null)))::text
on conflict (name) do update set value = excluded.value;
select fieldpost.take_locks('share row exclusive');
do $$
begin
  if fieldpost.note('numbers_now')::boolean then
    perform fieldpost.number_what_is_new();
  end if;
end
$$;

-- Thread order, unread counts, history and gaps. The included columns let unread be counted in the index alone.
create unique index if not exists fieldpost_messages_seq
  on public.messages (conversation_id, seq) include (sender_id, deleted_at);
create index if not exists fieldpost_messages_feed_conversation on public.messages (conversation_id, sync_xid, id);
create index if not exists fieldpost_messages_feed_org on public.messages (org_id, sync_xid, id);
-- In one conversation: a key that an app uses for a whole batch names several messages. (Version 1 had it over all of them.)
drop index if exists public.fieldpost_messages_client_key;
create unique index if not exists fieldpost_messages_key
  on public.messages (conversation_id, sender_id, client_key) where client_key is not null;
create index if not exists fieldpost_messages_keys_of_sender on public.messages (sender_id) where client_key is not null;

create index if not exists fieldpost_conversations_feed on public.conversations (org_id, sync_xid, id);
create index if not exists fieldpost_conversations_org on public.conversations (org_id, id);
create index if not exists fieldpost_conversations_medic on public.conversations (medic_id);
create index if not exists fieldpost_conversations_broadcast on public.conversations (org_id) where type = 'broadcast';
create index if not exists fieldpost_markers_feed_conversation
  on public.conversation_read_status (conversation_id, sync_xid, user_id);
create index if not exists fieldpost_markers_feed_org
  on public.conversation_read_status (org_id, sync_xid, conversation_id, user_id);

-- For what is left to number afterwards, and dropped then.
do $$
begin
  if exists (select from public.conversations c where c.last_seq is null) then
    create index if not exists fieldpost_conversations_unnumbered on public.conversations (id) where last_seq is null;
  end if;
end
$$;

commit;
begin;

set local statement_timeout = 0;
set local client_min_messages = warning;
set local search_path = pg_catalog, pg_temp;
select fieldpost.take_locks('access exclusive');
do $$
begin
  if fieldpost.note('numbers_now')::boolean then
    perform fieldpost.number_what_is_new();  -- what people wrote between the two transactions
  end if;
end
$$;
