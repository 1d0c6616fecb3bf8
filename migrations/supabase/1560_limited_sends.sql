-- How many messages a person may send in a minute. Off unless the operator sets it: `select fieldpost.limit_sends(60)`.
--
-- What must stay true:
--  * What is above the limit waits and is not refused: a push answers `retry` with the seconds until the person's minute is over,
--    which began with her first message of it. Its lane waits with it.
--  * A client that writes the table directly is told with HTTP 429, and nothing of its statement is stored.
--  * A person's counter is locked before any conversation, whoever writes.

create table if not exists fieldpost.settings (
  one boolean primary key default true check (one),
  sends_per_minute int check (sends_per_minute > 0)
);
insert into fieldpost.settings default values on conflict do nothing;
comment on table fieldpost.settings is 'What the operator has set. One row.';

create table if not exists fieldpost.sent (
  user_id uuid primary key,
  minute timestamptz not null,
  n int not null
);
comment on table fieldpost.sent is 'How many messages each person has sent in the minute that began with the first of them; kept only where there is a limit.';

create or replace function fieldpost.limit_sends(p_per_minute int) returns text
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  update fieldpost.settings s set sends_per_minute = p_per_minute;
  if p_per_minute is null then
    delete from fieldpost.sent;
    return 'people send as many messages as they like';
  end if;
  return format('a person sends at most %s messages a minute', p_per_minute);
end
$$;
comment on function fieldpost.limit_sends(int) is 'Sets how many messages a person may send in a minute; null for no limit. For operators.';

-- Counts sends of a person, as many of them as the limit allows. Answers how many those are.
create or replace function fieldpost.count_sends(p_user uuid, p_wanted int, p_limit int) returns int
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := clock_timestamp();
  v_sent fieldpost.sent;
begin
  insert into fieldpost.sent (user_id, minute, n) values (p_user, v_now, 0) on conflict (user_id) do nothing;
  select s.* into v_sent from fieldpost.sent s where s.user_id = p_user for update;
  if v_sent.minute <= v_now - interval '1 minute' then
    v_sent.minute := v_now;
    v_sent.n := 0;
  end if;
  update fieldpost.sent s set minute = v_sent.minute, n = least(v_sent.n + p_wanted, p_limit) where s.user_id = p_user;
  return greatest(least(p_wanted, p_limit - v_sent.n), 0);
end
$$;
comment on function fieldpost.count_sends(uuid, int, int) is 'How many of so many messages a person may send now.';

-- Lets those sends of a batch wait that are above the limit.
create or replace function fieldpost.hold_back(p_user uuid, p_items fieldpost.push_item[]) returns fieldpost.push_item[]
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  v_limit constant int := (select s.sends_per_minute from fieldpost.settings s);
  v_wanted constant int := case when v_limit is null then 0 else
    (select count(*) from unnest(p_items) i where i.kind = 'send_message' and i.result is null) end;
  v_allowed int;
  v_result jsonb;
begin
  if v_wanted = 0 then
    return p_items;
  end if;
  perform set_config('fieldpost.counted', 'on', true);
  v_allowed := fieldpost.count_sends(p_user, v_wanted, v_limit);
  if v_allowed >= v_wanted then
    return p_items;
  end if;
  v_result := jsonb_build_object('status', 'retry', 'code', 'too_many',
    'retry_after', (
    select greatest(1, ceil(60 - extract(epoch from clock_timestamp() - s.minute)))::int from fieldpost.sent s where s.user_id = p_user));
  return array(
    select row(x.n, x.id, x.kind, x.mutation, x.lane, x.conversation_id, x.message_id, x.content, x.composed_at,
               case when x.kind = 'send_message' and x.result is null and x.place > v_allowed then v_result else x.result end)::fieldpost.push_item
    from (
      select i.*, count(*) filter (where i.kind = 'send_message' and i.result is null) over (order by i.n) as place from unnest(p_items) i
    ) x
    order by x.n);
end
$$;
comment on function fieldpost.hold_back(uuid, fieldpost.push_item[]) is 'Lets the sends of a batch that are above the limit of a minute wait.';

create or replace function fieldpost.count_direct_sends() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_limit constant int := (select s.sends_per_minute from fieldpost.settings s);
  v_wanted int;
begin
  if v_limit is null then
    return null;
  end if;
  select count(*) into v_wanted from fieldpost_new;
  if fieldpost.count_sends(fieldpost.uid(), v_wanted, v_limit) < v_wanted then
    raise sqlstate 'PT429' using message = format('a person sends at most %s messages a minute', v_limit), hint = 'Try again in a minute.';
  end if;
  return null;
end
$$;
comment on function fieldpost.count_direct_sends() is
  'Refuses what a client writes above the limit of a minute. Security definer: no client may touch the counters.';

do $$
begin
  -- Named to run before the trigger that locks conversations.
  execute 'create or replace trigger aa_fieldpost_count after insert on public.messages referencing new table as fieldpost_new for each statement '
    'when (row_security_active(''public.messages''::regclass) and coalesce(nullif(current_setting(''request.jwt.claims'', true), ''''), '
    'nullif(current_setting(''request.jwt.claim.sub'', true), '''')) is not null and current_setting(''fieldpost.counted'', true) is distinct from ''on'') '
    'execute function fieldpost.count_direct_sends()';
end
$$;
