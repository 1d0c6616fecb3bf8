import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';

import { Client, FieldpostError, VERSION, applied, type MessageDiff, type PersonId, type TokenProvider } from 'fieldpost';

import { grownSince, usage } from '../scenario/usage';
import { anonKey, direct, freshFile, signedIn, until, url } from './world';

const PACKAGE = join(__dirname, '../..');

test('a call that was given up rejects with the reason of its signal', async () => {
  const client = await signedIn();
  const conversation = await direct(client);
  const before = AbortSignal.abort('too late');
  await assert.rejects(client.send(conversation, 'never begun', { signal: before }), (reason) => reason === 'too late');
  assert.equal((await client.pending()).pending, 0);

  const during = new AbortController();
  const begun = client.send(conversation, 'begun', { signal: during.signal });
  during.abort();
  await assert.rejects(begun, { name: 'AbortError' });
  // What it has begun is written all the same.
  await until('it is written', () => client.status().pending === 1);

  // A signal that lives longer than the call is left in peace: nothing of the call hangs on it.
  const long = new AbortController();
  const { signal } = long;
  let listening = 0;
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (...given: Parameters<typeof add>) => (listening++, add(...given));
  signal.removeEventListener = (...given: Parameters<typeof remove>) => (listening--, remove(...given));
  await client.conversations({}, { signal });
  assert.equal(listening, 0);
  long.abort();
  await client.shutdown();
});

test('a watch ends with its signal, with its loop, and with the client', async () => {
  const client = await signedIn();
  const ending = new AbortController();
  const bySignal = await client.watchTotalUnread({ signal: ending.signal });
  await bySignal.next();
  const waiting = bySignal.next();
  ending.abort();
  assert.equal((await waiting).done, true);

  const byLoop = await client.watchStatus();
  for await (const status of byLoop) {
    assert.equal(status.signedIn, true);
    break;
  }
  assert.equal((await byLoop.next()).done, true);

  const byClient = await client.watchConversations();
  await byClient.next();
  await client.shutdown();
  assert.equal((await byClient.next()).done, true);
  await assert.rejects(client.watchStatus({ signal: AbortSignal.abort('late') }), (reason) => reason === 'late');
  await assert.rejects(client.watchStatus(), { kind: 'Closed' });
});

test('errors are errors of JavaScript, with a stack, and with what to do', async () => {
  const client = await Client.open({ database: freshFile(), url: 'http://127.0.0.1:9', anonKey, live: false });
  const error = await client.signIn('ada@fieldpost.test', 'x').then(() => undefined, (it: unknown) => it);
  assert.ok(error instanceof FieldpostError && error instanceof Error);
  assert.equal(error.kind, 'Offline');
  assert.equal(error.reason, error.message);
  assert.equal(String(error), `FieldpostError: ${error.reason}`);
  assert.match(error.stack ?? '', /^FieldpostError: .*\n[^]*calls\.test/);
  await client.shutdown();
});

test('seqs are numbers, so a message goes through JSON', async () => {
  const client = await signedIn();
  const { messages, lastSeq } = await client.messages(await direct(client));
  assert.equal(typeof lastSeq, 'number');
  assert.equal(JSON.parse(JSON.stringify(messages.at(-1))).seq, lastSeq);
  await client.shutdown();
});

test('a worker thread has a client of its own, and leaves the watches of the main thread alone', async () => {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { Client } = require('fieldpost');
    (async () => {
      const client = await Client.open({ database: workerData.file, url: workerData.url, anonKey: workerData.anonKey, live: false });
      await client.signIn('ada@fieldpost.test', 'fieldpost-demo');
      await client.sync();
      const refused = await client.watchStatus().then(() => 'none', (error) => error.kind);
      parentPort.postMessage([(await client.conversations()).length, refused]);
      if (workerData.stay) { for (;;) await client.conversations(); }
      await client.shutdown();
    })();`;
  const start = (stay: boolean) => {
    const worker = new Worker(code, { eval: true, workerData: { file: freshFile(), url, anonKey, stay } });
    const told = new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    return { worker, told, ended };
  };
  const client = await signedIn();
  const conversation = await direct(client);
  const watch = await client.watchConversations();
  await watch.next();

  const four = Array.from({ length: 4 }, () => start(false));
  assert.deepEqual(await Promise.all(four.map(({ told }) => told)), Array(4).fill([2, 'NotPossible']));
  assert.deepEqual(await Promise.all(four.map(({ ended }) => ended)), [0, 0, 0, 0]);
  // One that is stopped in the middle of a call.
  const stopped = start(true);
  await stopped.told;
  await stopped.worker.terminate();

  await client.keepDraft(conversation, { text: 'heard' });
  const { value } = await watch.next();
  assert.match(JSON.stringify(value), /"heard"/);
  await client.shutdown();
});

/** The one of React Native up to 0.81: no reason, no throwIfAborted, no DOMException. */
class PlainSignal {
  aborted = false;
  private readonly listeners = new Set<() => void>();
  addEventListener(_: string, listener: () => void): void {
    this.listeners.add(listener);
  }
  removeEventListener(_: string, listener: () => void): void {
    this.listeners.delete(listener);
  }
  abort(): void {
    this.aborted = true;
    this.listeners.forEach((listener) => listener());
  }
}

test("the plain AbortSignal of React Native's engine is enough", async () => {
  const client = await signedIn();
  const signal = new PlainSignal();
  const given = { signal: signal as unknown as AbortSignal };
  await client.conversations({}, given);
  const watch = await client.watchStatus(given);
  await watch.next();
  signal.abort();
  assert.equal((await watch.next()).done, true);
  await assert.rejects(client.conversations({}, given), { name: 'AbortError' });
  await assert.rejects(client.watchStatus(given), { name: 'AbortError' });
  await client.shutdown();
});

test('what an app gives out asynchronously costs memory on Node, and how much is known', async () => {
  const answer = await fetch(`${url}/auth/v1/token?grant_type=password`, {
    method: 'POST',
    body: JSON.stringify({ email: 'ada@fieldpost.test', password: 'fieldpost-demo' }),
    headers: { apikey: anonKey, 'content-type': 'application/json' },
  });
  const session = (await answer.json()) as { access_token: string; user: { id: PersonId } };
  let asked = 0;
  const tokens: TokenProvider = {
    async token() {
      asked += 1;
      return { personId: session.user.id, accessToken: session.access_token };
    },
  };
  const client = await Client.open({ database: freshFile(), url, anonKey, live: false, tokens });
  const syncs = async (count: number): Promise<void> => {
    for (let round = 0; round < count; round += 1) {
      await client.sync();
    }
  };
  await syncs(100);
  const [before, first] = [await usage(), asked];
  await syncs(500);
  const { memory_grown_kib } = await grownSince(before);
  const each = memory_grown_kib / (asked - first);
  console.log(`# each answer of a token provider costs ${each.toFixed(2)} KiB (${asked - first} answers)`);
  // README.md names the fault of the addon.
  assert.ok(each < 16, `each answer costs ${each} KiB`);
  await client.shutdown();
});

function node(code: string, folder = PACKAGE): { status: number | null; signal: string | null; stderr: string } {
  const { status, signal, stderr } = spawnSync(process.execPath, ['-e', code], { cwd: folder, encoding: 'utf8', timeout: 60_000 });
  return { status, signal, stderr };
}

test('a process ends well with everything open', () => {
  const ended = node(`
    const { Client } = require('fieldpost');
    Client.open({ database: ${JSON.stringify(freshFile())}, url: ${JSON.stringify(url)}, anonKey: ${JSON.stringify(anonKey)} })
      .then(async (client) => {
        await client.signIn('ada@fieldpost.test', 'fieldpost-demo');
        await client.start();
        await client.watchConversations();
        client.sync();
        process.exit(0);
      });`);
  assert.deepEqual(ended, { status: 0, signal: null, stderr: '' });
});

test('a process that only waits for an update does not end', () => {
  const ended = node(`
    const { Client } = require('fieldpost');
    Client.open({ database: ${JSON.stringify(freshFile())} }).then(async (client) => {
      const watch = await client.watchTotalUnread();
      await watch.next();
      setTimeout(() => client.shutdown(), 200).unref();
      const { done } = await watch.next();
      process.exitCode = done ? 7 : 8;
    });`);
  assert.deepEqual(ended, { status: 7, signal: null, stderr: '' });
});

test('package and library of different versions say so when they are loaded', () => {
  const broken = (change: (folder: string) => void): string => {
    const folder = mkdtempSync(join(tmpdir(), 'fieldpost-'));
    for (const part of ['package.json', 'dist', 'prebuilds']) {
      cpSync(join(PACKAGE, part), join(folder, part), { recursive: true });
    }
    symlinkSync(join(PACKAGE, 'node_modules'), join(folder, 'node_modules'));
    change(folder);
    const { status, stderr } = node("require('fieldpost')", folder);
    assert.notEqual(status, 0);
    rmSync(folder, { recursive: true });
    return stderr;
  };
  const edit = (file: string, what: RegExp, by: string) => (folder: string) => {
    const path = join(folder, 'dist', file);
    const before = readFileSync(path, 'utf8');
    assert.match(before, what);
    writeFileSync(path, before.replace(what, by));
  };
  const different = /LibraryError: fieldpost 0\.1\.0 and its library are of different versions/;
  const code = 'generated/node/fieldpost_ffi.js';
  assert.match(broken(edit('version.js', /'0\.1\.0'/, "'9.9.9'")), /LibraryError: fieldpost 9\.9\.9 and its library are of different/);
  assert.match(broken(edit(code, /checksum_method_client_send\(\) !== \d+/, 'checksum_method_client_send() !== 1')), different);
  assert.match(broken(edit(code, /bindingsContractVersion = \d+/, 'bindingsContractVersion = 1')), different);
  assert.match(broken(edit('generated/node/fieldpost_ffi-ffi.js', /fn_func_library_version"/, 'fn_func_another"')), different);
});

test('the versions of package, library and code are one', () => {
  const { version } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as { version: string };
  assert.equal(version, VERSION);
});

test('diffs are applied in their order, and the list before stays as it is', () => {
  const diff = (tag: string, inner?: object): MessageDiff => ({ tag, inner }) as unknown as MessageDiff;
  const before = ['old'] as never[];
  const after = applied<MessageDiff>(before, [
    diff('Reset', { values: ['a', 'b'] }),
    diff('Append', { values: ['c', 'd'] }),
    diff('PushFront', { value: 'first' }),
    diff('PushBack', { value: 'last' }),
    diff('Insert', { index: 1, value: 'second' }),
    diff('Set', { index: 2, value: 'A' }),
    diff('Remove', { index: 3 }),
  ]);
  assert.deepEqual(after, ['first', 'second', 'A', 'c', 'd', 'last']);
  assert.deepEqual(before, ['old']);
  const fewer = applied<MessageDiff>(after, [diff('PopFront'), diff('PopBack'), diff('Truncate', { length: 2 })]);
  assert.deepEqual(fewer, ['second', 'A']);
  assert.deepEqual(applied<MessageDiff>(fewer, [diff('Clear')]), []);
});
