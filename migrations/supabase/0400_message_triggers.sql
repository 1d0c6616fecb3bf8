-- Messages: what happens when one is written, by whomever.
--
-- Fieldpost's own push is one writer among several: a web dashboard with supabase-js, an older app and a script of the
-- project write the table directly. Whatever the feed relies on is therefore done here, in triggers.
--
--   BEFORE INSERT, row     a client's row gets the server's clock and none of the columns that are not hers
--   AFTER INSERT, statement  numbers the rows: `seq`, and `created_at` raised to grow with it
--   BEFORE UPDATE, row     restores what may not change, erases what was deleted, stamps
--   AFTER UPDATE / DELETE  keeps the conversation's preview, writes tombstones
--
-- What must stay true:
--  * Numbers are given after the rows are in, under a lock on the conversations taken in id order. A BEFORE ROW trigger
--    would burn a number on every row that `on conflict` drops and would lock in the order of the rows, so that two
--    statements could deadlock; a sequence leaves holes at every rollback and numbers in an order that is not the
--    commit order.
--  * A push knows the numbers beforehand, for it holds that lock before it inserts, and so writes each row once. It says so
--    with the stamp of its own transaction, which no client can; the statement trigger checks what it is given.
--  * The lock is FOR NO KEY UPDATE: the foreign key of a message being inserted takes KEY SHARE, which it allows.
--  * A client (whose columns are checked) is told from a function of this schema or a back end (which is trusted) by the
--    conditions of the triggers: those run with the rights of the writer, the functions with the owner's.
--  * An update holds its message before any trigger of it runs, and waits for the conversation (its preview) after that. Whoever
--    holds a conversation therefore never waits for a message: a push takes it at once, or asks its device to try again.
--  * The status that `fieldpost.follow_markers` derives passes without version and stamp. A client cannot say that it derives: the
--    trigger for clients does not listen.
--  * What a project's own table accepted before is accepted. A row above a limit is marked, by whomever it comes.

-- Two triggers call it, with `client` or `back_end`; with `own` or `guest`: whose the table is; and with the columns that cannot be null,
-- and so are emptied when a message is deleted.
create or replace function fieldpost.messages_before_insert() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_client constant boolean := tg_argv[0] = 'client';
  v_guest constant boolean := tg_argv[1] = 'guest';
  v_key text;
begin
  if v_client then
    -- A clock of the client is a claim; the server's is the truth. `seq` is given later, the rest is not hers to set.
    if new.composed_at is null and new.created_at < now() then
      new.composed_at := new.created_at;
    end if;
    new.created_at := now();
    new.status := 'sent';
    new.deleted_at := null;
    new.edited_at := null;
    new.client_key := null;
    if new.reply_to is not null then
      new.reply_to := fieldpost.reply_target(new.conversation_id, new.sender_id, new.reply_to);
    end if;
    if new.mentions is not null then
      new.mentions := fieldpost.mentions_kept(new.conversation_id, new.mentions);
    end if;
    if not v_guest then
      if new.content is not null then
        new.content := fieldpost.trim(new.content);
      end if;
      perform fieldpost.check_content(new.message_type::text, new.content);
    end if;
  end if;
  if v_guest then
    new.org_id := coalesce((select c.org_id from public.conversations c where c.id = new.conversation_id), new.org_id);
  end if;
  if v_client or new.sync_xid <> pg_current_xact_id() then
    new.seq := null;
  end if;
  new.version := 1;
  new.sync_xid := pg_current_xact_id();
  new.created_at := coalesce(new.created_at, now());
  new.updated_at := new.created_at;
  if not fieldpost.is_sane(new.composed_at) then
    new.composed_at := null;
  end if;
  if new.deleted_at is not null then
    new.content := case when strpos(tg_argv[2], 'content') > 0 then '' end;
    new.metadata := case when strpos(tg_argv[2], 'metadata') > 0 then '{}' end;
    new.mentions := null;
  end if;
  new.mentions := fieldpost.few(new.mentions);
  new.omitted := fieldpost.excess(new.content, new.metadata::jsonb);
  if new.omitted is not null and v_client and not v_guest then
    raise check_violation using message = new.omitted ->> 'reason', constraint = 'fieldpost_content', table = 'messages', schema = 'public';
  end if;
  if new.client_key is null then
    v_key := nullif(new.metadata::jsonb ->> 'idempotency_key', '');
    -- A key that long is none of ours. And a second row of one key is accepted in a project's own table, as it was before.
    if length(v_key) <= 200 and not (v_guest and exists (
      select from public.messages o where o.conversation_id = new.conversation_id and o.sender_id = new.sender_id and o.client_key = v_key
    )) then
      new.client_key := v_key;
    end if;
  end if;
  return new;
end
$$;
comment on function fieldpost.messages_before_insert() is
  'Gives a new message the columns that only the server may set. Security definer: whoever may write messages need not be allowed to look into this schema.';

-- Numbers rows that have none. Called for the rows of one statement; see `number_conversation` for old rows.
create or replace function fieldpost.messages_after_insert() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  v_conversations uuid[];
  v_numbered bigint;
begin
  select array_agg(distinct n.conversation_id), count(n.seq) into v_conversations, v_numbered from fieldpost_new n;
  if v_conversations is null then
    return null;  -- `on conflict do nothing` left nothing to number
  end if;
  perform 1 from public.conversations c where c.id = any (v_conversations) order by c.id for no key update;

  if v_numbered > 0 and exists (
    select from (
      select n.conversation_id, count(*) as n, count(n.seq) as numbered, min(n.seq) as first, max(n.seq) as last
      from fieldpost_new n group by n.conversation_id
    ) x join public.conversations c on c.id = x.conversation_id
    where not (x.numbered = x.n and x.first = c.last_seq + 1 and x.last = c.last_seq + x.n)
  ) then
    raise check_violation using message = 'the numbers of these messages do not follow on';
  end if;
  if exists (
    select from fieldpost_new n join public.conversations c on c.id = n.conversation_id where c.org_id <> n.org_id
  ) then
    raise check_violation using message = 'org_id of a message must be that of its conversation';
  end if;
  if exists (select from fieldpost.tombstones t where t.entity = 'message' and t.id = any (array(select n.id from fieldpost_new n)))
     or exists (select from fieldpost_new n
                join fieldpost.tombstones t on t.conversation_id = n.conversation_id and t.client_key = n.client_key) then
    raise unique_violation using message = 'the id belonged to a message that was deleted';
  end if;

  if v_numbered = 0 then
    perform fieldpost.number_conversation(c.id, (select array_agg(n.id) from fieldpost_new n where n.conversation_id = c.id))
    from public.conversations c where c.id = any (v_conversations) and c.last_seq is null;

    -- The order of the transition table is the order in which the statement inserted. created_at is raised to be at least
    -- a microsecond above its predecessor's: the running maximum of (created_at - k µs) + k µs, started by the last row.
    with placed as (
      select n.id, n.conversation_id, greatest(least(n.created_at, clock_timestamp()), '2000-01-01') as created_at,
             row_number() over (partition by n.conversation_id order by n.ord) as k
      from (select x.id, x.conversation_id, x.created_at, row_number() over () as ord from fieldpost_new x) n
    ), numbered as (
      select p.id, h.last_seq + p.k as seq,
             greatest(
               max(p.created_at - p.k * interval '1 microsecond') over (partition by p.conversation_id order by p.k),
               h.created_at
             ) + p.k * interval '1 microsecond' as created_at
      from placed p join fieldpost.heads(v_conversations) h on h.conversation_id = p.conversation_id
    ), written as (
      update public.messages m
      set seq = n.seq, created_at = n.created_at, updated_at = n.created_at
      from numbered n where m.id = n.id
      returning m.conversation_id, m.seq, m.created_at, case when m.omitted is null then m.content end as content
    )
    update public.conversations c
    set last_seq = l.seq, last_message_at = l.created_at, last_message_preview = left(l.content, 100)
    from (select distinct on (w.conversation_id) w.* from written w order by w.conversation_id, w.seq desc) l
    where c.id = l.conversation_id;
    return null;
  end if;

  update public.conversations c
  set last_seq = l.seq, last_message_at = l.created_at, last_message_preview = left(l.content, 100)
  from (select distinct on (n.conversation_id) n.conversation_id, n.seq, n.created_at, case when n.omitted is null then n.content end as content
        from fieldpost_new n order by n.conversation_id, n.seq desc) l
  where c.id = l.conversation_id;
  return null;
end
$$;
comment on function fieldpost.messages_after_insert() is
  'Gives new messages their seq and a monotonic created_at. Security definer: a client may not lock or number others'' rows.';

-- Where the next message of each conversation goes. Whoever asks holds their locks.
create or replace function fieldpost.heads(p_conversations uuid[])
returns table (conversation_id uuid, org_id uuid, last_seq bigint, created_at timestamptz)
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select c.id, c.org_id, c.last_seq, p.created_at
  from public.conversations c
  left join lateral (
    select m.created_at from public.messages m
    where m.conversation_id = c.id and m.seq is not null order by m.seq desc limit 1
  ) p on p.created_at < now() + interval '1 day'  -- a clock that ran ahead dates nothing after it was set right
  where c.id = any (p_conversations)
$$;
comment on function fieldpost.heads(uuid[]) is 'The last number and time that each conversation has given out.';

-- Dates anew what has an impossible date: what claims to be older than 2000 comes first, what is of the future is as old as the
-- newest that is not. The trigger lets a back end mend an impossible date, and change no other.
create or replace function fieldpost.redate(p_conversation uuid default null) returns bigint
language plpgsql set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  v_count bigint;
begin
  insert into fieldpost.redated (message_id, created_at)
  select m.id, m.created_at from public.messages m
  where (p_conversation is null or m.conversation_id = p_conversation) and not fieldpost.is_sane(m.created_at)
  on conflict do nothing;  -- what it said at first
  update public.messages m
  set created_at = case when m.created_at < '2000-01-01' then '2000-01-01' else coalesce((
        select max(o.created_at) from public.messages o where o.conversation_id = m.conversation_id and fieldpost.is_sane(o.created_at)
      ), now()) end
  where (p_conversation is null or m.conversation_id = p_conversation) and not fieldpost.is_sane(m.created_at);
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
comment on function fieldpost.redate(uuid) is 'Dates messages anew whose dates are impossible, and keeps what they said in fieldpost.redated.';

-- Numbers the rows that a conversation had before the sync layer, in the order in which they were written, and keeps their
-- metadata.idempotency_key. All under the lock of the conversation, so that people may write meanwhile.
create or replace function fieldpost.number_conversation(p_conversation uuid, p_except uuid[] default '{}') returns bigint
language plpgsql set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  v_count bigint;
begin
  perform 1 from public.conversations c where c.id = p_conversation and c.last_seq is null for no key update;
  if not found then
    return 0;  -- numbered already, or gone
  end if;
  perform fieldpost.redate(p_conversation);
  with numbered as (
    select m.id, m.created_at,
           -- In the order that the dates gave before they were mended.
           row_number() over (order by coalesce(d.created_at, m.created_at), m.id) as seq
    from public.messages m left join fieldpost.redated d on d.message_id = m.id
    where m.conversation_id = p_conversation and not m.id = any (coalesce(p_except, '{}'))
  )
  update public.messages m set seq = n.seq, client_key = coalesce(m.client_key, k.key), omitted = fieldpost.excess(m.content, m.metadata::jsonb)
  from numbered n
  left join (  -- of a key that an old race stored twice, one row has it
    select distinct on (x.sender_id, x.key) x.id, x.key
    from (select o.*, o.metadata::jsonb ->> 'idempotency_key' as key from public.messages o where o.conversation_id = p_conversation) x
    where x.key <> '' and length(x.key) <= 200
      and not exists (select from public.messages o
                      where o.conversation_id = p_conversation and o.sender_id = x.sender_id and o.client_key = x.key)
    order by x.sender_id, x.key, x.created_at, x.id
  ) k on k.id = n.id
  where m.id = n.id;
  get diagnostics v_count = row_count;
  update public.conversations c
  set last_seq = (
    select count(*) from public.messages m
    where m.conversation_id = p_conversation and not m.id = any (coalesce(p_except, '{}'))
  )
  where c.id = p_conversation;
  perform fieldpost.refresh_last_message(array[p_conversation]);
  return v_count;
end
$$;
comment on function fieldpost.number_conversation(uuid, uuid[]) is
  'Numbers the messages that a conversation had before the sync layer, oldest first.';

-- The columns that web clients of the older app read. They follow the newest message that exists.
create or replace function fieldpost.refresh_last_message(p_conversations uuid[]) returns void
language plpgsql set search_path = pg_catalog, public, extensions, pg_temp
as $$
begin
  perform 1 from public.conversations c where c.id = any (p_conversations) order by c.id for no key update;
  update public.conversations c
  set last_message_at = l.created_at, last_message_preview = l.preview
  from unnest(p_conversations) p
  left join lateral (
    select m.created_at, case when m.omitted is null then left(m.content, 100) end as preview from public.messages m
    where m.conversation_id = p and m.seq is not null order by m.seq desc limit 1
  ) l on true
  where c.id = p and (c.last_message_at, c.last_message_preview) is distinct from (l.created_at, l.preview);
end
$$;
comment on function fieldpost.refresh_last_message(uuid[]) is
  'Brings a conversation''s last_message_at and preview up to date after an edit or a delete.';

create or replace function fieldpost.messages_before_update() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_client constant boolean := tg_argv[0] = 'client';
  v_guest constant boolean := tg_argv[1] = 'guest';
  v_marked constant boolean := new.omitted is distinct from old.omitted;  -- measure it again
  v_same public.messages;
  v_me uuid;
begin
  if not v_client then
    -- A status that follows the markers is no change of the message: every device knows the markers.
    if current_setting('fieldpost.deriving', true) = 'on' and new.status is distinct from old.status then
      v_same := old;
      v_same.status := new.status;
      return v_same;
    end if;
    if old.seq is null then
      -- Part of the insert, or of the backfill: no client has the row yet, so this is no change and its version stays. The
      -- stamp becomes that of the numbering, which is when clients may first have it.
      if new.seq is not null then
        new.sync_xid := pg_current_xact_id();
      end if;
      if new.deleted_at is not null then
        new.content := case when strpos(tg_argv[2], 'content') > 0 then '' end;
        new.metadata := case when strpos(tg_argv[2], 'metadata') > 0 then '{}' end;
        new.mentions := null;
        new.omitted := null;
      end if;
      return new;
    end if;
  else
    v_me := fieldpost.uid();
    new.sender_id := old.sender_id;
    new.message_type := old.message_type;
    new.reply_to := old.reply_to;
    new.composed_at := old.composed_at;
    new.edited_at := old.edited_at;
    if v_me = old.sender_id then
      new.status := old.status;  -- a sender does not say how far her message got
      if new.mentions is distinct from old.mentions then
        new.mentions := nullif(array(
          select m from unnest(new.mentions) m where m = any (old.mentions)
          union select unnest(fieldpost.mentions_kept(old.conversation_id, new.mentions))), '{}');
      end if;
      if not v_guest and new.content is distinct from old.content and new.deleted_at is null then
        new.content := fieldpost.trim(new.content);
        perform fieldpost.check_content(new.message_type::text, new.content);
      end if;
    else
      new.content := old.content;
      new.metadata := old.metadata;
      new.mentions := old.mentions;
      if new.deleted_at is not null and not fieldpost.is_admin_of(old.org_id) then
        new.deleted_at := old.deleted_at;
      end if;
      if array_position(array['sent', 'delivered', 'read'], new.status::text)
         < array_position(array['sent', 'delivered', 'read'], old.status::text) then
        new.status := old.status;
      end if;
    end if;
    if new.deleted_at is not null then
      new.deleted_at := now();
    end if;
  end if;

  new.id := old.id;
  new.conversation_id := old.conversation_id;
  new.org_id := old.org_id;
  if v_client or fieldpost.is_sane(old.created_at) or not fieldpost.is_sane(new.created_at) then
    new.created_at := old.created_at;
  end if;
  new.client_key := old.client_key;
  new.seq := old.seq;
  new.version := old.version;
  new.sync_xid := old.sync_xid;
  new.updated_at := old.updated_at;
  if old.deleted_at is not null then
    new.deleted_at := old.deleted_at;  -- there is nothing to bring back
  end if;
  if new.deleted_at is not null then
    new.content := case when strpos(tg_argv[2], 'content') > 0 then '' end;
    new.metadata := case when strpos(tg_argv[2], 'metadata') > 0 then '{}' end;
    new.mentions := null;
  elsif new.content is distinct from old.content or new.mentions is distinct from old.mentions then
    -- An edit, whoever makes it. A back end may say another time.
    new.mentions := fieldpost.few(new.mentions);
    if new.edited_at is not distinct from old.edited_at then
      new.edited_at := now();
    end if;
  end if;
  new.omitted := old.omitted;
  if new.content is distinct from old.content or new.metadata::jsonb is distinct from old.metadata::jsonb
     or not v_client and v_marked then
    new.omitted := fieldpost.excess(new.content, new.metadata::jsonb);
    if new.omitted is not null and v_client and not v_guest then
      raise check_violation using message = new.omitted ->> 'reason', constraint = 'fieldpost_content', table = 'messages', schema = 'public';
    end if;
  end if;

  if new *= old then
    return new;  -- nothing changed: no client needs to hear of it
  end if;
  new.version := old.version + 1;
  new.sync_xid := pg_current_xact_id();
  -- What only this schema mends or marks is news for devices, and no change that its author made.
  v_same := old;
  v_same.created_at := new.created_at;
  v_same.composed_at := new.composed_at;
  v_same.omitted := new.omitted;
  v_same.version := new.version;
  v_same.sync_xid := new.sync_xid;
  if not v_same *= new then
    new.updated_at := greatest(now(), old.updated_at);
  end if;
  return new;
end
$$;
comment on function fieldpost.messages_before_update() is
  'Restores what may not change, erases what is deleted, stamps the row. Security definer: whoever may write messages need not be allowed to look into this schema.';

create or replace function fieldpost.messages_after_update() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform fieldpost.refresh_last_message(array[new.conversation_id]);
  return null;
end
$$;
comment on function fieldpost.messages_after_update() is
  'Keeps the preview after an edit or soft delete. Security definer: the writer may not be allowed to touch the conversation.';

create or replace function fieldpost.messages_after_delete() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  -- Rows that go with their conversation leave no tombstone each: the conversation's says it all.
  insert into fieldpost.tombstones (entity, id, conversation_id, org_id, seq, client_key, version)
  select 'message', o.id, o.conversation_id, o.org_id, o.seq, o.client_key, o.version + 1
  from fieldpost_old o
  where exists (select from public.conversations c where c.id = o.conversation_id)
  on conflict (entity, id) do update
    set version = greatest(fieldpost.tombstones.version, excluded.version), sync_xid = excluded.sync_xid;
  perform fieldpost.refresh_last_message(
    (select coalesce(array_agg(distinct o.conversation_id), '{}') from fieldpost_old o
     join public.conversations c on c.id = o.conversation_id));
  return null;
end
$$;
comment on function fieldpost.messages_after_delete() is
  'Writes tombstones of messages deleted for good. Security definer: nobody else writes tombstones.';

-- A client comes through the API: policies apply to it, and it has claims. Whoever else writes is a back end, which is trusted.
-- A back end's trigger is not for the rows that a push has given all of that itself: see above.
do $$
declare
  c_client constant text := 'row_security_active(''public.messages''::regclass) and coalesce(nullif(current_setting(''request.jwt.claims'', true), ''''), '
    'nullif(current_setting(''request.jwt.claim.sub'', true), '''')) is not null';
  v_whose constant text := case when fieldpost.is_guest_in('messages') then 'guest' else 'own' end;
  v_never_null constant text := coalesce((select string_agg(a.attname, ',') from pg_attribute a
    where a.attrelid = 'public.messages'::regclass and a.attname in ('content', 'metadata') and a.attnotnull), '');
begin
  execute format('create or replace trigger zz_fieldpost_before_insert before insert on public.messages for each row when ('
    'not (%s) and (new.seq is null or new.sync_xid <> pg_current_xact_id() or new.deleted_at is not null or (new.metadata::jsonb) ? ''idempotency_key'')) '
    'execute function fieldpost.messages_before_insert(''back_end'', %L, %L)', c_client, v_whose, v_never_null);
  execute format('create or replace trigger zz_fieldpost_before_insert_client before insert on public.messages for each row when (%s) '
    'execute function fieldpost.messages_before_insert(''client'', %L, %L)', c_client, v_whose, v_never_null);
  -- Named to run after a project's own triggers, which may set updated_at.
  execute format('create or replace trigger zz_fieldpost_before_update before update on public.messages for each row when (not (%s)) '
    'execute function fieldpost.messages_before_update(''back_end'', %L, %L)', c_client, v_whose, v_never_null);
  execute format('create or replace trigger zz_fieldpost_before_update_client before update on public.messages for each row when (%s) '
    'execute function fieldpost.messages_before_update(''client'', %L, %L)', c_client, v_whose, v_never_null);
end
$$;
create or replace trigger zz_fieldpost_after_insert after insert on public.messages
  referencing new table as fieldpost_new for each statement execute function fieldpost.messages_after_insert();
create or replace trigger zz_fieldpost_after_update after update on public.messages
  for each row when (old.content is distinct from new.content) execute function fieldpost.messages_after_update();
create or replace trigger zz_fieldpost_after_delete after delete on public.messages
  referencing old table as fieldpost_old for each statement execute function fieldpost.messages_after_delete();
