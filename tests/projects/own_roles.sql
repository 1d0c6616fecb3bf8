-- Back ends with roles of their own: one reads for reports, one writes for a pager. Neither passes by row level security.
-- @base app

do $$
begin
  if not exists (select from pg_roles where rolname = 'reports') then create role reports nologin noinherit; end if;
  if not exists (select from pg_roles where rolname = 'pager') then create role pager nologin noinherit; end if;
end $$;
grant reports, pager to postgres;
grant usage on schema public to reports, pager;
grant select on public.messages, public.conversations to reports, pager;
grant insert, update on public.messages to pager;
grant update on public.conversations to pager;
create policy "reports read" on public.messages for select to reports using (true);
create policy "the pager writes" on public.messages for all to pager using (true) with check (true);
create policy "the pager finds" on public.conversations for all to pager using (true);

-- @app owner: the pager pages
set local role pager; insert into public.messages (conversation_id, org_id, sender_id, content) values (:c_pat, :org, :boss, 'page'); reset role

-- @app owner: the pager has delivered
set local role pager; update public.messages set status = 'delivered' where id = (select id from public.messages where conversation_id = :c_pat order by created_at desc limit 1); reset role

-- @app owner: reports count
set local role reports; select count(*) from public.messages; reset role
