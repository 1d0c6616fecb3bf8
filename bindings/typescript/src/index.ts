/**
 * Offline-first messaging for field teams on Supabase.
 *
 * An app opens a {@link Client} on a local file and a Supabase project. Reading and writing work on the file at once, online or
 * offline; {@link Client.sync} makes both sides agree when there is a network. See README.md for an example.
 */

import './library';

export * from './ids';
export { FieldpostError, InvalidArgumentError, LibraryError, WatchError, type FailureFields } from './errors';
export type { CallOptions } from './calls';
export { Client, Timeline, type ClientOptions, type DraftOf, type RecordsFor, type SearchFor } from './client';
export { applied, type Diff, type ItemOf } from './diffs';
export { Watch, type WatchOptions } from './watch';
export { VERSION } from './version';
export * from './native';
