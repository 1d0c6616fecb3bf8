// The algorithm of the app that Fieldpost replaces (shared facts: "Behaviour to keep" and "Defects"), on WatermelonDB.
//
// Its adapter is LokiJS, all in memory: WatermelonDB's fastest on Node. The app itself uses SQLite.
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";

import { SCREEN, checked, run } from "./task.mjs";

const require = createRequire(import.meta.url);
const { Database, Model, Q, appSchema, tableSchema } = require("@nozbe/watermelondb");
const LokiJSAdapter = require("@nozbe/watermelondb/adapters/lokijs").default;
const { LokiMemoryAdapter } = require("lokijs");

const text = (name, more = {}) => ({ name, type: "string", ...more });
const number = (name) => ({ name, type: "number" });
const optional = { isOptional: true };
const indexed = { isIndexed: true };

const flag = (name) => ({ name, type: "boolean" });

/** The clinical part: what a treatment and the queue need. */
const clinical = [
  tableSchema({
    name: "treatments",
    columns: [
      text("server_id", optional), text("org_id", indexed), text("worker_id", indexed), text("medic_id"), text("reference_number", indexed),
      text("status"), text("injury_type"), text("severity"), text("treatment_notes", optional), flag("is_riddor_reportable"),
      text("photo_uris"), number("created_at"), number("updated_at"), number("last_modified_at"),
    ],
  }),
  tableSchema({
    name: "sync_queue",
    columns: [
      text("operation"), text("table_name"), text("record_id"), text("idempotency_key"), text("payload"), number("priority"),
      number("retry_count"), number("next_retry_at"), number("created_at"),
    ],
  }),
];

/** Version 5 of the app's schema, its messaging part. `server_id` has no index, as there. */
const schema = appSchema({
  version: 5,
  tables: [
    tableSchema({
      name: "conversations",
      columns: [
        text("server_id", optional), text("org_id", indexed), text("type"), text("subject", optional), text("medic_id", optional),
        text("created_by"), { ...number("last_message_at"), ...optional }, text("last_message_preview", optional),
        text("participant_name", optional), number("unread_count"), { ...number("last_read_at"), ...optional },
        number("created_at"), number("updated_at"),
      ],
    }),
    tableSchema({
      name: "messages",
      columns: [
        text("server_id", optional), text("conversation_id", indexed), text("org_id", indexed), text("sender_id"),
        text("sender_name", optional), text("message_type"), text("content", optional), text("status"),
        text("idempotency_key", optional), number("created_at"), number("updated_at"),
      ],
    }),
    ...clinical,
  ],
});

const tables = ["conversations", "messages", "treatments", "sync_queue"];

function open() {
  const adapter = new LokiJSAdapter({ schema, useWebWorker: false, useIncrementalIndexedDB: false, _testLokiAdapter: new LokiMemoryAdapter() });
  const model = (table) => Object.assign(class extends Model {}, { table });
  return new Database({ adapter, modelClasses: tables.map(model) });
}

const millis = (at) => (at ? Date.parse(at) : null);

/** One local query per row, then a create or an update. */
async function upsert(collection, server_id, raw) {
  const [found] = await collection.query(Q.where("server_id", server_id)).fetch();
  const assign = (record) => Object.assign(record._raw, { server_id, ...raw });
  return found ? found.update(assign) : collection.create(assign);
}

const conversation = (row, names, read) => ({
  org_id: row.org_id, type: row.type, subject: row.subject, medic_id: row.medic_id, created_by: row.created_by,
  last_message_at: millis(row.last_message_at), last_message_preview: row.last_message_preview,
  participant_name: names.get(row.medic_id) ?? "Unknown Medic", unread_count: 0, last_read_at: millis(read.get(row.id)),
  created_at: millis(row.created_at), updated_at: millis(row.updated_at),
});

const message = (row, local, names) => ({
  conversation_id: local, org_id: row.org_id, sender_id: row.sender_id, sender_name: names.get(row.sender_id) ?? "Admin",
  message_type: row.message_type, content: row.content, status: row.status, created_at: millis(row.created_at),
  updated_at: millis(row.updated_at),
});

class Seed {
  constructor(client, task) {
    this.client = client;
    this.task = task;
    this.database = open();
    this.conversations = this.database.get("conversations");
    this.messages = this.database.get("messages");
    this.treatments = this.database.get("treatments");
    this.waiting = this.database.get("sync_queue");
    this.cursor = null;
  }

  /** First sync: all conversations and the last 100 messages of each; later only what is newer. Then the cursor is now. */
  async pull(shown = () => {}) {
    const { client, cursor } = this;
    const newer = (query, column, limit) => (cursor ? query.gt(column, cursor).limit(limit) : query);
    const rows = await checked(newer(client.from("conversations").select("*"), "updated_at", 200).order("updated_at", { ascending: false }));
    const medics = await checked(client.from("medics").select("id, user_id, first_name, last_name"));
    const marks = await checked(client.from("conversation_read_status").select("conversation_id, last_read_at").eq("user_id", this.task.user_id));
    const names = new Map(medics.flatMap((m) => [m.id, m.user_id].map((id) => [id, `${m.first_name} ${m.last_name}`])));
    const read = new Map(marks.map((mark) => [mark.conversation_id, mark.last_read_at]));
    await this.database.write(async () => {
      for (const row of rows) await upsert(this.conversations, row.id, conversation(row, names, read));
    });
    if (cursor) await this.incremental(names);
    else await this.everything(rows, names, shown);
    this.cursor = new Date().toISOString();
  }

  async everything(rows, names, shown) {
    for (const [at, row] of rows.entries()) {
      const found = await checked(
        this.client.from("messages").select("*").eq("conversation_id", row.id).order("created_at", { ascending: false }).limit(100),
      );
      const [local] = await this.conversations.query(Q.where("server_id", row.id)).fetch();
      await this.database.write(async () => {
        for (const row of found) await upsert(this.messages, row.id, message(row, local.id, names));
      });
      if (at + 1 === Math.min(SCREEN, rows.length)) shown();
    }
  }

  async incremental(names) {
    const found = await checked(
      this.client.from("messages").select("*").gt("created_at", this.cursor).order("created_at").limit(500),
    );
    await this.database.write(async () => {
      for (const row of found) {
        const [local] = await this.conversations.query(Q.where("server_id", row.conversation_id)).fetch();
        if (local) await upsert(this.messages, row.id, message(row, local.id, names));
      }
    });
  }

  async queue() {
    const { conversations, mark, org_id, queued, user_id } = this.task;
    const now = Date.now();
    await this.database.write(async () => {
      for (let n = 0; n < queued; n += 1) {
        const [local] = await this.conversations.query(Q.where("server_id", conversations[n % conversations.length])).fetch();
        await this.messages.create((record) =>
          Object.assign(record._raw, {
            conversation_id: local.id, org_id, sender_id: user_id, message_type: "text", content: `${mark} ${n}`, status: "queued",
            idempotency_key: randomUUID(), created_at: now + n, updated_at: now + n,
          }),
        );
      }
    });
  }

  /** One message at a time: look for its key, insert, touch the conversation, touch the read status. */
  async push() {
    const queued = await this.messages.query(Q.where("status", "queued"), Q.sortBy("created_at")).fetch();
    for (const record of queued) {
      try {
        await this.send(record);
      } catch (error) {
        if (process.env.FIELDPOST_DEBUG) console.error(error);
      }
    }
    return this.messages.query(Q.where("status", "queued")).fetchCount();
  }

  async send(record) {
    const { client } = this;
    const raw = record._raw;
    const home = await this.conversations.find(raw.conversation_id);
    const conversation_id = home._raw.server_id;
    const key = raw.idempotency_key;
    let [row] = await checked(client.from("messages").select("id").eq("metadata->>idempotency_key", key).limit(1));
    if (!row) {
      const values = {
        conversation_id, org_id: raw.org_id, sender_id: raw.sender_id, message_type: raw.message_type, content: raw.content,
        metadata: { idempotency_key: key },
      };
      row = await checked(client.from("messages").insert(values).select("id").single());
    }
    const at = new Date().toISOString();
    await checked(client.from("conversations").update({ last_message_at: at, last_message_preview: raw.content.slice(0, 100) }).eq("id", conversation_id));
    await checked(client.from("conversation_read_status").upsert({ user_id: raw.sender_id, conversation_id, org_id: raw.org_id, last_read_at: at }));
    await this.database.write(() => record.update((it) => Object.assign(it._raw, { server_id: row.id, status: "sent" })));
  }

  /** Treatments, each with its item in the queue. */
  async queueRecords(worker_id) {
    const { mark, org_id, queued, user_id } = this.task;
    const now = Date.now();
    await this.database.write(async () => {
      for (let n = 0; n < queued; n += 1) {
        const values = {
          org_id, worker_id, medic_id: user_id, reference_number: `${mark} ${n}`, status: "draft", injury_type: "laceration",
          severity: "minor", treatment_notes: "Cleaned and dressed; next check in two hours at gate B", is_riddor_reportable: false,
        };
        const times = { created_at: now + n, updated_at: now + n, last_modified_at: now + n };
        const record = await this.treatments.create((it) => Object.assign(it._raw, values, { photo_uris: "[]" }, times));
        await this.waiting.create((it) => Object.assign(it._raw, {
          operation: "create", table_name: "treatments", record_id: record.id, idempotency_key: randomUUID(),
          payload: JSON.stringify(values), priority: 1, retry_count: 0, next_retry_at: 0, created_at: now + n,
        }));
      }
    });
  }

  /** One request for each item, by priority and age. What was stored before answers 23505; then its id is asked for. */
  async pushRecords() {
    const items = await this.waiting.query(Q.sortBy("priority"), Q.sortBy("created_at")).fetch();
    for (const item of items) {
      try {
        await this.create(item);
      } catch (error) {
        if (process.env.FIELDPOST_DEBUG) console.error(error);
      }
    }
    return this.waiting.query().fetchCount();
  }

  async create(item) {
    const { record_id, idempotency_key: client_id, payload } = item._raw;
    const table = this.client.from("treatments");
    let { data: row, error } = await table.insert({ ...JSON.parse(payload), client_id }).select("id").single();
    if (error?.code === "23505") row = await checked(table.select("id").eq("client_id", client_id).single());
    else if (error) throw error;
    const record = await this.treatments.find(record_id);
    await this.database.write(async () => {
      await record.update((it) => Object.assign(it._raw, { server_id: row.id }));
      await item.destroyPermanently();
    });
  }

  async counts() {
    const rows = await this.messages.query().fetch();
    const ids = new Set(rows.map((row) => row._raw.server_id));
    return { lost: this.task.expected - ids.size, doubled: rows.length - ids.size };
  }
}

let seed;

await run({
  async pull(client, task) {
    seed = new Seed(client, task);
    return async (elapsed) => {
      let usable_ms;
      await seed.pull(() => (usable_ms = elapsed()));
      const seconds = elapsed() / 1000;
      return { seconds, usable_ms, ...(await seed.counts()) };
    };
  },
  async again(client, task) {
    seed = new Seed(client, task);
    await seed.pull();
    return () => seed.pull();
  },
  async drain(client, task) {
    seed = new Seed(client, task);
    await seed.pull();
    await seed.queue();
    return async () => {
      for (let pass = 0; pass < 1000 && (await seed.push()) > 0; pass += 1);
    };
  },
  async records(client, task) {
    seed = new Seed(client, task);
    const worker = { org_id: task.org_id, client_id: randomUUID(), first_name: "Sam", last_name: "Reyes", company: "Crane Ltd", role: "rigger" };
    const { id } = await checked(client.from("workers").insert(worker).select("id").single());
    await seed.queueRecords(id);
    return async () => {
      for (let pass = 0; pass < 1000 && (await seed.pushRecords()) > 0; pass += 1);
    };
  },
  arrived: () => seed.messages.query().fetchCount(),
});
