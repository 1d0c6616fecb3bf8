-- fieldpost_records_pull: the rows of offered tables, and what became of them since a cursor.
--
-- A function that runs as its owner chooses rows by organization and stamp, through the index for that, and says which; not what is in
-- them. They are read as the caller, under all policies. What does not come is hidden: it is withdrawn where it may have been seen.
--
-- A pass goes through streams: for each table, for each organization of the caller, the rows, then the tombstones, each in the order
-- of (stamp, id). A first load is a pass from before everything. A row that changes while the load is under way moves behind its end; so
-- the load goes on with a pass from there, as long as a pass takes more than one call. What no page has named by then is gone. A pull that
-- takes more than one call goes on too, once: so it ends, and has what was changed meanwhile.
--
-- Layout of the cursor, fields separated by '.':   r1.<epoch><run>.<access>.<tables>.<from>[.<to>.<stream>.<xid>.<id>]
-- `l1` while it loads, `s1` in the second pass of a pull. <from> is '-' for before everything.
--
-- What must stay true: what is said in 1100 and 1300 of cursors and ranges. And no content comes from a function that runs as its owner.

do $$
begin
  if to_regtype('fieldpost.record_scope') is null then
    create type fieldpost.record_scope as (
      member boolean, orgs uuid[], names text[], unknown text[],
      access text,  -- changes with the caller's memberships, and with the tables' columns, grants and policies
      tables text   -- changes with the tables
    );
  end if;
  if to_regtype('fieldpost.record_walk') is null then
    create type fieldpost.record_walk as (
      refusal jsonb, head text, loading boolean, last boolean, from_ pg_snapshot, to_ pg_snapshot, now_ pg_snapshot, stream int, xid xid8, id uuid
    );
  end if;
end
$$;

create or replace function fieldpost.records_scope(p_tables text[]) returns fieldpost.record_scope
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  s fieldpost.record_scope;
  v_rules text;
begin
  select count(*) > 0, coalesce(array_agg(distinct m.org_id order by m.org_id), '{}'), md5(coalesce(string_agg(distinct m.org_id || m.role, ','), 'none'))
    into s.member, s.orgs, s.access
  from fieldpost.memberships(auth.uid()) m where m.org_id is not null;
  select coalesce(array_agg(o.name order by o.name), '{}'),
         string_agg(concat_ws('/', o.name, c.relacl::text, (
           -- What changes the values of rows without touching them. Nothing that VACUUM or ANALYZE may change.
           select string_agg(concat_ws('/', a.attnum, a.attname, a.atttypid, a.atttypmod, a.attacl::text, case when a.attgenerated <> '' then (
             select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d where d.adrelid = a.attrelid and d.adnum = a.attnum) end), ',' order by a.attnum)
           from pg_attribute a where a.attrelid = o.relid and a.attnum > 0 and not a.attisdropped), (
           select string_agg(concat_ws('/', p.polname, p.polcmd, p.polpermissive, p.polroles::text, pg_get_expr(p.polqual, p.polrelid)), ',' order by p.polname)
           from pg_policy p where p.polrelid = o.relid and p.polcmd in ('r', '*'))), ';' order by o.name)
    into s.names, v_rules
  from fieldpost.offered_tables() o join pg_class c on c.oid = o.relid
  where o.name = any (p_tables);
  s.unknown := array(select distinct t from unnest(p_tables) t where t is not null and not t = any (s.names) order by t);
  s.access := left(md5(s.access || coalesce(v_rules, '')), 12);
  s.tables := left(md5(array_to_string(s.names, ',')), 12);
  return s;
end
$$;
comment on function fieldpost.records_scope(text[]) is
  'What the caller may be sent. Security definer: reads memberships and offered tables past their policies.';

-- Reads a cursor, or begins a first load.
create or replace function fieldpost.record_walk(p_cursor text, p_access text, p_tables text) returns fieldpost.record_walk
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  w fieldpost.record_walk;
  v_here constant text := fieldpost.here();
  v_part constant text[] := string_to_array(p_cursor, '.');
  v_seen xid8;
begin
  w.now_ := fieldpost.snapshot_of(fieldpost.snapshot_text(fieldpost.snapshot_now()));
  w.head := concat_ws('.', v_here, p_access, p_tables);
  w.stream := 0;
  w.xid := '0';
  w.id := '00000000-0000-0000-0000-000000000000';
  if p_cursor is null then
    w.loading := true;
    w.to_ := w.now_;
    return w;
  elsif length(p_cursor) > 1024 or p_cursor !~ ('^[lrs]1\.[0-9a-f]{24}\.[0-9a-f]{12}\.[0-9a-f]{12}\.(-|[0-9]{1,18}:[0-9]{1,18}:[0-9,]*)'
      '(\.[0-9]{1,18}:[0-9]{1,18}:[0-9,]*\.[0-9]{1,6}\.[0-9]{1,18}\.[0-9a-f-]{36})?$')
     or not (fieldpost.snapshot_fits(v_part[5]) and fieldpost.snapshot_fits(coalesce(v_part[6], ''))) then
    w.refusal := fieldpost.refusal('cursor_expired', 'invalid');
    return w;
  end if;
  begin
    w.loading := left(p_cursor, 1) = 'l';
    w.last := left(p_cursor, 1) = 's';
    if v_part[5] <> '-' then
      w.from_ := fieldpost.snapshot_of(v_part[5]);
    end if;
    w.to_ := w.now_;
    if cardinality(v_part) > 5 then
      w.to_ := fieldpost.snapshot_of(v_part[6]);
      w.stream := v_part[7];
      w.xid := v_part[8];
      w.id := v_part[9];
    elsif w.from_ is null then
      raise invalid_parameter_value;
    end if;
  exception when others then  -- what does not read as a snapshot is not ours
    w.refusal := fieldpost.refusal('cursor_expired', 'invalid');
    return w;
  end;
  v_seen := case when cardinality(v_part) > 5 then greatest(pg_snapshot_xmax(w.from_), pg_snapshot_xmax(w.to_)) else pg_snapshot_xmax(w.from_) end;
  w.refusal := case
    when left(v_part[2], 16) <> left(v_here, 16) then fieldpost.refusal('cursor_expired', 'epoch')
    when pg_is_in_recovery() and v_seen > pg_snapshot_xmax(w.now_) then
      -- A standby that is behind: nothing new here, and nothing to expire.
      fieldpost.envelope() || jsonb_build_object('more', false, 'cursor', p_cursor)
    when v_seen > pg_snapshot_xmax(w.now_) or not fieldpost.cursor_holds(v_part[2], v_seen) then fieldpost.refusal('cursor_expired', 'epoch')
    when v_part[4] <> p_tables then fieldpost.refusal('cursor_expired', 'tables')
    when v_part[3] <> p_access then fieldpost.refusal('cursor_expired', 'access')
    when pg_snapshot_xmin(coalesce(w.from_, w.to_)) <= (select k.compacted_xid from fieldpost.compaction k where k.epoch = left(v_here, 16))
      then fieldpost.refusal('cursor_expired', 'compacted') end;
  return w;
end
$$;
comment on function fieldpost.record_walk(text, text, text) is
  'Where a pull stands, or why it cannot go on. Security definer: reads tables that clients may not read.';

create or replace function fieldpost.record_ranges(f fieldpost.span) returns table (lo xid8, hi xid8, a uuid)
language sql immutable rows 5 set search_path = pg_catalog, pg_temp
as $$
  select r.lo, r.hi, r.a from fieldpost.ranges_left(f) r where f.from_ is not null
  union all
  select f.xid, f.xid, f.a where f.from_ is null
  union all
  select (f.xid::text::bigint + 1)::text::xid8, pg_snapshot_xmax(f.to_), '00000000-0000-0000-0000-000000000000' where f.from_ is null
$$;
comment on function fieldpost.record_ranges(fieldpost.span) is 'As ranges_left, and from before everything where a load begins.';

-- The next rows of a stream: which, and nothing of what is in them. In the order of the index: of a load or after an import the ranges
-- are most of the table, which the planner does not know; it would sort all of it for each page.
create or replace function fieldpost.record_picks(p_name text, p_org uuid, p_gone boolean, f fieldpost.span)
returns table (xid xid8, id uuid, client_id uuid, version bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
  set enable_bitmapscan = off set enable_seqscan = off
as $$
begin
  if not exists (select from fieldpost.memberships(auth.uid()) m where m.org_id = p_org)
     or not exists (select from fieldpost.offered_tables() o where o.name = p_name) then
    return;
  elsif p_gone then
    return query
    select x.sync_xid, x.id, x.client_id, x.version
    from fieldpost.record_ranges(f) r cross join lateral (
      select q.* from fieldpost.record_tombstones q
      where q.name = p_name and q.org_id = p_org and q.sync_xid between r.lo and r.hi and q.id >= r.a and ((q.sync_xid, q.id) > (f.xid, f.a)) is true
        and pg_visible_in_snapshot(q.sync_xid, f.to_)
      order by q.sync_xid, q.id limit f.rows) x
    order by 1, 2 limit f.rows;
    return;
  end if;
  return query execute format($q$
    select x.sync_xid, x.id, x.client_id, x.version
    from fieldpost.record_ranges($2) r cross join lateral (
      select q.sync_xid, q.id, q.client_id, q.version from public.%I q
      where q.org_id = $1 and q.sync_xid between r.lo and r.hi and q.id >= r.a and ((q.sync_xid, q.id) > (($2).xid, ($2).a)) is true
        and pg_visible_in_snapshot(q.sync_xid, ($2).to_)
      order by q.sync_xid, q.id limit ($2).rows) x
    order by 1, 2 limit ($2).rows $q$, p_name) using p_org, f;
end
$$;
comment on function fieldpost.record_picks(text, uuid, boolean, fieldpost.span) is
  'Which rows of a table, or tombstones, a page has next, in an organization of the caller. Security definer: it reads through the index by stamp, '
  'which policies of a project may keep from being used, and says ids only.';

-- Rows on the wire, as far as policies and grants let the caller read them.
create or replace function fieldpost.record_texts(p_name text, p_ids uuid[]) returns table (id uuid, j text)
language plpgsql stable set search_path = pg_catalog, public, extensions, pg_temp set timezone = 'UTC'
as $$
declare
  c_own constant text[] := array['id', 'client_id', 'org_id', 'created_at', 'updated_at', 'client_modified_at', 'last_mutation_id', 'version', 'sync_xid'];
  v_table constant oid := format('public.%I', p_name)::regclass;
  v_fields text;
  v_created boolean;
begin
  select string_agg(format('t.%I', a.attname), ', ' order by a.attnum) filter (where not a.attname = any (c_own)),
         coalesce(bool_or(a.attname = 'created_at' and a.atttypid = 'timestamptz'::regtype), false)
    into v_fields, v_created
  from pg_attribute a
  where a.attrelid = v_table and a.attnum > 0 and not a.attisdropped and has_column_privilege(v_table, a.attnum, 'select');
  if not has_any_column_privilege(v_table, 'select') then
    return;
  end if;
  return query execute format($q$
    select t.id, concat('{"table":"%1$s","id":"', t.id, '"', ',"client_id":"' || t.client_id || '"', ',"org_id":"' || t.org_id || '"', ',"version":', t.version,
      %2$s ',"modified_at":"', fieldpost.time_text(%3$s), '"', ',"last_mutation_id":"' || t.last_mutation_id || '"',
      ',"fields":', %4$s, '}')
    from public.%1$I t where t.id = any ($1) $q$,
    p_name, case when v_created then ''',"created_at":"'' || fieldpost.time_text(t.created_at) || ''"'', ' else '' end,
    fieldpost.record_modified(v_table),
    case when v_fields is null then '''{}''' else format('(select row_to_json(f) from (select %s) f)', v_fields) end) using p_ids;
end
$$;
comment on function fieldpost.record_texts(text, uuid[]) is 'Records on the wire, as far as the caller may read them.';

create or replace function fieldpost.records_pull(p_protocol int, p_tables text[], p_cursor text, p_limit int) returns json
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  c_zero constant uuid := '00000000-0000-0000-0000-000000000000';
  c_scanned constant int := 20000;  -- hidden rows included: a page ends in time, however many there are
  s fieldpost.record_scope;
  w fieldpost.record_walk;
  f fieldpost.span;
  v_refused constant jsonb := fieldpost.refused(p_protocol);
  v_limit constant int := least(coalesce(p_limit, 2500), 2500);
  v_left int := fieldpost.page_budget();
  v_average int := 4096;
  v_streams int;
  v_begun boolean;  -- the pass began in this call
  v_name text;
  v_gone boolean;
  v_got record;
  v_rows text := '';
  v_tombstones text := '';
  v_taken int := 0;
  v_scanned int := 0;
  v_more boolean := false;
begin
  if v_refused is not null then
    return v_refused;
  elsif v_limit < 1 then
    return fieldpost.refusal('bad_request', 'p_limit');
  elsif p_tables is null or cardinality(p_tables) > 200 then
    return fieldpost.refusal('bad_request', 'p_tables');
  end if;
  s := fieldpost.records_scope(p_tables);
  w := fieldpost.record_walk(p_cursor, s.access, s.tables);
  if w.refusal is not null then
    return w.refusal;
  end if;
  v_streams := cardinality(s.names) * cardinality(s.orgs) * 2;
  v_begun := w.stream = 0 and w.xid = '0' and w.id = c_zero;
  loop
    while w.stream < v_streams and not v_more loop
      v_name := s.names[1 + w.stream / (2 * cardinality(s.orgs))];
      v_gone := w.stream % 2 = 1;
      if v_gone and w.from_ is null then  -- what was gone before the load began
        w.stream := w.stream + 1;
        continue;
      end if;
      f := row(w.from_, w.to_, w.xid, w.id, c_zero, least(v_limit - v_taken + 1, greatest(1, least(1000, v_left / v_average + 1))))::fieldpost.span;
      with picked as materialized (
        select k.*, row_number() over (order by k.xid, k.id) as n
        from fieldpost.record_picks(v_name, s.orgs[1 + (w.stream / 2) % cardinality(s.orgs)], v_gone, f) k
      ), seen as materialized (
        select x.id, x.j from fieldpost.record_texts(v_name, case when v_gone then '{}' else array(select p.id from picked p) end) x
      ), built as (
        select p.n, p.xid, p.id, r.j,
               case when r.j is null and w.from_ is not null and (v_gone or p.version > 1)
                    then concat('{"table":"', v_name, '","id":"', p.id, '"', ',"client_id":"' || p.client_id || '"', ',"version":', case when v_gone then p.version else p.version - 1 end, '}')
               end as tombstone
        from picked p left join seen r on r.id = p.id
      ), measured as (
        select b.*, count(coalesce(b.j, b.tombstone)) over (order by b.n) as rows,
               coalesce(sum(octet_length(coalesce(b.j, b.tombstone)) + 1) over (order by b.n), 0) as bytes
        from built b
      ), fitted as (
        select m.*, v_taken + m.rows <= v_limit and (m.bytes <= v_left or v_taken + m.rows <= 1) as fits from measured m
      )
      select count(*) as fetched, count(*) filter (where t.fits) as scanned, coalesce(max(t.rows) filter (where t.fits), 0) as taken,
             coalesce(max(t.bytes) filter (where t.fits), 0) as bytes,
             string_agg(',' || t.j, '' order by t.n) filter (where t.fits) as list,
             string_agg(',' || t.tombstone, '' order by t.n) filter (where t.fits) as tombstones,
             (array_agg(t.xid order by t.n desc) filter (where t.fits))[1] as xid, (array_agg(t.id order by t.n desc) filter (where t.fits))[1] as id
        into v_got
      from fitted t;
      v_rows := v_rows || coalesce(v_got.list, '');
      v_tombstones := v_tombstones || coalesce(v_got.tombstones, '');
      v_taken := v_taken + v_got.taken;
      v_left := v_left - v_got.bytes;
      v_scanned := v_scanned + v_got.scanned;
      if v_got.taken > 0 then
        v_average := greatest(64, v_got.bytes / v_got.taken);
      end if;
      if v_got.scanned > 0 then
        w.xid := v_got.xid;
        w.id := v_got.id;
      end if;
      if v_got.scanned < v_got.fetched then
        v_more := true;
      elsif v_got.fetched < f.rows then
        w.stream := w.stream + 1;
        w.xid := '0';
        w.id := c_zero;
      elsif v_scanned >= c_scanned then
        v_more := true;
      end if;
    end loop;
    exit when v_more or v_begun or w.last;
    -- It goes on with what has changed since it began.
    w.last := not w.loading;
    w.from_ := w.to_;
    w.to_ := w.now_;
    w.stream := 0;
    v_begun := true;
  end loop;
  return fieldpost.answer(
    fieldpost.envelope() || jsonb_build_object('more', v_more, 'loading', w.loading, 'unknown_tables', to_jsonb(s.unknown), 'epoch', left(w.head, 16),
      'cursor', case when v_more
        then concat_ws('.', case when w.loading then 'l1' when w.last then 's1' else 'r1' end, w.head, coalesce(fieldpost.snapshot_text(w.from_), '-'), fieldpost.snapshot_text(w.to_), w.stream, w.xid, w.id)
        else concat_ws('.', 'r1', w.head, fieldpost.snapshot_text(w.to_)) end),
    array['records', 'tombstones'], array[substr(v_rows, 2), substr(v_tombstones, 2)]);
end
$$;
comment on function fieldpost.records_pull(int, text[], text, int) is 'Records since a cursor, or all of them, as far as the caller may read them.';

create or replace function public.fieldpost_records_pull(
  p_protocol int default null, p_app text default null, p_capabilities text[] default '{}',
  p_tables text[] default null, p_cursor text default null, p_limit int default null, p_bytes int default null)
returns json
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select set_config('fieldpost.page_bytes', coalesce(p_bytes::text, ''), true);
  select fieldpost.records_pull(p_protocol, p_tables, p_cursor, p_limit)
$$;
comment on function public.fieldpost_records_pull(int, text, text[], text[], text, int, int) is 'Records of an app''s own tables (docs/protocol.md).';
