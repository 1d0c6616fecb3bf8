-- Tables belong to another role: the dashboard of years ago made them so.
-- @base app
-- @v1 stops
-- @refused messages belongs to old_dashboard

do $$ begin if not exists (select from pg_roles where rolname = 'old_dashboard') then create role old_dashboard nologin; end if; end $$;
grant old_dashboard to postgres;
grant create, usage on schema public to old_dashboard;
grant usage on schema auth to old_dashboard;
alter table public.messages owner to old_dashboard;
alter table public.profiles owner to old_dashboard;
grant all on public.messages, public.profiles to postgres;
revoke create on schema public from old_dashboard;
revoke old_dashboard from postgres;
