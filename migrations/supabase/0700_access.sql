-- Who gained and who lost sight of what.
--
-- A client is told of a conversation that comes into sight or goes out of it by a row of the access log. There is one
-- way in, `fieldpost.members_changed(users)`: it compares what people were (the copy in `fieldpost.people`) with what
-- `fieldpost.memberships` says they are now, writes the differences, and brings the copy up to date. The triggers on the
-- reference tables only call it, once for a statement; a project with other tables calls it, or `access_changed(user)`
-- for one person, from its own.
--
-- What must stay true:
--  * The log decides nothing. What a person may read is computed from the tables at every call; a missing log row
--    costs a client the time until its digest differs, never anybody's privacy.
--  * Grants are written where conversations that existed before come into sight. A new conversation needs none, and
--    neither does a new person: no device of hers has a cursor that is older than her membership. A change of role or
--    organization expires the cursor, and what the device holds with it.
--  * A statement over many people costs as many rows, not as many lookups of all conversations, and its number of locks does
--    not depend on how many people they are.

-- When a person left, and when access last changed: what is old may be compacted (see housekeeping).
alter table fieldpost.people add column if not exists removed_at timestamptz;
update fieldpost.people set removed_at = now() where removed and removed_at is null;
create index if not exists people_left on fieldpost.people (removed_at) where removed;
alter table fieldpost.access_log add column if not exists changed_at timestamptz not null default now();
create index if not exists access_log_by_age on fieldpost.access_log (changed_at);

-- Whoever compares a person with her past puts her id in here and takes it out again. The row never outlives its transaction,
-- and nobody ever sees one: what counts is the unique index, in which the next one waits until the first has committed. So
-- two changes of a person do not both compare with the same past, and those of different people do not meet. An advisory
-- lock for each person would do that too, but the server's table of locks is small: a statement that imports 100,000 people
-- would fail in it. Fewer advisory locks, shared by many people, would let two imports deadlock that have nobody in common.
create unlogged table if not exists fieldpost.person_turns (user_id uuid primary key);
comment on table fieldpost.person_turns is 'Always empty. Its unique index makes changes of one person wait for each other.';

-- Where versions begin of rows that may have been there before: above all that were compacted away.
alter table fieldpost.compaction
  add column if not exists access_version bigint not null default 0,
  add column if not exists people_version bigint not null default 0;

drop function if exists fieldpost.conversations_shown(uuid, text, uuid);  -- of an earlier version

create or replace function fieldpost.log_access(p_user uuid, p_conversations uuid[], p_access text) returns void
language sql set search_path = pg_catalog, pg_temp
as $$
  insert into fieldpost.access_log as l (user_id, conversation_id, access, version)
  select p_user, c, p_access, (select k.access_version + 1 from fieldpost.compaction k) from unnest(p_conversations) c
  where p_user is not null
  order by c
  on conflict (user_id, conversation_id) do update
    set access = excluded.access, version = l.version + 1, sync_xid = pg_current_xact_id(), changed_at = now()
    where l.access <> excluded.access
$$;
comment on function fieldpost.log_access(uuid, uuid[], text) is 'Writes grants or revocations of one person.';

-- Plans are made for each call: one that was made for one person, while the tables were small, would read them from end to end
-- for each of 100,000.
create or replace function fieldpost.members_changed(p_users uuid[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan
as $$
declare
  v_users constant uuid[] := array(select distinct u from unnest(p_users) u where u is not null order by u);
begin
  if v_users = '{}' then
    return;
  end if;
  insert into fieldpost.person_turns (user_id) select u from unnest(v_users) u order by u;
  delete from fieldpost.person_turns t using unnest(v_users) u where t.user_id = u;

  with is_now as materialized (
    select u as user_id, m.org_id, m.role, m.medic_id, m.first_name, m.last_name
    from unnest(v_users) u cross join lateral fieldpost.memberships(u) m
  ), one as materialized (  -- `people` has one row per person and organization
    select distinct on (n.user_id, n.org_id) n.* from is_now n
    order by n.user_id, n.org_id, n.role = 'org_admin' desc, n.medic_id
  ), was as materialized (
    select p.user_id, p.org_id, p.role, p.medic_id, p.first_name, p.last_name, p.removed
    from unnest(v_users) u join fieldpost.people p on p.user_id = u
  ),

  -- Whose sight may have changed, of those that a device may have a cursor of.
  moved as materialized (
    select x.user_id, bool_or(x.member) as member, bool_and(x.in_place) as in_place
    from (
      select coalesce(w.user_id, n.user_id) as user_id, n.user_id is not null as member, w.user_id is not null as known,
             (case when not w.removed then w.role end) is not distinct from n.role as in_place,
             (case when not w.removed then w.medic_id end) is not distinct from n.medic_id as in_seat
      from was w full join one n on (n.user_id, n.org_id) = (w.user_id, w.org_id)
    ) x
    group by x.user_id
    having bool_or(x.known) and not bool_and(x.in_place and x.in_seat)
  ), saw as materialized (
    -- Of whoever is a member in another way the cursor has expired: nothing to revoke. Of an admin who left, the first thousand:
    -- that the rest is gone too, her device learns from the digest of the same answer.
    select m.user_id, c.id
    from moved m join was w on w.user_id = m.user_id and not w.removed
    cross join lateral (
      select x.id from public.conversations x where w.role = 'medic' and x.org_id = w.org_id and x.type = 'broadcast'
      union all
      select x.id from public.conversations x
      where w.role = 'medic' and x.medic_id = w.medic_id and x.org_id = w.org_id and x.type = 'direct'
      union all
      (select x.id from public.conversations x where w.role = 'org_admin' and not m.member and x.org_id = w.org_id limit 1000)
    ) c
    where m.in_place or not m.member
  ), sees as materialized (
    select m.user_id, c.id
    from moved m join is_now n on n.user_id = m.user_id
    cross join lateral (
      select x.id from public.conversations x where n.role = 'medic' and x.org_id = n.org_id and x.type = 'broadcast'
      union all
      select x.id from public.conversations x
      where n.role = 'medic' and x.medic_id = n.medic_id and x.org_id = n.org_id and x.type = 'direct'
      union all  -- an admin who comes back, of what was revoked when she left
      select x.id from fieldpost.access_log l join public.conversations x on x.id = l.conversation_id and x.org_id = n.org_id
      where n.role = 'org_admin' and l.user_id = m.user_id and l.access = 'revoke'
    ) c
  ), logged as (
    insert into fieldpost.access_log as l (user_id, conversation_id, access, version)
    select d.user_id, d.id, d.access, (select k.access_version + 1 from fieldpost.compaction k)
    from (
      select x.*, 'revoke' as access from (select * from saw except select * from sees) x
      union all
      select x.*, 'grant' from (select * from sees except select * from saw) x
    ) d
    order by d.user_id, d.id
    on conflict (user_id, conversation_id) do update
      set access = excluded.access, version = l.version + 1, sync_xid = pg_current_xact_id(), changed_at = now()
      where l.access <> excluded.access
  ),

  gone as (
    update fieldpost.people p
    set removed = true, removed_at = now(), version = p.version + 1, sync_xid = pg_current_xact_id()
    from was w
    where (p.org_id, p.user_id) = (w.org_id, w.user_id) and not w.removed
      and not exists (select from one n where (n.org_id, n.user_id) = (w.org_id, w.user_id))
  ), changed as (
    update fieldpost.people p
    set role = n.role, medic_id = n.medic_id, first_name = n.first_name, last_name = n.last_name, removed = false,
        removed_at = null, version = p.version + 1, sync_xid = pg_current_xact_id()
    from one n join was w on (w.org_id, w.user_id) = (n.org_id, n.user_id)
    where (p.org_id, p.user_id) = (n.org_id, n.user_id)
      and (w.role, w.medic_id, w.first_name, w.last_name, w.removed)
          is distinct from (n.role, n.medic_id, n.first_name, n.last_name, false)
  )
  insert into fieldpost.people (org_id, user_id, role, medic_id, first_name, last_name, version)
  select n.org_id, n.user_id, n.role, n.medic_id, n.first_name, n.last_name,
         (select k.people_version + 1 from fieldpost.compaction k)
  from one n
  where not exists (select from was w where (w.org_id, w.user_id) = (n.org_id, n.user_id))
  on conflict (org_id, user_id) do nothing;  -- a repeatable read that has waited: this raises 40001, as it should
end
$$;
comment on function fieldpost.members_changed(uuid[]) is
  'To be called after the memberships of people changed. Security definer: writes the access log for whoever changed them.';

create or replace function fieldpost.access_changed(p_user uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform fieldpost.members_changed(array[p_user]);
end
$$;
comment on function fieldpost.access_changed(uuid) is
  'To be called after the memberships of a person changed. Security definer: writes the access log for whoever changed them.';

-- Of an update, only people count whose row says something else than before about who they are. Old and new rows are compared
-- as sets: whoever stays in both is out. Columns are named as text, since a project's own table need not have them all.
create or replace function fieldpost.medics_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, extensions, pg_temp
as $$
begin
  case tg_op
    when 'INSERT' then
      perform fieldpost.members_changed(array(select n.user_id from fieldpost_new n));
    when 'DELETE' then
      perform fieldpost.members_changed(array(select o.user_id from fieldpost_old o));
    else
      perform fieldpost.members_changed(array(
        with old_rows as (
          select o.user_id, j ->> 'id', j ->> 'org_id', j ->> 'first_name', j ->> 'last_name'
          from fieldpost_old o cross join lateral to_jsonb(o) j
        ), new_rows as (
          select n.user_id, j ->> 'id', j ->> 'org_id', j ->> 'first_name', j ->> 'last_name'
          from fieldpost_new n cross join lateral to_jsonb(n) j
        )
        select x.user_id from (select * from old_rows except all select * from new_rows) x
        union
        select x.user_id from (select * from new_rows except all select * from old_rows) x));
      -- A conversation carries its medic's name, also that of a medic without an account, who is nowhere else.
      update public.conversations c set version = c.version + 1, sync_xid = pg_current_xact_id()
      from (
        select fieldpost.uuid_or_null(j ->> 'id') as id, j ->> 'first_name' as first_name, j ->> 'last_name' as last_name
        from fieldpost_new n cross join lateral to_jsonb(n) j
      ) n
      join (
        select fieldpost.uuid_or_null(j ->> 'id') as id, j ->> 'first_name' as first_name, j ->> 'last_name' as last_name
        from fieldpost_old o cross join lateral to_jsonb(o) j
      ) o on o.id = n.id and (o.first_name, o.last_name) is distinct from (n.first_name, n.last_name)
      where c.medic_id = n.id;
  end case;
  return null;
end
$$;
comment on function fieldpost.medics_changed() is
  'Tells of memberships that changed with medics. Security definer: calls members_changed for any writer.';

create or replace function fieldpost.profiles_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  case tg_op
    when 'INSERT' then
      perform fieldpost.members_changed(array(select n.id from fieldpost_new n));
    when 'DELETE' then
      perform fieldpost.members_changed(array(select o.id from fieldpost_old o));
    else
      perform fieldpost.members_changed(array(
        with old_rows as (
          select o.id, j ->> 'org_id', j ->> 'role', j ->> 'first_name', j ->> 'last_name'
          from fieldpost_old o cross join lateral to_jsonb(o) j
        ), new_rows as (
          select n.id, j ->> 'org_id', j ->> 'role', j ->> 'first_name', j ->> 'last_name'
          from fieldpost_new n cross join lateral to_jsonb(n) j
        )
        select x.id from (select * from old_rows except all select * from new_rows) x
        union
        select x.id from (select * from new_rows except all select * from old_rows) x));
  end case;
  return null;
end
$$;
comment on function fieldpost.profiles_changed() is
  'Tells of memberships that changed with profiles. Security definer: calls members_changed for any writer.';

-- A conversation handed from one medic to another. A BEFORE trigger, because of the medic who is deleted: the foreign key
-- takes her off the conversation, and by the time of AFTER triggers her account has been found to be no medic any more.
create or replace function fieldpost.conversation_reassigned() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform fieldpost.log_access(p.user_id, array[old.id], 'revoke')
  from (
    select x.user_id from fieldpost.people x
    where x.medic_id = old.medic_id and x.org_id = old.org_id and x.role = 'medic' and not x.removed order by x.user_id
  ) p;
  perform fieldpost.log_access(p.user_id, array[new.id], 'grant')
  from (
    select x.user_id from fieldpost.people x
    where x.medic_id = new.medic_id and x.org_id = new.org_id and x.role = 'medic' and not x.removed order by x.user_id
  ) p;
  return new;
end
$$;
comment on function fieldpost.conversation_reassigned() is
  'Revokes a reassigned conversation from one medic and grants it to another. Security definer: writes the access log.';

-- One trigger for each kind of write: those that see the rows of a statement can have no more. None on what is no table, is
-- somebody else's, or says nothing about accounts: preflight has said what to do there.
do $$
declare
  v_table text;
begin
  for v_table in
    select w.tab from (values ('medics', 'user_id'), ('profiles', 'id')) w (tab, col)
    join pg_class c on c.oid = to_regclass('public.' || w.tab) and c.relkind in ('r', 'p') and pg_has_role(c.relowner, 'usage')
    join pg_attribute a on a.attrelid = c.oid and a.attname = w.col and a.atttypid = 'uuid'::regtype and not a.attisdropped
  loop
    execute format('drop trigger if exists zz_fieldpost_changed on public.%I', v_table);  -- of an earlier version, for each row
    execute format('create or replace trigger zz_fieldpost_changed_insert after insert on public.%1$I '
      'referencing new table as fieldpost_new for each statement execute function fieldpost.%1$I_changed()', v_table);
    execute format('create or replace trigger zz_fieldpost_changed_update after update on public.%1$I '
      'referencing old table as fieldpost_old new table as fieldpost_new '
      'for each statement execute function fieldpost.%1$I_changed()', v_table);
    execute format('create or replace trigger zz_fieldpost_changed_delete after delete on public.%1$I '
      'referencing old table as fieldpost_old for each statement execute function fieldpost.%1$I_changed()', v_table);
  end loop;
end
$$;
create or replace trigger zz_fieldpost_reassigned before update on public.conversations
  for each row when (old.medic_id is distinct from new.medic_id) execute function fieldpost.conversation_reassigned();

-- Whoever is a member already is copied once. This is not an upsert of everybody: people who are up to date stay as
-- they are, so that applying the file again tells no client anything.
do $$
begin
  if exists (select from pg_attribute a where a.attrelid = 'public.profiles'::regclass and a.attname = 'id' and a.atttypid = 'uuid'::regtype) then
    perform fieldpost.members_changed(array(
      select p.id from public.profiles p where not exists (select from fieldpost.people x where x.user_id = p.id)));
  end if;
end
$$;
