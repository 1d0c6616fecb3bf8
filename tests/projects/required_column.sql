-- A column that every message must have and that only the project's own app fills.
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

-- @app service: writes for the system
insert into public.messages (conversation_id, org_id, sender_id, message_type, content, channel) values (:c_pat, :org, :boss, 'system', 'Pat joined', 'system')
