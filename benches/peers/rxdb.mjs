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

async function pull(client, database, more = {}) {
  const states = [
    replicate(client, database.conversations, conversations),
    replicate(client, database.messages, messages, more),
  ];
  for (const state of states) await state.awaitInitialReplication();
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
    const now = new Date().toISOString();
    const rows = Array.from({ length: task.queued }, (_, n) => ({
      id: randomUUID(), conversation_id: task.conversations[n % task.conversations.length], org_id: task.org_id, sender_id: task.user_id,
      message_type: "text", content: `${task.mark} ${n}`, created_at: now, updated_at: now,
    }));
    await database.messages.bulkInsert(rows);
    return () => pull(client, database, { push: { batchSize: 100 } });
  },
  arrived: () => database.messages.count().exec(),
});
