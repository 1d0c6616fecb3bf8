-- Triggers of the project's own on messages: one rewrites, one refuses, one drops, one notes every change.
-- @base app

create function public.wash() returns trigger language plpgsql set search_path = '' as $$
begin new.content := pg_catalog.replace(new.content, 'damn', '****'); return new; end $$;
create function public.refuse() returns trigger language plpgsql set search_path = '' as $$
begin
  if new.content like 'spam%' then raise exception 'You are suspended'; end if;
  return new;
end $$;
create function public.drop_it() returns trigger language plpgsql set search_path = '' as $$
begin if new.content like 'void%' then return null; end if; return new; end $$;
create table public.audit (message_id uuid not null, at timestamptz not null default now());
alter table public.audit enable row level security;
create function public.note_change() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if new.conversation_id = :c_ben then insert into public.audit (message_id) values (new.id); end if;
  return null;
end $$;
create trigger note_change after update on public.messages for each row execute function public.note_change();
create trigger wash before insert or update on public.messages for each row execute function public.wash();
create trigger refuse before insert on public.messages for each row execute function public.refuse();
create trigger zzz_drop_it before insert on public.messages for each row execute function public.drop_it();

-- @app pat: swears
insert into public.messages (conversation_id, org_id, sender_id, content) values (:c_pat, :org, :pat, 'damn it')

-- @app pat: is refused
insert into public.messages (conversation_id, org_id, sender_id, content) values (:c_pat, :org, :pat, 'spam')

-- @app pat: is dropped
insert into public.messages (conversation_id, org_id, sender_id, content) values (:c_pat, :org, :pat, 'void')

-- @always owner: 0
select count(*) from public.audit

-- @holds ada: applied ****!
select concat_ws(' ', r ->> 'status', r -> 'message' ->> 'content') from (select public.fieldpost_push(p_protocol => 1, p_mutations => array[jsonb_build_object(
  'id', gen_random_uuid(), 'kind', 'send_message', 'conversation_id', :c_ada::uuid, 'message_id', gen_random_uuid(), 'content', 'damn!')])::jsonb -> 'results' -> 0) x (r)

-- @holds ada: rejected refused You are suspended (P0001)
select concat_ws(' ', r ->> 'status', r ->> 'code', r ->> 'detail') from (select public.fieldpost_push(p_protocol => 1, p_mutations => array[jsonb_build_object(
  'id', gen_random_uuid(), 'kind', 'send_message', 'conversation_id', :c_ada::uuid, 'message_id', gen_random_uuid(), 'content', 'spam')])::jsonb -> 'results' -> 0) x (r)

-- @holds ada: rejected refused
select concat_ws(' ', r ->> 'status', r ->> 'code') from (select public.fieldpost_push(p_protocol => 1, p_mutations => array[jsonb_build_object(
  'id', gen_random_uuid(), 'kind', 'send_message', 'conversation_id', :c_ada::uuid, 'message_id', gen_random_uuid(), 'content', 'void')])::jsonb -> 'results' -> 0) x (r)
