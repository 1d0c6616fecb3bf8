-- Medics have a badge number for an id: text. This cannot be supported with these tables.
-- @base app
-- @v1 stops
-- @refused medic_id is text

alter table public.conversations drop constraint conversations_medic_id_fkey;
alter table public.medics alter column id drop default;
alter table public.medics alter column id type text;
alter table public.conversations alter column medic_id type text;
alter table public.medics alter column id set default 'B-' || gen_random_uuid();
alter table public.conversations add constraint conversations_medic_id_fkey foreign key (medic_id) references public.medics on delete set null;
