/** What the library calls of the app: tokens, a keychain, the log. Apps answer late, wrongly, or throw what is no error. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Client, logTo, stopLogging, type PersonId, type SecretStore, type SessionToken, type TokenProvider } from 'fieldpost';

import { anonKey, collected, freshFile, signedIn, until, url } from './world';

/** What apps give in place of a token. */
const WRONG: [string, () => unknown][] = [
  ['nothing', () => undefined],
  ['null', () => null],
  ['a text', () => 'a token'],
  ['a token without its text', () => ({ personId: '00000000-0000-4000-8000-000000000000' as PersonId })],
  ['a token of half a character', () => ({ personId: '00000000-0000-4000-8000-000000000000' as PersonId, accessToken: '\ud800' })],
  ['nothing thrown', () => Promise.reject()],
  ['null thrown', () => Promise.reject(null)],
  ['a text thrown', () => Promise.reject('no session')],
  ['an object without a prototype thrown', () => Promise.reject(Object.create(null))],
  ['an error without a prototype thrown', () => Promise.reject(Object.assign(Object.create(null), { message: 'none' }))],
  ['an error with half a character thrown', () => Promise.reject(new Error('\ud800'))],
];

test('a token provider that answers wrongly fails its call at once, and nothing else', async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', note);
  for (const [what, answer] of WRONG) {
    const tokens = { token: async () => answer() as SessionToken } as TokenProvider;
    const client = await Client.open({ database: freshFile(), url, anonKey, live: false, tokens, callbackLimit: 60_000 });
    const signal = AbortSignal.timeout(5_000);
    await assert.rejects(client.sync({ signal }), (error: { kind?: string }) => {
      assert.notEqual(error.kind, undefined, `${what}: ${String(error)}`);
      return true;
    });
    await client.shutdown();
  }
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(unhandled, []);
  process.off('unhandledRejection', note);
});

test('a keychain that answers wrongly fails its call at once', async () => {
  const secrets = {
    get: async () => 17 as unknown as string,
    put: () => Promise.reject(),
    remove: () => {
      throw undefined;
    },
  } as SecretStore;
  const client = await Client.open({ database: freshFile(), url, anonKey, live: false, secrets, callbackLimit: 60_000 });
  const signal = AbortSignal.timeout(5_000);
  await assert.rejects(client.signIn('ada@fieldpost.test', 'fieldpost-demo', { signal }), (error: { kind?: string }) => {
    assert.notEqual(error.kind, undefined, String(error));
    return true;
  });
  await client.shutdown();
});

test('an answer that comes when nobody waits for it any more does nothing', async () => {
  const late: ((token: SessionToken) => void)[] = [];
  const tokens: TokenProvider = { token: () => new Promise((resolve) => late.push(resolve)) };
  const client = await Client.open({ database: freshFile(), url, anonKey, live: false, tokens, callbackLimit: 50 });
  await assert.rejects(client.sync());
  await client.shutdown();
  assert.ok(late.length > 0);
  late.forEach((resolve) => resolve({ personId: '00000000-0000-4000-8000-000000000000' as PersonId, accessToken: 'late' }));
  await new Promise((resolve) => setTimeout(resolve, 50));
});

test('a log sink that throws hears the next line', async () => {
  const client = await signedIn();
  let lines = 0;
  logTo('Debug', {
    log() {
      lines += 1;
      throw lines % 2 === 0 ? undefined : new Error('\ud800');
    },
  });
  for (let round = 0; round < 3; round += 1) {
    await client.sync();
  }
  await until('the third line came', () => lines > 2);
  stopLogging();
  await client.shutdown();
});

test('what an app gives to a client is given back, with a refused call and after the shutdown', async () => {
  const providers: WeakRef<TokenProvider>[] = [];
  const provider = (): TokenProvider => {
    const tokens: TokenProvider = { token: () => Promise.reject(new Error('not now')) };
    providers.push(new WeakRef(tokens));
    return tokens;
  };
  const given = { database: freshFile(), url, anonKey, live: false };
  await assert.rejects(Client.open({ ...given, tokens: provider(), secrets: 5 as never }), { kind: 'InvalidArgument' });
  await collected('the refused one is given back', () => providers[0]?.deref() === undefined);
  await assert.rejects(Client.open({ ...given, url: 'no address', tokens: provider() }));
  await collected('the one of a client that cannot be is given back', () => providers[1]?.deref() === undefined);
  await (await Client.open({ ...given, tokens: provider() })).shutdown();
  await collected('the one of a client that was shut down is given back', () => providers[2]?.deref() === undefined);
});

test('what an app throws is told as a text, whatever it is', () => {
  const { uniffiTraitInterfaceCall } = require('../../dist/runtime');
  const told = (what: unknown): string => {
    let text = '';
    const app = (): never => {
      throw what;
    };
    uniffiTraitInterfaceCall(app, () => undefined, (_: number, lowered: string) => (text = lowered), (it: string) => it);
    return text;
  };
  assert.equal(told(undefined), 'Error: the app has thrown undefined');
  assert.equal(told('no session'), 'Error: the app has thrown no session');
  assert.equal(told(Object.create(null)), 'Error: the app has thrown something that is no text');
  assert.equal(told(Object.assign(Object.create(null), { message: 'x' })), 'Error: the app has thrown something that is no text');
  assert.equal(told(new TypeError('half \ud800')), 'TypeError: half \ufffd');
});
