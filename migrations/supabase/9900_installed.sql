-- What is installed: the last thing that is written of the apply.

-- A hash of every function that belongs to Fieldpost. `fieldpost.installed` keeps it, so that a look at the catalog tells
-- whether somebody has changed one by hand. The two functions that a project may replace do not count.
create or replace function fieldpost.content_hash() returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select md5(string_agg(md5(pg_get_functiondef(p.oid)), '' order by p.oid::regprocedure::text))
  from pg_proc p
  where (p.pronamespace = 'fieldpost'::regnamespace or p.pronamespace = 'public'::regnamespace and p.proname like 'fieldpost\_%')
    and p.prokind = 'f' and p.oid not in ('fieldpost.memberships(uuid)'::regprocedure, 'fieldpost.roster(uuid)'::regprocedure)
$$;
comment on function fieldpost.content_hash() is 'A hash of the functions that are installed.';
revoke all on function fieldpost.content_hash() from public;

insert into fieldpost.installed as i (version, hash)
values (fieldpost.note('version')::int, fieldpost.content_hash())
on conflict (version, hash) do update set at = excluded.at;

delete from fieldpost.applying;

commit;
