import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Client, InvalidArgumentError, type ConversationId } from 'fieldpost';

import { grownSince, usage } from '../scenario/usage';
import { direct, freshFile, signedIn } from './world';

/** What JavaScript may pass, whatever the types say. */
type Anything = never;

test('what is no argument is refused before the library is called', async () => {
  const client = await signedIn();
  const conversation = await direct(client);
  const wrong: [string, () => unknown][] = [
    ['a number as an id', () => client.conversation(17 as Anything)],
    ['nothing as an id', () => client.conversation(undefined as Anything)],
    ['null as an id', () => client.conversation(null as Anything)],
    ['an object as a text', () => client.send(conversation, { toString: () => 'x' } as Anything)],
    ['a list as a text', () => client.send(conversation, ['x'] as Anything)],
    ['half a character', () => client.send(conversation, 'a\ud800b')],
    ['the other half', () => client.send(conversation, '\udc00')],
    ['halves in the wrong order', () => client.send(conversation, '\udc00\ud800')],
    ['half a character in a record', () => client.sendDraft(conversation, { text: '\ud83d' })],
    ['a text as a number', () => client.messages(conversation, { limit: '5' as Anything })],
    ['a negative number', () => client.messages(conversation, { limit: -1 })],
    ['a number that is not whole', () => client.messages(conversation, { limit: 1.5 })],
    ['no number', () => client.messages(conversation, { limit: NaN })],
    ['a seq that no number has exactly', () => client.markRead(conversation, 2 ** 60)],
    ['a bigint', () => client.markRead(conversation, 3n as Anything)],
    ['a text as a Date', () => client.mute(conversation, 'tomorrow' as Anything)],
    ['a Date that is none', () => client.mute(conversation, new Date('tomorrow'))],
    ['a value that an enum does not have', () => client.signOut('Some' as Anything)],
    ['a number as an enum', () => client.signOut(1 as Anything)],
    ['a value of an enum in a query', () => client.conversations({ kind: 'Both' as Anything })],
    ['a text as a boolean', () => client.conversations({ unread: 'yes' as Anything })],
    ['a text as a list', () => client.sendDraft(conversation, { text: 'x', mentions: 'everybody' as Anything })],
    ['a list with a number', () => client.sendDraft(conversation, { text: 'x', mentions: [7] as Anything })],
    ['a variant that is none', () => client.cancel({ tag: 'Nothing' } as Anything)],
    ['no variant', () => client.cancel(undefined as Anything)],
    ['a duration below zero', () => client.background(-5)],
    ['a text as a duration', () => client.background('5s' as Anything)],
    ['a text as a key', () => Client.open({ database: freshFile(), key: 'secret' as Anything })],
    ['a number as tokens', () => Client.open({ database: freshFile(), tokens: 5 as Anything })],
    ['no options', () => Client.open({} as Anything)],
    ['a signal that is none', () => client.send(conversation, 'x', { signal: {} as Anything })],
  ];
  for (const [what, call] of wrong) {
    await assert.rejects(
      async () => call(),
      (error: unknown) => {
        assert.ok(error instanceof InvalidArgumentError, `${what}: ${String(error)}`);
        assert.equal(error.kind, 'InvalidArgument');
        assert.equal(error.retry.tag, 'Never');
        return true;
      },
      what,
    );
  }
  // Nothing of it was written, and pairs of halves are characters.
  assert.equal((await client.pending()).pending, 0);
  assert.equal((await client.send(conversation, 'all clear 👍')).text, 'all clear 👍');
  await client.shutdown();
});

test('null means the same as nothing, and a field that is undefined its default', async () => {
  const client = await signedIn();
  const conversation = await direct(client);
  const { messages } = await client.messages(conversation);
  assert.ok(messages.length >= 3);
  assert.deepEqual((await client.messages(conversation, { limit: undefined, before: null as Anything })).messages, messages);
  assert.equal((await client.conversations({ kind: undefined })).length, 2);
  await client.shutdown();
});

test('100,000 refused calls leave nothing behind', async () => {
  const client = await signedIn();
  const conversation = await direct(client);
  const refusedCalls = async (count: number): Promise<void> => {
    for (let round = 0; round < count; round += 1) {
      await client.sendDraft(conversation, { text: 'x'.repeat(2_000), replyTo: 17 as Anything }).catch(() => undefined);
    }
  };
  await refusedCalls(20_000);
  const before = await usage();
  await refusedCalls(100_000);
  const { threads_grown, memory_grown_kib } = await grownSince(before);
  // Each of them has had the library count a user of the client, and allocated what was to be written: 200 MB in all.
  assert.ok(memory_grown_kib < 16_384, `memory has grown by ${memory_grown_kib} KiB`);
  assert.ok(threads_grown <= 0, `${threads_grown} threads have come`);
  await client.shutdown();
});

test('a refused call leaves the library no user of its object', async () => {
  const client = await Client.open({ database: freshFile() });
  type Call = (...given: unknown[]) => unknown;
  const functions = require('../../dist/generated/node/fieldpost_ffi-ffi').default() as Record<string, Call>;
  const called = { clone: 0, free: 0 };
  for (const what of ['clone', 'free'] as const) {
    const name = `uniffi_fieldpost_ffi_fn_${what}_client`;
    const call = functions[name] as Call;
    functions[name] = (...given) => (called[what]++, call(...given));
  }
  await assert.rejects(client.send('x' as ConversationId, 5 as Anything), InvalidArgumentError);
  assert.throws(() => client.setOnline('yes' as Anything), InvalidArgumentError);
  assert.deepEqual(called, { clone: 2, free: 2 });
  // What was not refused is counted down by the library itself.
  client.setOnline(true);
  assert.deepEqual(called, { clone: 3, free: 2 });
  await client.shutdown();
});

test('a refused call gives back what was allocated for its other arguments', async () => {
  const client = await Client.open({ database: freshFile() });
  type Call = (...given: unknown[]) => unknown;
  const functions = require('../../dist/generated/node/fieldpost_ffi-ffi').default() as Record<string, Call>;
  const { rustbuffer_alloc: alloc, rustbuffer_free: free } = functions as { rustbuffer_alloc: Call; rustbuffer_free: Call };
  const buffers = new Set<unknown>();
  let allocated = 0;
  functions['rustbuffer_alloc'] = (...given) => {
    const buffer = alloc(...given);
    buffers.add(buffer);
    allocated += 1;
    return buffer;
  };
  functions['rustbuffer_free'] = (...given) => {
    assert.ok(buffers.delete(given[0]), 'each is given back once');
    return free(...given);
  };
  // Found while it is written.
  await assert.rejects(client.conversations({ kind: 'Both' as Anything }), InvalidArgumentError);
  assert.deepEqual([allocated, buffers.size], [1, 0]);
  // Found in the argument after it.
  const record = '00000000-0000-4000-8000-000000000000' as Anything;
  await assert.rejects(client.auditReads('patients', [record], 5 as Anything), InvalidArgumentError);
  assert.deepEqual([allocated, buffers.size], [2, 0]);
  Object.assign(functions, { rustbuffer_alloc: alloc, rustbuffer_free: free });
  await client.shutdown();
});

test('an id of another kind does not compile, and is not found', async () => {
  const client = await signedIn();
  const { messages } = await client.messages(await direct(client));
  const message = messages[0]!.id;
  // @ts-expect-error: a message is no conversation.
  await assert.rejects(client.messages(message), { kind: 'NotFound' });
  assert.equal(await client.conversation(message as string as ConversationId), undefined);
  await client.shutdown();
});

test('an object that was freed is closed, not a crash', async () => {
  const client = await Client.open({ database: freshFile() });
  (client as unknown as { uniffiDestroy(): void }).uniffiDestroy();
  assert.throws(() => client.status(), { kind: 'Closed' });
  await assert.rejects(client.conversations(), { kind: 'Closed' });
});
