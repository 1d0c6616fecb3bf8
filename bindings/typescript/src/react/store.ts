/** A watch as a store of React: a snapshot that stays the same object until something has changed. */

import { FieldpostError, WatchError } from '../errors';
import type { Watch } from '../watch';

/** What `useSyncExternalStore` needs. */
export interface Store<S> {
  subscribe(changed: () => void): () => void;
  snapshot(): S;
  /** Something else about what is shown has failed, or has not. */
  fail(error: FieldpostError | undefined): void;
}

/** What a store follows. */
interface Source<T, S> {
  /** Starts the watch. */
  start(signal: AbortSignal): Promise<Watch<T>>;
  /** The snapshot after an update. */
  updated(before: S, update: T): S;
  /** The snapshot after a failure; by default the one before. */
  failed?(before: S, error: FieldpostError | undefined): S;
}

/**
 * Makes a store. Its watch runs while somebody is subscribed, and begins anew with a reset for the next one: React's strict mode
 * subscribes twice, and a component that has left the screen leaves nothing behind.
 */
export function storeOf<T, S>(first: S, source: Source<T, S>): Store<S> {
  let now = first;
  let running: AbortController | undefined;
  const listeners = new Set<() => void>();

  function become(next: S): void {
    if (next !== now) {
      now = next;
      listeners.forEach((changed) => changed());
    }
  }

  async function follow({ signal }: AbortController): Promise<void> {
    // After the end of a run, its last update may still be on its way.
    const unless = (over: boolean, next: () => S): void => void (over || become(next()));
    const failed = (error: FieldpostError): void => unless(signal.aborted, () => source.failed?.(now, error) ?? now);
    let watch: Watch<T> | undefined;
    try {
      watch = await source.start(signal);
      for (;;) {
        try {
          const result = await watch.next();
          if (result.done) {
            return;
          }
          unless(signal.aborted, () => source.updated(now, result.value));
        } catch (error) {
          // The watch goes on: its next update brings what was missed.
          if (!(error instanceof WatchError)) {
            throw error;
          }
          failed(error);
        }
      }
    } catch (error) {
      if (error instanceof FieldpostError) {
        failed(error);
      } else if (!signal.aborted) {
        throw error;
      }
    } finally {
      watch?.cancel();
    }
  }

  return {
    subscribe(changed) {
      listeners.add(changed);
      if (running === undefined) {
        running = new AbortController();
        void follow(running);
      }
      return () => {
        listeners.delete(changed);
        if (listeners.size === 0) {
          running?.abort();
          running = undefined;
        }
      };
    },
    snapshot: () => now,
    fail(error) {
      if (running !== undefined) {
        become(source.failed?.(now, error) ?? now);
      }
    },
  };
}
