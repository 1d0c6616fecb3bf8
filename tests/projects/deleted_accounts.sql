-- Accounts were deleted: their messages and conversations name nobody, and neither does a medic.
-- @base app

insert into auth.users (id) values (:gone), (:left);
insert into public.profiles (id, org_id, role, full_name) values (:gone, :org, 'org_admin', 'Gone');
insert into public.medics (id, org_id, user_id, first_name, last_name) values (:m_left, :org, :left, 'Lea', 'Left');
insert into public.conversations (id, org_id, type, medic_id, created_by) values (:c_left, :org, 'direct', :m_left, :gone);
insert into public.messages (conversation_id, org_id, sender_id, content, created_at) values
  (:c_ada, :org, :gone, 'by somebody who left', '2025-05-01 20:00+00'), (:c_left, :org, :left, 'I quit', '2025-05-01 21:00+00');
delete from auth.users where id in (:gone, :left);

-- @always owner: 2
select count(*) from public.messages where sender_id is null

-- @holds ada: 1
select count(*) from json_array_elements((public.fieldpost_bootstrap(p_protocol => 1)::json) -> 'messages') m where m ->> 'content' = 'by somebody who left'

-- @holds boss: 1
select count(*) from json_array_elements((public.fieldpost_bootstrap(p_protocol => 1)::json) -> 'messages') m where m ->> 'content' = 'I quit'
