// The table `visits` of the conformance suite for records, on the stack: a project's own, with rules of its own
// (crates/remote/src/conformance/records/backend.rs). Makes it once.
import { owner } from "./lib/stack.mjs";

const MEMBER = "(org_id in (select fieldpost.my_medic_orgs()) or org_id in (select fieldpost.my_admin_orgs()))";
const ADMIN = "org_id in (select fieldpost.my_admin_orgs())";

const sql = owner();
await sql.begin(async (tx) => {
  await tx`select pg_advisory_xact_lock(hashtextextended('fieldpost-tests.visits', 0))`;
  if ((await tx`select to_regclass('public.visits') as t`)[0].t) return;
  await tx.unsafe(`
    create table public.visits (
      id uuid primary key default gen_random_uuid(), org_id uuid not null, site text not null, worker_id uuid references public.workers, follows_id uuid references public.visits,
      minutes int check (minutes >= 0), rating double precision, started_at timestamptz, day date, notes jsonb, done boolean, private boolean,
      created_by uuid default fieldpost.uid(), created_at timestamptz not null default now(), updated_at timestamptz not null default now());
    create index on public.visits (worker_id); create index on public.visits (follows_id);
    alter table public.visits enable row level security;
    create policy read on public.visits for select to authenticated using (${MEMBER} and (private is not true or ${ADMIN}));
    create policy make on public.visits for insert to authenticated with check (${MEMBER} and (private is not true or ${ADMIN}));
    create policy change on public.visits for update to authenticated using (${MEMBER} and (private is not true and done is not true or ${ADMIN})) with check (${MEMBER} and (private is not true or ${ADMIN}));
    create policy remove on public.visits for delete to authenticated using (${ADMIN} or ${MEMBER} and created_by = (select fieldpost.uid()));
    grant all on public.visits to authenticated;
    create function public.closed() returns trigger language plpgsql as $$
    begin
      if new.site = 'closed' then raise exception 'The site is closed'; end if;
      return new;
    end $$;
    create trigger closed before insert or update on public.visits for each row execute function public.closed();
    select fieldpost.add_record_table('public.visits')`).simple();
});
await sql.end();
console.log(JSON.stringify({ done: true }));
