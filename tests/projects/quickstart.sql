-- Supabase's quickstart for user management, and nothing else: profiles with names, three policies, a trigger on auth.users.
--
-- Nobody's organization or role is in it. Who is a member is in a table of the project's own, so the operator says so.
-- @v1 stops
-- @use ada boss none

create table public.profiles (
  id uuid references auth.users on delete cascade not null primary key, updated_at timestamptz, username text unique,
  full_name text, avatar_url text, website text, constraint username_length check (char_length(username) >= 3));
alter table public.profiles enable row level security;
create policy "Public profiles are viewable by everyone." on public.profiles for select using (true);
create policy "Users can insert their own profile." on public.profiles for insert with check ((select auth.uid()) = id);
create policy "Users can update own profile." on public.profiles for update using ((select auth.uid()) = id);
create function public.handle_new_user() returns trigger set search_path = '' as $$
begin
  insert into public.profiles (id, full_name, avatar_url) values (new.id, new.raw_user_meta_data->>'full_name', new.raw_user_meta_data->>'avatar_url');
  return new;
end;
$$ language plpgsql security definer;
create trigger on_auth_user_created after insert on auth.users for each row execute procedure public.handle_new_user();

create table public.staff (account uuid references auth.users, company_id uuid not null, kind text not null, medic_id uuid, given_name text, family_name text);
alter table public.staff enable row level security;
create policy "own row" on public.staff for select to authenticated using (account = (select auth.uid()));
insert into auth.users (id, raw_user_meta_data) values (:boss, '{"full_name": "Bo Ss"}'), (:ada, '{"full_name": "Ada Moss"}'), (:pat, '{"full_name": "Pat Reyes"}');
insert into public.staff values (:boss, :org, 'manager', null, 'Bo', 'Ss'), (:ada, :org, 'nurse', :m_ada, 'Ada', 'Moss');

-- @app pat: changes the own name
update public.profiles set full_name = 'Pat R.', updated_at = now() where id = :pat

-- @app anon: looks at profiles
select * from public.profiles

-- @app service: signs somebody up
insert into auth.users (id, raw_user_meta_data) values (gen_random_uuid(), '{"full_name": "New"}')

-- @always anon: Bo Ss
select full_name from public.profiles where id = :boss

-- @operator
insert into public.organizations (id, name) values (:org, 'North') on conflict do nothing;
create or replace function fieldpost.memberships(p_user uuid)
returns table (org_id uuid, role text, medic_id uuid, first_name text, last_name text)
language sql stable as $$
  select s.company_id, case s.kind when 'manager' then 'org_admin' else 'medic' end,
         case when s.kind <> 'manager' then s.medic_id end, s.given_name, s.family_name
  from public.staff s where s.account = p_user
$$;
create or replace function fieldpost.roster(p_org uuid)
returns table (medic_id uuid, user_id uuid, first_name text, last_name text)
language sql stable as $$
  select s.medic_id, s.account, s.given_name, s.family_name from public.staff s where s.company_id = p_org and s.kind <> 'manager'
$$;
alter table public.conversations drop constraint if exists conversations_medic_id_fkey;
select fieldpost.access_changed(s.account) from public.staff s;
