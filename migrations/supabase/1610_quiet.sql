-- Quiet pushes: whether a pull from the device's cursor would bring anything that the results of a push do not hold.
--
-- A device that is up to date sends its cursor with a push. If nothing else that it may see has changed, the answer names
-- the cursor after that, and the device need not pull.
--
-- What must stay true:
--  * When in doubt, the answer is not quiet. So it is not where a policy of the project hides rows, nor after an opening (a pull
--    compares the set of conversations), nor if something was refused or is to be tried again; and whatever goes wrong
--    here undoes no push.
--  * A row that changed does no harm if a result holds it as it is now, whoever changed it before, and if nothing else of a
--    page follows from it. A marker or a setting may change an unread count, which a device that has a part of the thread
--    cannot know: those are told only if every seq above the person's marker is a message of hers.
--  * The new cursor has seen this transaction, and no other one that has not been committed.
--  * It asks the queries of the feed, each for one row more than the results hold: by the same indexes, and never for more.

-- This transaction counts as over. A snapshot never lists the transaction that took it, and may end before it.
create or replace function fieldpost.snapshot_with(p_snapshot pg_snapshot, p_own xid8) returns pg_snapshot
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select case when p_own is null or p_own < pg_snapshot_xmax(p_snapshot) then p_snapshot
    else format('%s:%s:%s', pg_snapshot_xmin(p_snapshot), p_own::text::bigint + 1, (
      select string_agg(x.running, ',' order by x.running::bigint) from (
        select r::text as running from pg_snapshot_xip(p_snapshot) r
        union all
        select g::text from generate_series(pg_snapshot_xmax(p_snapshot)::text::bigint, p_own::text::bigint - 1) g
      ) x))::pg_snapshot end
$$;
comment on function fieldpost.snapshot_with(pg_snapshot, xid8) is 'A snapshot that also sees the transaction that took it.';

-- What a cursor has seen: null if a pull would not accept it, or if it is in the middle of a pass.
create or replace function fieldpost.cursor_seen(s fieldpost.scope, p_cursor text, p_now pg_snapshot) returns pg_snapshot
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  v_here constant text := fieldpost.here();
  v_part text[];
  v_seen pg_snapshot;
begin
  if length(p_cursor) > 1024 or p_cursor !~ '^c1\.[0-9a-f]{24}\.[0-9a-z]+\.[0-9]{1,18}:[0-9]{1,18}:[0-9,]*$' then
    return null;
  end if;
  v_part := string_to_array(p_cursor, '.');
  if not fieldpost.snapshot_fits(v_part[4]) or left(v_part[2], 16) <> left(v_here, 16) or v_part[3] <> s.fingerprint then
    return null;
  end if;
  v_seen := fieldpost.snapshot_of(v_part[4]);
  if pg_snapshot_xmax(v_seen) > pg_snapshot_xmax(p_now) or not fieldpost.cursor_holds(v_part[2], pg_snapshot_xmax(v_seen))
     or pg_snapshot_xmin(v_seen) <= (select k.compacted_xid from fieldpost.compaction k where k.epoch = left(v_here, 16)) then
    return null;
  end if;
  return v_seen;
end
$$;
comment on function fieldpost.cursor_seen(fieldpost.scope, text, pg_snapshot) is 'What a cursor between two passes has seen; null if it has expired.';

create or replace function fieldpost.has_read_all(p_user uuid, p_conversation uuid) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select c.last_seq - x.seen <= 50 and c.last_seq - x.seen = (
    select count(*) from public.messages m where m.conversation_id = c.id and m.seq > x.seen and m.sender_id = p_user)
  from public.conversations c
  cross join lateral (select coalesce((
    select r.read_seq from public.conversation_read_status r where r.user_id = p_user and r.conversation_id = c.id), 0) as seen) x
  where c.id = p_conversation
$$;
comment on function fieldpost.has_read_all(uuid, uuid) is 'Whether every seq above a person''s marker, of which there are few, is a message of hers.';

-- Whether a message on the wire is what its author sent, with what the acknowledgement adds.
create or replace function fieldpost.is_as_sent(p_row jsonb, p_sent jsonb, p_ack jsonb, p_author uuid) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select p_row ->> 'sender_id' = p_author::text and p_row -> 'seq' = p_ack -> 'seq' and p_row -> 'version' = p_ack -> 'version'
    and p_row ->> 'conversation_id' = p_ack ->> 'conversation_id' and p_row ->> 'created_at' = p_ack ->> 'created_at'
    and not p_row ?| array['omitted', 'edited_at', 'deleted_at']
    and p_row ->> 'kind' = coalesce(p_sent ->> 'message_type', 'text') and p_row ->> 'content' is not distinct from p_sent ->> 'content'
    and coalesce(p_row -> 'metadata', 'null') = coalesce(p_sent -> 'metadata', 'null')
    and p_row ->> 'reply_to' is not distinct from p_sent ->> 'reply_to'
    and (p_row ->> 'composed_at')::timestamptz is not distinct from (p_sent ->> 'composed_at')::timestamptz
    and array(select jsonb_array_elements_text(coalesce(p_row -> 'mentions', '[]')) order by 1)
      = array(select distinct jsonb_array_elements_text(coalesce(nullif(p_sent -> 'mentions', 'null'), '[]')) order by 1)
$$;
comment on function fieldpost.is_as_sent(jsonb, jsonb, jsonb, uuid) is 'Whether the author''s device knows a message without seeing its row.';

-- What the results of a batch tell of rows: of which kind of the feed, which one, and the row, or what was sent with its
-- acknowledgement. A line without a kind: a pull has to follow, whatever has changed.
create or replace function fieldpost.told_by(p_mutations jsonb[], p_results text[]) returns table (kind int, id uuid, told jsonb, sent jsonb)
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select t.kind, case when t.kind = 6 then coalesce(t.r #>> '{message,id}', t.r #>> '{ack,message_id}')::uuid
                      else coalesce(t.r #>> '{read_marker,conversation_id}', t.r #>> '{settings,conversation_id}')::uuid end,
         coalesce(t.r -> 'message', t.r -> 'ack', t.r -> 'read_marker', t.r -> 'settings'),
         case when not t.r ? 'message' and t.r ? 'ack' then t.m end
  from (
    select x.m, x.r, case
      when (x.r ->> 'status' in ('applied', 'duplicate')) is not true then null
      when x.m ->> 'kind' = 'send_message' then case when
        coalesce(x.r #>> '{message,id}', x.r #>> '{ack,message_id}') = x.m ->> 'message_id'
        and coalesce(x.r #>> '{message,conversation_id}', x.r #>> '{ack,conversation_id}') = x.m ->> 'conversation_id' then 6 end
      when x.m ->> 'kind' in ('edit_message', 'delete_message') then case when x.r ? 'message' then 6 end
      when x.m ->> 'kind' in ('mark_read', 'mark_delivered') then case when x.r ? 'read_marker' then 5 end
      when x.m ->> 'kind' = 'set_conversation' then case when x.r ? 'settings' and not x.m ? 'unread_from' then 8 end
      when x.m ->> 'kind' = 'report_message' then 0 end as kind
    from unnest(p_mutations) with ordinality m (m, n)
    left join unnest(p_results) with ordinality r (r, n) on r.n = m.n
    cross join lateral (select m.m, r.r::jsonb as r) x
  ) t
$$;
comment on function fieldpost.told_by(jsonb[], text[]) is 'The rows that the results of a push hold.';

create or replace function fieldpost.quiet(p_user uuid, p_capabilities text[], p_cursor text, p_mutations jsonb[], p_results text[]) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  s fieldpost.scope;
  f fieldpost.span;
  v_kind int;
  c_zero constant uuid := '00000000-0000-0000-0000-000000000000';
begin
  if fieldpost.narrowed('r') or exists (select from fieldpost.told_by(p_mutations, p_results) t where t.kind is null) then
    return null;
  end if;
  s := fieldpost.scope_of(p_user);  -- as it is now, in the snapshot that everything below is read in
  f := row(null, fieldpost.snapshot_of(fieldpost.snapshot_text(
    fieldpost.snapshot_with(pg_current_snapshot(), pg_current_xact_id_if_assigned()))), '0', c_zero, c_zero, 1)::fieldpost.span;
  f.from_ := fieldpost.cursor_seen(s, p_cursor, f.to_);
  if f.from_ is null or not s.member then
    return null;
  end if;
  foreach v_kind in array array[1, 2, 3, 4] || case when 'reactions' = any (p_capabilities) then array[7] else '{}' end loop
    if exists (select from fieldpost.feed(v_kind, s, f)) then
      return null;
    end if;
  end loop;
  f.rows := cardinality(p_mutations) + 1;
  if exists (
       select from fieldpost.feed(6, s, f) n
       where not exists (
         select from fieldpost.told_by(p_mutations, p_results) t
         where t.kind = 6 and t.id = n.a and case when t.sent is not null then fieldpost.is_as_sent(n.j::jsonb, t.sent, t.told, p_user)
                                                  else n.person_id = p_user and n.j::jsonb = t.told end))
     or exists (
       select from fieldpost.feed(5, s, f) n
       where n.b <> p_user or fieldpost.has_read_all(p_user, n.a) is not true
         or not exists (select from fieldpost.told_by(p_mutations, p_results) t where t.kind = 5 and t.id = n.a and n.j::jsonb = t.told))
     or 'conversation_settings' = any (p_capabilities) and exists (
       select from fieldpost.feed(8, s, f) n
       where n.j::jsonb ? 'unread_from' or fieldpost.has_read_all(p_user, n.a) is not true
         or not exists (select from fieldpost.told_by(p_mutations, p_results) t where t.kind = 8 and t.id = n.a and n.j::jsonb = t.told)) then
    return null;
  end if;
  return concat_ws('.', 'c1', fieldpost.here(), s.fingerprint, fieldpost.snapshot_text(f.to_));
exception when others then  -- what was pushed is pushed: the device pulls
  return null;
end
$$;
comment on function fieldpost.quiet(uuid, text[], text, jsonb[], text[]) is 'The cursor after a quiet push; null if a pull has to follow.';
