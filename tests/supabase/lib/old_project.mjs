// The tables of the app that was there before, with its organization-wide policies and its updated_at triggers.
export const OLD = `
  create table public.organizations (id uuid primary key);
  create table public.medics (id uuid primary key, org_id uuid not null references public.organizations, user_id uuid references auth.users, first_name text not null, last_name text not null);
  create table public.profiles (id uuid primary key references auth.users, org_id uuid references public.organizations, role text not null);
  create type public.conversation_type as enum ('direct', 'broadcast');
  create table public.conversations (id uuid primary key default gen_random_uuid(), org_id uuid not null references public.organizations,
    type public.conversation_type not null default 'direct', subject text, medic_id uuid references public.medics on delete set null,
    created_by uuid not null references auth.users, last_message_at timestamptz, last_message_preview text,
    created_at timestamptz not null default now(), updated_at timestamptz not null default now());
  create unique index idx_conv_direct on public.conversations (org_id, medic_id) where type = 'direct';
  create table public.messages (id uuid primary key default gen_random_uuid(), conversation_id uuid not null references public.conversations on delete cascade,
    org_id uuid not null references public.organizations, sender_id uuid not null references auth.users,
    message_type text not null default 'text' check (message_type in ('text', 'attachment', 'system')), content text, metadata jsonb,
    status text not null default 'sent' check (status in ('sent', 'delivered', 'read')), deleted_at timestamptz,
    created_at timestamptz not null default now(), updated_at timestamptz not null default now());
  create table public.message_recipients (id uuid primary key default gen_random_uuid(), message_id uuid not null references public.messages on delete cascade,
    recipient_id uuid not null, org_id uuid not null, delivered_at timestamptz, read_at timestamptz, created_at timestamptz not null default now(), unique (message_id, recipient_id));
  create table public.conversation_read_status (user_id uuid not null references auth.users, conversation_id uuid not null references public.conversations on delete cascade,
    org_id uuid not null, last_read_at timestamptz not null default now(), primary key (user_id, conversation_id));
  create function public.touch() returns trigger language plpgsql as $$ begin new.updated_at = now(); return new; end $$;
  create trigger update_messages_updated_at before update on public.messages for each row execute function public.touch();
  create trigger update_conversations_updated_at before update on public.conversations for each row execute function public.touch();
  alter table public.messages enable row level security;
  create policy org_wide on public.messages for all to authenticated using (org_id in (select org_id from public.profiles where id = auth.uid()));
`;
