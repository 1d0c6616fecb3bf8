-- Receipts, as other clients read them: `messages.status` and `message_recipients` follow the read markers.
--
-- Fieldpost's own clients compute them from the markers. A web dashboard and an older app read the columns, and write them:
-- whoever writes `last_read_at` or a recipient row says how far she has read, and her marker moves.
--
-- What must stay true:
--  * A marker that moves costs what lies between its old and its new position, whoever else reads the conversation.
--  * The status only rises, by the furthest marker of anybody but the sender. It is written without version and stamp: no
--    device is told of it.
--  * Messages are locked in the order of their numbers. A push, which may hold conversations, waits for them only briefly: see
--    the triggers of messages.
--  * What a trigger of the project refuses keeps nobody from reading: the marker moves all the same.

-- How many markers there are is unknown when it is planned; a plan that reads all recipients is never right.
create or replace function fieldpost.follow_markers(
  p_conversations uuid[], p_users uuid[], p_delivered_from bigint[], p_delivered_to bigint[], p_read_from bigint[], p_read_to bigint[])
returns void
language plpgsql set search_path = pg_catalog, public, extensions, pg_temp set enable_seqscan = off
as $$
declare
  -- The column's own type, which may be an enum of the project's.
  v_delivered constant public.messages.status%type := 'delivered';
  v_read constant public.messages.status%type := 'read';
  v_now constant timestamptz := clock_timestamp();
  v_due uuid[];
  v_due_read uuid[];
begin
  perform set_config('fieldpost.deriving', 'on', true);
  select array_agg(d.id), array_agg(d.id) filter (where d.is_read) into v_due, v_due_read
  from (
    select m.id, bool_or(m.seq > x.read_from and m.seq <= x.read_to) as is_read
    from unnest(p_conversations, p_users, p_delivered_from, p_delivered_to, p_read_from, p_read_to)
      x (conversation_id, user_id, delivered_from, delivered_to, read_from, read_to)
    join public.messages m on m.conversation_id = x.conversation_id and m.sender_id is distinct from x.user_id
     and m.seq > case when x.read_to > x.read_from then x.read_from else x.delivered_from end
     and m.seq <= greatest(x.delivered_to, x.read_to)
    where m.status::text = 'sent' and m.seq > x.delivered_from
       or m.status::text in ('sent', 'delivered') and m.seq > x.read_from and m.seq <= x.read_to
    group by m.id
  ) d;
  if v_due is not null then
    perform 1 from public.messages m where m.id = any (v_due) order by m.conversation_id, m.seq for no key update;
    update public.messages m set status = case when m.id = any (v_due_read) then v_read else v_delivered end
    where m.id = any (v_due) and (m.status::text = 'sent' or m.status::text = 'delivered' and m.id = any (v_due_read));
  end if;

  update public.message_recipients r
  set delivered_at = coalesce(r.delivered_at, v_now), read_at = case when x.is_read then coalesce(r.read_at, v_now) else r.read_at end
  from (
    select m.id, y.user_id, m.seq > y.read_from and m.seq <= y.read_to as is_read
    from unnest(p_conversations, p_users, p_delivered_from, p_delivered_to, p_read_from, p_read_to)
      y (conversation_id, user_id, delivered_from, delivered_to, read_from, read_to)
    -- The messages between the two positions first (`offset` keeps this order): a person may have a row for each broadcast that
    -- there ever was.
    cross join lateral (
      select m.id, m.seq
      from public.conversations c join public.messages m on m.conversation_id = c.id
      where c.id = y.conversation_id and c.type = 'broadcast'
        and m.seq > case when y.read_to > y.read_from then y.read_from else y.delivered_from end
        and m.seq <= greatest(y.delivered_to, y.read_to)
      offset 0
    ) m
    offset 0
  ) x
  where r.message_id = x.id and r.recipient_id = x.user_id and (r.delivered_at is null or x.is_read and r.read_at is null);
  perform set_config('fieldpost.deriving', '', true);
end
$$;
comment on function fieldpost.follow_markers(uuid[], uuid[], bigint[], bigint[], bigint[], bigint[]) is
  'Brings the status and the recipients of messages to where markers have moved.';

create or replace function fieldpost.markers_after_write() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if current_setting('fieldpost.backfilling', true) = 'on' then
    return null;  -- an apply puts numbers to what was read, and changes no row of messages
  end if;
  begin
    if tg_op = 'INSERT' then
      perform fieldpost.follow_markers(array_agg(n.conversation_id), array_agg(n.user_id), array_agg(0), array_agg(n.delivered_seq), array_agg(0), array_agg(n.read_seq))
      from fieldpost_new n where n.delivered_seq > 0 having count(*) > 0;
    else
      perform fieldpost.follow_markers(array_agg(n.conversation_id), array_agg(n.user_id), array_agg(o.delivered_seq), array_agg(n.delivered_seq), array_agg(o.read_seq), array_agg(n.read_seq))
      from fieldpost_new n join fieldpost_old o on o.conversation_id = n.conversation_id and o.user_id = n.user_id
      where (n.delivered_seq, n.read_seq) is distinct from (o.delivered_seq, o.read_seq) having count(*) > 0;
    end if;
  exception
    when serialization_failure or deadlock_detected or lock_not_available or query_canceled then
      raise;
    when others then
      raise warning 'the status of messages does not follow a read marker: % (%)', sqlerrm, sqlstate;
  end;
  return null;
end
$$;
comment on function fieldpost.markers_after_write() is
  'Follows markers that moved. Security definer: whoever reads a message may not write it.';

create or replace trigger zz_fieldpost_after_insert after insert on public.conversation_read_status
  referencing new table as fieldpost_new for each statement execute function fieldpost.markers_after_write();
create or replace trigger zz_fieldpost_after_update after update on public.conversation_read_status
  referencing old table as fieldpost_old new table as fieldpost_new for each statement execute function fieldpost.markers_after_write();

-- Recipients of broadcasts: every medic of the organization gets a row, with the message, whoever writes it.

create or replace function fieldpost.add_recipients(p_messages uuid[]) returns void
language plpgsql set search_path = pg_catalog, public, extensions, pg_temp
as $$
begin
  perform set_config('fieldpost.deriving', 'on', true);
  insert into public.message_recipients (message_id, recipient_id, org_id)
  select m.id, r.user_id, c.org_id
  from public.messages m
  join public.conversations c on c.id = m.conversation_id and c.type = 'broadcast'
  cross join lateral fieldpost.roster(c.org_id) r
  where m.id = any (p_messages) and r.user_id is not null
  on conflict do nothing;
  perform set_config('fieldpost.deriving', '', true);
end
$$;
comment on function fieldpost.add_recipients(uuid[]) is 'The recipient rows of broadcasts.';

create or replace function fieldpost.recipients_of_new() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_messages constant uuid[] := array(
    select n.id from fieldpost_new n join public.conversations c on c.id = n.conversation_id and c.type = 'broadcast');
begin
  if v_messages <> '{}' then
    perform fieldpost.add_recipients(v_messages);
  end if;
  return null;
end
$$;
comment on function fieldpost.recipients_of_new() is
  'Gives new messages of broadcasts their recipients. Security definer: writes rows of recipients for others.';

create or replace trigger zz_fieldpost_after_insert_recipients after insert on public.messages
  referencing new table as fieldpost_new for each statement execute function fieldpost.recipients_of_new();

-- An older app writes the rows of its own broadcasts too. They are there already; what a back end adds to them is kept.
create or replace function fieldpost.recipients_before_insert() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, extensions, pg_temp
as $$
begin
  if tg_argv[0] = 'client' then
    new.delivered_at := null;  -- nobody says for another how far she has read
    new.read_at := null;
    if not fieldpost.is_admin_of(new.org_id) then
      return new;  -- which the policies refuse
    end if;
  end if;
  update public.message_recipients r set delivered_at = coalesce(r.delivered_at, new.delivered_at, new.read_at), read_at = coalesce(r.read_at, new.read_at)
  where r.message_id = new.message_id and r.recipient_id = new.recipient_id and r.org_id = new.org_id;
  return case when found then null else new end;
end
$$;
comment on function fieldpost.recipients_before_insert() is
  'Drops a recipient row that is there already. Security definer: whoever may write messages need not be allowed to look into this schema.';

create or replace function fieldpost.recipients_before_update() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  new.id := old.id;
  new.message_id := old.message_id;
  new.recipient_id := old.recipient_id;
  new.org_id := old.org_id;
  new.created_at := old.created_at;
  new.read_at := coalesce(old.read_at, new.read_at);
  new.delivered_at := coalesce(old.delivered_at, new.delivered_at, new.read_at);
  return new;
end
$$;
comment on function fieldpost.recipients_before_update() is 'Restores what may not change of a recipient row.';

-- A medic says when a message reached her and when she read it, and nothing else. Her marker moves with it.
create or replace function fieldpost.recipients_after_update() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, extensions, pg_temp
as $$
begin
  if current_setting('fieldpost.deriving', true) = 'on' then
    return null;  -- the marker has moved already
  end if;
  insert into public.conversation_read_status as r (user_id, conversation_id, org_id, last_read_at, delivered_seq, read_seq)
  select x.* from (
    select n.recipient_id, m.conversation_id, c.org_id, timestamptz '1970-01-01', max(m.seq) as delivered_seq,
           coalesce(max(m.seq) filter (where n.read_at is not null), 0) as read_seq
    from fieldpost_new n
    join fieldpost_old o on o.message_id = n.message_id and o.recipient_id = n.recipient_id
    join public.messages m on m.id = n.message_id
    join public.conversations c on c.id = m.conversation_id
    where n.delivered_at is not null and (o.delivered_at is null or o.read_at is null and n.read_at is not null)
    group by n.recipient_id, m.conversation_id, c.org_id
  ) x
  order by x.recipient_id, x.conversation_id
  on conflict (user_id, conversation_id) do update
    set delivered_seq = greatest(r.delivered_seq, excluded.delivered_seq), read_seq = greatest(r.read_seq, excluded.read_seq)
    where excluded.delivered_seq > r.delivered_seq or excluded.read_seq > r.read_seq;
  return null;
end
$$;
comment on function fieldpost.recipients_after_update() is
  'Moves the markers of those who say by their recipient rows what they have received and read. Security definer: the writer may not be allowed to touch markers.';

do $$
declare
  c_client constant text := 'row_security_active(''public.message_recipients''::regclass) and coalesce(nullif(current_setting(''request.jwt.claims'', true), ''''), '
    'nullif(current_setting(''request.jwt.claim.sub'', true), '''')) is not null';
begin
  execute format('create or replace trigger zz_fieldpost_before_insert before insert on public.message_recipients for each row when (not (%s) and current_setting(''fieldpost.deriving'', true) is distinct from ''on'') '
    'execute function fieldpost.recipients_before_insert(''back_end'')', c_client);
  execute format('create or replace trigger zz_fieldpost_before_insert_client before insert on public.message_recipients for each row when (%s) '
    'execute function fieldpost.recipients_before_insert(''client'')', c_client);
end
$$;
create or replace trigger zz_fieldpost_before_update before update on public.message_recipients
  for each row execute function fieldpost.recipients_before_update();
create or replace trigger zz_fieldpost_after_update after update on public.message_recipients
  referencing old table as fieldpost_old new table as fieldpost_new for each statement execute function fieldpost.recipients_after_update();
