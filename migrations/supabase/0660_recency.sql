-- When something was last said in each conversation, in an order that can be looked up: for the first screen of a new device.
--
-- An index on conversations.last_message_at would do, but then no update of a conversation was a HOT one any more: every message
-- would make new entries in all indexes of its conversation. Messages have an index by stamp, but the last twenty conversations may
-- be thousands of messages apart, and the messages of before the sync layer have one stamp between them. So this is a small
-- table, and all that a message costs more is one row of it.
--
-- What must stay true:
--  * It decides about nothing but the order of a first load: which conversations come first, not which come.
--  * A row is only touched by who holds the lock of its conversation, so nobody waits here.

create table if not exists fieldpost.recency (
  conversation_id uuid primary key,
  org_id uuid not null,
  at timestamptz not null
);
create index if not exists recency_newest on fieldpost.recency (org_id, at desc, conversation_id);
comment on table fieldpost.recency is 'When something was last said in each conversation.';

create or replace function fieldpost.recency_after_write() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op in ('DELETE', 'TRUNCATE') then
    if tg_op = 'TRUNCATE' then
      delete from fieldpost.recency;
    else
      delete from fieldpost.recency r using fieldpost_old o where r.conversation_id = o.id;
    end if;
    return null;
  end if;
  insert into fieldpost.recency as r (conversation_id, org_id, at)
  select n.id, n.org_id, n.last_message_at from fieldpost_new n where n.last_message_at is not null order by n.id
  on conflict (conversation_id) do update set at = excluded.at where r.at <> excluded.at;
  if tg_op = 'UPDATE' then
    delete from fieldpost.recency r using fieldpost_new n where n.last_message_at is null and r.conversation_id = n.id;
  end if;
  return null;
end
$$;
comment on function fieldpost.recency_after_write() is
  'Keeps when something was last said. Security definer: no writer may touch that by herself.';

create or replace trigger zz_fieldpost_recency_insert after insert on public.conversations
  referencing new table as fieldpost_new for each statement execute function fieldpost.recency_after_write();
create or replace trigger zz_fieldpost_recency_update after update on public.conversations
  referencing new table as fieldpost_new for each statement execute function fieldpost.recency_after_write();
create or replace trigger zz_fieldpost_recency_delete after delete on public.conversations
  referencing old table as fieldpost_old for each statement execute function fieldpost.recency_after_write();
create or replace trigger zz_fieldpost_recency_truncate after truncate on public.conversations
  for each statement execute function fieldpost.recency_after_write();

create or replace function fieldpost.refresh_recency() returns bigint
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_count bigint;
  v_gone bigint;
begin
  -- What is written meanwhile is younger: greatest() keeps it.
  insert into fieldpost.recency as r (conversation_id, org_id, at)
  select c.id, c.org_id, c.last_message_at from public.conversations c
  where c.last_message_at is not null and not exists (select from fieldpost.recency x where x.conversation_id = c.id and x.at >= c.last_message_at)
  order by c.id
  on conflict (conversation_id) do update set at = greatest(r.at, excluded.at) where r.at < excluded.at;
  get diagnostics v_count = row_count;
  delete from fieldpost.recency r where not exists (select from public.conversations c where c.id = r.conversation_id);
  get diagnostics v_gone = row_count;
  return v_count + v_gone;
end
$$;
comment on function fieldpost.refresh_recency() is 'Adds what came past the triggers, as a restore may do. Answers how many rows that were.';

select fieldpost.refresh_recency();
