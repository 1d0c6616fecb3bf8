-- The messaging tables, as Fieldpost expects them.
--
-- A new project gets them here. A project that has them already keeps its own, as they are: nothing below alters a table that
-- existed. `fieldpost.managed` says of each table whose it is.
--
-- What must stay true: this file holds no trace of synchronisation. Everything that the sync layer needs is added by
-- the files after it, in the same way for a new project and for an old one.

create table if not exists fieldpost.installed (
  version int not null,
  hash text not null,
  at timestamptz not null default now(),
  primary key (version, hash)
);
comment on table fieldpost.installed is 'The versions of this SQL that were applied, each with a hash of what it made.';
create table if not exists fieldpost.managed (
  name text primary key,
  how text not null check (how in ('made', 'adopted', 'guest'))
);
comment on table fieldpost.managed is
  'Whose a table is: Fieldpost made it, the operator let Fieldpost adopt it, or Fieldpost is a guest in it.';
insert into fieldpost.managed (name, how)
select t.name, case
    when to_regclass('public.' || t.name) is null then 'made'
    -- Version 1 did not write it down. It made these policies together with the tables, in projects that had none.
    when exists (select from pg_policy p where p.polrelid = to_regclass('public.medics') and p.polname = 'medics_read_self')
     and exists (select from pg_policy p where p.polrelid = to_regclass('public.profiles') and p.polname = 'profiles_read_self') then 'made'
    else 'guest' end
from unnest(array['organizations', 'medics', 'profiles', 'conversations', 'messages', 'message_recipients', 'conversation_read_status']) t (name)
on conflict do nothing;
-- Agreed to by the operator: `fieldpost sql export --adopt`.
update fieldpost.managed m set how = 'adopted'
where m.how = 'guest' and coalesce(current_setting('fieldpost.adopt', true), '') in ('all', m.name)
  and m.name in ('conversations', 'messages', 'message_recipients', 'conversation_read_status');

create or replace function fieldpost.is_guest_in(p_table text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$ select exists (select from fieldpost.managed m where m.name = p_table and m.how = 'guest') $$;
comment on function fieldpost.is_guest_in(text) is 'Whether a table existed before, and was not adopted.';

insert into fieldpost.applying (name, value)
values ('makes_conversations', (to_regclass('public.conversations') is null)::text)
on conflict (name) do update set value = excluded.value;

create table if not exists public.organizations (
  id uuid primary key default gen_random_uuid(),
  name text,
  created_at timestamptz not null default now()
);

do $$
begin
  if to_regclass('public.medics') is null then
    create table public.medics (
      id uuid primary key default gen_random_uuid(),
      org_id uuid not null references public.organizations (id) on delete cascade,
      user_id uuid references auth.users (id) on delete set null,
      first_name text not null,
      last_name text not null
    );
    create index medics_by_user on public.medics (user_id);
    create index medics_by_org on public.medics (org_id);
  end if;

  if to_regclass('public.profiles') is null then
    create table public.profiles (
      id uuid primary key references auth.users (id) on delete cascade,
      org_id uuid references public.organizations (id) on delete cascade,
      role text not null check (role in ('medic', 'org_admin'))
    );
    create index profiles_by_org on public.profiles (org_id);
  end if;
end
$$;

create table if not exists public.conversations (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  type text not null default 'direct' check (type in ('direct', 'broadcast')),
  subject text,
  medic_id uuid,
  created_by uuid references auth.users (id) on delete set null,
  last_message_at timestamptz,
  last_message_preview text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- A message outlives the account of its author.
create table if not exists public.messages (
  id uuid primary key default gen_random_uuid(),
  conversation_id uuid not null references public.conversations (id) on delete cascade,
  org_id uuid not null references public.organizations (id) on delete cascade,
  sender_id uuid references auth.users (id) on delete set null,
  message_type text not null default 'text' check (message_type in ('text', 'attachment', 'system')),
  content text,
  metadata jsonb,
  status text not null default 'sent' check (status in ('sent', 'delivered', 'read')),
  deleted_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table if not exists public.message_recipients (
  id uuid primary key default gen_random_uuid(),
  message_id uuid not null references public.messages (id) on delete cascade,
  recipient_id uuid not null references auth.users (id) on delete cascade,
  org_id uuid not null references public.organizations (id) on delete cascade,
  delivered_at timestamptz,
  read_at timestamptz,
  created_at timestamptz not null default now(),
  unique (message_id, recipient_id)
);

create table if not exists public.conversation_read_status (
  user_id uuid not null references auth.users (id) on delete cascade,
  conversation_id uuid not null references public.conversations (id) on delete cascade,
  org_id uuid not null references public.organizations (id) on delete cascade,
  last_read_at timestamptz not null default now(),
  primary key (user_id, conversation_id)
);

-- Tables of Fieldpost's own: row level security, the foreign key to the medics, indexes for all foreign keys, and the
-- rules "one direct conversation for each medic" and "one broadcast for each organization". Elsewhere the push function
-- keeps to these rules by a lock, and direct writers may do what they could before.
do $$
declare
  v_table text;
begin
  for v_table in select m.name from fieldpost.managed m where m.how in ('made', 'adopted') order by m.name loop
    execute format('alter table public.%I enable row level security', v_table);
  end loop;
  if not fieldpost.is_guest_in('conversations') then
    -- Once: a project whose medics are elsewhere drops it.
    if fieldpost.note('makes_conversations')::boolean and exists (
      select from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
      where i.indrelid = 'public.medics'::regclass and i.indisunique and i.indnatts = 1 and a.attname = 'id' and a.atttypid = 'uuid'::regtype
    ) then
      alter table public.conversations
        add constraint conversations_medic_id_fkey foreign key (medic_id) references public.medics (id) on delete set null;
    end if;
    create index if not exists conversations_by_creator on public.conversations (created_by);
    if not exists (select from public.conversations c where c.type::text = 'direct' and c.medic_id is not null
                   group by c.org_id, c.medic_id having count(*) > 1) then
      create unique index if not exists conversations_one_direct_per_medic on public.conversations (org_id, medic_id) where type = 'direct';
    end if;
    if not exists (select from public.conversations c where c.type::text = 'broadcast' group by c.org_id having count(*) > 1) then
      create unique index if not exists conversations_one_broadcast_per_org on public.conversations (org_id) where type = 'broadcast';
    end if;
  end if;
  if not fieldpost.is_guest_in('messages') then
    create index if not exists messages_by_sender on public.messages (sender_id);
    alter table public.messages alter column sender_id drop not null;
    -- Version 1 made it without a word on deletion, which kept an account that had written from being deleted.
    if exists (select from pg_constraint k where k.conrelid = 'public.messages'::regclass and k.conname = 'messages_sender_id_fkey' and k.confdeltype <> 'n') then
      alter table public.messages drop constraint messages_sender_id_fkey;
      alter table public.messages add constraint messages_sender_id_fkey foreign key (sender_id) references auth.users (id) on delete set null;
    end if;
  end if;
  if not fieldpost.is_guest_in('message_recipients') then
    create index if not exists message_recipients_by_recipient on public.message_recipients (recipient_id);
    create index if not exists message_recipients_by_org on public.message_recipients (org_id);
  end if;
end
$$;
