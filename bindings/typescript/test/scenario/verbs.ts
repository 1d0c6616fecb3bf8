/** The verbs: calls of the client, with arguments from a file. */

import { Client, EntryRef, Filter, OpenAt, type ConversationId, type ExportFormat, type Wipe } from 'fieldpost';

import { camel, pascal } from './looks';

// The arguments come from a file, and some of them are wrong on purpose.
/* eslint-disable @typescript-eslint/no-explicit-any */
export type Arguments = Record<string, any>;

const window = ({ limit, before }: Arguments) => ({ limit, before });
const draft = ({ text, reply_to, metadata }: Arguments) => ({ text, replyTo: reply_to, metadata });

function recordQuery({ table, column, comparison, value }: Arguments) {
  const filter = column === undefined ? [] : [Filter.create({ column, comparison: pascal(comparison) as any, value })];
  return { table, filters: filter };
}

async function exportLines(client: Client, conversation: ConversationId, format: ExportFormat): Promise<string[]> {
  const exported = await client.export(conversation, format);
  const lines: string[] = [];
  for (;;) {
    const more = await exported.nextLines(500);
    if (more.length === 0) {
      return lines;
    }
    lines.push(...more);
  }
}

/** Verbs whose arguments are not simply those of the method, in its order. */
const SPECIAL: Record<string, (client: Client, given: any, call?: { signal: AbortSignal }) => unknown> = {
  messages: (client, given) => client.messages(given.conversation, window(given)),
  send_draft: (client, given) => client.sendDraft(given.conversation, draft(given)),
  keep_draft: (client, given) => client.keepDraft(given.conversation, draft(given)),
  cancel: (client, given) => client.cancel(new EntryRef.Message({ id: given.message })),
  search: (client, given) => client.search(given),
  export: (client, given) => exportLines(client, given.conversation, pascal(given.format) as ExportFormat),
  sign_out: (client, given) => client.signOut(pascal(given.wipe) as Wipe),
  records: (client, given) => client.records(recordQuery(given)),
  background: (client, given) => client.background(given.deadline_ms),
  watch_thread: (client, given) => client.watchThread(given.conversation, window(given)),
  watch_records: (client, given) => client.watchRecords(recordQuery(given)),
  timeline: (client, given) =>
    client.timeline(given.conversation, { page: given.page, openAt: { newest: OpenAt.Newest.new() }[given.open_at as 'newest'] }),
};

/** The names of the parameters of a method: the arguments of a file have names, too. */
function parameters(method: (...given: any[]) => unknown): string[] {
  const list = /\(([\s\S]*?)\)\s*\{/.exec(method.toString())?.[1] ?? '';
  return list.split(',').map((one) => (one.split('=')[0] as string).trim());
}

/** Calls a method by its name. */
export function call(client: Client, verb: string, given: Arguments, options?: { signal: AbortSignal }): unknown {
  const special = SPECIAL[verb];
  if (special !== undefined) {
    return special(client, given, options);
  }
  const name = camel(verb) as 'sync';
  const method = client[name] as ((...all: any[]) => unknown) | undefined;
  if (method === undefined) {
    throw new TypeError(`a client has no ${name}`);
  }
  const values = new Map(Object.entries(given).map(([key, value]) => [camel(key), value]));
  const names = parameters(method);
  for (const key of values.keys()) {
    if (!names.includes(key)) {
      throw new Error(`${name} has no ${key}, but ${names.join(', ')}`);
    }
  }
  return method.apply(client, names.map((key) => (key === 'asyncOpts_' || key === 'call' ? options : values.get(key))));
}
