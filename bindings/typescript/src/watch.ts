/** Watches: async iterators of updates. */

import { WatchError } from './errors';
import type { Failure } from './native';

/** What ends a watch. */
interface Following {
  cancel(): void;
  uniffiDestroy?(): void;
}

interface Reader<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(error: unknown): void;
}

/** What can be given to every watch. */
export interface WatchOptions {
  /** Ends the watch. */
  signal?: AbortSignal | undefined;
}

/** Node ends when nothing is left to do, and does not know that the library will call. The longest time that a timer has. */
const FOR_EVER = 2_147_483_647;
const engine = globalThis as { process?: { versions?: { node?: string } } };
const onNode = engine.process?.versions?.node !== undefined;

/**
 * Updates, the first of which is what is there now.
 *
 * ```ts
 * for await (const update of await client.watchThread(conversation)) { … }
 * ```
 *
 * Leaving the loop ends the watch; so do {@link Watch.cancel}, the `signal`, and the shutdown of the client. The library reads again
 * when an update has arrived here, so what changes meanwhile comes as one update.
 */
export class Watch<T> implements AsyncIterableIterator<T, undefined> {
  private following: Following | undefined;
  private readonly waiting: Array<{ update: T } | { error: WatchError }> = [];
  private readonly readers: Reader<T>[] = [];
  private ended = false;
  private keepAlive: ReturnType<typeof setTimeout> | undefined;
  private readonly signal: AbortSignal | undefined;
  private readonly aborted = (): void => this.cancel();

  /** @internal */
  constructor(options: WatchOptions = {}) {
    this.signal = options.signal;
    this.signal?.addEventListener('abort', this.aborted);
  }

  /** Starts it: `start` gets the listener. A watch that was cancelled meanwhile ends at once. @internal */
  static async start<T>(
    options: WatchOptions | undefined,
    start: (listener: Watch<T>) => Following | Promise<Following>,
  ): Promise<Watch<T>> {
    const watch = new Watch<T>(options);
    try {
      return watch.follow(await start(watch));
    } catch (error) {
      watch.end();
      throw error;
    }
  }

  /** @internal */
  follow(following: Following): this {
    this.following = following;
    if (this.ended) {
      this.stop();
    }
    return this;
  }

  // The library calls these three.

  /** @internal */
  onUpdate(update: T): void {
    this.arrive({ update });
  }

  /** @internal */
  onError(failure: Failure): void {
    this.arrive({ error: new WatchError(failure) });
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
    this.waiting.length = 0;
    this.end();
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const first = this.waiting.shift();
    if (first !== undefined) {
      return 'error' in first ? Promise.reject(first.error) : Promise.resolve({ done: false, value: first.update });
    }
    if (this.ended) {
      return Promise.resolve({ done: true, value: undefined });
    }
    if (onNode) {
      this.keepAlive ??= setTimeout(() => undefined, FOR_EVER);
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
    if (this.ended) {
      return;
    }
    const reader = this.readers.shift();
    if (reader === undefined) {
      this.waiting.push(what);
    } else if ('error' in what) {
      reader.reject(what.error);
    } else {
      reader.resolve({ done: false, value: what.update });
    }
    this.sleep();
  }

  private end(): void {
    this.ended = true;
    for (const reader of this.readers.splice(0)) {
      reader.resolve({ done: true, value: undefined });
    }
    this.signal?.removeEventListener('abort', this.aborted);
    this.sleep();
    this.stop();
  }

  private stop(): void {
    const { following } = this;
    this.following = undefined;
    following?.cancel();
    following?.uniffiDestroy?.();
  }

  private sleep(): void {
    if (this.readers.length === 0 && this.keepAlive !== undefined) {
      clearTimeout(this.keepAlive);
      this.keepAlive = undefined;
    }
  }
}
