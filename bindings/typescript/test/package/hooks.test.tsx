import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Client, FieldpostError, OpenAt, RetryAdvice, type Status } from 'fieldpost';
import {
  FieldpostProvider,
  keyOf,
  useConversations,
  useStatus,
  useTimeline,
  useUnread,
  type ShownConversations,
  type ShownTimeline,
} from 'fieldpost/react';
import { StrictMode, type ReactElement } from 'react';
import { act, create, type ReactTestRenderer } from 'react-test-renderer';

import { counted, direct, signedIn, until } from './world';

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;

/** Renders in strict mode, which mounts everything twice. */
async function rendered(client: Client, element: ReactElement): Promise<ReactTestRenderer> {
  let renderer: ReactTestRenderer | undefined;
  await act(async () => {
    renderer = create(
      <StrictMode>
        <FieldpostProvider client={client}>{element}</FieldpostProvider>
      </StrictMode>,
    );
  });
  return renderer as ReactTestRenderer;
}

async function settled(what: string, isSo: () => boolean): Promise<void> {
  await act(async () => until(what, isSo));
}

test('the list follows a draft, and its snapshot stays the same object until then', async () => {
  const client = await signedIn();
  const conversation = await direct(client);
  const shown: ShownConversations[] = [];
  function List({ round }: { round: number }): ReactElement {
    shown.push(useConversations({ unread: false }));
    return <>{round}</>;
  }
  const renderer = await rendered(client, <List round={1} />);
  assert.equal(shown[0]?.ready, false);
  await settled('the list is read', () => shown.at(-1)?.ready === true);
  const before = shown.at(-1) as ShownConversations;
  assert.equal(before.conversations.length, 2);

  // A query that is written in the call is a new object each time. Nothing begins anew because of it.
  await act(async () => renderer.update(
    <StrictMode>
      <FieldpostProvider client={client}>
        <List round={2} />
      </FieldpostProvider>
    </StrictMode>,
  ));
  assert.equal(shown.at(-1), before);

  await act(() => client.keepDraft(conversation, { text: 'begun' }));
  await settled('the draft is shown', () => shown.at(-1)?.conversations.some((one) => one.draft === 'begun') === true);
  assert.notEqual(shown.at(-1), before);
  assert.equal(before.conversations.some((one) => one.draft === 'begun'), false);
  await act(async () => renderer.unmount());
  await client.shutdown();
});

test('a component that has left the screen leaves no subscription behind', async () => {
  const client = await signedIn();
  const conversation = await direct(client);
  const counts = counted('method_client_timeline', 'method_timeline_cancel', 'free_timeline');
  let shown: ShownTimeline | undefined;
  function Thread(): null {
    shown = useTimeline(conversation, { page: 2 });
    return null;
  }
  const renderer = await rendered(client, <Thread />);
  await settled('the timeline is read', () => shown?.ready === true);
  assert.equal(counts.method_client_timeline, 2, 'strict mode mounts twice');
  await settled('only one of both goes on', () => counts.method_timeline_cancel === 1);

  const watch = shown?.timeline?.[Symbol.asyncIterator]();
  await act(async () => renderer.unmount());
  assert.equal(counts.method_timeline_cancel, 2);
  assert.deepEqual(await watch?.next(), { done: true, value: undefined });
  shown = undefined;
  await client.shutdown();
});

test('all hooks of a screen give back what they have begun', async () => {
  const client = await signedIn();
  const counts = counted(
    'method_client_watch_conversations',
    'method_client_watch_status',
    'method_client_watch_unread_for_badge',
    'free_subscription',
  );
  function Screen(): null {
    useConversations();
    useStatus();
    useUnread();
    return null;
  }
  for (let round = 1; round <= 3; round += 1) {
    const renderer = await rendered(client, <Screen />);
    await act(async () => renderer.unmount());
  }
  const { free_subscription: _, ...begun } = counts;
  assert.deepEqual(Object.values(begun), [6, 6, 6], 'strict mode begins each twice');
  await until('all are given back', () => counts.free_subscription === 18);
  await client.shutdown();
});

test('a pagination that fails is told in the error, and rejects nowhere', async () => {
  const client = await signedIn();
  const conversation = await direct(client);
  const offline = new FieldpostError({ kind: 'Offline', retry: new RetryAdvice.Never(), reason: 'there is no network' });
  const timeline = client.timeline.bind(client);
  let isOffline = true;
  client.timeline = async (...given) => {
    const opened = await timeline(...given);
    opened.paginateBackwards = opened.paginateForwards = () => (isOffline ? Promise.reject(offline) : Promise.resolve(true));
    return opened;
  };
  const shown: ShownTimeline[] = [];
  function Thread(): null {
    shown.push(useTimeline(conversation, { page: 1, openAt: OpenAt.Newest.new() }));
    return null;
  }
  const renderer = await rendered(client, <Thread />);
  await settled('the timeline is read', () => shown.at(-1)?.ready === true);
  const last = shown.at(-1) as ShownTimeline;
  for (const paginate of ['paginateBackwards', 'paginateForwards'] as const) {
    const before = shown.at(-1)?.items;
    await act(async () => assert.equal(await last[paginate](), false));
    assert.equal(shown.at(-1)?.error, offline);
    assert.equal(shown.at(-1)?.items, before, 'what was shown stays');
    // The next change that can be read takes the error away.
    await act(async () => void (await client.send(conversation, 'now')));
    await settled('the error is gone', () => shown.at(-1)?.error === undefined);
  }
  // So does a pagination that has not failed, whether it changes something or not.
  await act(async () => void (await last.paginateBackwards()));
  assert.equal(shown.at(-1)?.error, offline);
  isOffline = false;
  await act(async () => assert.equal(await last.paginateBackwards(), true));
  assert.equal(shown.at(-1)?.error, undefined);
  isOffline = true;
  await act(async () => renderer.unmount());
  const count = shown.length;
  assert.equal(await last.paginateBackwards(), false);
  assert.equal(shown.length, count, 'a screen that was left hears nothing');
  await client.shutdown();
});

test('a timeline shows older messages when asked, with keys that stay', async () => {
  const client = await signedIn();
  const conversation = await direct(client);
  let shown: ShownTimeline | undefined;
  function Thread(): null {
    shown = useTimeline(conversation, { page: 1, openAt: OpenAt.Newest.new() });
    return null;
  }
  const renderer = await rendered(client, <Thread />);
  await settled('the timeline is read', () => shown?.ready === true);
  const before = (shown as ShownTimeline).items.length;
  await act(async () => void (await (shown as ShownTimeline).paginateBackwards()));
  await settled('older items are shown', () => (shown as ShownTimeline).items.length > before);
  const keys = (shown as ShownTimeline).items.map(keyOf);
  assert.equal(new Set(keys).size, keys.length);
  await act(async () => renderer.unmount());
  await client.shutdown();
});

test('the status is there at once, and says when a message waits', async () => {
  const client = await signedIn();
  const conversation = await direct(client);
  const shown: (Status | undefined)[] = [];
  function Line(): null {
    shown.push(useStatus());
    return null;
  }
  const renderer = await rendered(client, <Line />);
  assert.equal(shown[0]?.signedIn, true);
  await act(async () => void (await client.send(conversation, 'Waiting')));
  await settled('it waits', () => (shown.at(-1)?.pending ?? 0) > 0);
  await act(async () => void (await client.sync()));
  await settled('nothing waits', () => shown.at(-1)?.pending === 0);
  await act(async () => renderer.unmount());
  await client.shutdown();
});

test('the unread count follows', async () => {
  const client = await signedIn();
  const conversation = await direct(client);
  // Other tests have read what the demo has.
  const admin = await signedIn('admin');
  await admin.send(conversation, 'Are you there?');
  await admin.sync();
  await admin.shutdown();
  await client.sync();
  let count = -1;
  function Badge(): null {
    count = useUnread('total');
    return null;
  }
  const renderer = await rendered(client, <Badge />);
  await settled('something is unread', () => count > 0);
  const before = count;
  const { unread = 0, lastSeq = 0 } = (await client.conversation(conversation)) ?? {};
  assert.ok(unread > 0, 'a message is unread in it');
  await act(async () => void (await client.markRead(conversation, lastSeq)));
  await settled('the thread is read', () => count === before - unread);
  await act(async () => renderer.unmount());
  await client.shutdown();
});

test('a shutdown ends what the hooks follow, and they keep what they show', async () => {
  const client = await signedIn();
  let shown: ShownConversations | undefined;
  function List(): null {
    shown = useConversations();
    return null;
  }
  const renderer = await rendered(client, <List />);
  await settled('the list is read', () => shown?.ready === true);
  await act(() => client.shutdown());
  assert.equal(shown?.conversations.length, 2);
  await act(async () => renderer.unmount());

  // A screen that opens after it is told why there is nothing.
  const late = await rendered(client, <List />);
  await settled('it fails', () => shown?.error?.kind === 'Closed');
  await act(async () => late.unmount());
});

test('a hook without a provider says so', async () => {
  const { error } = console;
  console.error = () => undefined;
  function Lost(): null {
    useStatus();
    return null;
  }
  await assert.rejects(async () => act(async () => void create(<Lost />)), /FieldpostProvider/);
  console.error = error;
});
