-- An ordinary app: two organizations, policies by organization, triggers for updated_at, an enum.
--
-- In the first: boss runs it, ada, ben and pat are medics. In the other: zoe and zed. Pat's conversation is where the old app is at
-- work during the tests; whatever else is here must stay as it is.

create table public.organizations (id uuid primary key default gen_random_uuid(), name text not null, created_at timestamptz not null default now());
create table public.medics (
  id uuid primary key default gen_random_uuid(), org_id uuid not null references public.organizations on delete cascade,
  user_id uuid references auth.users on delete set null, first_name text not null, last_name text not null);
create table public.profiles (
  id uuid primary key references auth.users on delete cascade, org_id uuid references public.organizations on delete cascade,
  role text not null check (role in ('medic', 'org_admin')), full_name text, updated_at timestamptz);
create type public.conversation_type as enum ('direct', 'broadcast');
create table public.conversations (
  id uuid primary key default gen_random_uuid(), org_id uuid not null references public.organizations on delete cascade,
  type public.conversation_type not null default 'direct', subject text, medic_id uuid references public.medics on delete set null,
  created_by uuid references auth.users on delete set null, last_message_at timestamptz, last_message_preview text,
  created_at timestamptz not null default now(), updated_at timestamptz not null default now());
create unique index idx_conv_direct on public.conversations (org_id, medic_id) where type = 'direct';
create table public.messages (
  id uuid primary key default gen_random_uuid(), conversation_id uuid not null references public.conversations on delete cascade,
  org_id uuid not null references public.organizations on delete cascade, sender_id uuid references auth.users on delete set null,
  message_type text not null default 'text' check (message_type in ('text', 'attachment', 'system')), content text, metadata jsonb,
  status text not null default 'sent' check (status in ('sent', 'delivered', 'read')), deleted_at timestamptz,
  created_at timestamptz not null default now(), updated_at timestamptz not null default now());
create index idx_messages_thread on public.messages (conversation_id, created_at desc);
create table public.message_recipients (
  id uuid primary key default gen_random_uuid(), message_id uuid not null references public.messages on delete cascade,
  recipient_id uuid not null references auth.users on delete cascade, org_id uuid not null, delivered_at timestamptz,
  read_at timestamptz, created_at timestamptz not null default now(), unique (message_id, recipient_id));
create table public.conversation_read_status (
  user_id uuid not null references auth.users on delete cascade, conversation_id uuid not null references public.conversations on delete cascade,
  org_id uuid not null, last_read_at timestamptz not null default now(), primary key (user_id, conversation_id));

create function public.touch() returns trigger language plpgsql set search_path = '' as $$ begin new.updated_at = pg_catalog.now(); return new; end $$;
create trigger update_messages_updated_at before update on public.messages for each row execute function public.touch();
create trigger update_conversations_updated_at before update on public.conversations for each row execute function public.touch();

create function public.my_org() returns uuid language sql stable security definer set search_path = '' as
  $$ select p.org_id from public.profiles p where p.id = auth.uid() $$;
alter table public.organizations enable row level security;
alter table public.medics enable row level security;
alter table public.profiles enable row level security;
alter table public.conversations enable row level security;
alter table public.messages enable row level security;
alter table public.message_recipients enable row level security;
alter table public.conversation_read_status enable row level security;
create policy "own organization" on public.organizations for select to authenticated using (id = (select public.my_org()));
create policy "medics of my organization" on public.medics for all to authenticated using (org_id = (select public.my_org()));
create policy "own profile" on public.profiles for select to authenticated using (id = (select auth.uid()));
create policy "name of own profile" on public.profiles for update to authenticated using (id = (select auth.uid()))
  with check (org_id = (select public.my_org()));
create policy "by organization" on public.conversations for all to authenticated using (org_id = (select public.my_org()));
create policy "by organization" on public.messages for all to authenticated using (org_id = (select public.my_org()));
create policy "by organization" on public.message_recipients for all to authenticated using (org_id = (select public.my_org()));
create policy "own marks" on public.conversation_read_status for all to authenticated using (user_id = (select auth.uid()));

insert into auth.users (id) values (:boss), (:ada), (:ben), (:pat), (:zoe), (:zed);
insert into public.organizations (id, name) values (:org, 'North'), (:other, 'South');
insert into public.medics (id, org_id, user_id, first_name, last_name) values
  (:m_ada, :org, :ada, 'Ada', 'Moss'), (:m_ben, :org, :ben, 'Ben', 'Okafor'), (:m_pat, :org, :pat, 'Pat', 'Reyes'), (:m_zed, :other, :zed, 'Zed', 'Lund');
insert into public.profiles (id, org_id, role, full_name) values
  (:boss, :org, 'org_admin', 'Bo Ss'), (:ada, :org, 'medic', 'Ada Moss'), (:ben, :org, 'medic', null), (:pat, :org, 'medic', 'Pat Reyes'),
  (:zoe, :other, 'org_admin', 'Zoe'), (:zed, :other, 'medic', 'Zed');
insert into public.conversations (id, org_id, type, subject, medic_id, created_by) values
  (:c_ada, :org, 'direct', null, :m_ada, :boss), (:c_ben, :org, 'direct', 'Shifts', :m_ben, :ben), (:c_pat, :org, 'direct', null, :m_pat, :pat),
  (:c_all, :org, 'broadcast', 'Everybody', null, :boss), (:c_zed, :other, 'direct', null, :m_zed, :zoe);
insert into public.messages (conversation_id, org_id, sender_id, content, created_at, updated_at, metadata)
select c.id, c.org_id, case when n % 2 = 0 then x.medic else x.admin end, 'old ' || n, '2025-05-01'::timestamptz + n * interval '1 hour',
       '2025-05-01'::timestamptz + n * interval '1 hour', case when n % 3 = 0 then jsonb_build_object('idempotency_key', c.id || '-' || n, 'tags', '[1, 2]'::jsonb) end
from (values (:c_ada::uuid, :ada::uuid, :boss::uuid), (:c_ben, :ben, :boss), (:c_pat, :pat, :boss), (:c_all, :boss, :boss), (:c_zed, :zed, :zoe)) x (id, medic, admin)
join public.conversations c on c.id = x.id, generate_series(1, 12) n;
insert into public.message_recipients (message_id, recipient_id, org_id, delivered_at)
select m.id, r.id, :org, '2025-05-02' from public.messages m, unnest(array[:ada, :ben]::uuid[]) r (id) where m.conversation_id = :c_all;
insert into public.conversation_read_status (user_id, conversation_id, org_id, last_read_at) values (:ada, :c_ada, :org, '2025-05-01 06:30+00');

-- @app pat: sends a message
insert into public.messages (conversation_id, org_id, sender_id, content, metadata)
values (:c_pat, :org, :pat, 'from the old app', jsonb_build_object('idempotency_key', gen_random_uuid()))

-- @app pat: reads the thread
select * from public.messages where conversation_id = :c_pat order by created_at desc limit 50

-- @app pat: marks it read
insert into public.conversation_read_status (user_id, conversation_id, org_id, last_read_at) values (:pat, :c_pat, :org, now())
on conflict (user_id, conversation_id) do update set last_read_at = excluded.last_read_at

-- @app boss: answers
insert into public.messages (conversation_id, org_id, sender_id, content) values (:c_pat, :org, :boss, 'answer')

-- @app boss: says what was last
update public.conversations set last_message_at = now(), last_message_preview = 'answer' where id = :c_pat

-- @app boss: corrects a message
update public.messages set content = 'corrected'
where id = (select m.id from public.messages m where m.conversation_id = :c_pat and m.sender_id = :boss order by m.created_at desc limit 1)

-- @app pat: has read it
update public.messages set status = 'read'
where id = (select m.id from public.messages m where m.conversation_id = :c_pat and m.sender_id = :boss order by m.created_at desc limit 1)

-- @app boss: lists conversations
select c.*, m.first_name from public.conversations c left join public.medics m on m.id = c.medic_id order by c.last_message_at desc

-- @app boss: tells everybody
insert into public.messages (conversation_id, org_id, sender_id, content) values (:c_all, :org, :boss, 'news')

-- @app boss: writes who shall get it
with told as (
  insert into public.message_recipients (message_id, recipient_id, org_id)
  select m.id, :pat, :org from public.messages m
  where m.conversation_id = :c_all and not exists (select from public.message_recipients r where r.message_id = m.id and r.recipient_id = :pat)
  order by m.created_at desc, m.id limit 1 returning 1
) select count(*) from told  -- nobody is left to tell when nothing new was said

-- @app pat: has got it
update public.message_recipients set delivered_at = now() where recipient_id = :pat

-- @app boss: hires a medic
insert into public.medics (org_id, first_name, last_name) values (:org, 'New', 'Medic')

-- @app pat: changes the own name
update public.profiles set full_name = 'Pat R.', updated_at = now() where id = :pat

-- @app service: writes for the system
insert into public.messages (conversation_id, org_id, sender_id, message_type, content) values (:c_pat, :org, :boss, 'system', 'Pat joined')

-- @app anon: looks at messages
select count(*) from public.messages

-- @holds anon: 0 or error 42501
select count(*) from public.messages

-- @holds zed: 0
select count(*) from public.messages where org_id = :org

-- @holds ben: 0
select count(*) from public.messages where conversation_id = :c_ada
