-- The digest of an organization's conversations: how many there are, and the XOR of the first half of each id's SHA-256.
--
-- An admin's pull ends with the digest of what she may see, every 30 s, for every admin. So it is not computed from the
-- conversations, of which there may be 100,000, but kept up: whoever adds or deletes conversations adds one row that says by how
-- much. The sum and the XOR over these parts are the digest. Parts are folded into one by the way.
--
-- What must stay true:
--  * A part is written in the transaction of its rows. So whatever a snapshot sees of the one, it sees of the other.
--  * Nobody waits: parts are only added, and folding skips what somebody else holds.
--  * What the parts lack can be added by one more part, while others write: for any snapshot, the conversations less the
--    parts is the same difference, since those who write change both. It is measured and written by one statement, by one
--    transaction at a time.
--  * Parts count only with a mark of this history. A restore and TRUNCATE take the marks away; until somebody writes the
--    next one, the digest is computed from the conversations.

create table if not exists fieldpost.digest_parts (
  id bigint generated always as identity primary key,
  org_id uuid not null,
  n bigint not null,
  hi bigint not null,
  lo bigint not null
);
create index if not exists digest_parts_by_org on fieldpost.digest_parts (org_id);
comment on table fieldpost.digest_parts is 'What added up is the number and the XOR of the ids of an organization''s conversations.';

create table if not exists fieldpost.digest_marks (
  org_id uuid primary key,
  history text not null
);
comment on table fieldpost.digest_marks is 'The organizations whose parts are complete, and in which history of the database.';

create or replace function fieldpost.digest_history() returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select md5(concat_ws('/', e.id, e.xmin, 'public.conversations'::regclass::oid)) from fieldpost.epoch e $$;
comment on function fieldpost.digest_history() is
  'Changes when rows may have come or gone without a trigger: see the epoch. Security definer: reads a table that clients may not read.';

-- The first 16 bytes of the SHA-256 of an id's 16 bytes, as two numbers. Without a SET clause, so that the planner inlines it.
create or replace function fieldpost.id_bits(p_id uuid) returns table (hi bigint, lo bigint)
language sql immutable
as $$
  select ('x' || left(h, 16))::bit(64)::bigint, ('x' || substr(h, 17, 16))::bit(64)::bigint
  from (select encode(sha256(uuid_send(p_id)), 'hex') offset 0) x (h)
$$;
comment on function fieldpost.id_bits(uuid) is 'What an id adds to a digest.';

-- Brings the parts of organizations to what their conversations are. Answers those that were wrong.
create or replace function fieldpost.correct_digests(p_orgs uuid[])
returns table (org_id uuid, conversations bigint, recorded bigint)
language sql set search_path = pg_catalog, pg_temp
as $$
  with actual as (
    select c.org_id, count(*) as n, bit_xor(b.hi) as hi, bit_xor(b.lo) as lo
    from public.conversations c cross join lateral fieldpost.id_bits(c.id) b
    where c.org_id = any (p_orgs) group by c.org_id
  ), kept as (
    select p.org_id, sum(p.n)::bigint as n, bit_xor(p.hi) as hi, bit_xor(p.lo) as lo
    from fieldpost.digest_parts p where p.org_id = any (p_orgs) group by p.org_id
  ), missing as (
    select o as org_id, coalesce(a.n, 0) as actual, coalesce(k.n, 0) as recorded, coalesce(a.n, 0) - coalesce(k.n, 0) as n,
           coalesce(a.hi, 0) # coalesce(k.hi, 0) as hi, coalesce(a.lo, 0) # coalesce(k.lo, 0) as lo
    from unnest(p_orgs) o left join actual a on a.org_id = o left join kept k on k.org_id = o
  ), marked as (
    insert into fieldpost.digest_marks as m (org_id, history)
    select x.org_id, fieldpost.digest_history() from missing x
    on conflict (org_id) do update set history = excluded.history where m.history <> excluded.history
  ), added as (
    insert into fieldpost.digest_parts (org_id, n, hi, lo)
    select x.org_id, x.n, x.hi, x.lo from missing x where (x.n, x.hi, x.lo) <> (0, 0, 0)
    returning org_id
  )
  select x.org_id, x.actual, x.recorded from missing x join added a on a.org_id = x.org_id
$$;
comment on function fieldpost.correct_digests(uuid[]) is
  'Adds to the parts what they lack, and marks them. One at a time: whoever calls it holds the lock `fieldpost.digest`.';

create or replace function fieldpost.fold_digests(p_orgs uuid[]) returns void
language sql set search_path = pg_catalog, pg_temp
as $$
  with held as (
    select p.ctid as place from fieldpost.digest_parts p where p.org_id = any (p_orgs) for update skip locked
  ), gone as (
    delete from fieldpost.digest_parts p using held h where p.ctid = h.place returning p.*
  )
  insert into fieldpost.digest_parts (org_id, n, hi, lo)
  select g.org_id, sum(g.n)::bigint, bit_xor(g.hi), bit_xor(g.lo) from gone g
  group by g.org_id having (sum(g.n)::bigint, bit_xor(g.hi), bit_xor(g.lo)) <> (0, 0, 0)
$$;
comment on function fieldpost.fold_digests(uuid[]) is 'Makes one part of those that nobody else holds.';

create or replace function fieldpost.digest_after_write() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_orgs uuid[];
  v_some uuid[];
begin
  if tg_op = 'INSERT' then
    with parts as (
      insert into fieldpost.digest_parts (org_id, n, hi, lo)
      select x.org_id, count(*), bit_xor(b.hi), bit_xor(b.lo)
      from fieldpost_new x cross join lateral fieldpost.id_bits(x.id) b group by x.org_id
      returning org_id
    )
    select array_agg(p.org_id) into v_orgs from parts p;
  else
    with parts as (
      insert into fieldpost.digest_parts (org_id, n, hi, lo)
      select x.org_id, -count(*), bit_xor(b.hi), bit_xor(b.lo)
      from fieldpost_old x cross join lateral fieldpost.id_bits(x.id) b group by x.org_id
      returning org_id
    )
    select array_agg(p.org_id) into v_orgs from parts p;
  end if;
  -- The rest may wait for the next writer. In a stricter transaction it would fail on what another one has folded meanwhile.
  if v_orgs is null or current_setting('transaction_isolation') <> 'read committed' then
    return null;
  end if;
  v_some := array(
    select o from unnest(v_orgs) o
    where (select count(*) from (select from fieldpost.digest_parts p where p.org_id = o limit 65) x) > 64);
  if v_some <> '{}' then
    perform fieldpost.fold_digests(v_some);
  end if;
  v_some := array(
    select o from unnest(v_orgs) o
    where fieldpost.digest_history() is distinct from (select m.history from fieldpost.digest_marks m where m.org_id = o));
  if v_some <> '{}' and pg_try_advisory_xact_lock(hashtextextended('fieldpost.digest', 0)) then
    perform fieldpost.correct_digests(v_some);
  end if;
  return null;
end
$$;
comment on function fieldpost.digest_after_write() is
  'Says by how much a statement changed the digests of organizations. Security definer: no writer may touch them by herself.';

create or replace function fieldpost.digest_truncated() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  delete from fieldpost.digest_marks;
  delete from fieldpost.digest_parts;
  return null;
end
$$;
comment on function fieldpost.digest_truncated() is
  'Begins the digests anew after TRUNCATE. Security definer: whoever may truncate need not be allowed to write them.';

create or replace trigger zz_fieldpost_digest_insert after insert on public.conversations
  referencing new table as fieldpost_new for each statement execute function fieldpost.digest_after_write();
create or replace trigger zz_fieldpost_digest_delete after delete on public.conversations
  referencing old table as fieldpost_old for each statement execute function fieldpost.digest_after_write();
create or replace trigger zz_fieldpost_digest_truncate after truncate on public.conversations
  for each statement execute function fieldpost.digest_truncated();

create or replace function fieldpost.check_digest()
returns table (org_id uuid, conversations bigint, recorded bigint)
language plpgsql set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_orgs uuid[];
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'check_digest works in a transaction that is read committed';
  end if;
  perform pg_advisory_xact_lock(hashtextextended('fieldpost.digest', 0));
  v_orgs := array(
    select c.org_id from public.conversations c union select p.org_id from fieldpost.digest_parts p
    union select m.org_id from fieldpost.digest_marks m);
  return query select * from fieldpost.correct_digests(v_orgs);
  perform fieldpost.fold_digests(v_orgs);
end
$$;
comment on function fieldpost.check_digest() is
  'Computes the digests of all organizations anew, puts right what differs and answers that: what is there, and what was recorded.';

-- What a person may see, as a digest counts it.
create or replace function fieldpost.visible_set(s fieldpost.scope) returns table (n bigint, hi bigint, lo bigint)
language sql stable set search_path = pg_catalog, pg_temp
as $$
  with orgs as (
    select o as org_id, fieldpost.digest_history() is not distinct from
           (select m.history from fieldpost.digest_marks m where m.org_id = o) as marked
    from unnest(s.admin_orgs) o
  )
  select coalesce(sum(x.n), 0)::bigint, coalesce(bit_xor(x.hi), 0), coalesce(bit_xor(x.lo), 0)
  from (
    select p.n, p.hi, p.lo from orgs o join fieldpost.digest_parts p on p.org_id = o.org_id where o.marked
    union all
    select 1, b.hi, b.lo
    from orgs o join public.conversations c on c.org_id = o.org_id cross join lateral fieldpost.id_bits(c.id) b
    where not o.marked
    union all
    select 1, b.hi, b.lo
    from public.conversations c cross join lateral fieldpost.id_bits(c.id) b
    where c.id = any (s.conversations) and not c.org_id = any (s.admin_orgs)
  ) x
$$;
comment on function fieldpost.visible_set(fieldpost.scope) is 'Number and XOR of the ids of the conversations that a person may see.';

-- The organizations that have conversations and no mark yet. (One that was marked is right, and this file is often applied again.)
do $$
begin
  perform pg_advisory_xact_lock(hashtextextended('fieldpost.digest', 0));
  perform fieldpost.correct_digests(array(
    select distinct c.org_id from public.conversations c
    where fieldpost.digest_history() is distinct from (select m.history from fieldpost.digest_marks m where m.org_id = c.org_id)));
end
$$;
