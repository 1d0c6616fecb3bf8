/** The client, as JavaScript has it: promises with an `AbortSignal`, and async iterators. */

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
  type Status,
  type ThreadMessage,
  type ThreadUpdate,
  type ThreadWindow,
  type Timeline as NativeTimeline,
  type TimelineUpdate,
  type TokenProvider,
} from './native';
import { abortReason } from './runtime';
import { Watch, type WatchOptions } from './watch';

/** What {@link Client.open} needs: `database`, and for a server `url` and `anonKey`. */
export type ClientOptions = Pick<Options, 'database'> &
  Partial<Options> & {
    /** The app owns the session, and gives its tokens. */
    tokens?: TokenProvider | undefined;
    /** The tokens of the session lie in the keychain of the platform. */
    secrets?: SecretStore | undefined;
  };

/** A call that can be given up. What it has begun to write is written all the same. */
export interface CallOptions {
  signal: AbortSignal;
}

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
    const { tokens, secrets, ...settings } = options;
    const opened = await NativeClient.open(Options.create(given(settings) as Options), tokens, secrets, call);
    Object.setPrototypeOf(opened, Client.prototype);
    return opened as unknown as Client;
  }

  /** Part of a thread, oldest message first: the newest 50 unless `window` says otherwise. */
  messages(conversation: ConversationId, window?: Partial<Window>, call?: CallOptions): Promise<ThreadWindow> {
    return own.messages.call(native(this), conversation, Window.create(given(window)), call);
  }

  /** As {@link Client.messages}, and fetches what is only on the server. */
  loadOlder(conversation: ConversationId, window?: Partial<Window>, call?: CallOptions): Promise<ThreadWindow> {
    return own.loadOlder.call(native(this), conversation, Window.create(given(window)), call);
  }

  /** Searches the messages on this device: a text, or a query with more conditions. */
  search(query: string | SearchFor, call?: CallOptions): Promise<SearchPage> {
    const asked = typeof query === 'string' ? { text: query } : query;
    return own.search.call(native(this), SearchQuery.create(given(asked) as SearchQuery), call);
  }

  /** The conversations that match, pinned ones first, then newest activity; all without a query. */
  conversations(query?: Partial<ConversationQuery>, call?: CallOptions): Promise<ConversationSummary[]> {
    return own.conversations.call(native(this), ConversationQuery.create(given(query)), call);
  }

  /** The records that a query asks for. */
  records(query: RecordsFor, call?: CallOptions): Promise<StoredRecord[]> {
    return own.records.call(native(this), RecordQuery.create(given(query) as RecordQuery), call);
  }

  /** Writes a message that replies, mentions people, or has data of the app. */
  sendDraft(conversation: ConversationId, draft: DraftOf, call?: CallOptions): Promise<ThreadMessage> {
    return own.sendDraft.call(native(this), conversation, Draft.create(given(draft) as Draft), call);
  }

  /** Keeps what the person has begun to write. */
  keepDraft(conversation: ConversationId, draft: DraftOf, call?: CallOptions): Promise<void> {
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
    return this.watch(options, (listener) =>
      own.watchConversations.call(native(this), ConversationQuery.create(given(query)), listener),
    );
  }

  /** Watches part of a thread. */
  watchThread(
    conversation: ConversationId,
    window?: Partial<Window>,
    options?: WatchOptions,
  ): Promise<Watch<ThreadUpdate>> {
    return this.watch(options, (listener) =>
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
    const updates = await this.watch<TimelineUpdate>(watch, async (listener) => {
      timeline = await own.timeline.call(native(this), conversation, TimelineOptions.create(given(options)), listener);
      // It can still be moved, and says that it has ended, when its watch is over; the collector frees it.
      return { cancel: () => timeline?.cancel() };
    });
    return new Timeline(timeline as NativeTimeline, updates);
  }

  /** Watches the outbox. The first events are what is in it already. */
  watchOutbox(options?: WatchOptions): Promise<Watch<OutboxEvent>> {
    return this.watch(options, (listener) => own.watchOutbox.call(native(this), listener));
  }

  /** Watches the number for a badge. */
  watchUnreadForBadge(options?: WatchOptions): Promise<Watch<number>> {
    return this.watch(options, (listener) => own.watchUnreadForBadge.call(native(this), listener));
  }

  /** Watches the number of all unread messages. */
  watchTotalUnread(options?: WatchOptions): Promise<Watch<number>> {
    return this.watch(options, (listener) => own.watchTotalUnread.call(native(this), listener));
  }

  /** Watches the status. */
  watchStatus(options?: WatchOptions): Promise<Watch<Status>> {
    return this.watch(options, (listener) => own.watchStatus.call(native(this), listener));
  }

  /** Watches who is writing in a conversation. */
  watchTyping(conversation: ConversationId, options?: WatchOptions): Promise<Watch<Person[]>> {
    return this.watch(options, (listener) => own.watchTyping.call(native(this), conversation, listener));
  }

  /** Watches the records that a query asks for. */
  watchRecords(query: RecordsFor, options?: WatchOptions): Promise<Watch<RecordDiff[]>> {
    const asked = RecordQuery.create(given(query) as RecordQuery);
    return this.watch(options, (listener) => own.watchRecords.call(native(this), asked, listener));
  }

  /** Watches how many changes of records wait. */
  watchRecordCounts(options?: WatchOptions): Promise<Watch<RecordCounts>> {
    return this.watch(options, (listener) => own.watchRecordCounts.call(native(this), listener));
  }

  /** Watches the state of records and messages together. */
  watchContext(options?: WatchOptions): Promise<Watch<ContextUpdate>> {
    return this.watch(options, (listener) => own.watchContext.call(native(this), listener));
  }

  private watch<T>(
    options: WatchOptions | undefined,
    start: (listener: Watch<T>) => Parameters<Watch<T>['follow']>[0] | Promise<Parameters<Watch<T>['follow']>[0]>,
  ): Promise<Watch<T>> {
    if (options?.signal?.aborted) {
      return Promise.reject(abortReason(options.signal));
    }
    return Watch.start(options, start);
  }
}

/** A field that is there and undefined means the default, as with arguments of functions. */
function given<T extends object>(fields: T | undefined): T {
  return Object.fromEntries(Object.entries(fields ?? {}).filter(([, value]) => value !== undefined)) as T;
}
