-- Restrictive policies of the project's own: internal notes are hidden from medics, and who is blocked writes nothing.
-- @base app
-- @hides

create table public.blocked (user_id uuid primary key references auth.users);
alter table public.blocked enable row level security;
create policy "own block" on public.blocked for select to authenticated using (user_id = (select auth.uid()));
insert into public.blocked values (:ben);
create policy "internal notes" on public.messages as restrictive for select to authenticated
  using (coalesce(metadata ->> 'internal', 'false') <> 'true' or sender_id = (select auth.uid()));
create policy "not when blocked" on public.messages as restrictive for insert to authenticated
  with check (not exists (select from public.blocked b where b.user_id = (select auth.uid())));
insert into public.messages (conversation_id, org_id, sender_id, content, metadata, created_at)
values (:c_ada, :org, :boss, 'a secret about ada', '{"internal": true}', '2025-05-01 12:30+00');

-- @always ada: 0
select count(*) from public.messages where content like 'a secret%'

-- @always boss: 1
select count(*) from public.messages where content like 'a secret%'

-- @holds ada: f
select public.fieldpost_bootstrap(p_protocol => 1)::text like '%a secret%'

-- @holds ada: f
select public.fieldpost_history(p_protocol => 1, p_conversation => :c_ada, p_before_seq => 1000)::text like '%a secret%'

-- @holds boss: t
select public.fieldpost_bootstrap(p_protocol => 1)::text like '%a secret%'

-- @holds ben: rejected
select public.fieldpost_push(p_protocol => 1, p_mutations => array[jsonb_build_object('id', gen_random_uuid(), 'kind', 'send_message',
  'conversation_id', :c_ben::uuid, 'message_id', gen_random_uuid(), 'content', 'let me in')])::jsonb -> 'results' -> 0 ->> 'status'
