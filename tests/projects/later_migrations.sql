-- The project's own migrations are newer than the dates of version 1's files.
-- @base app

-- @file 20260915093000_flags.sql
create table public.flags (id uuid primary key default gen_random_uuid(), org_id uuid not null references public.organizations, flag text not null);
alter table public.flags enable row level security;
create policy "flags of my organization" on public.flags for all to authenticated using (org_id = (select public.my_org()));

-- @file 20260930120000_more_flags.sql
insert into public.flags (org_id, flag) values (:org, 'beta'), (:other, 'beta');
