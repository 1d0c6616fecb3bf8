-- Who gained and who lost sight of what.
--
-- A client is told of a conversation that comes into sight or goes out of it by a row of the access log. There is one
-- way in, `fieldpost.access_changed(user)`: it compares what the person was (the copy in `fieldpost.people`) with what
-- `fieldpost.memberships` says she is now, writes the difference, and brings the copy up to date. The triggers on the
-- reference tables only call it; a project with other tables calls it from its own.
--
-- What must stay true:
--  * The log decides nothing. What a person may read is computed from the tables at every call; a missing log row
--    costs a client the time until its digest differs, never anybody's privacy.
--  * Grants are written where conversations that existed before come into sight. A new conversation needs none.

create or replace function fieldpost.log_access(p_user uuid, p_conversations uuid[], p_access text) returns void
language sql set search_path = pg_catalog, pg_temp
as $$
  insert into fieldpost.access_log as l (user_id, conversation_id, access)
  select p_user, c, p_access from unnest(p_conversations) c
  where p_user is not null
  order by c
  on conflict (user_id, conversation_id) do update
    set access = excluded.access, version = l.version + 1, sync_xid = pg_current_xact_id()
    where l.access <> excluded.access
$$;
comment on function fieldpost.log_access(uuid, uuid[], text) is 'Writes grants or revocations of one person.';

-- What a membership shows. The same rule as `scope_of`, for a membership that may be a past one.
create or replace function fieldpost.conversations_shown(p_org uuid, p_role text, p_medic uuid) returns uuid[]
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(c.id), '{}') from public.conversations c
  where c.org_id = p_org
    and (p_role = 'org_admin' or c.type = 'broadcast' or (c.type = 'direct' and c.medic_id = p_medic))
$$;
comment on function fieldpost.conversations_shown(uuid, text, uuid) is 'The conversations that a membership gives sight of.';

create or replace function fieldpost.access_changed(p_user uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_before uuid[];
  v_after uuid[];
begin
  if p_user is null then
    return;
  end if;
  -- One at a time per person, so that two changes do not both compare with the same past.
  perform pg_advisory_xact_lock(hashtextextended('fieldpost.access:' || p_user::text, 0));

  select coalesce(array_agg(c), '{}') into v_before
  from fieldpost.people p, unnest(fieldpost.conversations_shown(p.org_id, p.role, p.medic_id)) c
  where p.user_id = p_user and not p.removed;
  select coalesce(array_agg(c), '{}') into v_after
  from fieldpost.memberships(p_user) m, unnest(fieldpost.conversations_shown(m.org_id, m.role, m.medic_id)) c;

  perform fieldpost.log_access(p_user, array(select unnest(v_before) except select unnest(v_after)), 'revoke');
  perform fieldpost.log_access(p_user, array(select unnest(v_after) except select unnest(v_before)), 'grant');

  update fieldpost.people p
  set removed = true, version = p.version + 1, sync_xid = pg_current_xact_id()
  where p.user_id = p_user and not p.removed
    and not exists (select from fieldpost.memberships(p_user) m where m.org_id = p.org_id);
  insert into fieldpost.people as p (org_id, user_id, role, medic_id, first_name, last_name)
  select m.org_id, p_user, m.role, m.medic_id, m.first_name, m.last_name from fieldpost.memberships(p_user) m
  on conflict (org_id, user_id) do update
    set role = excluded.role, medic_id = excluded.medic_id, first_name = excluded.first_name,
        last_name = excluded.last_name, removed = false, version = p.version + 1, sync_xid = pg_current_xact_id()
    where (p.role, p.medic_id, p.first_name, p.last_name, p.removed)
          is distinct from (excluded.role, excluded.medic_id, excluded.first_name, excluded.last_name, false);
end
$$;
comment on function fieldpost.access_changed(uuid) is
  'To be called after the memberships of a person changed. Security definer: writes the access log for whoever changed them.';

create or replace function fieldpost.medics_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op <> 'INSERT' then
    perform fieldpost.access_changed(old.user_id);
  end if;
  if tg_op <> 'DELETE' and (tg_op = 'INSERT' or new.user_id is distinct from old.user_id) then
    perform fieldpost.access_changed(new.user_id);
  end if;
  return null;
end
$$;
comment on function fieldpost.medics_changed() is
  'Tells of memberships that changed with a medic. Security definer: calls access_changed for any writer.';

create or replace function fieldpost.profiles_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op <> 'INSERT' then
    perform fieldpost.access_changed(old.id);
  end if;
  if tg_op <> 'DELETE' and (tg_op = 'INSERT' or new.id is distinct from old.id) then
    perform fieldpost.access_changed(new.id);
  end if;
  return null;
end
$$;
comment on function fieldpost.profiles_changed() is
  'Tells of memberships that changed with a profile. Security definer: calls access_changed for any writer.';

-- A conversation handed from one medic to another. A BEFORE trigger, because of the medic who is deleted: the foreign key
-- takes her off the conversation, and by the time of AFTER triggers her account has been found to be no medic any more.
create or replace function fieldpost.conversation_reassigned() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_user uuid;
begin
  for v_user in
    select p.user_id from fieldpost.people p
    where p.medic_id = old.medic_id and p.org_id = old.org_id and p.role = 'medic' and not p.removed
    order by p.user_id
  loop
    perform fieldpost.log_access(v_user, array[old.id], 'revoke');
  end loop;
  for v_user in
    select p.user_id from fieldpost.people p
    where p.medic_id = new.medic_id and p.org_id = new.org_id and p.role = 'medic' and not p.removed
    order by p.user_id
  loop
    perform fieldpost.log_access(v_user, array[new.id], 'grant');
  end loop;
  return new;
end
$$;
comment on function fieldpost.conversation_reassigned() is
  'Revokes a reassigned conversation from one medic and grants it to another. Security definer: writes the access log.';

create or replace trigger zz_fieldpost_changed after insert or update or delete on public.medics
  for each row execute function fieldpost.medics_changed();
create or replace trigger zz_fieldpost_changed after insert or update or delete on public.profiles
  for each row execute function fieldpost.profiles_changed();
create or replace trigger zz_fieldpost_reassigned before update on public.conversations
  for each row when (old.medic_id is distinct from new.medic_id) execute function fieldpost.conversation_reassigned();

-- Whoever is a member already is copied once. This is not an upsert of everybody: people who are up to date stay as
-- they are, so that applying the file again tells no client anything.
do $$
begin
  perform fieldpost.access_changed(p.id) from public.profiles p
  where not exists (select from fieldpost.people x where x.user_id = p.id);
end
$$;
