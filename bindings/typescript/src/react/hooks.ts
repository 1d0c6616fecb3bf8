/** Hooks: what a screen shows follows by itself. */

import { createContext, createElement, useContext, useMemo, useSyncExternalStore, type ReactElement, type ReactNode } from 'react';

import type { Client, Timeline } from '../client';
import { applied } from '../diffs';
import { FieldpostError } from '../errors';
import type { ConversationId } from '../ids';
import type { ConversationQuery, ConversationSummary, Ends, Status, TimelineItem, TimelineOptions, TimelineUpdate } from '../native';
import { storeOf, type Store } from './store';

const Context = createContext<Client | undefined>(undefined);

/** Gives the hooks below it their client. */
export function FieldpostProvider(props: { client: Client; children?: ReactNode }): ReactElement {
  return createElement(Context.Provider, { value: props.client }, props.children);
}

/** The client of the provider above. */
export function useClient(): Client {
  const client = useContext(Context);
  if (client === undefined) {
    throw new Error('there is no <FieldpostProvider> above this component');
  }
  return client;
}

/** What all lists have. */
export interface Shown {
  /** The first update has come. Until then a list is empty because nothing was read. */
  readonly ready: boolean;
  /** Why the list could not be read or moved; none when it could since. */
  readonly error: FieldpostError | undefined;
}

/** What {@link useConversations} returns. */
export interface ShownConversations extends Shown {
  readonly conversations: readonly ConversationSummary[];
}

/** What {@link useTimeline} returns. */
export interface ShownTimeline extends Shown {
  readonly items: readonly TimelineItem[];
  /** What is beyond the ends; none before the first update. */
  readonly ends: Ends | undefined;
  /** The timeline, to fill a gap or go to a message; none before the first update. */
  readonly timeline: Timeline | undefined;
  /**
   * Shows older messages; for `onEndReached` of an inverted list. Resolves to false if there are none. It never rejects: why it has failed
   * is in `error`.
   */
  readonly paginateBackwards: () => Promise<boolean>;
  /** Shows newer messages; otherwise as `paginateBackwards`. */
  readonly paginateForwards: () => Promise<boolean>;
}

function useStore<S>(make: (client: Client) => Store<S>, ...key: unknown[]): S {
  const client = useClient();
  // A query is most often written in the call, so it is a new object each time: what it says counts.
  const store = useMemo(() => make(client), [client, JSON.stringify(key)]);
  return useSyncExternalStore(store.subscribe, store.snapshot, store.snapshot);
}

/** The conversations that match: pinned ones first, then newest activity. */
export function useConversations(query?: Partial<ConversationQuery>): ShownConversations {
  return useStore((client) => conversations(client, query), query);
}

/** A timeline of a conversation: messages, day dividers, the unread marker, gaps. */
export function useTimeline(conversation: ConversationId, options?: Partial<TimelineOptions>): ShownTimeline {
  return useStore((client) => timeline(client, conversation, options), conversation, options);
}

/** The status of syncing. */
export function useStatus(): Status | undefined {
  return useStore(status);
}

/** Unread messages: those that call for attention, or all. */
export function useUnread(which: 'badge' | 'total' = 'badge'): number {
  return useStore((client) => unread(client, which), which);
}

const EMPTY: Shown = { ready: false, error: undefined };

function conversations(client: Client, query: Partial<ConversationQuery> | undefined): Store<ShownConversations> {
  const first: ShownConversations = { ...EMPTY, conversations: [] };
  return storeOf(first, {
    start: (signal) => client.watchConversations(query, { signal }),
    updated: (before, diffs) => ({ ready: true, error: undefined, conversations: applied(before.conversations, diffs) }),
    failed: (before, error) => ({ ...before, error }),
  });
}

function timeline(
  client: Client,
  conversation: ConversationId,
  options: Partial<TimelineOptions> | undefined,
): Store<ShownTimeline> {
  let opened: Timeline | undefined;
  const paginate = (direction: 'paginateBackwards' | 'paginateForwards') => async (): Promise<boolean> => {
    try {
      const more = (await opened?.[direction]()) ?? false;
      if (store.snapshot().error !== undefined) {
        store.fail(undefined);
      }
      return more;
    } catch (error) {
      if (!(error instanceof FieldpostError)) {
        throw error;
      }
      store.fail(error);
      return false;
    }
  };
  const first: ShownTimeline = {
    ...EMPTY,
    items: [],
    ends: undefined,
    timeline: undefined,
    paginateBackwards: paginate('paginateBackwards'),
    paginateForwards: paginate('paginateForwards'),
  };
  const store: Store<ShownTimeline> = storeOf<TimelineUpdate, ShownTimeline>(first, {
    async start(signal) {
      const begun = await client.timeline(conversation, options, { signal });
      // In strict mode two begin, and the one that was given up may be the last to come.
      if (!signal.aborted) {
        opened = begun;
      }
      return begun[Symbol.asyncIterator]();
    },
    updated: (before, { diffs, ends }) => ({
      ...before,
      ready: true,
      error: undefined,
      items: applied(before.items, diffs),
      ends,
      timeline: opened,
    }),
    failed: (before, error) => ({ ...before, error }),
  });
  return store;
}

function status(client: Client): Store<Status | undefined> {
  return storeOf<Status, Status | undefined>(client.isShutDown() ? undefined : client.status(), {
    start: (signal) => client.watchStatus({ signal }),
    updated: (_, now) => now,
  });
}

function unread(client: Client, which: 'badge' | 'total'): Store<number> {
  return storeOf(0, {
    start: (signal) => (which === 'badge' ? client.watchUnreadForBadge({ signal }) : client.watchTotalUnread({ signal })),
    updated: (_, now) => now,
  });
}

/** A key for an item, for `keyExtractor` of a list: it stays the same while the item changes. */
export function keyOf(item: TimelineItem): string {
  switch (item.tag) {
    case 'Message':
      return item.inner.message.id;
    case 'Day':
      return `day ${item.inner.day}`;
    case 'Gap':
      return `gap ${item.inner.from}`;
    case 'Loading':
      return `loading ${item.inner.direction}`;
    default:
      return item.tag;
  }
}
