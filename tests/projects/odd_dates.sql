-- Rows of another time: the end of a phone's clock, infinity, before everything.
-- @base app
-- @adapts ^rows of public\.(messages: 5|conversation_read_status: 1) 

insert into public.messages (conversation_id, org_id, sender_id, content, created_at) values
  (:c_ben, :org, :ben, 'from 2038', '2038-01-19 03:14:07+00'), (:c_ben, :org, :ben, 'for ever', 'infinity'),
  (:c_ada, :org, :ada, 'never', '-infinity'), (:c_ada, :org, :ada, 'from 1970', '1970-01-01'), (:c_ada, :org, :ada, 'from 2038', '2038-01-19 03:14:07+00');
insert into public.conversation_read_status (user_id, conversation_id, org_id, last_read_at) values (:ben, :c_ben, :org, 'infinity');

-- @holds ada: 0
select count(*) from json_array_elements((public.fieldpost_bootstrap(p_protocol => 1)::json) -> 'messages') m
where m ->> 'created_at' is null or m ->> 'created_at' !~ '^[2-9]\d{3}-'

-- @holds ben: t
select (r -> 'ack' ->> 'created_at')::timestamptz < now() + interval '1 day' from (select public.fieldpost_push(p_protocol => 1, p_mutations => array[jsonb_build_object(
  'id', gen_random_uuid(), 'kind', 'send_message', 'conversation_id', :c_ben::uuid, 'message_id', gen_random_uuid(), 'content', 'now')])::jsonb -> 'results' -> 0) x (r)
