// Devices of people in a scratch database, and what anybody would find who looks everywhere for a word.
import assert from "node:assert/strict";

import { Replica } from "./replica.mjs";

const CAPABILITIES = ["reactions", "conversation_settings"];

/** A device that keeps what it is told. */
export class Device extends Replica {
  constructor(db, who) {
    super({ rpc: async (name, args) => ({ data: await db.call(who, name.replace("fieldpost_", ""), { ...args, p_capabilities: CAPABILITIES }) }) });
    Object.assign(this, { db, who });
  }

  /** What it shows: messages, lists, counts, markers and reactions. (The status of a message follows the markers.) */
  shows() {
    const byKey = (map) => [...map].map(([key, { status, ...row }]) => [key, row]).sort(([a], [b]) => (a < b ? -1 : 1));
    const shown = [...this.messages.keys()].sort().map((id) => [id, this.shown(id)]);
    return { messages: byKey(this.messages), conversations: byKey(this.conversations), markers: byKey(this.markers), settings: byKey(this.settings), reactions: shown };
  }

  /** After a pull it shows what a new device shows. */
  async converges() {
    await this.pull();
    const fresh = new Device(this.db, this.who);
    await fresh.bootstrap();
    assert.deepEqual(this.shows(), fresh.shows());
  }
}

export async function device(db, who) {
  const made = new Device(db, who);
  await made.bootstrap();
  return made;
}

/** The tables of the schemas public and fieldpost in which a word stands, whatever the column. */
export async function tablesWith(sql, word) {
  const tables = await sql`select c.oid::regclass::text as name from pg_class c
    where c.relnamespace in ('public'::regnamespace, 'fieldpost'::regnamespace) and c.relkind = 'r' order by 1`;
  assert.ok(tables.length > 20, "all tables are looked at");
  const found = [];
  for (const { name } of tables) {
    const [{ n }] = await sql.unsafe(`select count(*)::int as n from ${name} t where strpos(t::text, $1) > 0`, [word]);
    if (n) found.push(name);
  }
  return found;
}

/** Everything that a person's calls answer: first load, all history, reports, and what a search finds. */
export async function everything(db, who, conversations) {
  const fresh = new Device(db, who);
  const answers = [await fresh.bootstrap()];
  for (const p_conversation of conversations) {
    for (const p_before_seq of [null, 3]) answers.push(await db.call(who, "history", { p_conversation, p_before_seq, p_capabilities: CAPABILITIES }));
  }
  answers.push(await db.call(who, "reports", { p_all: true }), await db.call(who, "search", { p_terms: [] }));
  return JSON.stringify(answers);
}
