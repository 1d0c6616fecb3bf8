// Schema `realtime` as Supabase Realtime's own migrations leave it in a project's database. Read in supabase/realtime 2.129.8,
// lib/realtime/tenants/repo/migrations, and written down here in SQL of our own: the table, its partitions, owners, rights, row level
// security, and the functions `realtime.send` and `realtime.topic`.
//
// Three states of that history:
//   "old"      20240523004032: private channels, and no broadcast from the database
//   "breaking" 20241030150047: `realtime.send` makes partitions itself, as its caller, and raises where it may not
//   "current"  20260707120000: `realtime.send` swallows what goes wrong; Realtime makes the partitions, three days before today to four after
//
// Not run, and not here: Elixir, the replication slot and its publication, the websocket, the janitor. Not here either: postgres_changes
// (`subscription`, `apply_rls` and what belongs to it), `schema_migrations`, `send_binary`, `broadcast_changes`. And supautils, the extension
// by which a hosted project lets `postgres` make policies on a table that is not its own (`supautils.policy_grants`): in its place
// `member` makes `postgres` a member of the owner's role, as 20240401105812 did until 20260707120000 took it back.

const ROLE = `
  do $$ begin
    if not exists (select from pg_roles where rolname = 'supabase_realtime_admin') then
      create role supabase_realtime_admin noinherit nologin noreplication;
    end if;
  end $$;`;

const RIGHTS = `
  alter table realtime.messages enable row level security;
  alter table realtime.messages owner to supabase_realtime_admin;
  grant select, insert, update on realtime.messages to postgres, anon, authenticated, service_role;
  create or replace function realtime.topic() returns text language sql stable as $$ select nullif(current_setting('realtime.topic', true), '')::text $$;
  alter function realtime.topic() owner to supabase_realtime_admin;`;

const SCHEMA = `
  create schema realtime;
  grant usage on schema realtime to postgres, anon, authenticated, service_role;
  grant all on schema realtime to supabase_realtime_admin;`;

const OLD = `
  create table realtime.messages (
    id bigserial primary key, topic text not null, extension text not null, inserted_at timestamp(0) not null, updated_at timestamp(0) not null);
  create index on realtime.messages (topic);
  grant usage on sequence realtime.messages_id_seq to postgres, anon, authenticated, service_role;`;

const PARTITIONED = `
  create table realtime.messages (
    topic text not null, extension text not null, payload jsonb, event text, private boolean default false,
    updated_at timestamp not null default now(), inserted_at timestamp not null default now(), id uuid not null default gen_random_uuid(),
    primary key (id, inserted_at)
  ) partition by range (inserted_at);`;

// Its insert goes where today's partition is, which its caller may have to make.
const BREAKING = `
  create function realtime.send(payload jsonb, event text, topic text, private boolean default true) returns void language plpgsql as $$
  declare
    partition_name text := 'messages_' || to_char(now(), 'YYYY_MM_DD');
  begin
    if not exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'realtime' and c.relname = partition_name) then
      execute format('create table %I partition of realtime.messages for values from (%L) to (%L)', partition_name, now(), (now() + interval '1 day')::timestamp);
    end if;
    insert into realtime.messages (payload, event, topic, private, extension) values (payload, event, topic, private, 'broadcast');
  end $$;`;

const CURRENT = `
  create index messages_inserted_at_topic_index on realtime.messages (inserted_at desc, topic) where extension = 'broadcast' and private is true;
  alter table realtime.messages add column binary_payload bytea;
  alter table realtime.messages add constraint messages_payload_exclusive check (payload is null or binary_payload is null) not valid;
  create function realtime.send(payload jsonb, event text, topic text, private boolean default true) returns void language plpgsql as $$
  declare
    generated_id uuid;
    final_payload jsonb;
  begin
    begin
      generated_id := gen_random_uuid();
      if payload ? 'id' then
        final_payload := payload;
      else
        final_payload := jsonb_set(payload, '{id}', to_jsonb(generated_id));
      end if;
      execute format('set local realtime.topic to %L', topic);
      insert into realtime.messages (id, payload, event, topic, private, extension)
      values (generated_id, final_payload, event, topic, private, 'broadcast');
    exception when others then
      raise warning 'WarnSendingBroadcastMessage: %', sqlerrm;
    end;
  end $$;
  alter function realtime.send(jsonb, text, text, boolean) owner to supabase_realtime_admin;`;

/** Today's partition and those around it, of the role that Realtime makes them as. */
const partitions = () => Array.from({ length: 8 }, (_, n) => {
  const day = (offset) => new Date(Date.now() + (n - 3 + offset) * 86_400_000).toISOString().slice(0, 10);
  const name = `realtime.messages_${day(0).replaceAll("-", "_")}`;
  return `create table ${name} partition of realtime.messages for values from ('${day(0)}') to ('${day(1)}'); alter table ${name} owner to supabase_realtime_admin;`;
}).join("\n");

const STATES = {
  old: () => OLD + RIGHTS,
  breaking: () => PARTITIONED + RIGHTS + BREAKING,
  current: () => PARTITIONED + RIGHTS + CURRENT + partitions(),
};

/** Makes the schema, as a superuser. `member`: whether `postgres` may make policies there. */
export async function installRealtime(boss, { state = "current", member = true } = {}) {
  await boss.begin((tx) => tx.unsafe(`${ROLE} ${SCHEMA} ${STATES[state]()} ${member ? "grant" : "revoke"} supabase_realtime_admin ${member ? "to" : "from"} postgres;`).simple());
}

/**
 * What Realtime asks at a join (lib/realtime/tenants/authorization.ex): which rows of its own, of each extension, the person reads, and
 * which she writes. In a transaction that is rolled back. Answers {hears, sends, presence}, or the error.
 */
export async function authorize(boss, user, topic, role = "authenticated") {
  let answer;
  const as = (tx) => tx`select set_config('role', ${role}, true), set_config('realtime.topic', ${topic}, true), set_config('request.jwt.claims', ${JSON.stringify({ sub: user, role })}, true),
    set_config('request.jwt.claim.sub', ${user ?? ""}, true), set_config('request.jwt.claim.role', ${role}, true), set_config('request.headers', '{}', true)`;
  await boss.begin(async (tx) => {
    const rows = await tx`insert into realtime.messages (topic, extension) values (${topic}, 'broadcast'), (${topic}, 'presence') returning id, extension`;
    await as(tx);
    const seen = (await tx`select id from realtime.messages where id in ${tx(rows.map((r) => r.id))}`).map((r) => r.id);
    const hears = (extension) => seen.includes(rows.find((r) => r.extension === extension).id);
    const writes = async (extension) => {
      try {
        await tx.savepoint((s) => s`insert into realtime.messages (topic, extension) values (${topic}, ${extension})`);
        return true;
      } catch (error) {
        if (error.code === "42501") return false;
        throw error;
      }
    };
    answer = { hears: hears("broadcast"), sends: await writes("broadcast"), presence: hears("presence") || (await writes("presence")) };
    throw "undo";
  }).catch((error) => {
    if (error !== "undo") throw error;
  });
  return answer;
}

/** The hints that are there, and takes them away: {topic: how many}. */
export async function heard(boss) {
  const rows = await boss`delete from realtime.messages returning topic, event, payload, private, extension`;
  const counts = {};
  for (const row of rows) counts[row.topic] = (counts[row.topic] ?? 0) + 1;
  return { counts, rows };
}
