-- A hundred thousand messages in two hundred conversations.
-- @base app
-- @rows many

insert into public.medics (id, org_id, first_name, last_name) select gen_random_uuid(), :org, 'Medic', n::text from generate_series(1, 200) n;
insert into public.conversations (org_id, medic_id, created_by) select :org, m.id, :boss from public.medics m where m.first_name = 'Medic';
insert into public.messages (conversation_id, org_id, sender_id, content, created_at, metadata)
select c.id, :org, :boss, 'old ' || n, '2025-01-01'::timestamptz + n * interval '1 minute', case when n % 2 = 0 then jsonb_build_object('idempotency_key', c.id || '-' || n) end
from public.conversations c join public.medics m on m.id = c.medic_id and m.first_name = 'Medic', generate_series(1, 500) n;

-- @app boss: counts
select count(*) from public.messages
