/** What becomes of updates that nobody reads: a watch keeps only so many. */

import { apply, type AnyDiff } from './diffs';
import type { OutboxEvent } from './native';

/** Follows the updates of one watch, and says what can wait in place of many of them. */
export interface Waiting<T> {
  /** An update has come. */
  came(update: T): void;
  /** Fewer updates that tell the same as those that have come and were not read. */
  instead(unread: readonly T[]): T[];
}

/** States: the newest says it all. */
export function states<T>(): Waiting<T> {
  return { came: () => undefined, instead: (unread) => unread.slice(-1) };
}

/** Changes of a list: the list as it is now, as one reset. */
export function changes<T, D>(diffsOf: (update: T) => readonly D[], withDiffs: (update: T, diffs: D[]) => T): Waiting<T> {
  const items: unknown[] = [];
  return {
    came: (update) => diffsOf(update).forEach((diff) => apply(items, diff as AnyDiff<unknown>)),
    instead(unread) {
      const last = unread.at(-1);
      const reset = { tag: 'Reset', inner: { values: items.slice() } } as D;
      return last === undefined ? [] : [withDiffs(last, [reset])];
    },
  };
}

/** Updates that are diffs and nothing else. */
export function diffs<D>(): Waiting<D[]> {
  return changes<D[], D>((update) => update, (_, reset) => reset);
}

/** Updates that have diffs, and something that is as it is now. */
export function updates<D, T extends { diffs: D[] }>(): Waiting<T> {
  return changes<T, D>((update) => update.diffs, (last, reset) => ({ ...last, diffs: reset }));
}

/** Events of the outbox: the last one of each entry. */
export function events(): Waiting<OutboxEvent> {
  return {
    came: () => undefined,
    instead(unread) {
      const last = new Map<string, OutboxEvent>();
      for (const event of unread) {
        const { mutationId } = event.inner.entry;
        // At the end again, where it has happened.
        last.delete(mutationId);
        last.set(mutationId, event);
      }
      return [...last.values()];
    },
  };
}
