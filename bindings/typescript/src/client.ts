/** The client, as JavaScript has it: promises with an `AbortSignal`, and async iterators. */

import type { CallOptions } from './calls';
import type { ConversationId, MessageId } from './ids';
import {
  Client as NativeClient,
  ClientOptions as Options,
  ConversationQuery,
  Draft,
  RecordQuery,
  SearchQuery,
  TimelineOptions,
  Window,
  type ContextListener,
  type ConversationDiff,
  type ConversationSummary,
  type Export,
  type ExportFormat,
  type OutboxEvent,
  type Person,
  type RecordCounts,
  type Record as StoredRecord,
  type RecordDiff,
  type SearchPage,
  type SecretStore,
  type ServerSearch,
  type Status,
  type ThreadMessage,
  type ThreadUpdate,
  type ThreadWindow,
  type Timeline as NativeTimeline,
  type TimelineUpdate,
  type TokenProvider,
} from './native';
import { refused } from './runtime';
import { diffs, events, states, updates } from './waiting';
import { Watch, type WatchOptions } from './watch';

/** What {@link Client.open} needs: `database`, and for a server `url` and `anonKey`. */
export type ClientOptions = Pick<Options, 'database'> &
  Partial<Options> & {
    /** The app owns the session, and gives its tokens. */
    tokens?: TokenProvider | undefined;
    /** The tokens of the session lie in the keychain of the platform. */
    secrets?: SecretStore | undefined;
  };

/** The fields of a record, where those with a default may be left out. */
type Given<T, Needed extends keyof T> = Pick<T, Needed> & Partial<T>;

/** What a search asks for: a text, and conditions if need be. */
export type SearchFor = Given<SearchQuery, 'text'>;
/** What a query of records asks for: a table, and conditions if need be. */
export type RecordsFor = Given<RecordQuery, 'table'>;
/** A message to be written: a text, and what goes with it. */
export type DraftOf = Given<Draft, 'text'>;

type ContextUpdate = Parameters<ContextListener['onUpdate']>[0];

/** The methods that this file has in a form of its own. */
type Replaced =
  | `watch${string}`
  | 'timeline'
  | 'messages'
  | 'loadOlder'
  | 'search'
  | 'searchWithServer'
  | 'conversations'
  | 'records'
  | 'sendDraft'
  | 'keepDraft'
  | 'delete_'
  | 'export_'
  | 'uniffiDestroy'
  | 'uniffiUse';

type Kept = Pick<NativeClient, Exclude<keyof NativeClient, Extract<keyof NativeClient, Replaced>>>;

// The generated class, without the methods that are replaced. Its constructor is private: `open` makes clients.
const Generated = NativeClient as unknown as new () => Kept;

/** The same object as the generated class sees it. */
function native(client: Client): NativeClient {
  return client as unknown as NativeClient;
}

const own = NativeClient.prototype;

/** A timeline: iterate it for its updates, the first of which is a reset, and move it with its methods. */
export class Timeline {
  /** @internal */
  constructor(
    private readonly timeline: NativeTimeline,
    private readonly updates: Watch<TimelineUpdate>,
  ) {}

  /** What is beyond its ends, as last drawn. */
  ends(): ReturnType<NativeTimeline['ends']> {
    return this.timeline.ends();
  }

  /** Shows older messages. Resolves to false if there are none. */
  paginateBackwards(options?: CallOptions): Promise<boolean> {
    return this.timeline.paginateBackwards(options);
  }

  /** Shows newer messages, if it does not follow the end. Resolves to false if there are none. */
  paginateForwards(options?: CallOptions): Promise<boolean> {
    return this.timeline.paginateForwards(options);
  }

  /** Fetches messages of a gap; call it again while the gap is there. */
  fillGap(...given: Parameters<NativeTimeline['fillGap']>): Promise<boolean> {
    return this.timeline.fillGap(...given);
  }

  /** Moves it to another place. */
  goTo(...given: Parameters<NativeTimeline['goTo']>): Promise<void> {
    return this.timeline.goTo(...given);
  }

  /** Sends a refused message again. */
  retry(...given: Parameters<NativeTimeline['retry']>): ReturnType<NativeTimeline['retry']> {
    return this.timeline.retry(...given);
  }

  /** Takes a message back that has not reached the server. */
  takeBack(...given: Parameters<NativeTimeline['takeBack']>): ReturnType<NativeTimeline['takeBack']> {
    return this.timeline.takeBack(...given);
  }

  /** Ends it; a loop over it ends too. */
  cancel(): void {
    this.updates.cancel();
  }

  [Symbol.asyncIterator](): Watch<TimelineUpdate> {
    return this.updates;
  }
}

/**
 * One account on one device.
 *
 * Everything that the library's client can do is a method of it. Reading and writing work on the file at once, online or offline.
 */
export class Client extends Generated {
  /** Opens the file and builds the client. Needs no network. */
  static async open(options: ClientOptions, call?: CallOptions): Promise<Client> {
    const { tokens, secrets, ...settings } = given(options);
    const opened = await NativeClient.open(Options.create(settings as Options), tokens, secrets, call);
    Object.setPrototypeOf(opened, Client.prototype);
    return opened as unknown as Client;
  }

  /** Part of a thread, oldest message first: the newest 50 unless `window` says otherwise. */
  async messages(conversation: ConversationId, window?: Partial<Window>, call?: CallOptions): Promise<ThreadWindow> {
    return own.messages.call(native(this), conversation, Window.create(given(window)), call);
  }

  /** As {@link Client.messages}, and fetches what is only on the server. */
  async loadOlder(conversation: ConversationId, window?: Partial<Window>, call?: CallOptions): Promise<ThreadWindow> {
    return own.loadOlder.call(native(this), conversation, Window.create(given(window)), call);
  }

  /** Searches the messages on this device: a text, or a query with more conditions. */
  async search(query: string | SearchFor, call?: CallOptions): Promise<SearchPage> {
    return own.search.call(native(this), asked(query), call);
  }

  /** Begins a search on this device and on the server: a text, or a query with more conditions. */
  searchWithServer(query: string | SearchFor): ServerSearch {
    return own.searchWithServer.call(native(this), asked(query));
  }

  /** The conversations that match, pinned ones first, then newest activity; all without a query. */
  async conversations(query?: Partial<ConversationQuery>, call?: CallOptions): Promise<ConversationSummary[]> {
    return own.conversations.call(native(this), ConversationQuery.create(given(query)), call);
  }

  /** The records that a query asks for. */
  async records(query: RecordsFor, call?: CallOptions): Promise<StoredRecord[]> {
    return own.records.call(native(this), RecordQuery.create(given(query) as RecordQuery), call);
  }

  /** Writes a message that replies, mentions people, or has data of the app. */
  async sendDraft(conversation: ConversationId, draft: DraftOf, call?: CallOptions): Promise<ThreadMessage> {
    return own.sendDraft.call(native(this), conversation, Draft.create(given(draft) as Draft), call);
  }

  /** Keeps what the person has begun to write. */
  async keepDraft(conversation: ConversationId, draft: DraftOf, call?: CallOptions): Promise<void> {
    return own.keepDraft.call(native(this), conversation, Draft.create(given(draft) as Draft), call);
  }

  /** Deletes one's own message, for everybody. */
  delete(conversation: ConversationId, message: MessageId, call?: CallOptions): Promise<ThreadMessage> {
    return own.delete_.call(native(this), conversation, message, call);
  }

  /** Exports a conversation, line by line. */
  export(conversation: ConversationId, format: ExportFormat, call?: CallOptions): Promise<Export> {
    return own.export_.call(native(this), conversation, format, call);
  }

  /** Watches the conversations that match; {@link applied} applies the updates to a list. */
  watchConversations(
    query?: Partial<ConversationQuery>,
    options?: WatchOptions,
  ): Promise<Watch<ConversationDiff[]>> {
    return Watch.start(options, diffs(), (listener) =>
      own.watchConversations.call(native(this), ConversationQuery.create(given(query)), listener),
    );
  }

  /** Watches part of a thread. */
  watchThread(
    conversation: ConversationId,
    window?: Partial<Window>,
    options?: WatchOptions,
  ): Promise<Watch<ThreadUpdate>> {
    return Watch.start(options, updates(), (listener) =>
      own.watchThread.call(native(this), conversation, Window.create(given(window)), listener),
    );
  }

  /** Opens a timeline: what a screen shows of a thread. */
  async timeline(
    conversation: ConversationId,
    options?: Partial<TimelineOptions>,
    watch?: WatchOptions,
  ): Promise<Timeline> {
    let timeline: NativeTimeline | undefined;
    const shown = await Watch.start<TimelineUpdate>(watch, updates(), async (listener) => {
      timeline = await own.timeline.call(native(this), conversation, TimelineOptions.create(given(options)), listener);
      // It can still be moved, and says that it has ended, when its watch is over; the collector frees it.
      return { cancel: () => timeline?.cancel() };
    });
    return new Timeline(timeline as NativeTimeline, shown);
  }

  /** Watches the outbox. The first events are what is in it already. */
  watchOutbox(options?: WatchOptions): Promise<Watch<OutboxEvent>> {
    return Watch.start(options, events(), (listener) => own.watchOutbox.call(native(this), listener));
  }

  /** Watches the number for a badge. */
  watchUnreadForBadge(options?: WatchOptions): Promise<Watch<number>> {
    return Watch.start(options, states(), (listener) => own.watchUnreadForBadge.call(native(this), listener));
  }

  /** Watches the number of all unread messages. */
  watchTotalUnread(options?: WatchOptions): Promise<Watch<number>> {
    return Watch.start(options, states(), (listener) => own.watchTotalUnread.call(native(this), listener));
  }

  /** Watches the status. */
  watchStatus(options?: WatchOptions): Promise<Watch<Status>> {
    return Watch.start(options, states(), (listener) => own.watchStatus.call(native(this), listener));
  }

  /** Watches who is writing in a conversation. */
  watchTyping(conversation: ConversationId, options?: WatchOptions): Promise<Watch<Person[]>> {
    return Watch.start(options, states(), (listener) => own.watchTyping.call(native(this), conversation, listener));
  }

  /** Watches the records that a query asks for. */
  watchRecords(query: RecordsFor, options?: WatchOptions): Promise<Watch<RecordDiff[]>> {
    return Watch.start(options, diffs(), (listener) =>
      own.watchRecords.call(native(this), RecordQuery.create(given(query) as RecordQuery), listener),
    );
  }

  /** Watches how many changes of records wait. */
  watchRecordCounts(options?: WatchOptions): Promise<Watch<RecordCounts>> {
    return Watch.start(options, states(), (listener) => own.watchRecordCounts.call(native(this), listener));
  }

  /** Watches the state of records and messages together. */
  watchContext(options?: WatchOptions): Promise<Watch<ContextUpdate>> {
    return Watch.start(options, states(), (listener) => own.watchContext.call(native(this), listener));
  }
}

function asked(query: string | SearchFor): SearchQuery {
  return SearchQuery.create(given(typeof query === 'string' ? { text: query } : query) as SearchQuery);
}

/** A field that is there and undefined means the default, as with arguments of functions. */
function given<T extends object>(fields: T | undefined): T {
  if (typeof (fields ?? {}) !== 'object') {
    refused(`${typeof fields} where an object with fields belongs`);
  }
  return Object.fromEntries(Object.entries(fields ?? {}).filter(([, value]) => value !== undefined)) as T;
}
