-- Grants were taken away: nobody reads the phone numbers of colleagues.
-- @base app

alter table public.medics add column phone text, add column ssn text;
update public.medics set phone = '555-0100', ssn = '000-00-0000';
drop policy "medics of my organization" on public.medics;
create policy "everybody reads names" on public.medics for select to authenticated using (true);
create policy "admins hire" on public.medics for insert to authenticated with check (org_id = (select public.my_org()));
revoke select on public.medics, public.profiles from anon, authenticated;
grant select (id, org_id, user_id, first_name, last_name) on public.medics to authenticated;
grant select (id, org_id, role) on public.profiles to authenticated;
revoke insert on public.messages from anon;
revoke delete, truncate on public.messages, public.conversations from authenticated;
revoke execute on function public.my_org() from anon, public;

-- @always zed: error 42501
select phone from public.medics

-- @always zed: error 42501
select full_name from public.profiles

-- @always zed: 4
select count(id) from public.medics where last_name <> 'Medic'

-- @always pat: error 42501
delete from public.messages where conversation_id = :c_pat
