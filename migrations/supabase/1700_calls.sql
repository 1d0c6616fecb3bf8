-- The functions that the API calls for messages.
--
-- They run as their caller and pass on what they are given: to functions that run as their owner, in schema fieldpost, which the API does
-- not expose; or, where a project has policies of its own that narrow, to those that run as the caller (1650_as_caller).
--
-- What a page may weigh at most (p_bytes) is a setting of the transaction: fieldpost.page_budget() reads it wherever a page is filled.

-- Of earlier versions, which had no p_bytes, and no p_cursor in a push. The API finds a function by the names of its arguments, so there must be one of each.
drop function if exists public.fieldpost_bootstrap(int, text, text[], text, int, int);
drop function if exists public.fieldpost_pull(int, text, text[], text, int);
drop function if exists public.fieldpost_history(int, text, text[], uuid, bigint, int);
drop function if exists public.fieldpost_push(int, text, text[], jsonb[]);

create or replace function public.fieldpost_bootstrap(
  p_protocol int default null, p_app text default null, p_capabilities text[] default '{}',
  p_after text default null, p_limit int default null, p_messages int default 100, p_bytes int default null)
returns json
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select set_config('fieldpost.page_bytes', coalesce(p_bytes::text, ''), true);
  select case when fieldpost.narrowed('r') then fieldpost.bootstrap_as_caller(p_protocol, p_capabilities, p_after, p_limit, p_messages)
              else fieldpost.bootstrap(p_protocol, p_app, p_capabilities, p_after, p_limit, p_messages) end
$$;
comment on function public.fieldpost_bootstrap(int, text, text[], text, int, int, int) is 'First load (docs/protocol.md).';

create or replace function public.fieldpost_pull(
  p_protocol int default null, p_app text default null, p_capabilities text[] default '{}',
  p_cursor text default null, p_limit int default null, p_bytes int default null)
returns json
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select set_config('fieldpost.page_bytes', coalesce(p_bytes::text, ''), true);
  select case when fieldpost.narrowed('r') then fieldpost.pull_as_caller(p_protocol, p_capabilities, p_cursor, p_limit)
              else fieldpost.pull(p_protocol, p_app, p_capabilities, p_cursor, p_limit) end
$$;
comment on function public.fieldpost_pull(int, text, text[], text, int, int) is 'Changes since a cursor (docs/protocol.md).';

create or replace function public.fieldpost_push(
  p_protocol int default null, p_app text default null, p_capabilities text[] default '{}',
  p_mutations jsonb[] default '{}', p_cursor text default null)
returns json
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  select set_config('fieldpost.push', coalesce(fieldpost.push_tag(p_mutations), ''), true);
  -- A reaction, a report and an answer ask whether their message may be read.
  select case when fieldpost.narrowed(case when exists (
                select from unnest(p_mutations) m where m ->> 'kind' in ('react', 'report_message') or m ->> 'reply_to' is not null) then 'raw' else 'aw' end)
              then fieldpost.push_as_caller(p_protocol, p_mutations)
              else fieldpost.push(p_protocol, p_app, p_capabilities, p_mutations, p_cursor) end
$$;
comment on function public.fieldpost_push(int, text, text[], jsonb[], text) is 'Applies a device''s mutations (docs/protocol.md).';

create or replace function public.fieldpost_history(
  p_protocol int default null, p_app text default null, p_capabilities text[] default '{}',
  p_conversation uuid default null, p_before_seq bigint default null, p_limit int default null, p_bytes int default null)
returns json
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select set_config('fieldpost.page_bytes', coalesce(p_bytes::text, ''), true);
  select case when fieldpost.narrowed('r') then fieldpost.history_as_caller(p_protocol, p_capabilities, p_conversation, p_before_seq, p_limit)
              else fieldpost.history(p_protocol, p_app, p_capabilities, p_conversation, p_before_seq, p_limit) end
$$;
comment on function public.fieldpost_history(int, text, text[], uuid, bigint, int, int) is 'Older messages of a conversation (docs/protocol.md).';


create or replace function public.fieldpost_search(
  p_protocol int default null, p_app text default null, p_capabilities text[] default '{}',
  p_terms jsonb[] default '{}', p_conversation uuid default null, p_sender uuid default null, p_kind text default null,
  p_since timestamptz default null, p_until timestamptz default null, p_after text default null, p_limit int default null, p_bytes int default null)
returns json
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select set_config('fieldpost.page_bytes', coalesce(p_bytes::text, ''), true);
  select case when fieldpost.narrowed('r') then fieldpost.search_as_caller(p_protocol, p_terms, p_conversation, p_sender, p_kind, p_since, p_until, p_after, p_limit)
              else fieldpost.search(p_protocol, p_terms, p_conversation, p_sender, p_kind, p_since, p_until, p_after, p_limit) end
$$;
comment on function public.fieldpost_search(int, text, text[], jsonb[], uuid, uuid, text, timestamptz, timestamptz, text, int, int) is 'A search over the whole history (docs/protocol.md).';
