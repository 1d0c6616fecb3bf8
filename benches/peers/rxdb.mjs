// RxDB with its Supabase replication (the plugin `replication-supabase`), in memory: its fastest storage.
//
// Its plugin expects a boolean `_deleted`; the schema here has `deleted_at`, so this script removes the field from
// inserts. The plugin quotes column names in `or=(…)`, which PostgREST accepts and Supabase Lite does not: the script
// removes the quotes. Realtime is off: Supabase Lite has none. After a failure it retries at once instead of after five
// seconds.
import { randomUUID } from "node:crypto";

import { createRxDatabase } from "rxdb/plugins/core";
import { replicateSupabase } from "rxdb/plugins/replication-supabase";
import { getRxStorageMemory } from "rxdb/plugins/storage-memory";
import { firstValueFrom } from "rxjs";

import { SCREEN, run } from "./task.mjs";

const batchSize = Number(process.argv[2]);

const text = { type: "string" };
const id = { type: "string", maxLength: 36 };
const time = { type: "string", maxLength: 40 };

const conversations = {
  version: 0,
  primaryKey: "id",
  type: "object",
  properties: { id, org_id: id, type: text, subject: text, medic_id: id, created_by: id, last_message_at: time, last_message_preview: text, updated_at: time },
  required: ["id"],
};

const messages = {
  version: 0,
  primaryKey: "id",
  type: "object",
  properties: { id, conversation_id: id, org_id: id, sender_id: id, message_type: text, content: text, status: text, created_at: time, updated_at: time },
  required: ["id", "conversation_id", "created_at"],
  indexes: [["conversation_id", "created_at"]],
};

let database;

async function open(client) {
  adapt(client);
  database = await createRxDatabase({ name: randomUUID(), storage: getRxStorageMemory(), multiInstance: false });
  await database.addCollections({ conversations: { schema: conversations }, messages: { schema: messages } });
  return database;
}

/** Only the fields of the schema. */
const fields = (schema) => (row) => {
  const doc = { _deleted: row._deleted };
  for (const name of Object.keys(schema.properties)) if (row[name] != null) doc[name] = row[name];
  return doc;
};

const replicate = (client, collection, schema, more = {}) =>
  replicateSupabase({
    client, collection, tableName: collection.name, replicationIdentifier: `${collection.name} ${client.supabaseUrl}`, live: false, retryTime: 10,
    modifiedField: "updated_at", deletedField: "deleted_at", pull: { batchSize, modifier: fields(schema) }, ...more,
  });

function adapt(client) {
  const table = Object.getPrototypeOf(client.from("messages"));
  const { insert } = table;
  table.insert = function ({ _deleted, created_at, updated_at, ...row }, ...rest) {
    return insert.call(this, row, ...rest);
  };
  const builder = Object.getPrototypeOf(client.from("messages").select("id"));
  const { or } = builder;
  builder.or = function (filter, ...rest) {
    return or.call(this, filter.replaceAll('"', ""), ...rest);
  };
}

async function pull(client, database) {
  const states = [
    replicate(client, database.conversations, conversations),
    replicate(client, database.messages, messages),
  ];
  for (const state of states) await state.awaitInitialReplication();
}

/** Like `pull`, and pushes. Also returns a function that waits until the push handler has its answer for a document. */
function sync(client, database) {
  const pulled = replicate(client, database.conversations, conversations);
  const pushed = replicate(client, database.messages, messages, { push: { batchSize: 100 } });
  const done = Promise.all([pulled, pushed].map((state) => state.awaitInitialReplication()));
  return { done, acknowledged: acknowledgements(pushed.push) };
}

function acknowledgements(push) {
  const [answered, waiting] = [new Set(), new Map()];
  const { handler } = push;
  push.handler = async (rows) => {
    const conflicts = await handler(rows);
    for (const { newDocumentState } of rows) {
      answered.add(newDocumentState.id);
      waiting.get(newDocumentState.id)?.();
    }
    return conflicts;
  };
  return async (id) => answered.has(id) || new Promise((resolve) => waiting.set(id, resolve));
}

/** The messages with these numbers, spread over conversations. */
function composed(task, numbers) {
  const now = new Date().toISOString();
  return numbers.map((n) => ({
    id: randomUUID(), conversation_id: task.conversations[n % task.conversations.length], org_id: task.org_id, sender_id: task.user_id,
    message_type: "text", content: `${task.mark} ${n}`, created_at: now, updated_at: now,
  }));
}

/** Sends messages one after the other, until each is acknowledged; `isLoading` must hold all the while. */
async function sendMeanwhile(database, task, acknowledged, isLoading) {
  const times = [];
  for (let n = 0; n < task.queued; n += 1) {
    if (!isLoading()) throw new Error(`the load was over before message ${n} was sent`);
    const started = performance.now();
    const [row] = composed(task, [n]);
    await database.messages.insert(row);
    await acknowledged(row.id);
    times.push((performance.now() - started) / 1000);
    if (!isLoading()) throw new Error(`the load was over before message ${n} was acknowledged`);
  }
  times.sort((a, b) => a - b);
  const seconds = times.reduce((sum, time) => sum + time, 0);
  return { seconds, p50: times[Math.round((times.length - 1) / 2)], p99: times.at(-1) };
}

/** Whether the first screen of the list shows the latest message of each. */
async function isShown(database) {
  const rows = await database.conversations.find({ sort: [{ id: "asc" }], limit: SCREEN }).exec();
  for (const row of rows) {
    const newest = await database.messages.find({ selector: { conversation_id: row.id }, sort: [{ conversation_id: "desc" }, { created_at: "desc" }], limit: 1 }).exec();
    if (!newest.length) return false;
  }
  return rows.length > 0;
}

await run({
  async pull(client, task) {
    const database = await open(client);
    return async (elapsed) => {
      await pull(client, database);
      const seconds = elapsed() / 1000;
      // Messages come oldest change first: the newest of a conversation is among the last rows.
      const usable_ms = (await isShown(database)) ? seconds * 1000 : undefined;
      const here = await database.messages.count().exec();
      return { seconds, usable_ms, lost: task.expected - here, doubled: 0 };
    };
  },
  async again(client) {
    const database = await open(client);
    await pull(client, database);
    return () => pull(client, database);
  },
  async drain(client, task) {
    const database = await open(client);
    await pull(client, database);
    const rows = composed(task, Array.from({ length: task.queued }, (_, n) => n));
    await database.messages.bulkInsert(rows);
    return async () => {
      const { acknowledged } = sync(client, database);
      for (const { id } of rows) await acknowledged(id);
    };
  },
  async meanwhile(client, task) {
    const database = await open(client);
    return async () => {
      const first = firstValueFrom(database.messages.$);
      const { done, acknowledged } = sync(client, database);
      let loading = true;
      done.then(() => (loading = false));
      await first;
      return sendMeanwhile(database, task, acknowledged, () => loading);
    };
  },
  arrived: () => database.messages.count().exec(),
});
