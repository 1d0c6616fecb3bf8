-- Fieldpost for a Supabase project.
--
-- This file is made of the parts in migrations/supabase, joined in the order of their names by `fieldpost sql export`. It can
-- be applied to an empty project, to one that has tables, rows and users, to one that has an older version of it, and again to
-- one that has this version.
--
-- Four transactions, each of which leaves the app that runs as it was:
--   1  looks whether all fits (0050), makes the tables that are missing, adds the columns
--   2  numbers the messages that are there and builds the indexes: writers wait, readers do not (0310)
--   3  all that changes how the tables behave: triggers, policies, functions; ends with what is installed (9900)
--   4  policies on the topics of live hints, where there is Realtime (9950)
--
-- What must stay true:
--  * A running app keeps working, at every moment, and if the apply is broken off at any. Tables are locked together,
--    before anything is changed. A lock that cannot be had at once is given up and asked for again, so that nobody
--    queues behind a request that itself waits for a long report.
--  * What existed is not altered, but for the four messaging tables. They get columns, indexes, triggers and policies.
--  * Released versions do not change. A change of these parts is a new version: raise the number here, in
--    `fieldpost.envelope`, and in the Rust constant `SQL_VERSION` (a test holds the three against each other).

begin;

set local lock_timeout = '10s';
set local statement_timeout = 0;
set local idle_in_transaction_session_timeout = 0;
set local client_min_messages = warning;
set local search_path = pg_catalog, pg_temp;

do $$
declare
  c_version constant int := 2;
  v_installed int;
begin
  if current_setting('server_version_num')::int < 150000 then
    raise exception 'Fieldpost needs PostgreSQL 15 or newer, and this is %', current_setting('server_version')
      using hint = 'Upgrade the project''s database in its settings.';
  end if;
  -- One at a time.
  perform pg_advisory_xact_lock(hashtextextended('fieldpost.install', 0));
  if to_regclass('fieldpost.installed') is not null then
    execute 'select max(version) from fieldpost.installed' into v_installed;
  end if;
  if v_installed > c_version then
    raise exception 'Fieldpost version % is installed, and this file is version %', v_installed, c_version
      using hint = 'Export the file again with a newer fieldpost: `fieldpost sql export`.';
  end if;
end
$$;

create schema if not exists fieldpost;
comment on schema fieldpost is 'Fieldpost synchronisation: helpers and feed tables. Not to be exposed through the API.';

-- What the transactions tell each other. (Not by a setting of the session: a pooler may give each another one.)
create table if not exists fieldpost.applying (
  name text primary key,
  value text not null
);
comment on table fieldpost.applying is 'Notes of an apply that is under way.';
insert into fieldpost.applying (name, value)
values ('version', '2'),
       -- Version 1 left no note of itself. Its functions ran as their owner.
       ('upgrades_version_1', (coalesce((select p.prosecdef from pg_proc p
         where p.pronamespace = 'public'::regnamespace and p.proname = 'fieldpost_pull'), false))::text)
on conflict (name) do update set value = excluded.value;
create or replace function fieldpost.note(p_name text) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$ select a.value from fieldpost.applying a where a.name = p_name $$;
comment on function fieldpost.note(text) is 'A note of the apply that is under way; null if there is none.';

create or replace function fieldpost.take_locks(p_mode text) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  -- In the order in which somebody who writes a message takes them.
  c_tables constant text[] := array['public.messages', 'public.conversations', 'public.message_recipients',
                                    'public.conversation_read_status', 'public.medics', 'public.profiles'];
  v_table text;
  v_until constant timestamptz := clock_timestamp() + interval '60 seconds';
begin
  loop
    begin
      perform set_config('lock_timeout', '400ms', true);
      foreach v_table in array c_tables loop
        if (select c.relkind from pg_class c where c.oid = to_regclass(v_table)) in ('r', 'p')
           and pg_has_role((select c.relowner from pg_class c where c.oid = to_regclass(v_table)), 'usage') then
          execute format('lock table %s in %s mode', v_table,
            case when v_table in ('public.medics', 'public.profiles') then 'share row exclusive' else p_mode end);
        end if;
      end loop;
      exit;
    exception when lock_not_available or deadlock_detected then
      if clock_timestamp() > v_until then
        raise exception 'somebody holds % for too long', v_table
          using errcode = 'lock_not_available', hint = 'Look for long transactions in pg_stat_activity, and apply this file again.';
      end if;
      perform pg_sleep(0.2 + random() * 0.3);  -- whoever waited behind this request goes first
    end;
  end loop;
  perform set_config('lock_timeout', '10s', true);
end
$$;
comment on function fieldpost.take_locks(text) is 'Locks the tables for a change, without keeping anybody waiting for longer than 0.4 s.';
