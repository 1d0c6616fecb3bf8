-- Messages are partitioned by month. This cannot be supported.
-- @v1 stops
-- @refused messages is no plain table

create table public.messages (id uuid not null default gen_random_uuid(), conversation_id uuid not null, org_id uuid not null, sender_id uuid, message_type text not null default 'text',
  content text, metadata jsonb, status text not null default 'sent', deleted_at timestamptz, created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
  primary key (id, created_at)) partition by range (created_at);
create table public.messages_old partition of public.messages for values from (minvalue) to ('2026-01-01');
create table public.messages_new partition of public.messages for values from ('2026-01-01') to (maxvalue);
alter table public.messages enable row level security;
create policy "everybody" on public.messages for all to authenticated using (true);
insert into auth.users (id) values (:pat);

-- @app pat: sends a message
insert into public.messages (conversation_id, org_id, sender_id, content) values (:c_pat, :org, :pat, 'hi')
