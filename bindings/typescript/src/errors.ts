/** The errors of every call. */

import type { ErrorKind, RetryAdvice } from './native';

/** What every failure tells. */
export interface FailureFields {
  /** For programs: `'Offline'`, `'SignedOut'`, `'InvalidArgument'` … */
  readonly kind: ErrorKind;
  /** Whether and when the same call can succeed. */
  readonly retry: RetryAdvice;
  /** For people, in English. It has no content and no token. */
  readonly reason: string;
}

/** A call has failed. */
export class FieldpostError extends Error implements FailureFields {
  override readonly name: string = 'FieldpostError';
  readonly kind: ErrorKind;
  readonly retry: RetryAdvice;

  constructor(fields: FailureFields, options?: ErrorOptions) {
    super(fields.reason, options);
    this.kind = fields.kind;
    this.retry = fields.retry;
  }

  /** For people: the message of the error. */
  get reason(): string {
    return this.message;
  }
}

/** An argument is none: a text that is no id, a number where a text belongs, half a character. */
export class InvalidArgumentError extends FieldpostError {
  override readonly name = 'InvalidArgumentError';
}

/** Reading a change has failed. The watch goes on: its next update brings what was missed. */
export class WatchError extends FieldpostError {
  override readonly name = 'WatchError';
}

/** The library cannot be loaded, or is of another version than this package. */
export class LibraryError extends Error {
  override readonly name = 'LibraryError';
}
