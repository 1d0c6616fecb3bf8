-- A new project that does not expose new tables and functions by itself, as projects are made since 2026.
-- @use ada boss none

alter default privileges for role postgres in schema public revoke all on tables from anon, authenticated, service_role;
alter default privileges for role postgres in schema public revoke all on functions from anon, authenticated, service_role;
alter default privileges for role postgres in schema public revoke all on sequences from anon, authenticated, service_role;
alter default privileges for role postgres revoke execute on functions from public;
insert into auth.users (id) values (:boss), (:ada);

-- @operator
insert into public.organizations (id, name) values (:org, 'North');
insert into public.medics (id, org_id, user_id, first_name, last_name) values (:m_ada, :org, :ada, 'Ada', 'Moss');
insert into public.profiles (id, org_id, role) values (:boss, :org, 'org_admin'), (:ada, :org, 'medic');

-- @holds boss: 1
with told as (
  insert into public.conversations (org_id, type, created_by) values (:org, 'broadcast', :boss) returning id
) select count(*) from told

-- @holds service: 1
select count(*) from public.medics

-- @holds ada: Ada
select first_name from public.medics
