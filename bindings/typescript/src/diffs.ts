/** Changes of lists. Applying them to the list before gives the list after. */

import type { ConversationDiff, MessageDiff, RecordDiff, TimelineDiff } from './native';

/** A change of any list. */
export type Diff = ConversationDiff | MessageDiff | RecordDiff | TimelineDiff;

/** What is in the list that a diff changes. */
export type ItemOf<D extends Diff> = Extract<D, { tag: 'PushBack' }>['inner']['value'];

/** The diffs of all lists as one type. */
export type AnyDiff<Item> =
  | { tag: 'Reset' | 'Append'; inner: { values: Item[] } }
  | { tag: 'Clear' | 'PopFront' | 'PopBack' }
  | { tag: 'PushFront' | 'PushBack'; inner: { value: Item } }
  | { tag: 'Insert' | 'Set'; inner: { index: number; value: Item } }
  | { tag: 'Remove'; inner: { index: number } }
  | { tag: 'Truncate'; inner: { length: number } };

/** Returns a new list: the former one with the changes. The former one stays as it is. */
export function applied<D extends Diff>(list: readonly ItemOf<D>[], diffs: readonly D[]): readonly ItemOf<D>[] {
  const items = list.slice();
  for (const diff of diffs) {
    apply(items, diff as unknown as AnyDiff<ItemOf<D>>);
  }
  return items;
}

/** Changes the list itself. */
export function apply<Item>(items: Item[], diff: AnyDiff<Item>): void {
  switch (diff.tag) {
    case 'Reset':
      replace(items, diff.inner.values);
      break;
    case 'Append':
      append(items, diff.inner.values);
      break;
    case 'Clear':
      items.length = 0;
      break;
    case 'PopFront':
      items.shift();
      break;
    case 'PopBack':
      items.pop();
      break;
    case 'PushFront':
      items.unshift(diff.inner.value);
      break;
    case 'PushBack':
      items.push(diff.inner.value);
      break;
    case 'Insert':
      items.splice(diff.inner.index, 0, diff.inner.value);
      break;
    case 'Set':
      items[diff.inner.index] = diff.inner.value;
      break;
    case 'Remove':
      items.splice(diff.inner.index, 1);
      break;
    case 'Truncate':
      items.length = diff.inner.length;
      break;
  }
}

function replace<Item>(items: Item[], values: readonly Item[]): void {
  items.length = 0;
  append(items, values);
}

// Not `push(...values)`: a call takes only so many arguments.
function append<Item>(items: Item[], values: readonly Item[]): void {
  for (const value of values) {
    items.push(value);
  }
}
