-- Permissive policies of the project's own that are wide: everybody reads everything, without signing in too.
-- @base app

create policy "a demo once needed this" on public.messages for select using (true);
create policy "and this" on public.conversations for select to anon, authenticated using (true);
create policy "and even this" on public.messages for insert to anon with check (true);

-- @holds ada: 0
select count(*) from public.messages where conversation_id = :c_ben

-- @holds anon: 0 or error 42501
select count(*) from public.conversations
