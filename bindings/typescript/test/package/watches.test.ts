import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';

import { Client, InvalidArgumentError, Watch, WatchError, applied, type ConversationSummary, type Status } from 'fieldpost';

import { collected, counted, direct, freshFile, signedIn, until } from './world';

// ── Alone, with updates that the test makes up

interface Told<T> {
  onUpdate(update: T): void;
  onError(failure: object): void;
  onEnd(): void;
}

const { Watch: Started } = require('../../dist/watch');
const kinds = require('../../dist/waiting');
const FAILURE = { kind: 'Storage', retry: { tag: 'Now' }, reason: 'the disk is full' };

/** A watch, its listener, and how often it was cancelled and given back. */
async function made<T>(kind: object, options?: object): Promise<{ watch: Watch<T>; told: Told<T>; ended: string[] }> {
  const ended: string[] = [];
  let told!: Told<T>;
  const watch = (await Started.start(options, kind, (listener: Told<T>) => {
    told = listener;
    return { cancel: () => ended.push('cancelled'), uniffiDestroy: () => ended.push('given back') };
  })) as Watch<T>;
  return { watch, told, ended };
}

async function rest<T>(watch: Watch<T>): Promise<T[]> {
  const all: T[] = [];
  while (watch.unread > 0) {
    all.push((await watch.next()).value as T);
  }
  return all;
}

test('updates come in their order, whether one waits for them or they wait to be read', async () => {
  const { watch, told } = await made<number>(kinds.states());
  const [first, second] = [watch.next(), watch.next()];
  [1, 2, 3, 4].forEach((number) => told.onUpdate(number));
  assert.deepEqual(await first, { done: false, value: 1 });
  assert.deepEqual(await second, { done: false, value: 2 });
  assert.equal(watch.unread, 2);
  assert.deepEqual(await rest(watch), [3, 4]);
  watch.cancel();
});

test('what was unread can be read after the end, and not after a cancel', async () => {
  const one = await made<number>(kinds.states());
  one.told.onUpdate(1);
  one.told.onEnd();
  one.told.onUpdate(2);
  assert.deepEqual(await one.watch.next(), { done: false, value: 1 });
  assert.deepEqual(await one.watch.next(), { done: true, value: undefined });
  assert.deepEqual(one.ended, ['cancelled', 'given back']);

  const other = await made<number>(kinds.states());
  other.told.onUpdate(1);
  const before = other.watch;
  other.watch.cancel();
  other.told.onUpdate(2);
  other.told.onError(FAILURE);
  assert.equal(before.unread, 0);
  assert.deepEqual(await other.watch.next(), { done: true, value: undefined });
  other.watch.cancel();
  assert.deepEqual(other.ended, ['cancelled', 'given back'], 'ending twice gives back once');
});

test('an error reaches whoever reads, and the next update comes', async () => {
  const { watch, told, ended } = await made<number>(kinds.states());
  const waiting = watch.next();
  told.onError(FAILURE);
  await assert.rejects(waiting, (error) => error instanceof WatchError && error.kind === 'Storage');
  told.onError(FAILURE);
  told.onUpdate(1);
  await assert.rejects(watch.next(), WatchError);
  assert.deepEqual(await watch.next(), { done: false, value: 1 });
  assert.deepEqual(ended, []);
  watch.cancel();
});

test('a loop that throws ends the watch', async () => {
  const { watch, told, ended } = await made<number>(kinds.states());
  told.onUpdate(1);
  const loop = async (): Promise<void> => {
    for await (const _ of watch) {
      throw new Error('of the app');
    }
  };
  await assert.rejects(loop(), /of the app/);
  assert.deepEqual(ended, ['cancelled', 'given back']);
});

test('of a state that nobody reads, the newest waits', async () => {
  const { watch, told } = await made<number>(kinds.states());
  for (let number = 1; number <= 100; number += 1) {
    told.onUpdate(number);
  }
  assert.equal(watch.unread, 100);
  told.onError(FAILURE);
  assert.deepEqual(await rest(watch), [100]);
  for (let number = 0; number <= 100; number += 1) {
    told.onError(FAILURE);
  }
  assert.equal(watch.unread, 1, 'of errors alone, the last one waits');
  await assert.rejects(watch.next(), WatchError);
  watch.cancel();
});

test('of a list that nobody reads, a reset waits, with what is as it is now', async () => {
  const { watch, told } = await made<{ diffs: never[]; ends: number }>(kinds.updates());
  const push = (value: number): object => ({ tag: 'PushBack', inner: { value } });
  told.onUpdate({ diffs: [{ tag: 'Reset', inner: { values: [0] } }] as never[], ends: 0 });
  for (let number = 1; number <= 250; number += 1) {
    told.onUpdate({ diffs: [push(number)] as never[], ends: number });
  }
  const updates = await rest(watch);
  assert.ok(updates.length <= 100, `${updates.length} wait`);
  assert.equal((updates[0]?.diffs[0] as { tag: string } | undefined)?.tag, 'Reset');
  const list = updates.reduce<readonly never[]>((items, { diffs }) => applied<never>(items, diffs), []);
  assert.deepEqual(list, Array.from({ length: 251 }, (_, number) => number));
  assert.equal(updates.at(-1)?.ends, 250);
  assert.ok((updates[0]?.ends ?? 0) > 100, 'the ends are those of the newest update');
  watch.cancel();
});

test('of the outbox, the last event of each entry waits', async () => {
  const { watch, told } = await made<{ tag: string; inner: { entry: { mutationId: string } } }>(kinds.events());
  const event = (tag: string, mutationId: string) => ({ tag, inner: { entry: { mutationId } } });
  told.onUpdate(event('Waits', 'a'));
  for (let round = 1; round < 100; round += 1) {
    told.onUpdate(event('Changed', 'b'));
  }
  assert.equal(watch.unread, 100);
  told.onUpdate(event('Left', 'a'));
  assert.deepEqual(await rest(watch), [event('Changed', 'b'), event('Left', 'a')]);
  watch.cancel();
});

test('each of several who wait is reached, also if nobody else has the watch', async () => {
  const begin = async (): Promise<{ told: Told<number>; first: Promise<unknown>; second: Promise<unknown> }> => {
    const { watch, told } = await made<number>(kinds.states());
    return { told, first: watch.next(), second: watch.next() };
  };
  const { told, first, second } = await begin();
  const heard: unknown[] = [];
  void first.then((result) => heard.push(result));
  void second.then((result) => heard.push(result));
  for (let number = 1; number <= 2; number += 1) {
    for (let collection = 0; collection < 5; collection += 1) {
      globalThis.gc?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    told.onUpdate(number);
    await until(`update ${number} is heard`, () => heard.length === number);
  }
});

test('nothing hangs on a signal when its watch is over, however it ended', async () => {
  const { signal } = new AbortController();
  let listening = 0;
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (...given: Parameters<typeof add>) => (listening++, add(...given));
  signal.removeEventListener = (...given: Parameters<typeof remove>) => (listening--, remove(...given));
  const ends: ((made: { watch: Watch<number>; told: Told<number> }) => unknown)[] = [
    ({ watch }) => watch.cancel(),
    ({ watch }) => watch.return(),
    ({ told }) => told.onEnd(),
  ];
  for (const end of ends) {
    const one = await made<number>(kinds.states(), { signal });
    assert.equal(listening, 1);
    await end(one);
    assert.equal(listening, 0);
  }
  const failing = Started.start({ signal }, kinds.states(), () => Promise.reject(new Error('it does not begin')));
  await assert.rejects(failing, /does not begin/);
  assert.equal(listening, 0);
});

// ── With the library

test('a loop that is slower than the changes sees the list as it is', async () => {
  const client = await signedIn();
  const conversation = await direct(client);
  const watch = await client.watchConversations();
  for (let number = 1; number <= 300; number += 1) {
    await client.keepDraft(conversation, { text: `draft ${number}` });
  }
  assert.ok(watch.unread <= 100, `${watch.unread} updates wait`);
  let list: readonly ConversationSummary[] = [];
  while (!list.some(({ draft }) => draft === 'draft 300')) {
    list = applied(list, (await watch.next()).value ?? []);
  }
  assert.deepEqual(list, await client.conversations());
  await client.shutdown();
});

test('a watch that is given up while it begins rejects, and is given back', async () => {
  const client = await signedIn();
  const conversation = await direct(client);
  const counts = counted('free_subscription', 'free_timeline');
  const begins: ((signal: AbortSignal) => Promise<unknown>)[] = [
    (signal) => client.watchConversations({}, { signal }),
    (signal) => client.watchThread(conversation, {}, { signal }),
    (signal) => client.watchStatus({ signal }),
  ];
  for (const begin of begins) {
    for (let round = 0; round < 20; round += 1) {
      const giving = new AbortController();
      const begun = begin(giving.signal);
      giving.abort(`round ${round}`);
      await assert.rejects(begun, (reason) => reason === `round ${round}`);
    }
  }
  assert.equal(counts.free_subscription, 60);

  for (let round = 0; round < 20; round += 1) {
    const giving = new AbortController();
    const begun = client.timeline(conversation, {}, { signal: giving.signal });
    giving.abort('too late');
    await assert.rejects(begun, (reason) => reason === 'too late');
  }
  await collected('the timelines are given back', () => counts.free_timeline === 20);
  await client.shutdown();
});

test('a watch that nobody has any more is given back', async () => {
  const client = await signedIn();
  const conversation = await direct(client);
  const counts = counted('free_subscription', 'free_timeline');
  const leave = async (): Promise<void> => {
    await (await client.watchConversations()).next();
    await (await client.timeline(conversation))[Symbol.asyncIterator]().next();
    await client.watchThread(conversation);
  };
  await leave();
  await collected('both subscriptions are given back', () => counts.free_subscription === 2);
  await collected('the timeline is given back', () => counts.free_timeline === 1);
  await client.shutdown();
});

test('a loop that waits is not taken for one that was left', async () => {
  const client = await signedIn();
  const conversation = await direct(client);
  let drafts = 0;
  const follow = async (): Promise<void> => {
    for await (const diffs of await client.watchConversations()) {
      drafts += JSON.stringify(diffs).includes('"heard') ? 1 : 0;
    }
  };
  const loop = follow();
  const counts = counted('free_subscription');
  for (let round = 1; round <= 3; round += 1) {
    for (let collection = 0; collection < 5; collection += 1) {
      globalThis.gc?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.keepDraft(conversation, { text: `heard ${round}` });
    await until('the loop hears it', () => drafts === round);
  }
  assert.equal(counts.free_subscription, 0);
  await client.shutdown();
  await loop;
});

test('iterating after the shutdown, a cancel and a loop that was left ends at once', async () => {
  const client = await Client.open({ database: freshFile() });
  const [left, cancelled, shut] = [await client.watchStatus(), await client.watchStatus(), await client.watchStatus()];
  for await (const _ of left) {
    break;
  }
  cancelled.cancel();
  await client.shutdown();
  const seen: Status[] = [];
  for (const watch of [left, cancelled]) {
    for await (const status of watch) {
      seen.push(status);
    }
  }
  assert.equal(seen.length, 0);
  for await (const status of shut) {
    seen.push(status);
  }
  assert.ok(seen.length >= 1, 'what came before the shutdown can be read');
});

/** The open files of this process that belong to a database. */
function openFiles(database: string): string[] {
  const files = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return files.filter((file) => file.startsWith(database));
}

test('a client that is given up while it opens leaves no file open', async () => {
  for (let round = 0; round < 10; round += 1) {
    const database = freshFile();
    const giving = new AbortController();
    const opening = Client.open({ database }, { signal: giving.signal });
    if (round % 2 === 0) {
      await new Promise((resolve) => setTimeout(resolve, round));
    }
    giving.abort('not needed');
    const opened = await opening.then((client) => client, (reason) => assert.equal(reason, 'not needed'));
    await opened?.shutdown();
    await collected('its file is closed', () => openFiles(database).length === 0);
    // What goes on in the library may open it only now.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await collected('its file stays closed', () => openFiles(database).length === 0);
  }
});

test('a signal that is none is refused, and one that is undefined is none', async () => {
  const client = await Client.open({ database: freshFile() }, { signal: undefined });
  assert.deepEqual(await client.conversations({}, { signal: undefined }), []);
  await client.isSignedIn({ signal: null as never });
  (await client.watchStatus({ signal: undefined })).cancel();
  for (const signal of [{}, 5, 'now'] as never[]) {
    await assert.rejects(client.watchStatus({ signal }), InvalidArgumentError);
    await assert.rejects(client.watchConversations({}, { signal }), InvalidArgumentError);
    await assert.rejects(client.isSignedIn({ signal }), InvalidArgumentError);
  }
  for (const fields of [5, 'all', true] as never[]) {
    await assert.rejects(client.conversations(fields), InvalidArgumentError);
    await assert.rejects(client.watchConversations(fields), InvalidArgumentError);
  }
  await assert.rejects(Client.open(undefined as never), InvalidArgumentError);
  await client.shutdown();
});
