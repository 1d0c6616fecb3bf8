-- Functions of the project's own name things without their schema, as almost everybody's do: in triggers, checks, defaults, policies.
-- @base app
-- @v1 stops

create table public.activity (id bigint generated always as identity primary key, message_id uuid, at timestamptz not null default now());
alter table public.activity enable row level security;
create function public.short(p text) returns text language sql immutable as $$ select left(p, 20) $$;
create function public.is_polite(p text) returns boolean language sql immutable as $$ select short(p) not like 'oi%' $$;
create function public.note_activity() returns trigger language plpgsql security definer as $$
begin
  insert into activity (message_id) values (new.id);
  return null;
end $$;
create function public.default_priority() returns int language sql stable as $$ select 1 + count(*)::int * 0 from organizations $$;
create trigger note_activity after insert on public.messages for each row execute function public.note_activity();
alter table public.messages add constraint polite check (is_polite(content)), add column priority int not null default default_priority();
create function public.in_my_org(p_org uuid) returns boolean language sql stable security definer as $$ select exists (select from profiles p where p.id = auth.uid() and p.org_id = p_org) $$;
create policy "mine" on public.messages as restrictive for select to authenticated using (in_my_org(org_id));

-- @always owner: 0
select count(*) from activity a join messages m on m.id = a.message_id where m.conversation_id = :c_ben

-- @holds ada: rejected refused
select concat_ws(' ', r ->> 'status', r ->> 'code') from (select public.fieldpost_push(p_protocol => 1, p_mutations => array[jsonb_build_object(
  'id', gen_random_uuid(), 'kind', 'send_message', 'conversation_id', :c_ada::uuid, 'message_id', gen_random_uuid(), 'content', 'oi you')])::jsonb -> 'results' -> 0) x (r)
