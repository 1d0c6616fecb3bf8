-- What a message and a conversation may be, whoever writes them.
--
-- A push refuses what exceeds a limit, and so do the triggers for clients of tables that Fieldpost made or adopted. What another
-- writer puts into a project's own table is accepted, as it was before Fieldpost came. Such a row is marked when it is written, and travels
-- without what is too much.
--
-- What must stay true: no row that anybody can write keeps a device from reading the others.

-- The white space that Rust's `str::trim` and JavaScript's `trim` agree on; the server's locale has no say in it.
create or replace function fieldpost.trim(p_text text) returns text
language sql immutable parallel safe
as $$
  select pg_catalog.btrim(p_text, E' \t\n\u000b\f\r\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000')
$$;
comment on function fieldpost.trim(text) is 'Trims Unicode white space, in every locale alike.';

-- Those that nobody sees are the ones with the Unicode property Default_Ignorable_Code_Point. The client has the same rule.
create or replace function fieldpost.is_blank(p_text text) returns boolean
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
  select p_text operator(pg_catalog.!~) E'[^ \t\n\u000b\f\r\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]'
$$;
comment on function fieldpost.is_blank(text) is 'Whether a text shows nothing: white space and characters that nobody sees.';

create or replace function fieldpost.check_content(p_type text, p_content text) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp
as $$
begin
  if p_type = 'text' and fieldpost.is_blank(coalesce(p_content, '')) then
    raise check_violation using message = 'content_empty', constraint = 'fieldpost_content', table = 'messages', schema = 'public';
  end if;
end
$$;
comment on function fieldpost.check_content(text, text) is 'Refuses an empty message of a direct writer.';

-- Without brackets there is no depth: most texts are answered by counting.
create or replace function fieldpost.deeper_than(p_json text, p_depth int) returns boolean
language plpgsql immutable set search_path = pg_catalog, pg_temp
as $$
declare
  v_brackets text;
begin
  if length(p_json) - length(translate(p_json, '{[', '')) <= p_depth then
    return false;
  end if;
  v_brackets := regexp_replace(p_json, '"(\\.|[^"\\])*"', '', 'g');
  v_brackets := translate(regexp_replace(v_brackets, '[^][{}]', '', 'g'), '{}', '[]');
  for i in 1..p_depth loop
    exit when v_brackets = '';
    v_brackets := replace(v_brackets, '[]', '');  -- the innermost ones
  end loop;
  return v_brackets <> '';
end
$$;
comment on function fieldpost.deeper_than(text, int) is 'Whether JSON is nested deeper than so many levels.';

-- The limits of one message, whoever writes it. A row above one is kept as it is, and travels without content and metadata.
create or replace function fieldpost.excess(p_content text, p_metadata jsonb) returns jsonb
language plpgsql immutable set search_path = pg_catalog, pg_temp
as $$
declare
  -- What is large is not printed to be measured. Inside of PostgreSQL the same JSON takes at most eight times as much.
  v_huge constant boolean := coalesce(pg_column_size(p_metadata) > 131072, false);
  v_metadata constant text := case when not v_huge then p_metadata::text end;
  v_size bigint := coalesce(octet_length(v_metadata), pg_column_size(p_metadata), 0);
  v_bare text;
  v_reason text;
begin
  if not v_huge and v_size > 16384 then
    -- Devices count without the blanks that PostgreSQL prints after commas and colons.
    v_bare := regexp_replace(v_metadata, '"(\\.|[^"\\])*"', '', 'g');
    v_size := v_size - (length(v_bare) - length(replace(v_bare, ' ', '')));
  end if;
  v_reason := case
    when char_length(p_content) > 5000 then 'content_too_long'
    when v_huge or v_size > 16384 then 'metadata_too_large'
    when v_metadata is not null and fieldpost.deeper_than(v_metadata, 64) then 'metadata_too_deep'
  end;
  return case when v_reason is not null then
    jsonb_build_object('reason', v_reason, 'bytes', coalesce(octet_length(p_content), 0) + v_size) end;
end
$$;
comment on function fieldpost.excess(text, jsonb) is 'Which limit a message exceeds, and how many bytes it has; null within all.';

-- Who is meant by a message: not more than anybody reads, and no more than a page can carry.
create or replace function fieldpost.few(p_mentions uuid[]) returns uuid[]
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select nullif(array(select distinct m from unnest(p_mentions) m where m is not null order by m limit 100), '{}') $$;
comment on function fieldpost.few(uuid[]) is 'At most a hundred mentions, each once, in order; null for none.';

-- Times outside of this are mistakes: of a clock, of an import. They neither order nor date anything.
create or replace function fieldpost.is_sane(p_time timestamptz) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$ select p_time >= '2000-01-01' and p_time < now() + interval '1 day' $$;
comment on function fieldpost.is_sane(timestamptz) is 'Whether a time is one that a message can have been written at.';

