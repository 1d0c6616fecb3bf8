-- Ids are numbers: this cannot be supported.
-- @v1 stops
-- @refused messages\.id is bigint

create table public.organizations (id bigint generated always as identity primary key, name text);
create table public.medics (id bigint generated always as identity primary key, org_id bigint not null references public.organizations, user_id uuid references auth.users, first_name text, last_name text);
create table public.profiles (id uuid primary key references auth.users, org_id bigint references public.organizations, role text);
create table public.conversations (id bigint generated always as identity primary key, org_id bigint not null references public.organizations, type text not null default 'direct',
  subject text, medic_id bigint references public.medics, created_by uuid references auth.users, last_message_at timestamptz, last_message_preview text,
  created_at timestamptz not null default now(), updated_at timestamptz not null default now());
create table public.messages (id bigint generated always as identity primary key, conversation_id bigint not null references public.conversations, org_id bigint not null,
  sender_id uuid references auth.users, message_type text not null default 'text', content text, metadata jsonb, status text not null default 'sent', deleted_at timestamptz,
  created_at timestamptz not null default now(), updated_at timestamptz not null default now());
alter table public.conversations enable row level security;
alter table public.messages enable row level security;
create policy "mine" on public.conversations for all to authenticated using (true);
create policy "mine" on public.messages for all to authenticated using (true);
insert into auth.users (id) values (:pat);
insert into public.organizations (name) values ('North');
insert into public.conversations (org_id, type, created_by) values (1, 'broadcast', :pat);

-- @app pat: sends a message
insert into public.messages (conversation_id, org_id, sender_id, content) values (1, 1, :pat, 'a number')

-- @app pat: reads
select * from public.messages order by id desc limit 20
