-- Reactions: emojis that people give a message.
--
-- One row for each person, message and emoji. Nobody deletes one: a reaction is taken back by `removed`, so that devices hear of it.
-- Clients other than Fieldpost's write the table themselves. In a broadcast a medic does not learn who has reacted; how many there are
-- of each emoji is kept beside, in `fieldpost.reaction_counts`.
--
-- What must stay true:
--  * Whose a row is never changes: a person reacts in her own name, to messages that she may read.
--  * Whoever writes a reaction holds its conversation before she looks at the message, and looks in a statement of its own. Whoever
--    deletes a message holds its conversation before she removes its reactions. So none is left on a deleted message.
--  * Counts change by what a statement changed, under the same lock: nobody counts a broadcast of thousands again.
--  * The message is not touched: its version and its stamp stay.

create table if not exists public.message_reactions (
  id uuid primary key default gen_random_uuid(),
  message_id uuid not null,
  person_id uuid not null,
  emoji text not null,
  removed boolean not null default false,
  conversation_id uuid not null,
  org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  version bigint not null default 1,
  sync_xid xid8 not null default '0',
  constraint message_reactions_one_of_each unique (message_id, person_id, emoji),
  constraint message_reactions_emoji check (octet_length(emoji) between 1 and 64 and emoji !~ '[[:space:][:cntrl:]]')
);
comment on table public.message_reactions is
  'Fieldpost: reactions to messages. Set `removed` to take one back; the conversation, times and version are filled in.';
create index if not exists message_reactions_feed_org on public.message_reactions (org_id, sync_xid, id);
create index if not exists message_reactions_feed_conversation on public.message_reactions (conversation_id, sync_xid, id);
create index if not exists message_reactions_feed_person on public.message_reactions (person_id, sync_xid, id);
alter table public.message_reactions enable row level security;
insert into fieldpost.managed (name, how) values ('message_reactions', 'made') on conflict do nothing;

create table if not exists fieldpost.reaction_counts (
  message_id uuid not null,
  emoji text not null,
  id uuid not null default gen_random_uuid(),
  conversation_id uuid not null,
  org_id uuid not null,
  count bigint not null,
  created_at timestamptz not null default now(),
  version bigint not null default 1,
  sync_xid xid8 not null default pg_catalog.pg_current_xact_id(),
  primary key (message_id, emoji)
);
create index if not exists reaction_counts_feed_org on fieldpost.reaction_counts (org_id, sync_xid, id);
create index if not exists reaction_counts_feed_conversation on fieldpost.reaction_counts (conversation_id, sync_xid, id);
comment on table fieldpost.reaction_counts is 'How many have reacted to a message of a broadcast with an emoji.';

create or replace function fieldpost.reactions_before_insert() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  new.person_id := coalesce(new.person_id, fieldpost.uid());
  new.emoji := normalize(new.emoji, nfc);
  new.removed := coalesce(new.removed, false);
  select m.conversation_id, m.org_id into new.conversation_id, new.org_id from public.messages m where m.id = new.message_id;
  if tg_argv[0] = 'client' then
    new.id := gen_random_uuid();
    new.created_at := now();
  end if;
  new.updated_at := new.created_at;
  new.version := 1;
  new.sync_xid := pg_current_xact_id();
  perform 1 from public.conversations c where c.id = new.conversation_id for no key update;
  return new;
end
$$;
comment on function fieldpost.reactions_before_insert() is
  'Fills in what a reaction has from its message, and locks the conversation. Security definer: a client may not lock conversations.';

create or replace function fieldpost.reactions_before_update() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_removed constant boolean := new.removed;
begin
  new := old;  -- nothing else can change
  if v_removed is not distinct from old.removed then
    return new;
  end if;
  perform 1 from public.conversations c where c.id = old.conversation_id for no key update;
  new.removed := v_removed;
  new.updated_at := greatest(now(), old.updated_at);
  new.version := old.version + 1;
  new.sync_xid := pg_current_xact_id();
  return new;
end
$$;
comment on function fieldpost.reactions_before_update() is
  'Lets a reaction be taken back and given again, and restores the rest. Security definer: a client may not lock conversations.';

-- After the policies: what a refusal says is said to people who may see the message.
create or replace function fieldpost.reactions_after_write() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (select from fieldpost_new n join public.messages m on m.id = n.message_id where m.deleted_at is not null)
     or exists (select from fieldpost_new n where not exists (select from public.messages m where m.id = n.message_id)) then
    raise check_violation using message = 'message_deleted', constraint = 'fieldpost_reactions', table = 'message_reactions', schema = 'public';
  end if;
  if exists (
    select from (select distinct n.message_id, n.person_id from fieldpost_new n) n
    cross join lateral (select count(*) as rows, count(*) filter (where not r.removed) as given from public.message_reactions r
                        where r.message_id = n.message_id and r.person_id = n.person_id) h
    where h.given > 20 or h.rows > 100
  ) then
    raise check_violation using message = 'too_many_reactions', constraint = 'fieldpost_reactions', table = 'message_reactions', schema = 'public';
  end if;
  if tg_op = 'INSERT' then
    perform fieldpost.count_reactions(array_agg(n.message_id), array_agg(n.emoji), array_agg(1)) from fieldpost_new n where not n.removed;
  else
    perform fieldpost.count_reactions(array_agg(n.message_id), array_agg(n.emoji), array_agg(case when n.removed then -1 else 1 end))
    from fieldpost_new n join fieldpost_old o on o.id = n.id where n.removed <> o.removed;
  end if;
  return null;
end
$$;
comment on function fieldpost.reactions_after_write() is
  'Keeps reactions within their limits and off deleted messages, and counts them. Security definer: reads past the policies.';

create or replace function fieldpost.reactions_after_delete() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform fieldpost.count_reactions(array_agg(o.message_id), array_agg(o.emoji), array_agg(-1)) from fieldpost_old o where not o.removed;
  return null;
end
$$;
comment on function fieldpost.reactions_after_delete() is 'Counts what a back end has deleted. Security definer: nobody else writes counts.';

-- Adds to the counts of broadcasts: by how much for each emoji of a message.
create or replace function fieldpost.count_reactions(p_messages uuid[], p_emojis text[], p_by int[]) returns void
language sql set search_path = pg_catalog, pg_temp
as $$
  insert into fieldpost.reaction_counts as k (message_id, emoji, conversation_id, org_id, count)
  select m.id, x.emoji, m.conversation_id, m.org_id, sum(x.by)
  from unnest(p_messages, p_emojis, p_by) x (message_id, emoji, by)
  join public.messages m on m.id = x.message_id and m.deleted_at is null
  join public.conversations c on c.id = m.conversation_id and c.type = 'broadcast'
  group by m.id, x.emoji having sum(x.by) <> 0
  order by m.id, x.emoji
  on conflict (message_id, emoji) do update
    set count = greatest(k.count + excluded.count, 0), version = k.version + 1, sync_xid = pg_current_xact_id()
$$;
comment on function fieldpost.count_reactions(uuid[], text[], int[]) is 'Adds what a statement changed to the counts of broadcasts.';

-- A message takes its reactions along when it is deleted, for good or not.
create or replace function fieldpost.drop_reactions() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_messages uuid[];
begin
  if tg_level = 'ROW' then
    v_messages := array[new.id];
    perform 1 from public.conversations c where c.id = new.conversation_id for no key update;
  elsif tg_op = 'TRUNCATE' then
    delete from public.message_reactions;
    delete from fieldpost.reaction_counts;
    return null;
  else
    select array_agg(o.id) into v_messages from fieldpost_old o;
    perform 1 from public.conversations c
    where c.id in (select o.conversation_id from fieldpost_old o) order by c.id for no key update;
  end if;
  delete from public.message_reactions r where r.message_id = any (v_messages);
  delete from fieldpost.reaction_counts k where k.message_id = any (v_messages);
  return null;
end
$$;
comment on function fieldpost.drop_reactions() is
  'Removes the reactions of messages that are deleted. Security definer: nobody else deletes reactions.';

-- As for messages: a client comes through the API, and policies apply to it.
do $$
declare
  c_client constant text := 'row_security_active(''public.message_reactions''::regclass) and coalesce(nullif(current_setting(''request.jwt.claims'', true), ''''), '
    'nullif(current_setting(''request.jwt.claim.sub'', true), '''')) is not null';
begin
  execute format('create or replace trigger zz_fieldpost_before_insert before insert on public.message_reactions for each row when (not (%s)) '
    'execute function fieldpost.reactions_before_insert(''back_end'')', c_client);
  execute format('create or replace trigger zz_fieldpost_before_insert_client before insert on public.message_reactions for each row when (%s) '
    'execute function fieldpost.reactions_before_insert(''client'')', c_client);
end
$$;
create or replace trigger aa_fieldpost_run before insert or update or delete on public.message_reactions
  for each statement execute function fieldpost.note_run();
create or replace trigger aa_fieldpost_run before insert or update or delete on fieldpost.reaction_counts
  for each statement execute function fieldpost.note_run();
create or replace trigger zz_fieldpost_before_update before update on public.message_reactions
  for each row execute function fieldpost.reactions_before_update();
create or replace trigger zz_fieldpost_after_insert after insert on public.message_reactions
  referencing new table as fieldpost_new for each statement execute function fieldpost.reactions_after_write();
create or replace trigger zz_fieldpost_after_update after update on public.message_reactions
  referencing old table as fieldpost_old new table as fieldpost_new for each statement execute function fieldpost.reactions_after_write();
create or replace trigger zz_fieldpost_after_delete after delete on public.message_reactions
  referencing old table as fieldpost_old for each statement execute function fieldpost.reactions_after_delete();
create or replace trigger zz_fieldpost_truncate after truncate on public.message_reactions
  for each statement execute function fieldpost.new_epoch();

create or replace trigger zz_fieldpost_reactions after update on public.messages
  for each row when (old.deleted_at is null and new.deleted_at is not null) execute function fieldpost.drop_reactions();
create or replace trigger zz_fieldpost_reactions_gone after delete on public.messages
  referencing old table as fieldpost_old for each statement execute function fieldpost.drop_reactions();
create or replace trigger zz_fieldpost_reactions_truncate after truncate on public.messages
  for each statement execute function fieldpost.drop_reactions();

-- Who sees a message, under all policies, sees the reactions to it; in a broadcast a medic sees her own. People write their own rows.
grant execute on function fieldpost.uid(), fieldpost.my_admin_orgs(), fieldpost.my_direct_conversations(), fieldpost.my_medic_conversations()
  to authenticated;
do $$
declare
  c_message constant text := 'exists (select from public.messages m where m.id = message_reactions.message_id)';
  c_own constant text := 'person_id = (select fieldpost.uid()) and (org_id in (select fieldpost.my_admin_orgs())'
    ' or conversation_id in (select fieldpost.my_medic_conversations())) and ' || c_message;
  v_policy record;
begin
  for v_policy in
    select * from (values
      ('select', '(org_id in (select fieldpost.my_admin_orgs()) or conversation_id in (select fieldpost.my_direct_conversations())'
         ' or person_id = (select fieldpost.uid()) and conversation_id in (select fieldpost.my_medic_conversations())) and ' || c_message, null),
      ('insert', null, c_own), ('update', c_own, c_own), ('delete', 'false', null)) p (cmd, using_, check_)
  loop
    execute format('drop policy if exists %I on public.message_reactions', 'fieldpost_' || v_policy.cmd);
    execute format('drop policy if exists %I on public.message_reactions', 'fieldpost_only_' || v_policy.cmd);
    execute format('create policy %I on public.message_reactions as restrictive for %s to authenticated%s%s', 'fieldpost_only_' || v_policy.cmd,
      v_policy.cmd, ' using (' || v_policy.using_ || ')', ' with check (' || v_policy.check_ || ')');
    execute format('create policy %I on public.message_reactions for %s to authenticated%s%s', 'fieldpost_' || v_policy.cmd, v_policy.cmd,
      ' using (' || v_policy.using_ || ')', ' with check (' || v_policy.check_ || ')');
  end loop;
  drop policy if exists fieldpost_only_anon on public.message_reactions;
  create policy fieldpost_only_anon on public.message_reactions as restrictive for all to anon using (false) with check (false);
end
$$;
