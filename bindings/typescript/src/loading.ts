/** Loads the library on Node. Metro takes `loading.native.ts` in its place. */

import { isMainThread } from 'node:worker_threads';

import generated from './generated/node/fieldpost_ffi';
import nativeModule from './generated/node/fieldpost_ffi-ffi';

/**
 * Whether the library may call this thread. It has one place for the callbacks of a process: those of a worker would take the place
 * of the main thread's, whose watches would hear nothing from then on.
 */
export const callbacks = isMainThread;

/** Compares the contract of the generator, and a checksum of every function. */
export const initialize = (): void => generated.initialize(callbacks);

/** Frees a buffer that the library has allocated. */
export const free = (view: Uint8Array): void => nativeModule().rustbuffer_free(view);
