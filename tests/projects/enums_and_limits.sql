-- Kinds and states are enums, and contents are varchar(280).
-- @base app

create type public.message_kind as enum ('text', 'attachment', 'system', 'poll');
create type public.message_state as enum ('sent', 'delivered', 'read', 'failed');
alter table public.messages drop constraint messages_message_type_check, drop constraint messages_status_check;
alter table public.messages alter column message_type drop default, alter column status drop default;
alter table public.messages alter column message_type type public.message_kind using message_type::public.message_kind,
  alter column status type public.message_state using status::public.message_state, alter column content type varchar(280);
alter table public.messages alter column message_type set default 'text', alter column status set default 'sent';
insert into public.messages (conversation_id, org_id, sender_id, message_type, content) values (:c_ben, :org, :boss, 'poll', 'who?');

-- @app pat: has had no luck
update public.messages set status = 'failed' where id = (select m.id from public.messages m where m.conversation_id = :c_pat and m.sender_id = :boss order by m.created_at desc limit 1)

-- @app boss: makes a poll
insert into public.messages (conversation_id, org_id, sender_id, message_type, content) values (:c_pat, :org, :boss, 'poll', 'who?')

-- @holds ada: rejected refused
select concat_ws(' ', r ->> 'status', r ->> 'code') from (select public.fieldpost_push(p_protocol => 1, p_mutations => array[jsonb_build_object(
  'id', gen_random_uuid(), 'kind', 'send_message', 'conversation_id', :c_ada::uuid, 'message_id', gen_random_uuid(), 'content', repeat('long', 100))])::jsonb -> 'results' -> 0) x (r)

-- @holds ben: 1
select count(*) from json_array_elements((public.fieldpost_bootstrap(p_protocol => 1)::json) -> 'messages') m where m ->> 'content' = 'who?'
