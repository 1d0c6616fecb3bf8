-- One person has two rows in medics of one organization, each with its own conversation.
-- @base app

insert into public.medics (id, org_id, user_id, first_name, last_name) values (:m_ada_again, :org, :ada, 'Ada', 'Moss-Lund');
insert into public.conversations (id, org_id, type, medic_id, created_by) values (:c_ada_again, :org, 'direct', :m_ada_again, :boss);
insert into public.messages (conversation_id, org_id, sender_id, content) values (:c_ada_again, :org, :boss, 'to the second ada');

-- @holds ada: t t
select concat_ws(' ', b like '%' || :c_ada || '%', b like '%to the second ada%') from (select public.fieldpost_bootstrap(p_protocol => 1)::text) x (b)
