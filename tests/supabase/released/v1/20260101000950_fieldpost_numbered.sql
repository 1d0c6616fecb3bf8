-- What nobody needs once the backfill is through.
--
-- While an index names `last_seq`, no update of a conversation is a HOT one: every message would make new entries in all
-- indexes of its conversation, and leave the old ones to be passed by whoever looks it up next.
--
-- What must stay true: this is a file, and so a transaction, of its own. The backfill holds locks on rows, for which writers
-- wait who hold the table; a transaction that waits for the table may hold nothing.

drop index if exists public.fieldpost_conversations_unnumbered;
