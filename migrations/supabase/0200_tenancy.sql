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

-- Supabase grants execute on new functions to the API roles by default in `public`; here nobody gets anything unasked.
alter default privileges in schema fieldpost revoke execute on functions from public;

-- The two functions are made where they are missing, and where they are still what Fieldpost made. A project's own stay.
create table if not exists fieldpost.replaceable (
  name text primary key,
  hash text not null
);
comment on table fieldpost.replaceable is
  'The functions that a project may replace, each with a hash of what Fieldpost made. Another hash: it is the project''s own.';
insert into fieldpost.replaceable (name, hash)
values ('memberships(uuid)', 'aa27a4de75d111cb1e86850da9698dca'), ('roster(uuid)', '9b52445b1aa8b94a71dddcc39c09c77f')  -- of version 1
on conflict do nothing;

create or replace function fieldpost.is_own(p_function text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select exists (select from pg_proc p where p.oid = to_regprocedure('fieldpost.' || p_function)
                   and md5(p.prosrc) <> (select r.hash from fieldpost.replaceable r where r.name = p_function))
$$;
comment on function fieldpost.is_own(text) is 'Whether a project has replaced a function of Fieldpost''s by its own.';

do $own$
declare
  v_ours constant text[] := array(select r.name from fieldpost.replaceable r where not fieldpost.is_own(r.name));
  -- Whether the tables have the columns that the usual functions read.
  v_profiles constant boolean := (
    select count(*) = 3 from pg_attribute a join (values ('id', 'uuid'), ('org_id', 'uuid'), ('role', null)) w (col, type) on w.col = a.attname
    where a.attrelid = 'public.profiles'::regclass and not a.attisdropped and (w.type is null or format_type(a.atttypid, null) = w.type));
  v_medics constant boolean := (
    select count(*) = 5 from pg_attribute a
    join (values ('id', 'uuid'), ('org_id', 'uuid'), ('user_id', 'uuid'), ('first_name', null), ('last_name', null)) w (col, type) on w.col = a.attname
    where a.attrelid = 'public.medics'::regclass and not a.attisdropped and (w.type is null or format_type(a.atttypid, null) = w.type));
begin
  if not 'memberships(uuid)' = any (v_ours) then
    null;  -- the project's own
  elsif v_profiles and v_medics then
    create or replace function fieldpost.memberships(p_user uuid)
    returns table (org_id uuid, role text, medic_id uuid, first_name text, last_name text)
    language sql stable
    as $$
      -- Somebody who is two medics of one organization has two rows: both conversations are hers.
      select p.org_id, p.role::text, case when p.role::text = 'medic' then m.id end, m.first_name::text, m.last_name::text
      from public.profiles p
      left join public.medics m on m.user_id = p.id and m.org_id = p.org_id
      where p.id = p_user and p.org_id is not null and p.role::text in ('medic', 'org_admin')
    $$;
  else
    create or replace function fieldpost.memberships(p_user uuid)
    returns table (org_id uuid, role text, medic_id uuid, first_name text, last_name text)
    language sql stable
    as $$ select null::uuid, null::text, null::uuid, null::text, null::text where false $$;
  end if;
  if not 'roster(uuid)' = any (v_ours) then
    null;
  elsif v_medics then
    create or replace function fieldpost.roster(p_org uuid)
    returns table (medic_id uuid, user_id uuid, first_name text, last_name text)
    language sql stable
    as $$ select m.id, m.user_id, m.first_name::text, m.last_name::text from public.medics m where m.org_id = p_org $$;
  else
    create or replace function fieldpost.roster(p_org uuid)
    returns table (medic_id uuid, user_id uuid, first_name text, last_name text)
    language sql stable
    as $$ select null::uuid, null::uuid, null::text, null::text where false $$;
  end if;
  update fieldpost.replaceable r set hash = md5(p.prosrc)
  from pg_proc p where p.oid = to_regprocedure('fieldpost.' || r.name) and r.name = any (v_ours);
end
$own$;
comment on function fieldpost.memberships(uuid) is
  'The organizations of a person and what she is there. Replace it when a project keeps its members elsewhere.';
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

-- Policies of the project's own that narrow: restrictive ones. (Permissive ones are joined with OR to those of Fieldpost, and
-- its restrictive ones hold them back.) What they say of other tables, claims or the time cannot be noticed from here: a
-- project tells of it by `fieldpost.access_changed(user)`.
create or replace function fieldpost.narrowed(p_commands text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from pg_policy p
    where p.polrelid in ('public.conversations'::regclass, 'public.messages'::regclass, 'public.conversation_read_status'::regclass,
                         'public.message_recipients'::regclass)
      and not p.polpermissive and p.polname not like 'fieldpost\_only\_%' and strpos(p_commands || '*', p.polcmd::text) > 0
      and (p.polroles = '{0}' or (select r.oid from pg_roles r where r.rolname = 'authenticated') = any (p.polroles)))
$$;
comment on function fieldpost.narrowed(text) is
  'Whether a project''s own policies narrow what signed-in people may do: r select, a insert, w update.';

create or replace function fieldpost.policies_hash() returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select md5(string_agg(concat_ws('/', p.polrelid, p.polname, p.polroles::text, pg_get_expr(p.polqual, p.polrelid)), ',' order by p.oid))
  from pg_policy p
  where p.polrelid in ('public.conversations'::regclass, 'public.messages'::regclass, 'public.conversation_read_status'::regclass)
    and not p.polpermissive and p.polname not like 'fieldpost\_only\_%' and p.polcmd in ('r', '*')
    and (p.polroles = '{0}' or (select r.oid from pg_roles r where r.rolname = 'authenticated') = any (p.polroles))
$$;
comment on function fieldpost.policies_hash() is 'Names the project''s own policies that hide rows; null where there are none.';

create or replace function fieldpost.scope_of(p_user uuid) returns fieldpost.scope
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  s fieldpost.scope;
  v_policies text;
begin
  s.user_id := p_user;
  select count(*) > 0,
         coalesce(array_agg(distinct m.org_id) filter (where m.role = 'org_admin'), '{}'),
         coalesce(array_agg(distinct m.org_id) filter (where m.role = 'medic'), '{}'),
         coalesce(array_agg(distinct m.medic_id) filter (where m.medic_id is not null), '{}'),
         coalesce(left(md5(string_agg(distinct m.org_id::text || m.role, ',')), 12), 'none')
    into s.member, s.admin_orgs, s.medic_orgs, s.medic_ids, s.fingerprint
  from fieldpost.memberships(p_user) m;
  -- What a project's own policies hide is another thing as soon as the policies are.
  v_policies := fieldpost.policies_hash();
  if v_policies is not null then
    s.fingerprint := left(md5(s.fingerprint || v_policies), 12);
  end if;

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
