-- The four functions that the API calls.
--
-- They run as their caller and pass on what they are given: to functions that run as their owner, in schema fieldpost, which the API does
-- not expose; or, where a project has policies of its own that narrow, to those that run as the caller (1650_as_caller).

create or replace function public.fieldpost_bootstrap(
  p_protocol int default null, p_app text default null, p_capabilities text[] default '{}',
  p_after text default null, p_limit int default null, p_messages int default 100)
returns json
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select case when fieldpost.narrowed('r') then fieldpost.bootstrap_as_caller(p_protocol, p_capabilities, p_after, p_limit, p_messages)
              else fieldpost.bootstrap(p_protocol, p_app, p_capabilities, p_after, p_limit, p_messages) end
$$;
comment on function public.fieldpost_bootstrap(int, text, text[], text, int, int) is 'First load (docs/protocol.md).';

create or replace function public.fieldpost_pull(
  p_protocol int default null, p_app text default null, p_capabilities text[] default '{}',
  p_cursor text default null, p_limit int default null)
returns json
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select case when fieldpost.narrowed('r') then fieldpost.pull_as_caller(p_protocol, p_capabilities, p_cursor, p_limit)
              else fieldpost.pull(p_protocol, p_app, p_capabilities, p_cursor, p_limit) end
$$;
comment on function public.fieldpost_pull(int, text, text[], text, int) is 'Changes since a cursor (docs/protocol.md).';

create or replace function public.fieldpost_push(
  p_protocol int default null, p_app text default null, p_capabilities text[] default '{}',
  p_mutations jsonb[] default '{}')
returns json
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  select case when fieldpost.narrowed('aw') then fieldpost.push_as_caller(p_protocol, p_mutations)
              else fieldpost.push(p_protocol, p_app, p_capabilities, p_mutations) end
$$;
comment on function public.fieldpost_push(int, text, text[], jsonb[]) is 'Applies a device''s mutations (docs/protocol.md).';

create or replace function public.fieldpost_history(
  p_protocol int default null, p_app text default null, p_capabilities text[] default '{}',
  p_conversation uuid default null, p_before_seq bigint default null, p_limit int default null)
returns json
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select case when fieldpost.narrowed('r') then fieldpost.history_as_caller(p_protocol, p_conversation, p_before_seq, p_limit)
              else fieldpost.history(p_protocol, p_app, p_capabilities, p_conversation, p_before_seq, p_limit) end
$$;
comment on function public.fieldpost_history(int, text, text[], uuid, bigint, int) is 'Older messages of a conversation (docs/protocol.md).';

