/** Loads the library on React Native, in place of `loading.ts`: the turbo module installs it in the JavaScript engine. */

import { LibraryError } from './errors';
import generated from './generated/react-native/fieldpost_ffi';
import nativeModule from './generated/react-native/fieldpost_ffi-ffi';
import turboModule from './turbo/NativeFieldpost';

/** Whether the library may call this thread: React Native has one. */
export const callbacks = true;

/** Compares the contract of the generator, and a checksum of every function. */
export function initialize(): void {
  if (!turboModule.installRustCrate()) {
    throw new LibraryError('the library of fieldpost cannot be installed in this JavaScript engine');
  }
  generated.initialize();
}

/** Frees a buffer that the library has allocated. */
export const free = (view: Uint8Array): void => nativeModule().rustbuffer_free(view);
