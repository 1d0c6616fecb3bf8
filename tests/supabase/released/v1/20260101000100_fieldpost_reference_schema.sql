-- The messaging tables, as Fieldpost expects them.
--
-- A new project gets them here. A project that has them already keeps its own: nothing below alters a table that
-- exists, and the policies of the tenancy tables are made only together with the table they protect, because on an
-- existing project who may see a medic or a profile is that project's business.
--
-- What must stay true: this file holds no trace of synchronisation. Everything that the sync layer needs is added by
-- the files after it, in the same way for a new project and for an old one.

create table if not exists public.organizations (
  id uuid primary key default gen_random_uuid(),
  name text,
  created_at timestamptz not null default now()
);

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

create table if not exists public.messages (
  id uuid primary key default gen_random_uuid(),
  conversation_id uuid not null references public.conversations (id) on delete cascade,
  org_id uuid not null references public.organizations (id) on delete cascade,
  sender_id uuid not null references auth.users (id),
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

-- Who is who. These come with policies of their own only when they are new.
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
    alter table public.medics enable row level security;
    -- A medic sees herself; her colleagues are the admins' business.
    create policy medics_read_self on public.medics for select to authenticated
      using (user_id = (select auth.uid()));
  end if;

  if to_regclass('public.profiles') is null then
    create table public.profiles (
      id uuid primary key references auth.users (id) on delete cascade,
      org_id uuid references public.organizations (id) on delete cascade,
      role text not null check (role in ('medic', 'org_admin'))
    );
    alter table public.profiles enable row level security;
    create policy profiles_read_self on public.profiles for select to authenticated
      using (id = (select auth.uid()));
    -- An admin reads the roster. `profiles` is not read from its own policy (that recurses): the admin's own row is
    -- visible through the policy above, and medics are matched through it.
    create policy medics_read_as_admin on public.medics for select to authenticated
      using (org_id in (select p.org_id from public.profiles p where p.id = (select auth.uid()) and p.role = 'org_admin'));
  end if;

  -- conversations.medic_id points at medics, which may have come after it.
  if not exists (
    select from pg_catalog.pg_constraint k
    where k.conrelid = 'public.conversations'::regclass and k.contype = 'f' and k.confrelid = 'public.medics'::regclass
  ) then
    alter table public.conversations
      add constraint conversations_medic_id_fkey foreign key (medic_id) references public.medics (id) on delete set null;
  end if;
end
$$;

alter table public.organizations enable row level security;
alter table public.conversations enable row level security;
alter table public.messages enable row level security;
alter table public.message_recipients enable row level security;
alter table public.conversation_read_status enable row level security;

-- One direct conversation per medic and one broadcast per organization. A project that has such an index under another
-- name keeps it, and one whose rows already break the rule is left as it is: the push function takes a lock per
-- organization and is right without the index too.
do $$
begin
  if not exists (
    select from pg_catalog.pg_indexes i where i.schemaname = 'public' and i.tablename = 'conversations'
      and i.indexdef ilike '%unique%(org_id, medic_id)%direct%'
  ) and not exists (
    select from public.conversations c where c.type = 'direct' and c.medic_id is not null
    group by c.org_id, c.medic_id having count(*) > 1
  ) then
    create unique index conversations_one_direct_per_medic on public.conversations (org_id, medic_id) where type = 'direct';
  end if;
  if not exists (
    select from pg_catalog.pg_indexes i where i.schemaname = 'public' and i.tablename = 'conversations'
      and i.indexdef ilike '%unique%(org_id)%broadcast%'
  ) and not exists (
    select from public.conversations c where c.type = 'broadcast' group by c.org_id having count(*) > 1
  ) then
    create unique index conversations_one_broadcast_per_org on public.conversations (org_id) where type = 'broadcast';
  end if;
end
$$;
