/** Checks that library and package fit, once, when the package is loaded. */

import { LibraryError } from './errors';
import { callbacks, free, initialize } from './loading';
import { libraryVersion } from './native';
import { library } from './runtime';
import { VERSION } from './version';

function different(cause: unknown): LibraryError {
  return new LibraryError(
    `fieldpost ${VERSION} and its library are of different versions; build or install both together`,
    { cause },
  );
}

function load(): string {
  try {
    Object.assign(library, { free, callbacks });
    initialize();
    return libraryVersion();
  } catch (error) {
    // A library of another version lacks functions, or has them with other arguments.
    throw error instanceof LibraryError ? error : different(error);
  }
}

const found = load();
if (found !== VERSION) {
  throw different(new Error(`the package is ${VERSION} and its library is ${found}`));
}
