-- A chat that is built otherwise: bodies, rooms, no organizations. It cannot be supported under these names.
-- @v1 stops
-- @refused messages lacks columns that Fieldpost needs: .*content text

create table public.rooms (id uuid primary key default gen_random_uuid(), name text);
create table public.messages (id uuid primary key default gen_random_uuid(), room_id uuid references public.rooms, author uuid references auth.users, body text, inserted_at timestamp default now());
alter table public.rooms enable row level security;
alter table public.messages enable row level security;
create policy "everybody reads" on public.messages for select to authenticated using (true);
create policy "as oneself" on public.messages for insert to authenticated with check (author = (select auth.uid()));
insert into auth.users (id) values (:pat);
insert into public.rooms (id, name) values (:room, 'all');

-- @app pat: sends a message
insert into public.messages (room_id, author, body) values (:room, :pat, 'hi')

-- @app pat: reads
select * from public.messages order by inserted_at desc limit 20
