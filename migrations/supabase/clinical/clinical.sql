-- The clinical tables of the reference schema, and the audit log, for projects that want them: treatments, workers, near misses and safety
-- checks, offered to devices (docs/howto/records.md). Apply it after Fieldpost itself, by `fieldpost sql clinical`. It can be applied again.
--
-- What must stay true:
--  * A table that is there already is not altered, but for what `fieldpost.add_record_table` adds. Policies, grants and triggers are
--    for tables that this file makes.
--  * Members of an organization read its rows; medics and admins write them; an admin or whoever made a row deletes it. The audit log
--    takes a person's own entries, and only admins read it.

begin;

set local lock_timeout = '10s';
set local statement_timeout = 0;
set local client_min_messages = warning;
set local search_path = pg_catalog, pg_temp;

do $$
begin
  if to_regprocedure('fieldpost.add_record_table(regclass)') is null then
    raise exception 'Fieldpost is not installed, or an older version of it'
      using hint = 'Apply what `fieldpost sql export` writes first.';
  end if;
  perform pg_advisory_xact_lock(hashtextextended('fieldpost.install', 0));
end
$$;

do $clinical$
declare
  v_table text;
  v_made text[] := array(
    select t from unnest(array['workers', 'treatments', 'near_misses', 'safety_checks', 'audit_log']) t where to_regclass('public.' || t) is null);
  c_member constant text := '(org_id in (select fieldpost.my_admin_orgs()) or org_id in (select fieldpost.my_medic_orgs()))';
  c_maker constant text := 'created_by = (select fieldpost.uid())';
begin
  if 'workers' = any (v_made) then
    create table public.workers (
      id uuid primary key default gen_random_uuid(),
      org_id uuid not null references public.organizations (id) on delete cascade,
      first_name text not null,
      last_name text not null,
      company text not null,
      role text not null,
      phone text,
      emergency_contact_name text,
      emergency_contact_phone text,
      emergency_contact_relationship text,
      health_notes text,
      allergies text,
      current_medications text,
      pre_existing_conditions text,
      blood_type text,
      cscs_card_number text,
      cscs_expiry_date text,
      certifications jsonb default '[]',
      is_incomplete boolean not null default false,
      consent_given boolean not null default false,
      consent_date timestamptz,
      created_by uuid default fieldpost.uid(),
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );
  end if;

  if 'treatments' = any (v_made) then
    create table public.treatments (
      id uuid primary key default gen_random_uuid(),
      org_id uuid not null references public.organizations (id) on delete cascade,
      worker_id uuid not null,
      medic_id uuid not null,
      reference_number text not null,
      status text not null default 'draft' check (status in ('draft', 'complete')),
      injury_type text not null,
      body_part text,
      mechanism_of_injury text,
      severity text not null check (severity in ('minor', 'moderate', 'major', 'critical')),
      treatment_types jsonb default '[]',
      treatment_notes text,
      outcome text,
      is_riddor_reportable boolean not null default false,
      photo_uris jsonb default '[]',
      signature_uri text,
      event_vertical text,
      vertical_extra_fields jsonb,
      booking_id uuid,
      created_by uuid default fieldpost.uid(),
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );
    create index treatments_by_worker on public.treatments (worker_id);
    -- Of a project's own workers, who may be keyed otherwise, nothing is asked.
    if exists (select from pg_attribute a where a.attrelid = 'public.workers'::regclass and a.attname = 'id' and a.atttypid = 'uuid'::regtype)
       and exists (select from pg_index i where i.indrelid = 'public.workers'::regclass and i.indisprimary and i.indnatts = 1) then
      alter table public.treatments add constraint treatments_worker_id_fkey foreign key (worker_id) references public.workers (id);
    end if;
  end if;

  if 'near_misses' = any (v_made) then
    create table public.near_misses (
      id uuid primary key default gen_random_uuid(),
      org_id uuid not null references public.organizations (id) on delete cascade,
      reported_by uuid not null,
      category text not null,
      severity text not null,
      description text not null,
      location text,
      photo_uris jsonb default '[]',
      corrective_action text,
      gps_lat double precision,
      gps_lng double precision,
      created_by uuid default fieldpost.uid(),
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );
  end if;

  if 'safety_checks' = any (v_made) then
    create table public.safety_checks (
      id uuid primary key default gen_random_uuid(),
      org_id uuid not null references public.organizations (id) on delete cascade,
      medic_id uuid not null,
      check_date date not null,
      items jsonb not null default '[]',
      overall_status text not null check (overall_status in ('pass', 'fail', 'partial')),
      photo_uris jsonb default '[]',
      created_by uuid default fieldpost.uid(),
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );
  end if;

  if 'audit_log' = any (v_made) then
    create table public.audit_log (
      id uuid primary key default gen_random_uuid(),
      org_id uuid references public.organizations (id) on delete cascade,
      user_id uuid not null,
      table_name text not null,
      record_id uuid not null,
      operation text not null check (operation in ('READ', 'CREATE', 'UPDATE', 'DELETE')),
      context text,
      created_at timestamptz not null default now()
    );
    create index audit_log_by_org on public.audit_log (org_id, created_at);
    create index audit_log_by_record on public.audit_log (record_id);
    alter table public.audit_log enable row level security;
    create policy admins_read on public.audit_log for select to authenticated using (org_id in (select fieldpost.my_admin_orgs()));
    execute format('create policy own_entries on public.audit_log for insert to authenticated with check '
      '(user_id = (select fieldpost.uid()) and (org_id is null or %s))', c_member);
    revoke all on public.audit_log from anon, authenticated;
    grant select, insert on public.audit_log to authenticated;
    grant select, insert, update, delete on public.audit_log to service_role;
  end if;

  foreach v_table in array v_made loop
    continue when v_table = 'audit_log';
    execute format('alter table public.%I enable row level security', v_table);
    execute format('create policy members_read on public.%I for select to authenticated using %s', v_table, c_member);
    execute format('create policy members_create on public.%I for insert to authenticated with check (%s and %s)', v_table, c_member, c_maker);
    execute format('create policy members_change on public.%I for update to authenticated using %s with check %s', v_table, c_member, c_member);
    execute format('create policy admins_and_makers_delete on public.%I for delete to authenticated using '
      '(org_id in (select fieldpost.my_admin_orgs()) or %s and org_id in (select fieldpost.my_medic_orgs()))', v_table, c_maker);
    execute format('create trigger keep_maker before update on public.%I for each row execute function fieldpost.keep_maker()', v_table);
    execute format('revoke all on public.%I from anon, authenticated', v_table);
    execute format('grant select, insert, delete on public.%I to authenticated', v_table);
    -- Neither whose a row is nor who made it is changed from outside.
    execute format('grant update (%s) on public.%I to authenticated', (
      select string_agg(quote_ident(a.attname), ', ' order by a.attnum) from pg_attribute a
      where a.attrelid = format('public.%I', v_table)::regclass and a.attnum > 0 and a.attname not in ('id', 'org_id', 'created_by', 'created_at')), v_table);
    execute format('grant select, insert, update, delete on public.%I to service_role', v_table);
  end loop;
end
$clinical$;

-- Those that were there need what every record table needs: a uuid as key, an organization, row level security. What one lacks is said.
do $$
declare
  v_table text;
  v_why text;
begin
  foreach v_table in array array['workers', 'treatments', 'near_misses', 'safety_checks'] loop
    select string_agg(E'\n  ' || f, '') into v_why from fieldpost.record_table_faults(format('public.%I', v_table)::regclass) f;
    if v_why is null then
      perform fieldpost.add_record_table(format('public.%I', v_table)::regclass);
    else
      raise warning 'public.% stays as it is, and is not offered to devices.%', v_table, v_why
        using hint = format('When that is mended: select fieldpost.add_record_table(''public.%s'');', v_table);
    end if;
  end loop;
end
$$;

commit;
