// What records cost in a large organization, counted in pages of memory that a call touches (lib/costs.mjs).
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

import { claim } from "./lib/claim.mjs";
import { costs, id } from "./lib/costs.mjs";
import { OFFER, TABLES } from "./lib/records.mjs";

const ROWS = process.env.FIELDPOST_SMALL ? 20_000 : 100_000;
const BIG = ["visits", "record_tombstones"];
const BOTH = { toString: () => "array['sites', 'visits']" };

let db, boss, fill, run, drop, org, ada;
before(async () => {
  ({ db, boss, fill, run, drop } = await costs());
  [org, ada] = [randomUUID(), randomUUID()];
  await db.sql.unsafe(`${TABLES} ${OFFER}`).simple();
  await fill(`
    insert into auth.users (id) values ('${ada}'); insert into public.organizations (id) values ('${org}');
    insert into public.profiles (id, org_id, role) values ('${ada}', '${org}', 'org_admin');`);
});
after(() => drop());

/** So many rows of Ada's organization, four times as many of others, and as many tombstones of hers. */
const rows = (n) => fill(`
  insert into public.visits (id, org_id, notes, minutes, client_id, sync_xid, version)
    select ${id(1, "n")}, case when n % 5 = 0 then '${org}'::uuid else ${id(2, "n % 20")} end, 'a visit', n, ${id(1, "n")}, (3 + n % 700)::text::xid8, 1 from generate_series(1, ${n} * 5) n on conflict do nothing;
  insert into fieldpost.record_tombstones (name, org_id, id, version, sync_xid) select 'visits', '${org}', ${id(3, "n")}, 2, (3 + n % 700)::text::xid8 from generate_series(1, ${n}) n on conflict do nothing`);

const changes = (list) => ({ toString: () => `array[${list.map((c) => `'${JSON.stringify({ id: randomUUID(), table: "visits", age_ms: 0, org_id: org, ...c })}'`).join(", ")}]::jsonb[]` });
const update = (n, fields = { notes: "changed" }) => ({ operation: "update", record_id: `00000000-0000-7000-8001-${n.toString(16).padStart(12, "0")}`, fields });
const create = () => ({ operation: "create", record_id: randomUUID(), fields: { notes: "new", minutes: 1 } });

let words = 0;
async function measure(plans) {
  const word = `one ${words++}`;
  await boss.unsafe("vacuum analyze").simple();
  const big = plans ? BIG : [];
  const pages = {};
  let slowest = 0;
  const note = ({ pages: touched, ms }, what) => {
    pages[what] = touched;
    slowest = Math.max(slowest, ms);
  };
  const load = await run(big, ada, "records_pull", { p_tables: BOTH, p_limit: 200 });
  note(load, "first page of a load");
  // In the middle of it, and where it ends.
  const part = load.answer.cursor.split(".");
  note(await run(big, ada, "records_pull", { p_tables: BOTH, p_limit: 200, p_cursor: part.with(7, "100").join(".") }), "page in the middle of a load");
  const done = ["r1", ...part.slice(1, 4), part[5]].join(".");
  note(await run(big, ada, "records_pull", { p_tables: BOTH, p_cursor: done }), "pull of nothing");
  await db.sql.unsafe(`update public.visits set notes = '${word}' where id = ${id(1, 5)}; insert into public.visits (org_id, notes) select ${id(2, 7)}, 'other' from generate_series(1, 300)`).simple();
  const one = await run(big, ada, "records_pull", { p_tables: BOTH, p_cursor: done });
  assert.deepEqual(one.answer.records.map((r) => r.fields.notes), [word]);
  note(one, "pull of one row");
  note(await run(big, ada, "records_push", { p_changes: changes([update(10)]) }), "push of one update");
  note(await run(big, ada, "records_push", { p_changes: changes([create()]) }), "push of one create");
  note(await run(big, ada, "records_push", { p_changes: changes([{ operation: "delete", record_id: randomUUID(), fields: {} }]) }), "delete of nothing");
  slowest = Math.max(slowest, (await run(process.env.FIELDPOST_SMALL ? [] : big, ada, "records_push", { p_changes: changes(Array.from({ length: 250 }, (_, n) => [create(), update(5 * n + 5)]).flat()) })).ms);
  return { pages, slowest };
}

test("a pull and a push of records cost the same with few rows and with many, also under policies, and read nothing from end to end", async () => {
  await rows(2000);
  const small = await measure(false);
  await rows(ROWS);
  const big = await measure(true);
  // A policy whose condition PostgreSQL does not let pass before itself.
  await db.sql.unsafe("create function public.allowed(text) returns boolean language plpgsql stable as $$ begin return true; end $$; create policy slow on public.visits as restrictive for all to authenticated using (public.allowed(notes))");
  const narrowed = await measure(true);
  const ratios = Object.entries(big.pages).map(([what, pages]) => [what, small.pages[what], pages, narrowed.pages[what]]);
  claim(`records: pages touched with 2,000 and with ${ROWS} rows of an organization, and under a policy of a function: ${ratios.map(([what, a, b, c]) => `${what} ${a}, ${b}, ${c}`).join("; ")}; slowest call ${Math.round(Math.max(big.slowest, narrowed.slowest))} ms`);
  for (const [what, a, b, c] of ratios) assert.ok(Math.max(b, c) <= a * 1.5 + 20, `${what} touches ${a} pages with few rows, ${b} with many, ${c} under a policy`);
});
