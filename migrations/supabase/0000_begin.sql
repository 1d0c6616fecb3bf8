-- Fieldpost for a Supabase project: everything in one transaction, from here to `commit` at the end.
--
-- This file is made of the parts in migrations/supabase, joined in the order of their names by `fieldpost sql export`. It can
-- be applied to an empty project, to one that has tables, rows and users, to one that has an older version of it, and again to
-- one that has this version. Either all of it happens or nothing.
--
-- What must stay true:
--  * A running app keeps working. The tables that exist are locked together, before anything is changed. Who waits for them
--    waits for as long as the rest takes. A lock that cannot be had at once is given up and asked for again, so that nobody
--    queues behind a request that itself waits for a long report.
--  * What existed is not altered, but for the four messaging tables. They get columns, indexes, triggers and policies.
--  * Released versions do not change. A change of these parts is a new version: raise the number here, in
--    9900_installed.sql's test, and in `fieldpost::SQL_VERSION`.

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
  perform set_config('fieldpost.version', c_version::text, true);
end
$$;

-- The locks, in the order in which somebody who writes a message takes them.
do $$
declare
  c_tables constant text[] := array['public.messages', 'public.conversations', 'public.message_recipients',
                                    'public.conversation_read_status', 'public.medics', 'public.profiles'];
  v_table text;
  v_until constant timestamptz := clock_timestamp() + interval '60 seconds';
begin
  loop
    begin
      perform set_config('lock_timeout', '400ms', true);
      foreach v_table in array c_tables loop
        if (select c.relkind from pg_class c where c.oid = to_regclass(v_table)) in ('r', 'p') then
          execute format('lock table %s in %s mode', v_table,
            case when v_table in ('public.medics', 'public.profiles') then 'share row exclusive' else 'access exclusive' end);
        end if;
      end loop;
      exit;
    exception when lock_not_available or deadlock_detected then
      if clock_timestamp() > v_until then
        raise exception 'somebody holds % for too long: nothing was changed', v_table
          using errcode = 'lock_not_available', hint = 'Look for long transactions in pg_stat_activity, and apply this file again.';
      end if;
      perform pg_sleep(0.2 + random() * 0.3);  -- whoever waited behind this request goes first
    end;
  end loop;
  perform set_config('lock_timeout', '10s', true);
end
$$;
