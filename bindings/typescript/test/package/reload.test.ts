/** In a process of its own: the instance before hears nothing any more. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { Client } from 'fieldpost';

import { direct, freshFile, signedIn, until } from './world';

const PACKAGE = join(__dirname, '../..');

test('after a reload, what the instance before has watched is not told to the new one', async () => {
  const before = await signedIn();
  const conversation = await direct(before);
  const stale = await before.watchConversations();
  await stale.next();

  for (const file of Object.keys(require.cache).filter((name) => name.startsWith(join(PACKAGE, 'dist')))) {
    delete require.cache[file];
  }
  const reloaded = require('fieldpost') as typeof import('fieldpost');
  assert.notEqual(reloaded.Client, Client);
  const after = await reloaded.Client.open({ database: freshFile() });
  const watch = await after.watchConversations();
  assert.deepEqual((await watch.next()).value?.map(({ tag }) => tag), ['Reset']);

  const lines: string[] = [];
  reloaded.logTo('Warn', { log: ({ text }) => void lines.push(text) });
  await before.keepDraft(conversation, { text: 'of the one before' });
  // The library calls a listener that is not there any more, and says so in its log.
  await until('the update has come', () => watch.unread > 0 || lines.some((line) => line.includes('a listener has thrown')));
  assert.equal(watch.unread, 0);
  reloaded.stopLogging();
  await after.shutdown();
  await before.shutdown();
  stale.cancel();
});
