-- A column that every message must have and that only the project's own app fills.
-- @base app
-- @push channel

alter table public.messages add column channel text;
update public.messages set channel = 'app';
alter table public.messages alter column channel set not null;
alter table public.messages disable trigger user;
create function public.old_app_fills_it() returns trigger language plpgsql set search_path = '' as $$
begin
  if new.conversation_id in (select c.id from public.conversations c where c.id <> 'E
python3 - <<'E'
# the required column: the old app's statements fill it themselves, so the base's own writers cannot be used
open('required_column.sql','w').write('''-- A column that every message must have and that only the project's own app fills.
-- @base app
-- @push channel

alter table public.messages add column channel text;
update public.messages set channel = 'app';
alter table public.messages alter column channel set not null;

-- @app pat: sends a message
insert into public.messages (conversation_id, org_id, sender_id, content, channel) values (:c_pat, :org, :pat, 'through the app', 'app')

-- @app boss: answers
insert into public.messages (conversation_id, org_id, sender_id, content, channel) values (:c_pat, :org, :boss, 'answer', 'web')

-- @app boss: tells everybody
insert into public.messages (conversation_id, org_id, sender_id, content, channel) values (:c_all, :org, :boss, 'news', 'web')
''')

-- @app service: writes for the system
insert into public.messages (conversation_id, org_id, sender_id, message_type, content, channel) values (:c_pat, :org, :boss, 'system', 'Pat joined', 'system')
