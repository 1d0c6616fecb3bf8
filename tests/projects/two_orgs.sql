-- One person works for two organizations: in one as a medic, in the other as an admin. The project says so in its own table.
-- @base app

create table public.jobs (user_id uuid references auth.users, org_id uuid references public.organizations, role text not null, medic_id uuid references public.medics, primary key (user_id, org_id));
alter table public.jobs enable row level security;
create policy "own jobs" on public.jobs for select to authenticated using (user_id = (select auth.uid()));
insert into public.jobs select p.id, p.org_id, p.role, m.id from public.profiles p left join public.medics m on m.user_id = p.id and m.org_id = p.org_id;
insert into public.jobs values (:ada, :other, 'org_admin', null);

-- @operator
create or replace function fieldpost.memberships(p_user uuid)
returns table (org_id uuid, role text, medic_id uuid, first_name text, last_name text)
language sql stable as $$
  select j.org_id, j.role, j.medic_id, m.first_name, m.last_name from public.jobs j left join public.medics m on m.id = j.medic_id where j.user_id = p_user
$$;
select fieldpost.access_changed(p.id) from public.profiles p;

-- @holds ada: t t f
select concat_ws(' ', b like '%' || :c_ada || '%', b like '%' || :c_zed || '%', b like '%' || :c_ben || '%')
from (select public.fieldpost_bootstrap(p_protocol => 1)::text) x (b)

-- @holds ada: 0
select count(*) from public.messages where conversation_id = :c_ben
