-- Numbers the messages of a project that was too large to be numbered while its tables were closed.
--
-- It takes row locks on one conversation at a time and none on the tables, and may be stopped and run again: a conversation is
-- numbered whole or not at all. One that gets a new message before its turn is numbered then, by the trigger. Until nothing is left,
-- the four functions answer "503, come back later".
--
-- What must stay true: rows are locked in the order of writers: the conversation, then its messages.

create or replace function fieldpost.backfill(p_conversations int default null) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_conversation uuid;
  v_count bigint := 0;
begin
  for v_conversation in
    select c.id from public.conversations c where c.last_seq is null order by c.id limit p_conversations
  loop
    v_count := v_count + fieldpost.number_conversation(v_conversation);
  end loop;
  -- The index says to the functions of the feed that there is something left to number.
  if not exists (select from public.conversations c where c.last_seq is null) then
    drop index if exists public.fieldpost_conversations_unnumbered;
  end if;
  return v_count;
end
$$;
comment on function fieldpost.backfill(int) is
  'Numbers the messages of conversations from before the sync layer; at most so many conversations. Returns the messages numbered.';

-- Read times of the older app become seqs. Rows that Fieldpost has stamped, and those that would stay at 0, are left alone.
-- In one statement, so that the setting holds for it, however the file is run.
do $$
begin
  perform set_config('fieldpost.backfilling', 'on', true);
  update public.conversation_read_status r set read_seq = m.seq
  from public.conversation_read_status o
  cross join lateral (
    select x.seq from public.messages x
    where x.conversation_id = o.conversation_id and x.seq is not null and x.created_at <= o.last_read_at
    order by x.seq desc limit 1
  ) m
  where (r.user_id, r.conversation_id) = (o.user_id, o.conversation_id) and r.read_seq = 0 and r.sync_xid = '0'::xid8;
  perform set_config('fieldpost.backfilling', '', true);
end
$$;

do $$
begin
  -- What an apply of version 1 left half done. A large table is left to the operator.
  if (select c.reltuples from pg_class c where c.oid = 'public.messages'::regclass) < 200000
     and exists (select from public.conversations c where c.last_seq is null) then
    perform fieldpost.number_what_is_new();
  end if;
  if not exists (select from public.conversations c where c.last_seq is null) then
    drop index if exists public.fieldpost_conversations_unnumbered;
  end if;
  if fieldpost.note('upgrades_version_1')::boolean then
    -- Rows that came in before there were limits.
    update public.messages m set omitted = '{}'
    where (octet_length(m.content) > 5000 or octet_length(m.metadata::text) > 127) and fieldpost.excess(m.content, m.metadata::jsonb) is not null;
    update public.conversations c set omitted = '{}' where char_length(c.subject) > 500;
    update public.messages m set composed_at = null where m.composed_at is not null and not fieldpost.is_sane(m.composed_at);
    perform fieldpost.redate();
  end if;
end
$$;
