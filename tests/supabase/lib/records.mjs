// Tables of records in a scratch database, and what a device does with them.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

const MEMBER = "(org_id in (select fieldpost.my_medic_orgs()) or org_id in (select fieldpost.my_admin_orgs()))";

/** Two tables of a project: sites, and visits that refer to them. Members do everything with their organization's rows. */
export const TABLES = `
  create table public.sites (id uuid primary key default gen_random_uuid(), org_id uuid not null, name text not null, created_at timestamptz not null default now());
  create table public.visits (
    id uuid primary key default gen_random_uuid(), org_id uuid not null, site_id uuid references public.sites, follows_id uuid references public.visits,
    notes text, minutes int check (minutes >= 0), private boolean not null default false, done boolean not null default false,
    created_at timestamptz not null default now(), updated_at timestamptz);
  create index on public.visits (site_id); create index on public.visits (follows_id);
  alter table public.sites enable row level security; alter table public.visits enable row level security;
  create policy members on public.sites for all to authenticated using ${MEMBER};
  create policy members on public.visits for all to authenticated using ${MEMBER};`;

export const OFFER = "select fieldpost.add_record_table('public.sites'); select fieldpost.add_record_table('public.visits');";

/** A change; `more` overrides any of it. Made a second ago. */
export const change = (operation, table, record_id, fields = {}, more = {}) => ({ id: randomUUID(), table, record_id, operation, fields, age_ms: 1000, ...more });
export const create = (org_id, table, fields, more = {}) => change("create", table, randomUUID(), fields, { org_id, ...more });
export const update = (table, record_id, fields, more) => change("update", table, record_id, fields, more);
export const remove = (table, record_id, more) => change("delete", table, record_id, {}, more);

export async function push(db, who, ...p_changes) {
  const answer = await db.call(who, "records_push", { p_changes });
  assert.equal(answer.error, undefined, JSON.stringify(answer.error));
  assert.deepEqual(answer.results.map((r) => r.id), p_changes.map((c) => c.id));
  return answer.results;
}

/** Status and code of each. */
export const said = (results) => results.map((r) => [r.status, r.code].filter(Boolean).join(": "));

/** A device that keeps what it is told, by the rules of docs/protocol.md. */
export class Device {
  constructor(db, who, tables) {
    Object.assign(this, { db, who, tables, cursor: null, rows: new Map(), gone: new Map(), named: new Set() });
  }

  /** One pass, to its end. Answers the pages. */
  async pull(args = {}) {
    const pages = [];
    for (let more = true; more; ) {
      const page = await this.db.call(this.who, "records_pull", { p_tables: this.tables, p_cursor: this.cursor, ...args });
      if (page.error) throw Object.assign(new Error(`${page.error.code} ${page.error.detail}`), page.error);
      assert.ok(page.cursor.length <= 1024 && /^[ -~]+$/.test(page.cursor), "cursor");
      assert.ok(pages.length < 3000, "a pass that does not end");
      pages.push(page);
      for (const r of page.records) {
        const key = `${r.table}/${r.id}`;
        this.named.add(key);
        if (r.version > (this.gone.get(key) ?? -1) && r.version >= (this.rows.get(key)?.version ?? 0)) this.rows.set(key, r);
      }
      for (const t of page.tombstones) {
        const key = `${t.table}/${t.id}`;
        this.gone.set(key, Math.max(t.version, this.gone.get(key) ?? 0));
        if (t.version >= (this.rows.get(key)?.version ?? 0)) this.rows.delete(key);
      }
      ({ cursor: this.cursor, more } = page);
      if (page.loading && !more) for (const key of this.rows.keys()) if (!this.named.has(key)) this.rows.delete(key);
    }
    return pages;
  }

  row(table, id) {
    return this.rows.get(`${table}/${id}`);
  }
}
