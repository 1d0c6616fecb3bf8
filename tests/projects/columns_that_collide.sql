-- The project counts versions of its messages itself, and numbers them, in columns that are named like Fieldpost's.
-- @base app
-- @v1 stops
-- @refused (?=[^]*messages has a column version)(?=[^]*messages has a column seq)

alter table public.messages add column version int not null default 1, add column seq int;
update public.messages set seq = 7, version = 3;

-- @app pat: writes the next version
update public.messages set version = version + 1, content = 'again'
where id = (select m.id from public.messages m where m.conversation_id = :c_pat and m.sender_id = :pat order by m.created_at desc limit 1)

-- @always owner: 7 3
select concat_ws(' ', seq, version) from public.messages where conversation_id = :c_ben limit 1
