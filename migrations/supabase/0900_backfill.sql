-- Numbers what a project had before: every message gets its seq, oldest first, conversation by conversation.
--
-- It takes row locks on one conversation at a time and none on the tables, and may be stopped and run again: a
-- conversation is numbered whole or not at all, and one that is numbered is skipped. A conversation that gets a new
-- message before its turn is numbered then, by the trigger. A large project can therefore run
-- `select fieldpost.backfill(50)` over and over beforehand, each in a transaction of its own, so that this file finds
-- nothing left to do (docs/howto/supabase.md).
--
-- What must stay true:
--  * Nothing here locks a table, and rows are locked in the order of writers: the conversation, then its messages.
--  * This runs before the functions of the feed exist, so no client holds a cursor that is older.

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
  return v_count;
end
$$;
comment on function fieldpost.backfill(int) is
  'Numbers the messages of conversations from before the sync layer; at most so many conversations. Returns the messages numbered.';

select fieldpost.backfill();

-- Read times of the older app become seqs. Rows that Fieldpost has stamped, and those that would stay at 0, are left alone.
update public.conversation_read_status r set read_seq = m.seq
from public.conversation_read_status o
cross join lateral (
  select x.seq from public.messages x
  where x.conversation_id = o.conversation_id and x.seq is not null and x.created_at <= o.last_read_at
  order by x.seq desc limit 1
) m
where (r.user_id, r.conversation_id) = (o.user_id, o.conversation_id) and r.read_seq = 0 and r.sync_xid = '0'::xid8;

-- What nobody needs once all is numbered. While an index names `last_seq`, no update of a conversation is a HOT one: every message
-- would make new entries in all indexes of its conversation, and leave the old ones to be passed by whoever looks it up next.
do $$
begin
  if not exists (select from public.conversations c where c.last_seq is null) then
    drop index if exists public.fieldpost_conversations_unnumbered;
  end if;
end
$$;
