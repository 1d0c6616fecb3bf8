/** What the tests of the package share: a server that runs already, and clients on files of their own. */

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Client, type ClientOptions, type ConversationId } from 'fieldpost';

export const url = process.env['FIELDPOST_URL'] ?? '';
export const anonKey = process.env['FIELDPOST_ANON_KEY'] ?? '';

export function freshFile(): string {
  return join(mkdtempSync(join(tmpdir(), 'fieldpost-')), 'file.db');
}

/** A client that is signed in and loaded. */
export async function signedIn(name = 'ada', options: Partial<ClientOptions> = {}): Promise<Client> {
  const client = await Client.open({ database: freshFile(), url, anonKey, live: false, ...options });
  await client.signIn(`${name}@fieldpost.test`, 'fieldpost-demo');
  await client.sync();
  return client;
}

export async function direct(client: Client): Promise<ConversationId> {
  const found = (await client.conversations()).find((one) => one.kind === 'Direct');
  if (found === undefined) {
    throw new Error('there is no direct conversation');
  }
  return found.id;
}

/** Waits until something is so; the limit is only there to say what is missing. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  const started = performance.now();
  while (!isSo()) {
    if (performance.now() - started > 20_000) {
      throw new Error(`it never comes to this: ${what}`);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

type Call = (...given: unknown[]) => unknown;

/** Counts the calls of functions of the library, by the end of their names, from now on. */
export function counted<Name extends string>(...names: Name[]): Record<Name, number> {
  const functions = require('../../dist/generated/node/fieldpost_ffi-ffi').default() as Record<string, Call>;
  const counts = Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
  for (const name of names) {
    const full = `uniffi_fieldpost_ffi_fn_${name}`;
    const call = functions[full] as Call;
    functions[full] = (...given) => {
      counts[name] += 1;
      return call(...given);
    };
  }
  return counts;
}

/** Lets the collector find what nobody has any more, until something is so. Needs `node --expose-gc`. */
export async function collected(what: string, isSo: () => boolean): Promise<void> {
  await until(what, () => {
    globalThis.gc?.();
    return isSo();
  });
}
