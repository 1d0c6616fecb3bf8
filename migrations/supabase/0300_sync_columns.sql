-- What the feed needs on the messaging tables, and the small tables beside them.
--
-- Every synchronised row carries `sync_xid`, the transaction that last changed it, and `version`, a counter that grows
-- by one with each change. The cursor of a client is a snapshot: "changed since" is "stamped by a transaction that the
-- old snapshot did not see and the new one sees", which is true of a row exactly once, in whatever order transactions
-- commit. A clock, a sequence or a plain transaction horizon cannot say that (DESIGN, "the feed is commit-order safe").
-- `version` is not the stamp: two transactions that overlap can change one row in the order opposite to their numbers.
--
-- What must stay true:
--  * New columns have constant defaults or none, so adding them rewrites no table and locks it only for a moment.
--  * '0' is the stamp of a row that was there before the sync layer: older than every cursor.
--  * Each index below is the access path of one query of the feed. Two serve admins (by organization) where medics
--    come by conversation; that is what makes a medic's pull cost her own rows.

alter table public.messages
  add column if not exists seq bigint,
  add column if not exists version bigint not null default 1,
  add column if not exists sync_xid xid8 not null default '0',
  add column if not exists composed_at timestamptz,
  add column if not exists reply_to uuid,
  add column if not exists client_key text,
  add column if not exists omitted jsonb,
  add column if not exists edited_at timestamptz,
  add column if not exists mentions uuid[];
comment on column public.messages.seq is 'Place in the conversation: 1, 2, 3 … without holes. Given by the server.';
comment on column public.messages.omitted is
  'Why this row travels without content and metadata: it exceeds a limit. {reason, bytes}';
comment on column public.messages.edited_at is 'When its text or mentions were last changed, by the server''s clock.';
comment on column public.messages.mentions is 'Who is meant by it: ids of users, at most 100.';
comment on column public.messages.client_key is 'metadata.idempotency_key of older clients, kept when metadata is erased.';

-- null: the rows of this conversation have not been numbered yet (see the backfill).
alter table public.conversations
  add column if not exists last_seq bigint,
  add column if not exists omitted jsonb,
  add column if not exists version bigint not null default 1,
  add column if not exists sync_xid xid8 not null default '0';
comment on column public.conversations.last_seq is 'The highest seq ever given in it; null until its old rows are numbered.';

alter table public.conversation_read_status
  add column if not exists delivered_seq bigint not null default 0,
  add column if not exists read_seq bigint not null default 0,
  add column if not exists delivered_seq_at timestamptz,
  add column if not exists read_seq_at timestamptz,
  add column if not exists version bigint not null default 1,
  add column if not exists sync_xid xid8 not null default '0';
comment on column public.conversation_read_status.delivered_seq_at is 'When delivered_seq last moved, by the server''s clock.';
comment on column public.conversation_read_status.read_seq_at is 'When read_seq last moved, by the server''s clock.';

-- What the times of rows said that Fieldpost has dated anew: before the year 2000, in the future, without end.
create table if not exists fieldpost.redated (
  message_id uuid primary key,
  created_at timestamptz not null
);
comment on table fieldpost.redated is 'The dates of messages before Fieldpost dated them anew.';

-- Everybody who has, or had, a membership. A copy, kept by `fieldpost.access_changed`: it remembers what a person was
-- before a change, which is what tells whom to revoke, and it keeps the names of those who left.
create table if not exists fieldpost.people (
  org_id uuid not null,
  user_id uuid not null,
  role text not null,
  medic_id uuid,
  first_name text,
  last_name text,
  removed boolean not null default false,
  version bigint not null default 1,
  sync_xid xid8 not null default pg_catalog.pg_current_xact_id(),
  primary key (org_id, user_id)
);
create index if not exists people_by_user on fieldpost.people (user_id);
create index if not exists people_by_medic on fieldpost.people (medic_id) where medic_id is not null;
create index if not exists people_feed on fieldpost.people (org_id, sync_xid, user_id);
create index if not exists people_feed_admins on fieldpost.people (org_id, sync_xid, user_id) where role = 'org_admin';
comment on table fieldpost.people is 'Who is or was a member, as last told to clients.';

-- A row that was deleted for good. `medic_id` and `type` are kept of a conversation, to know who may be told.
create table if not exists fieldpost.tombstones (
  entity text not null check (entity in ('message', 'conversation')),
  id uuid not null,
  conversation_id uuid not null,
  org_id uuid not null,
  medic_id uuid,
  type text,
  seq bigint,
  client_key text,
  version bigint not null,
  sync_xid xid8 not null default pg_catalog.pg_current_xact_id(),
  deleted_at timestamptz not null default now(),
  primary key (entity, id)
);
create index if not exists tombstones_feed_org on fieldpost.tombstones (org_id, sync_xid, id);
create index if not exists tombstones_feed_conversation on fieldpost.tombstones (conversation_id, sync_xid, id);
create index if not exists tombstones_feed_deleted on fieldpost.tombstones (org_id, sync_xid, id) where entity = 'conversation';
create index if not exists tombstones_seq on fieldpost.tombstones (conversation_id, seq) where entity = 'message';
create index if not exists tombstones_client_key on fieldpost.tombstones (conversation_id, client_key) where client_key is not null;
create index if not exists tombstones_by_age on fieldpost.tombstones (deleted_at);
comment on table fieldpost.tombstones is 'Rows that were deleted for good, kept so that clients and retries learn of it.';

-- The last word on who may see what, one row per person and conversation that ever changed hands.
create table if not exists fieldpost.access_log (
  user_id uuid not null,
  conversation_id uuid not null,
  access text not null check (access in ('grant', 'revoke')),
  version bigint not null default 1,
  sync_xid xid8 not null default pg_catalog.pg_current_xact_id(),
  primary key (user_id, conversation_id)
);
create index if not exists access_log_feed on fieldpost.access_log (user_id, sync_xid, conversation_id);
comment on table fieldpost.access_log is 'Who gained or lost sight of which conversation.';

-- Ids that clients made for conversations that existed already. No foreign key: the alias of a deleted conversation
-- still leads to its tombstone, so that a late push is told "deleted" and not "never heard of".
create table if not exists fieldpost.conversation_aliases (
  alias_id uuid primary key,
  conversation_id uuid not null,
  created_by uuid,
  created_at timestamptz not null default now()
);
comment on table fieldpost.conversation_aliases is 'Client-made ids of conversations that the server already had.';

-- One row. Its system column xmin is part of the epoch: a restore writes the row anew, even of an older dump in place.
create table if not exists fieldpost.epoch (
  one boolean primary key default true check (one),
  id uuid not null default gen_random_uuid()
);
insert into fieldpost.epoch default values on conflict do nothing;
comment on table fieldpost.epoch is 'Replaced when the tables are truncated; part of the epoch that every cursor carries.';

-- One row per run of the server, from a start or a crash to the next one, in which something synchronised was written.
-- The first such write adds it, in the same transaction. A server that starts may have gone back: a crash gives the
-- numbers out again of transactions that left nothing on disk, and a copy of the files that is put back without recovery
-- to a new timeline looks in every other way like the server that it is a copy of. `floor` is what tells: stamps of this
-- run are not below it, so a cursor of an earlier run that has seen more than that has seen what is no longer so.
create table if not exists fieldpost.runs (
  n bigint primary key,
  token text not null default left(md5(gen_random_uuid()::text), 8),
  mark text not null,
  timeline bigint not null,
  floor xid8 not null
);
comment on table fieldpost.runs is 'The runs of the server in which something was written, each with the first number that it may have given out.';

create or replace function fieldpost.run_mark() returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  -- Numbers: how a time reads depends on the session.
  select concat_ws('/', extract(epoch from pg_postmaster_start_time()), (select extract(epoch from a.stats_reset) from pg_stat_archiver a))
$$;
comment on function fieldpost.run_mark() is
  'Names this run of the server. A crash that the server recovers from without being started anew resets its statistics.';

create or replace function fieldpost.timeline() returns bigint
language sql stable set search_path = pg_catalog, pg_temp
as $$ select ('x' || lpad(left(pg_walfile_name(pg_current_wal_lsn()), 8), 16, '0'))::bit(64)::bigint $$;
comment on function fieldpost.timeline() is 'The timeline that a primary writes.';

insert into fieldpost.runs (n, mark, timeline, floor)
select 1, fieldpost.run_mark(), fieldpost.timeline(), pg_snapshot_xmin(pg_current_snapshot())
where not exists (select from fieldpost.runs);

create or replace function fieldpost.note_run() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_mark constant text := fieldpost.run_mark();
begin
  -- Of several that come first, one adds the row and the others wait for it: n is the key. (A loop, for the one that waited
  -- for a transaction that was prepared in another run.)
  while (select r.mark from fieldpost.runs r order by r.n desc limit 1) is distinct from v_mark loop
    insert into fieldpost.runs (n, mark, timeline, floor)
    select coalesce(max(r.n), 0) + 1, v_mark, fieldpost.timeline(), pg_snapshot_xmin(pg_current_snapshot())
    from fieldpost.runs r
    on conflict (n) do nothing;
  end loop;
  return null;
end
$$;
comment on function fieldpost.note_run() is
  'Runs before everything that stamps a row. Security definer: no writer may touch the runs by herself.';

do $$
declare
  v_table text;
begin
  foreach v_table in array array['public.conversations', 'public.messages', 'public.conversation_read_status',
                                 'fieldpost.people', 'fieldpost.access_log', 'fieldpost.tombstones'] loop
    execute format('create or replace trigger aa_fieldpost_run before insert or update or delete on %s '
                   'for each statement execute function fieldpost.note_run()', v_table);
  end loop;
end
$$;

-- Cursors that have not seen this transaction may have missed tombstones that were compacted away.
create table if not exists fieldpost.compaction (
  one boolean primary key default true check (one),
  compacted_xid xid8 not null default '0'
);
insert into fieldpost.compaction default values on conflict do nothing;
-- The epoch that the number belongs to: a restored one would refuse everybody until the counter has caught up with it.
alter table fieldpost.compaction add column if not exists epoch text;
comment on table fieldpost.compaction is 'How far tombstones have been compacted.';
