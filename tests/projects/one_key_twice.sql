-- The old app used one idempotency key for messages in two conversations.
-- @base app

insert into public.messages (conversation_id, org_id, sender_id, content, metadata) values
  (:c_ada, :org, :boss, 'to ada', '{"idempotency_key": "batch-7"}'), (:c_ben, :org, :boss, 'to ben', '{"idempotency_key": "batch-7"}');

-- @app boss: sends a batch
insert into public.messages (conversation_id, org_id, sender_id, content, metadata)
select c, :org, :boss, 'to both', jsonb_build_object('idempotency_key', 'batch-' || pg_current_xact_id()) from unnest(array[:c_pat, :c_all]::uuid[]) c
