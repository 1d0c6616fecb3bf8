-- Cursors: where a client stands, and when that no longer means anything.
--
-- A cursor is a snapshot in text: transactions below `xmin` were over when it was taken, those from `xmax` on had not
-- begun, and those listed between them were running. "Changed since" is then exact (see the columns file), and the
-- transactions to look for are known one by one: those listed, and those from xmax on. That is why the feed asks its
-- indexes for these ranges instead of for everything since xmin: one transaction that idles for an hour would otherwise
-- make every pull of that hour read the hour again.
--
-- Layout, fields separated by '.':   c1.<epoch><run>.<access>.<from>[.<to>.<kind>.<xid>.<id>.<id>]
-- The second half is there in the middle of a pass; <to> is the snapshot that the pass began with, for every page.
-- A snapshot is <xmin>:<xmax - xmin>:<running - xmin>,… ; with more than 96 running transactions, or more than 400 characters of
-- them, it ends where that is, as if none after it had begun: their rows come one pass later, none is lost, and the cursor, which
-- may hold two snapshots, is never longer than the 1,024 characters that are allowed.
--
-- What must stay true:
--  * xids mean nothing outside the history that made them. The epoch ties a cursor to it, and the run of the server to
--    what a start may have taken back of it (see `fieldpost.runs`).
--  * A standby does not know which transactions of its primary are running, so there a snapshot is xmin:xmin: .

create or replace function fieldpost.epoch() returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select left(md5(concat_ws('/',
    (select c.system_identifier from pg_control_system() c),
    -- A standby learns of a new timeline with the first write on it, before the first row.
    case when pg_is_in_recovery() then (select r.timeline from fieldpost.runs r order by r.n desc limit 1) else fieldpost.timeline() end,
    (select d.oid from pg_database d where d.datname = current_database()),
    'public.messages'::regclass::oid, e.id, e.xmin)), 16)
  from fieldpost.epoch e
$$;
comment on function fieldpost.epoch() is
  'Names the history in which transaction numbers mean something. Security definer: reads a table that clients may not read.';

-- The epoch with the last run that this snapshot knows.
create or replace function fieldpost.here() returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select fieldpost.epoch() || (select r.token from fieldpost.runs r order by r.n desc limit 1) $$;
comment on function fieldpost.here() is 'What a cursor made now carries. Security definer: reads a table that clients may not read.';

create or replace function fieldpost.cursor_holds(p_here text, p_seen xid8) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from fieldpost.runs o
    where o.token = right(p_here, 8) and not exists (select from fieldpost.runs r where r.n > o.n and r.floor < p_seen))
$$;
comment on function fieldpost.cursor_holds(text, xid8) is
  'Whether what a cursor of this epoch has seen is still so. Security definer: reads a table that clients may not read.';

update fieldpost.compaction set epoch = fieldpost.epoch() where epoch is null;

create or replace function fieldpost.snapshot_now() returns pg_snapshot
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select case when pg_is_in_recovery() then format('%1$s:%1$s:', pg_snapshot_xmin(s))::pg_snapshot else s end
  from pg_current_snapshot() s
$$;
comment on function fieldpost.snapshot_now() is 'The snapshot that a cursor may be made of, on a primary and on a standby.';

create or replace function fieldpost.snapshot_text(p_snapshot pg_snapshot) returns text
language sql immutable strict set search_path = pg_catalog, pg_temp
as $$
  select format('%s:%s:%s', x.xmin, coalesce(c.cut, x.xmax) - x.xmin, c.list)
  from (
    select pg_snapshot_xmin(p_snapshot)::text::bigint as xmin, pg_snapshot_xmax(p_snapshot)::text::bigint as xmax,
           array(select r::text::bigint from pg_snapshot_xip(p_snapshot) r order by r) as running
  ) x
  cross join lateral (
    select min(f.r) filter (where not f.fits) as cut, string_agg((f.r - x.xmin)::text, ',' order by f.r) filter (where f.fits) as list
    from (
      select u.r, u.n <= 96 and sum(length((u.r - x.xmin)::text) + 1) over (order by u.r) <= 401 as fits
      from unnest(x.running) with ordinality u (r, n)
    ) f
  ) c
$$;
comment on function fieldpost.snapshot_text(pg_snapshot) is 'A snapshot as it stands in a cursor.';

create or replace function fieldpost.snapshot_fits(p_text text) returns boolean
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select length(p_text) - length(replace(p_text, ',', '')) < 96 $$;
comment on function fieldpost.snapshot_fits(text) is 'Whether a snapshot names no more transactions than one that was made here.';

create or replace function fieldpost.snapshot_of(p_text text) returns pg_snapshot
language sql immutable strict set search_path = pg_catalog, pg_temp
as $$
  select format('%s:%s:%s', split_part(p_text, ':', 1), split_part(p_text, ':', 1)::bigint + split_part(p_text, ':', 2)::bigint,
    (select string_agg((split_part(p_text, ':', 1)::bigint + r::bigint)::text, ',' order by n)
     from string_to_table(nullif(split_part(p_text, ':', 3), ''), ',') with ordinality t (r, n)))::pg_snapshot
$$;
comment on function fieldpost.snapshot_of(text) is 'The snapshot that stands in a cursor.';

-- Ranges of stamps that `p_from` did not see and `p_to` may see, each end included.
create or replace function fieldpost.stamp_ranges(p_from pg_snapshot, p_to pg_snapshot) returns table (lo xid8, hi xid8)
language sql immutable strict set search_path = pg_catalog, pg_temp
as $$
  select r, r from pg_snapshot_xip(p_from) r
  union all
  select pg_snapshot_xmax(p_from), pg_snapshot_xmax(p_to)
$$;
comment on function fieldpost.stamp_ranges(pg_snapshot, pg_snapshot) is 'The stamps that one pull has to look for.';

-- Clients that name `set_digest` get the one that is kept up; others get the one that is computed over everything they see.
drop function if exists fieldpost.digest_of(fieldpost.scope);  -- of an earlier version
create or replace function fieldpost.digest_of(p_scope fieldpost.scope, p_capabilities text[]) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  if 'set_digest' = any (p_capabilities) then
    return (
      select jsonb_build_object('count', v.n, 'set', lpad(to_hex(v.hi), 16, '0') || lpad(to_hex(v.lo), 16, '0'))
      from fieldpost.visible_set(p_scope) v);
  end if;
  return (
    select jsonb_build_object('count', count(*),
      'sha256', encode(sha256(convert_to(coalesce(string_agg(c.id::text, '' order by c.id), ''), 'UTF8')), 'hex'))
    from (
      select x.id from public.conversations x where x.org_id = any (p_scope.admin_orgs)
      union
      select unnest(p_scope.conversations)
    ) c);
end
$$;
comment on function fieldpost.digest_of(fieldpost.scope, text[]) is
  'A digest of the conversations that a person may see. The order of uuids is that of their text.';
