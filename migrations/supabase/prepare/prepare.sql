-- Before Fieldpost comes to a project with more than half a million messages: columns, and the indexes that take long, built while
-- people write. Run it with a client that sends one statement at a time and no transaction around them (psql -f does). It may be
-- stopped and run again; an index that was broken off says `invalid` in \d: drop it first.

set lock_timeout = '2s';

alter table public.messages
  add column if not exists seq bigint, add column if not exists version bigint not null default 1,
  add column if not exists sync_xid xid8 not null default '0', add column if not exists composed_at timestamptz,
  add column if not exists reply_to uuid, add column if not exists client_key text, add column if not exists omitted jsonb;

set lock_timeout = 0;

create unique index concurrently if not exists fieldpost_messages_seq on public.messages (conversation_id, seq) include (sender_id, deleted_at);

create index concurrently if not exists fieldpost_messages_feed_conversation on public.messages (conversation_id, sync_xid, id);

create index concurrently if not exists fieldpost_messages_feed_org on public.messages (org_id, sync_xid, id);
