-- fieldpost_reports and fieldpost_resolve_report: what admins read of the reports of their organizations, and decide about them.
--
-- What must stay true:
--  * Admins alone: who is an admin nowhere is refused, whatever she names. Of another organization's report nobody learns that it
--    is there.
--  * The open ones come first, and of these the newest. A page goes by the two indexes, however many reports there are.
--  * A report of a message that a policy of the project hides from the admin is not told.

-- A page of the reports of some organizations, and one more. `p_after`: r1.<resolved>.<microseconds>.<id> of the last one.
create or replace function fieldpost.report_page(p_orgs uuid[], p_all boolean, p_after text, p_limit int) returns setof public.message_reports
language plpgsql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan
as $$
declare
  c_top constant uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
  v_part constant text[] := string_to_array(p_after, '.');
  v_resolved constant boolean := v_part[2] = '1';
  v_at constant timestamptz := timestamptz 'epoch' + v_part[3]::bigint * interval '1 microsecond';
  v_id constant uuid := v_part[4]::uuid;
  v_open_at constant timestamptz := case when p_after is null then 'infinity' when v_resolved then '-infinity' else v_at end;
  v_done_at constant timestamptz := case when v_resolved then v_at else 'infinity' end;
begin
  return query
  select x.* from unnest(p_orgs) o (id) cross join lateral (
    (select r.* from public.message_reports r
     where r.org_id = o.id and r.resolved_at is null and (r.reported_at, r.id) < (v_open_at, coalesce(v_id, c_top))
     order by r.reported_at desc, r.id desc limit p_limit + 1)
    union all
    (select r.* from public.message_reports r
     where p_all and r.org_id = o.id and r.resolved_at is not null
       and (r.reported_at, r.id) < (v_done_at, case when v_resolved then v_id else c_top end)
     order by r.reported_at desc, r.id desc limit p_limit + 1)
  ) x
  order by x.resolved_at is not null, x.reported_at desc, x.id desc limit p_limit + 1;
end
$$;
comment on function fieldpost.report_page(uuid[], boolean, text, int) is 'Some reports, the open ones first, then the newest.';

create or replace function fieldpost.report_json(r public.message_reports) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select jsonb_strip_nulls(jsonb_build_object(
    'id', r.id, 'message_id', r.message_id, 'conversation_id', r.conversation_id, 'org_id', r.org_id,
    'sender_id', coalesce(r.sender_id, '00000000-0000-0000-0000-000000000000'), 'reporter_id', r.reporter_id, 'reason', r.reason, 'note', r.note,
    'content', (select t.content from fieldpost.reported_texts t where t.report_id = r.id), 'reported_at', fieldpost.time_text(r.reported_at),
    'resolved_at', fieldpost.time_text(r.resolved_at), 'resolved_by', r.resolved_by))
$$;
comment on function fieldpost.report_json(public.message_reports) is 'A report on the wire.';

-- What a call is refused for: null when nothing speaks against it.
create or replace function fieldpost.reports_refused(p_protocol int, p_after text, p_limit int) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  v_refused constant jsonb := fieldpost.refused(p_protocol);
begin
  return case
    when v_refused is not null then v_refused
    when cardinality((fieldpost.scope_of(fieldpost.uid())).admin_orgs) = 0 then fieldpost.refusal('forbidden')
    when p_limit < 1 then fieldpost.refusal('bad_request', 'p_limit')
    when p_after is not null and p_after !~ '^r1\.[01]\.-?[0-9]{1,17}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then fieldpost.refusal('bad_request', 'p_after')
  end;
end
$$;
comment on function fieldpost.reports_refused(int, text, int) is 'Refuses whoever is no admin, and arguments that mean nothing.';

create or replace function fieldpost.reports(p_protocol int, p_all boolean, p_after text, p_limit int, p_hidden uuid[] default '{}') returns json
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_refused constant jsonb := fieldpost.reports_refused(p_protocol, p_after, p_limit);
  v_orgs constant uuid[] := (fieldpost.scope_of(fieldpost.uid())).admin_orgs;
  v_limit constant int := least(coalesce(p_limit, 40), 40);
begin
  if v_refused is not null then
    return v_refused;
  end if;
  return (
    with page as (
      select row_number() over () as n, r from fieldpost.report_page(v_orgs, coalesce(p_all, false), p_after, v_limit) r
    )
    select fieldpost.envelope() || jsonb_strip_nulls(jsonb_build_object(
      'reports', coalesce(jsonb_agg(fieldpost.report_json(p.r) order by p.n) filter (where p.n <= v_limit and not (p.r).message_id = any (p_hidden)), '[]'),
      'people', fieldpost.people_named(v_orgs, array(
        select unnest(array[(q.r).sender_id, (q.r).reporter_id, (q.r).resolved_by]) from page q
        where q.n <= v_limit and not (q.r).message_id = any (p_hidden)), '{}'),
      'next_after', (
        select concat_ws('.', 'r1', ((q.r).resolved_at is not null)::int, (extract(epoch from (q.r).reported_at) * 1000000)::bigint, (q.r).id) from page q
        where q.n = v_limit and exists (select from page e where e.n > v_limit))))
    from page p);
end
$$;
comment on function fieldpost.reports(int, boolean, text, int, uuid[]) is
  'Reports of the caller''s organizations (docs/protocol.md). Security definer: what messages said is in a table that clients may not read.';

-- Where policies of the project narrow: the messages of a page, of which the caller sees some.
create or replace function fieldpost.reported_messages(p_protocol int, p_all boolean, p_after text, p_limit int) returns uuid[]
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select case when fieldpost.reports_refused(p_protocol, p_after, p_limit) is null then array(
    select m.id from fieldpost.report_page((fieldpost.scope_of(fieldpost.uid())).admin_orgs, coalesce(p_all, false), p_after, least(coalesce(p_limit, 40), 40)) r
    join public.messages m on m.id = r.message_id) end
$$;
comment on function fieldpost.reported_messages(int, boolean, text, int) is
  'The messages of a page of reports that are still there. Security definer: whether she sees them is asked next.';

create or replace function fieldpost.reports_as_caller(p_protocol int, p_all boolean, p_after text, p_limit int) returns json
language plpgsql stable set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  v_messages constant uuid[] := fieldpost.reported_messages(p_protocol, p_all, p_after, p_limit);
begin
  return fieldpost.reports(p_protocol, p_all, p_after, p_limit, array(
    select i from unnest(v_messages) i except select m.id from public.messages m where m.id = any (v_messages)));
end
$$;
comment on function fieldpost.reports_as_caller(int, boolean, text, int) is 'Reports of the caller''s organizations, under all policies.';

create or replace function fieldpost.resolve_report(p_protocol int, p_report uuid) returns json
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp set lock_timeout = '3s'
as $$
declare
  v_refused constant jsonb := fieldpost.reports_refused(p_protocol, null, null);
  v_row public.message_reports;
begin
  if v_refused is not null then
    return v_refused;
  elsif p_report is null then
    return fieldpost.refusal('bad_request', 'p_report');
  end if;
  update public.message_reports r set resolved_at = coalesce(r.resolved_at, clock_timestamp()), resolved_by = coalesce(r.resolved_by, fieldpost.uid())
  where r.id = p_report and r.org_id = any ((fieldpost.scope_of(fieldpost.uid())).admin_orgs)
  returning r.* into v_row;
  if not found then
    return fieldpost.refusal('not_found');
  end if;
  return fieldpost.envelope() || jsonb_build_object('report', fieldpost.report_json(v_row));
end
$$;
comment on function fieldpost.resolve_report(int, uuid) is
  'Marks a report as dealt with (docs/protocol.md). Security definer: answers with what the message said.';

create or replace function public.fieldpost_reports(
  p_protocol int default null, p_app text default null, p_capabilities text[] default '{}',
  p_all boolean default false, p_after text default null, p_limit int default null)
returns json
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select case when fieldpost.narrowed('r') then fieldpost.reports_as_caller(p_protocol, p_all, p_after, p_limit)
              else fieldpost.reports(p_protocol, p_all, p_after, p_limit) end
$$;
comment on function public.fieldpost_reports(int, text, text[], boolean, text, int) is 'Reports of messages, for admins (docs/protocol.md).';

create or replace function public.fieldpost_resolve_report(
  p_protocol int default null, p_app text default null, p_capabilities text[] default '{}', p_report uuid default null)
returns json
language sql volatile set search_path = pg_catalog, pg_temp
as $$ select fieldpost.resolve_report(p_protocol, p_report) $$;
comment on function public.fieldpost_resolve_report(int, text, text[], uuid) is 'Marks a report as dealt with, as an admin (docs/protocol.md).';
