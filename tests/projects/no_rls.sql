-- Nobody has switched on row level security: everybody who has the app's key reads and writes everything.
-- @base app
-- @stops Row level security is off on public\.messages

alter table public.organizations disable row level security;
alter table public.medics disable row level security;
alter table public.profiles disable row level security;
alter table public.conversations disable row level security;
alter table public.messages disable row level security;
alter table public.message_recipients disable row level security;
alter table public.conversation_read_status disable row level security;
drop policy "by organization" on public.conversations;
drop policy "by organization" on public.messages;
drop policy "by organization" on public.message_recipients;
drop policy "own marks" on public.conversation_read_status;

-- @app ada: reads the names of organizations
select name from public.organizations

-- @always ada: 2
select count(*) from public.organizations

-- @always ada: 6
select count(*) from public.profiles
