/** Watches: async iterators of updates. */

import type { CallOptions } from './calls';
import { WatchError } from './errors';
import type { Failure } from './native';
import { abortReason, givenUp } from './runtime';
import type { Waiting } from './waiting';

/** What ends a watch. */
interface Following {
  cancel(): void;
  uniffiDestroy?(): void;
}

interface Reader<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(error: unknown): void;
}

/** What can be given to every watch: the `signal` ends it. */
export type WatchOptions = CallOptions;

/** So many updates wait to be read; if there are more, fewer that tell the same take their place. */
const MOST_UNREAD = 100;

/** Node ends when nothing is left to do, and does not know that the library will call. The longest time that a timer has. */
const FOR_EVER = 2_147_483_647;
const engine = globalThis as { process?: { versions?: { node?: string } } };
const onNode = engine.process?.versions?.node !== undefined;

// Not made where it is used: it would hold what is there.
const nothing = (): void => undefined;

/** Watches that somebody waits for: nothing else may hold them meanwhile. */
const awaited = new Set<object>();

/**
 * What the library holds: it does not keep the watch from the collector. A watch that nobody has any more, because its loop was left by an
 * error of {@link Watch.next} or was never begun, ends when the collector finds it.
 */
class Listener<T> {
  private readonly watch: { deref(): Watch<T> | undefined };

  constructor(watch: Watch<T>) {
    this.watch = typeof WeakRef === 'undefined' ? { deref: () => watch } : new WeakRef(watch);
  }

  onUpdate(update: T): void {
    this.watch.deref()?.onUpdate(update);
  }

  onError(failure: Failure): void {
    this.watch.deref()?.onError(failure);
  }

  onEnd(): void {
    this.watch.deref()?.onEnd();
  }
}

/**
 * Updates, the first of which is what is there now. It can be iterated once.
 *
 * ```ts
 * for await (const update of await client.watchThread(conversation)) { … }
 * ```
 *
 * Leaving the loop ends the watch; so do {@link Watch.cancel}, the `signal`, and the shutdown of the client.
 *
 * The library reads again when an update has arrived here, so what changes meanwhile comes as one update. Of a loop that is slower than
 * that, at most 100 updates wait. Then the newest takes the place of all of them: of a list, a reset.
 */
export class Watch<T> implements AsyncIterableIterator<T, undefined> {
  private following: Following | undefined;
  private waiting: Array<{ update: T } | { error: WatchError }> = [];
  private readonly readers: Reader<T>[] = [];
  private ended = false;
  private keepAlive: ReturnType<typeof setTimeout> | undefined;
  private readonly aborted = (): void => this.cancel();

  private constructor(
    private readonly kind: Waiting<T>,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.signal?.addEventListener('abort', this.aborted);
  }

  /** Starts it: `start` gets the listener. @internal */
  static async start<T>(
    options: WatchOptions | undefined,
    kind: Waiting<T>,
    start: (listener: Listener<T>) => Following | Promise<Following>,
  ): Promise<Watch<T>> {
    const { signal } = givenUp(options) ?? {};
    if (signal?.aborted) {
      throw abortReason(signal);
    }
    const watch = new Watch<T>(kind, signal);
    try {
      watch.follow(await start(new Listener(watch)));
    } catch (error) {
      watch.end();
      throw error;
    }
    if (signal?.aborted) {
      throw abortReason(signal);
    }
    return watch;
  }

  private follow(following: Following): void {
    this.following = following;
    // It was given up, or the client was shut down, while it began.
    if (this.ended) {
      this.stop();
    }
  }

  // The library calls these three.

  /** @internal */
  onUpdate(update: T): void {
    if (!this.ended) {
      this.kind.came(update);
      this.arrive({ update });
    }
  }

  /** @internal */
  onError(failure: Failure): void {
    if (!this.ended) {
      this.arrive({ error: new WatchError(failure) });
    }
  }

  /** @internal */
  onEnd(): void {
    this.end();
  }

  /** How many updates have arrived and were not read. */
  get unread(): number {
    return this.waiting.length;
  }

  /** Ends the watch; a loop over it ends too. */
  cancel(): void {
    this.waiting = [];
    this.end();
  }

  /**
   * The next update. It rejects with a {@link WatchError} if a change could not be read. That ends a loop, but not the watch: iterate it
   * again, and the next update brings what was missed.
   */
  next(): Promise<IteratorResult<T, undefined>> {
    const first = this.waiting.shift();
    if (first !== undefined) {
      return 'error' in first ? Promise.reject(first.error) : Promise.resolve({ done: false, value: first.update });
    }
    if (this.ended) {
      return Promise.resolve({ done: true, value: undefined });
    }
    awaited.add(this);
    if (onNode) {
      this.keepAlive ??= setTimeout(nothing, FOR_EVER);
    }
    return new Promise((resolve, reject) => this.readers.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.cancel();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private arrive(what: { update: T } | { error: WatchError }): void {
    const reader = this.readers.shift();
    if (reader === undefined) {
      this.waiting.push(what);
      if (this.waiting.length > MOST_UNREAD) {
        this.shorten();
      }
    } else if ('error' in what) {
      reader.reject(what.error);
    } else {
      reader.resolve({ done: false, value: what.update });
    }
    this.rest();
  }

  private shorten(): void {
    const updates = this.waiting.flatMap((one) => ('update' in one ? [one.update] : []));
    // An update brings what an error has missed.
    this.waiting = updates.length === 0 ? this.waiting.slice(-1) : this.kind.instead(updates).map((update) => ({ update }));
  }

  private end(): void {
    this.ended = true;
    for (const reader of this.readers.splice(0)) {
      reader.resolve({ done: true, value: undefined });
    }
    this.signal?.removeEventListener('abort', this.aborted);
    this.rest();
    this.stop();
  }

  private stop(): void {
    const { following } = this;
    this.following = undefined;
    following?.cancel();
    following?.uniffiDestroy?.();
  }

  /** Nobody waits for it now. */
  private rest(): void {
    if (this.readers.length > 0) {
      return;
    }
    awaited.delete(this);
    if (this.keepAlive !== undefined) {
      clearTimeout(this.keepAlive);
      this.keepAlive = undefined;
    }
  }
}
