-- Messages must have content, and the old app deletes softly, by a function: the row keeps what it said.
-- @base app
-- @v1 stops
-- @erases ^rows of public\.messages: 1 

alter table public.messages alter column content set not null;
create function public.take_back(p_message uuid) returns void language sql security definer set search_path = '' as $$
  update public.messages set deleted_at = pg_catalog.now() where id = p_message and sender_id = auth.uid()
$$;
update public.messages set deleted_at = '2025-05-03' where conversation_id = :c_ben and content = 'old 4';

-- @app boss: takes a message back
select public.take_back((select m.id from public.messages m where m.conversation_id = :c_pat and m.sender_id = :boss and m.deleted_at is null order by m.created_at limit 1))

-- @app boss: takes another back without the function
update public.messages set deleted_at = now()
where id = (select m.id from public.messages m where m.conversation_id = :c_pat and m.sender_id = :boss and m.deleted_at is null order by m.created_at desc limit 1)
