-- fieldpost_search: searching the whole history, also what a device does not hold.
--
-- It needs an index, which costs space and a little of each write. So it is off until the operator says
-- `select fieldpost.enable_search()`. While the index is not there, or not complete, the server does not name the capability
-- `search_server`, and no device asks. On a large table the operator builds it without locking anybody
-- (docs/howto/supabase.md): the index is the switch.
--
-- What must stay true:
--  * Whoever searches finds what a pull would bring her, and nothing else; nothing that is deleted.
--  * What she types is data. Words reach the index as quoted words, after they were cut by `search_words` like any text.
--  * The newest hits come first, and cost about the same for a rare word and for the commonest: the index knows the organization, the
--    conversation, the author and the month of each message as words of its own, and is asked for a few months at a time.

-- A month, from 2000 to 2059. What is dated outside counts as the first or the last. Inlined, so without SET.
create or replace function fieldpost.search_month(p_time timestamp) returns int
language sql immutable parallel safe
as $$
  select case when p_time < timestamp '2000-01-01' then 0 when p_time >= timestamp '2060-01-01' then 719
              else (extract(year from p_time) * 12 + extract(month from p_time))::int - 24001 end
$$;
comment on function fieldpost.search_month(timestamp) is 'The month of a time, for the index of a search: 0 to 719.';

-- Words of texts have no @, so these are none of theirs. An index keeps the last twelve digits of an id: whoever else has the
-- same is left out when the rows are read.
create or replace function fieldpost.search_mark(p_kind text, p_id uuid) returns text
language sql immutable parallel safe
as $$ select '@' || p_kind || right(p_id::text, 12) $$;
comment on function fieldpost.search_mark(text, uuid) is 'The word by which the index of a search knows an id.';

-- PostgreSQL asks whether the writer of a row may call what is in an index, so everybody may (9800). It reads nothing.
create or replace function fieldpost.search_vector(p_content text, p_org uuid, p_conversation uuid, p_sender uuid, p_created timestamp) returns tsvector
language plpgsql immutable parallel safe security definer cost 100000 set search_path = pg_catalog, pg_temp
as $$
declare
  -- A row above the limit travels without its text, and nobody finds it.
  v_words constant text[] := case when length(p_content) <= 5000 then fieldpost.search_words(p_content) end;
  v_month constant int := fieldpost.search_month(p_created);
begin
  return array_to_tsvector(array_remove(v_words || array['@m' || v_month, '@y' || v_month / 12, fieldpost.search_mark('o', p_org), fieldpost.search_mark('c', p_conversation),
    fieldpost.search_mark('p', p_sender)], null));
end
$$;
comment on function fieldpost.search_vector(text, uuid, uuid, uuid, timestamp) is
  'What the index of a search knows of a message. Security definer: whoever writes a message calls it, and need not be able to call what it calls.';

create or replace function fieldpost.search_vector(p_content text, p_org uuid, p_conversation uuid, p_sender uuid, p_created timestamptz) returns tsvector
language plpgsql immutable parallel safe security definer cost 100000 set search_path = pg_catalog, pg_temp
as $$
begin
  return fieldpost.search_vector(p_content, p_org, p_conversation, p_sender, p_created at time zone 'UTC');
end
$$;
comment on function fieldpost.search_vector(text, uuid, uuid, uuid, timestamptz) is
  'What the index of a search knows of a message. Security definer: whoever writes a message calls it, and need not be able to call what it calls.';

-- The statement that builds the index. The howto has it too. Without a list of what is yet to be added: whoever wrote when that was full
-- would wait for all of it, and every search would read it.
create or replace function fieldpost.search_index(p_how text default '') returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select 'create index ' || p_how || ' fieldpost_messages_search on public.messages using gin ('
    'fieldpost.search_vector(content, org_id, conversation_id, sender_id, created_at)) with (fastupdate = off) where deleted_at is null and omitted is null'
$$;
comment on function fieldpost.search_index(text) is 'The statement that builds the index of a search; with "concurrently" the one that locks nobody.';

create or replace function fieldpost.enable_search() returns text
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_rows constant bigint := (select greatest(c.reltuples, 0)::bigint from pg_class c where c.oid = 'public.messages'::regclass);
begin
  if fieldpost.search_is_on() then
    return 'search is on';
  elsif to_regclass('public.fieldpost_messages_search') is not null then
    raise 'building the index has failed' using hint = 'drop index concurrently public.fieldpost_messages_search';
  elsif v_rows > 50000 then
    raise 'public.messages has about % rows: building the index here would keep your app waiting', v_rows
      using hint = fieldpost.search_index('concurrently');
  end if;
  execute fieldpost.search_index();
  return 'search is on';
end
$$;
comment on function fieldpost.enable_search() is 'Builds the index of a search, if the table is not large. For operators.';

create or replace function fieldpost.disable_search() returns text
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  drop index if exists public.fieldpost_messages_search;
  return 'search is off';
end
$$;
comment on function fieldpost.disable_search() is 'Drops the index of a search. For operators.';

-- Months as words of the index: whole years by theirs.
create or replace function fieldpost.search_months(p_low int, p_high int) returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select '(' || string_agg(distinct w.word, '|') || ')'
  from generate_series(p_low, p_high) m
  cross join lateral (select case when m / 12 * 12 >= p_low and m / 12 * 12 + 11 <= p_high then '''@y' || m / 12 || '''' else '''@m' || m || '''' end) w (word)
$$;
comment on function fieldpost.search_months(int, int) is 'The months from one to another, as a question to the index of a search.';

-- What is searched for, or why that cannot be: pieces for the index, and those that must stand side by side.
do $$
begin
  if to_regtype('fieldpost.sought') is null then
    create type fieldpost.sought as (refusal jsonb, words text, phrases text[], at timestamptz, id uuid);
  end if;
end
$$;

create or replace function fieldpost.search_quoted(p_word text) returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select '''' || replace(replace(p_word, '\', '\\'), '''', '''''') || '''' $$;
comment on function fieldpost.search_quoted(text) is 'A word in a question to an index of words.';

create or replace function fieldpost.search_terms(p_terms jsonb[]) returns fieldpost.sought
language plpgsql immutable set search_path = pg_catalog, pg_temp
as $$
declare
  v_sought fieldpost.sought;
  v_term jsonb;
  v_words text[];
  v_open boolean;
  v_n int := 0;
begin
  foreach v_term in array coalesce(p_terms, '{}') loop
    if jsonb_typeof(v_term) is distinct from 'object' or jsonb_typeof(v_term -> 'words') is distinct from 'array'
       or coalesce(jsonb_typeof(v_term -> 'open'), 'boolean') <> 'boolean' or octet_length(v_term::text) > 65536
       or exists (select from jsonb_array_elements(v_term -> 'words') w where jsonb_typeof(w) <> 'string') then
      return null;
    end if;
    v_words := fieldpost.search_words((select string_agg(w, ' ') from jsonb_array_elements_text(v_term -> 'words') w));
    v_n := v_n + coalesce(cardinality(v_words), 0);
    v_open := coalesce((v_term ->> 'open')::boolean, false);
    if v_n > 4000 or coalesce(cardinality(v_words), 0) = 0 then
      return null;
    end if;
    -- By `search_words` no word has a quote in it; they are quoted all the same.
    v_sought.words := concat_ws(' & ', v_sought.words, (
      select string_agg(fieldpost.search_quoted(w) || case when v_open and n = cardinality(v_words) then ':*' else '' end, ' & ' order by n)
      from unnest(v_words) with ordinality u (w, n)));
    if cardinality(v_words) > 1 then
      v_sought.phrases := v_sought.phrases || (' ' || array_to_string(v_words, ' ') || case when v_open then '' else ' ' end);
    end if;
  end loop;
  return v_sought;
end
$$;
comment on function fieldpost.search_terms(jsonb[]) is 'What the index is asked for some terms; null for terms that are none.';

create or replace function fieldpost.search_fits(p_content text, p_phrases text[]) returns boolean
language sql immutable cost 1000 set search_path = pg_catalog, pg_temp
as $$
  select coalesce(bool_and(position(p in t.text) > 0), true)
  from (select ' ' || array_to_string(fieldpost.search_words(p_content), ' ') || ' ' as text) t, unnest(p_phrases) p
$$;
comment on function fieldpost.search_fits(text, text[]) is 'Whether words stand side by side in a text.';

-- Where a page ended: a time and an id.
create or replace function fieldpost.search_place(p_after text, out at timestamptz, out id uuid)
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  v_parts constant text[] := regexp_match(left(p_after, 100), '^s1/(-?infinity|[-0-9T:.+]+(?: BC)?)/([0-9a-f-]{36})$');
begin
  at := v_parts[1]::timestamptz;
  id := v_parts[2]::uuid;
exception when others then
  at := null;
  id := null;
end
$$;
comment on function fieldpost.search_place(text) is 'Reads next_after of a search; null for what is none.';

-- The ids of hits, newest first. A few months at a time: this month and the next, the one before, two, four, and so on.
create or replace function fieldpost.search_picks(
  p_terms jsonb[], p_conversation uuid, p_sender uuid, p_kind text, p_since timestamptz, p_until timestamptz, p_at timestamptz, p_id uuid, p_limit int)
returns table (id uuid, created_at timestamptz)
language plpgsql stable security definer rows 50 set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
declare
  s constant fieldpost.scope := fieldpost.scope_of(auth.uid());
  v_sought constant fieldpost.sought := fieldpost.search_terms(p_terms);
  v_conversation constant uuid := coalesce((select a.conversation_id from fieldpost.conversation_aliases a where a.alias_id = p_conversation), p_conversation);
  v_places constant text := (
    select string_agg(fieldpost.search_quoted(x), '|') from (
      select fieldpost.search_mark('o', o) from unnest(s.admin_orgs) o
      union select fieldpost.search_mark('c', c) from unnest(s.conversations) c) p (x));
  v_now constant int := fieldpost.search_month(now() at time zone 'UTC');
  v_end constant int := coalesce(fieldpost.search_month(p_since at time zone 'UTC'), 0);
  v_high int := coalesce(fieldpost.search_month(least(p_at, p_until) at time zone 'UTC'), 719);
  v_low int;
  v_width int := 2;
  v_query tsquery;
  v_left int := p_limit;
  v_n int;
begin
  if v_sought.words is null or v_places is null then
    return;
  end if;
  while v_left > 0 and v_high >= v_end loop
    if v_high > v_now + 1 then
      v_low := v_now + 2;  -- dated by a clock that ran ahead
    else
      v_low := v_high - v_width + 1;
      v_width := v_width * 2;
    end if;
    v_low := greatest(v_low, v_end);
    v_query := concat_ws(' & ', v_sought.words, '(' || v_places || ')',
      fieldpost.search_months(v_low, v_high),
      fieldpost.search_quoted(fieldpost.search_mark('c', v_conversation)), fieldpost.search_quoted(fieldpost.search_mark('p', p_sender)))::tsquery;
    return query
      select m.id, m.created_at::timestamptz from public.messages m
      where fieldpost.search_vector(m.content, m.org_id, m.conversation_id, m.sender_id, m.created_at) @@ v_query
        and m.deleted_at is null and m.omitted is null
        and (m.org_id = any (s.admin_orgs) or m.conversation_id = any (s.conversations))
        and (v_conversation is null or m.conversation_id = v_conversation)
        and (p_sender is null or m.sender_id = p_sender)
        and (p_kind is null or m.message_type::text = p_kind)
        and (p_since is null or m.created_at >= p_since) and (p_until is null or m.created_at < p_until)
        and (p_at is null or (m.created_at, m.id) < (p_at, p_id))
        and (v_sought.phrases is null or fieldpost.search_fits(m.content, v_sought.phrases))
      order by m.created_at desc, m.id desc limit v_left;
    get diagnostics v_n = row_count;
    v_left := v_left - v_n;
    v_high := v_low - 1;
  end loop;
end
$$;
comment on function fieldpost.search_picks(jsonb[], uuid, uuid, text, timestamptz, timestamptz, timestamptz, uuid, int) is
  'Which messages of the caller''s conversations fit a search. Security definer: it reads through the index instead of by policy. Where a '
  'project''s own policies narrow, whoever calls it reads the messages as the caller.';

-- What is wrong with a search; null if nothing.
create or replace function fieldpost.search_refused(p_protocol int, p_terms jsonb[], p_after text, p_limit int) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  v_refused constant jsonb := fieldpost.refused(p_protocol);
begin
  return case
    when v_refused is not null then v_refused
    when not fieldpost.search_is_on() then fieldpost.refusal('bad_request', 'search_server')
    when cardinality(p_terms) > 4000 or cardinality(p_terms) > 0 and (fieldpost.search_terms(p_terms)).words is null then fieldpost.refusal('bad_request', 'p_terms')
    when p_limit < 1 then fieldpost.refusal('bad_request', 'p_limit')
    when p_after is not null and (fieldpost.search_place(p_after)).id is null then fieldpost.refusal('bad_request', 'p_after')
  end;
end
$$;
comment on function fieldpost.search_refused(int, jsonb[], text, int) is 'The refusal of a search, if it is to be refused.';

create or replace function fieldpost.search_answer(p_ids uuid[], p_times timestamptz[], p_texts text[], p_senders uuid[], p_limit int) returns json
language sql stable set search_path = pg_catalog, pg_temp
as $$
  with hits as (
    select h.*, sum(octet_length(h.text) + 1) over (order by h.n) as run
    from unnest(p_ids, p_times, p_texts, p_senders) with ordinality h (id, at, text, sender_id, n)
  ), page as (
    select * from hits where n <= p_limit and run <= fieldpost.page_budget() or n = 1
  )
  select fieldpost.answer(
    fieldpost.envelope()
      || jsonb_build_object('people', fieldpost.people_i_see(array(select distinct p.sender_id from page p), '{}'))
      || case when (select count(*) from page) = coalesce(cardinality(p_ids), 0) then '{}'
              else (select jsonb_build_object('next_after', 's1/' || (to_jsonb(p.at) #>> '{}') || '/' || p.id) from page p order by p.n desc limit 1) end,
    array['messages'], array[(select string_agg(p.text, ',' order by p.n) from page p)])
$$;
comment on function fieldpost.search_answer(uuid[], timestamptz[], text[], uuid[], int) is 'A page of hits, of one more than there may be in it.';

create or replace function fieldpost.search(
  p_protocol int, p_terms jsonb[], p_conversation uuid, p_sender uuid, p_kind text, p_since timestamptz, p_until timestamptz, p_after text, p_limit int)
returns json
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_refused constant jsonb := fieldpost.search_refused(p_protocol, p_terms, p_after, p_limit);
  v_limit constant int := least(coalesce(p_limit, 50), 50);
begin
  if v_refused is not null then
    return v_refused;
  end if;
  return (
    select fieldpost.search_answer(array_agg(k.id order by k.n), array_agg(k.at order by k.n),
      array_agg(fieldpost.message_text(m) order by k.n), array_agg(m.sender_id order by k.n), v_limit)
    from fieldpost.search_place(p_after) a
    cross join lateral fieldpost.search_picks(p_terms, p_conversation, p_sender, p_kind, p_since, p_until, a.at, a.id, v_limit + 1) with ordinality k (id, at, n)
    join public.messages m on m.id = k.id);
end
$$;
comment on function fieldpost.search(int, jsonb[], uuid, uuid, text, timestamptz, timestamptz, text, int) is
  'Searches the history (docs/protocol.md). Security definer: as fieldpost.search_picks.';

-- Policies decide for each message, and one that is hidden leaves no trace: not even a page that is short.
create or replace function fieldpost.search_as_caller(
  p_protocol int, p_terms jsonb[], p_conversation uuid, p_sender uuid, p_kind text, p_since timestamptz, p_until timestamptz, p_after text, p_limit int)
returns json
language plpgsql stable set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  v_refused constant jsonb := fieldpost.search_refused(p_protocol, p_terms, p_after, p_limit);
  v_limit constant int := least(coalesce(p_limit, 50), 50);
  v_at timestamptz;
  v_id uuid;
  v_hit record;
  v_read int;
  v_ids uuid[] := '{}';
  v_times timestamptz[] := '{}';
  v_texts text[] := '{}';
  v_senders uuid[] := '{}';
begin
  if v_refused is not null then
    return v_refused;
  end if;
  select a.at, a.id into v_at, v_id from fieldpost.search_place(p_after) a;
  loop
    v_read := 0;
    for v_hit in
      select k.id, k.at, m.sender_id, case when c.id is not null then fieldpost.message_text(m) end as text
      from fieldpost.search_picks(p_terms, p_conversation, p_sender, p_kind, p_since, p_until, v_at, v_id, 200) with ordinality k (id, at, n)
      left join public.messages m on m.id = k.id
      left join public.conversations c on c.id = m.conversation_id
      order by k.n
    loop
      v_read := v_read + 1;
      v_at := v_hit.at;
      v_id := v_hit.id;
      if v_hit.text is not null then
        v_ids := v_ids || v_hit.id;
        v_times := v_times || v_hit.at;
        v_texts := v_texts || v_hit.text;
        v_senders := v_senders || v_hit.sender_id;
      end if;
    end loop;
    exit when v_read < 200 or cardinality(v_ids) > v_limit;
  end loop;
  return fieldpost.search_answer(v_ids, v_times, v_texts, v_senders, v_limit);
end
$$;
comment on function fieldpost.search_as_caller(int, jsonb[], uuid, uuid, text, timestamptz, timestamptz, text, int) is
  'fieldpost_search where policies of the project narrow.';
