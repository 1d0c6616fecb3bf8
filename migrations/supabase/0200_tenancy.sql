-- Who belongs where: the one place that reads the project's own membership tables.
--
-- Everything else asks `fieldpost.memberships` (what one person is) and `fieldpost.roster` (the medics of one
-- organization). A project whose tables differ replaces these two and nothing more, and calls
-- `fieldpost.access_changed(user)` when its tables change (docs/howto/supabase.md).
--
-- What must stay true:
--  * They read tables at call time, never JWT claims, so that losing access takes effect with the next call.
--  * They are plain SQL without a SET clause, so that the planner can inline them into the queries that use them.
--  * They run with the rights of their caller. Only functions of this schema call them, and those run as its owner.

create schema if not exists fieldpost;
comment on schema fieldpost is 'Fieldpost synchronisation: helpers and feed tables. Not to be exposed through the API.';

-- Supabase grants execute on new functions to the API roles by default in `public`; here nobody gets anything unasked.
alter default privileges in schema fieldpost revoke execute on functions from public;

create index if not exists medics_by_user on public.medics (user_id);
create index if not exists medics_by_org on public.medics (org_id);
create index if not exists profiles_by_org on public.profiles (org_id);

create or replace function fieldpost.memberships(p_user uuid)
returns table (org_id uuid, role text, medic_id uuid, first_name text, last_name text)
language sql stable
as $$
  select p.org_id, p.role::text,
         case when p.role::text = 'medic' then m.id end,
         m.first_name::text, m.last_name::text
  from public.profiles p
  left join lateral (
    -- `is true` keeps the organization a filter: in the midst of an import, before there are statistics, its index looks as
    -- good as the person's, and holds everybody.
    select x.id, x.first_name, x.last_name from public.medics x
    where x.user_id = p.id and (x.org_id = p.org_id) is true
    order by x.id limit 1
  ) m on true
  where p.id = p_user and p.org_id is not null and p.role::text in ('medic', 'org_admin')
$$;
comment on function fieldpost.memberships(uuid) is
  'The organizations of a person and what she is there. Replace it when a project keeps its members elsewhere.';

create or replace function fieldpost.roster(p_org uuid)
returns table (medic_id uuid, user_id uuid, first_name text, last_name text)
language sql stable
as $$
  select m.id, m.user_id, m.first_name::text, m.last_name::text from public.medics m where m.org_id = p_org
$$;
comment on function fieldpost.roster(uuid) is
  'The medics of an organization, with or without an account. Replace it when a project keeps its medics elsewhere.';

-- Helpers of the policies. They are `security definer` because a policy on `conversations` that reads
-- `conversations` or `profiles` as the caller would meet the policies of those tables, and its own, again.

create or replace function fieldpost.uid() returns uuid
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select auth.uid() $$;
comment on function fieldpost.uid() is
  'auth.uid(). Security definer: triggers that run as the API role may not be allowed to look into schema auth.';

create or replace function fieldpost.my_admin_orgs() returns setof uuid
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select m.org_id from fieldpost.memberships(auth.uid()) m where m.role = 'org_admin' $$;
comment on function fieldpost.my_admin_orgs() is
  'Organizations the caller administers. Security definer: policies use it and must not recurse into themselves.';

create or replace function fieldpost.my_direct_conversations() returns setof uuid
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select c.id from fieldpost.memberships(auth.uid()) m
  join public.conversations c on c.medic_id = m.medic_id and c.org_id = m.org_id and c.type = 'direct'
$$;
comment on function fieldpost.my_direct_conversations() is
  'The caller''s own direct conversations, as a medic. Security definer: policies use it and must not recurse.';

create or replace function fieldpost.my_medic_conversations() returns setof uuid
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select c.id from fieldpost.memberships(auth.uid()) m
  join public.conversations c on c.medic_id = m.medic_id and c.org_id = m.org_id and c.type = 'direct'
  union all
  select c.id from fieldpost.memberships(auth.uid()) m
  join public.conversations c on c.org_id = m.org_id and c.type = 'broadcast'
  where m.role = 'medic'
$$;
comment on function fieldpost.my_medic_conversations() is
  'What the caller may read as a medic: her direct conversation and broadcasts. Security definer: used by policies.';

create or replace function fieldpost.is_admin_of(p_org uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select exists (select from fieldpost.memberships(auth.uid()) m where m.org_id = p_org and m.role = 'org_admin') $$;
comment on function fieldpost.is_admin_of(uuid) is
  'Whether the caller administers an organization. Security definer: reads the membership tables past their policies.';

create or replace function fieldpost.org_of(p_conversation uuid) returns uuid
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select c.org_id from public.conversations c where c.id = p_conversation $$;
comment on function fieldpost.org_of(uuid) is
  'The organization of a conversation. Security definer: a policy compares it with what a client claims.';

create or replace function fieldpost.is_medic_of(p_medic uuid, p_org uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select exists (select from fieldpost.roster(p_org) r where r.medic_id = p_medic) $$;
comment on function fieldpost.is_medic_of(uuid, uuid) is
  'Whether a medic is on the roster of an organization. Security definer: reads the roster past its policies.';

create or replace function fieldpost.my_medics() returns table (org_id uuid, medic_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select m.org_id, m.medic_id from fieldpost.memberships(auth.uid()) m where m.medic_id is not null $$;
comment on function fieldpost.my_medics() is
  'The caller as a medic. Security definer: reads the membership tables past their policies.';

create or replace function fieldpost.my_medic_orgs() returns setof uuid
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select m.org_id from fieldpost.memberships(auth.uid()) m where m.role = 'medic' $$;
comment on function fieldpost.my_medic_orgs() is
  'Organizations in which the caller is a medic. Security definer: policies use it and must not recurse into themselves.';

create or replace function fieldpost.recipient_fits(p_message uuid, p_recipient uuid, p_org uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select exists (select from public.messages m join public.conversations c on c.id = m.conversation_id
                 where m.id = p_message and m.org_id = p_org and c.type = 'broadcast')
     and exists (select from fieldpost.roster(p_org) r where r.user_id = p_recipient)
$$;
comment on function fieldpost.recipient_fits(uuid, uuid, uuid) is
  'Whether a recipient row joins a broadcast and a medic of one organization. Security definer: used by a policy.';

-- What one person may see, gathered once per call of the feed: an admin through whole organizations, a medic through a
-- short list of conversations. The queries of the feed take the matching index for each.
do $$
begin
  if to_regtype('fieldpost.scope') is null then
    create type fieldpost.scope as (
      user_id uuid,
      member boolean,
      admin_orgs uuid[],
      medic_orgs uuid[],
      medic_ids uuid[],
      conversations uuid[],  -- visible as a medic
      directs uuid[],        -- those of them that she may write to
      fingerprint text       -- changes when an organization or a role changes
    );
  end if;
end
$$;

create or replace function fieldpost.scope_of(p_user uuid) returns fieldpost.scope
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  s fieldpost.scope;
begin
  s.user_id := p_user;
  select count(*) > 0,
         coalesce(array_agg(m.org_id) filter (where m.role = 'org_admin'), '{}'),
         coalesce(array_agg(m.org_id) filter (where m.role = 'medic'), '{}'),
         coalesce(array_agg(m.medic_id) filter (where m.medic_id is not null), '{}'),
         coalesce(left(md5(string_agg(m.org_id::text || m.role, ',' order by m.org_id, m.role)), 12), 'none')
    into s.member, s.admin_orgs, s.medic_orgs, s.medic_ids, s.fingerprint
  from fieldpost.memberships(p_user) m;

  select coalesce(array_agg(c.id), '{}') into s.directs
  from public.conversations c
  where c.medic_id = any (s.medic_ids) and c.org_id = any (s.medic_orgs) and c.type = 'direct';

  select s.directs || coalesce(array_agg(c.id), '{}') into s.conversations
  from public.conversations c
  where c.org_id = any (s.medic_orgs) and c.type = 'broadcast';
  return s;
end
$$;
comment on function fieldpost.scope_of(uuid) is
  'What a person may see. Security definer: the feed reads the tables past their policies and filters by this instead.';
