/**
 * The runtime that the generated code imports, made strict: JavaScript may pass anything, and the generated code would write it as
 * it is. What does not fit is an {@link InvalidArgumentError} before the library is called, and what was made ready for the call is
 * freed again. Numbers of 64 bits are `number`s here: no seq comes near the limit, and one that does is refused.
 */

import * as core from '@ubjs/core';
import type { Cursor, FfiConverter, RustBufferAllocator, UniffiByteArray, UniffiRustCallStatus } from '@ubjs/core';

import type { CallOptions } from './calls';
import { FieldpostError, InvalidArgumentError, type FailureFields } from './errors';

export * from '@ubjs/core';
export type { CallOptions };

/** Set when the library is loaded. */
export const library: {
  /** Frees a buffer that it has allocated. */
  free: ((view: Uint8Array) => void) | undefined;
  /** Whether it may call this thread. */
  callbacks: boolean;
} = { free: undefined, callbacks: true };

/** A character outside the first 65,536 is two units; one of them alone is no text, and UTF-8 has no bytes for it. */
const HALF = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;
const HALVES = new RegExp(HALF, 'g');

// ── What is ready for a call, and what undoes it if the call is not made

let undo: Array<() => void> | undefined;

function ready<T>(prepare: () => T): T {
  const before = undo;
  const mine: Array<() => void> = (undo = []);
  try {
    return prepare();
  } catch (error) {
    // Only what was refused before the call: after it, the library owns it all.
    if (error instanceof InvalidArgumentError) {
      mine.forEach((step) => step());
    }
    throw error;
  } finally {
    undo = before;
  }
}

interface ClonedBy<T> {
  clonePointer(object: T): bigint;
  freePointer(pointer: bigint): void;
}

/** The generated code has the library count one more user of an object for each call. */
export function cloned<T>(factory: ClonedBy<T>, object: T): bigint {
  const pointer = factory.clonePointer(object);
  undo?.push(() => factory.freePointer(pointer));
  return pointer;
}

/** As the generated `RetryAdvice.Never`, which is not loaded yet. */
const NEVER = Object.freeze({ tag: 'Never' }) as FailureFields['retry'];

/** What was passed is no argument. */
export function refused(what: string): never {
  throw new InvalidArgumentError({ kind: 'InvalidArgument', retry: NEVER, reason: what });
}

function named(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value;
}

/** An error of the library as one of this package. */
function toError(error: unknown): unknown {
  const fields = (error as { inner?: FailureFields }).inner;
  if (error instanceof core.UniffiError && fields?.kind !== undefined) {
    return fields.kind === 'InvalidArgument' ? new InvalidArgumentError(fields) : new FieldpostError(fields);
  }
  if (error instanceof core.UniffiInternalError.RustPanic) {
    // The text of a panic may have content.
    return new FieldpostError({ kind: 'Internal', retry: NEVER, reason: 'the library has failed; see its log' });
  }
  if (error instanceof core.UniffiInternalError.UnexpectedNullPointer) {
    return new FieldpostError({ kind: 'Closed', retry: NEVER, reason: 'this object was freed' }, { cause: error });
  }
  return error;
}

// ── Calls

export class UniffiRustCaller<S extends UniffiRustCallStatus> extends core.UniffiRustCaller<S> {
  override makeRustCall<T>(
    caller: (status: S) => T,
    liftString: (bytes: UniffiByteArray) => string,
    errorHandler?: (buffer: UniffiByteArray) => Error,
  ): T {
    try {
      return super.makeRustCall((status) => ready(() => caller(status)), liftString, errorHandler);
    } catch (error) {
      throw toError(error);
    }
  }
}

/** The stack of the call that was awaited, with the name and the text of the error above it. */
export function calledFrom(error: Error, stack: string | undefined): void {
  if (stack !== undefined) {
    error.stack = `${error.name}: ${error.message}\n${stack.slice(stack.indexOf('\n') + 1)}`;
  }
}

type AsyncCall = typeof core.uniffiRustCallAsync;

export const uniffiRustCallAsync: AsyncCall = async (caller, begin, ...rest) => {
  try {
    return await core.uniffiRustCallAsync(caller, () => ready(begin), ...rest);
  } catch (error) {
    throw error instanceof core.UniffiInternalError.AbortError ? abortReason(rest[6]?.signal) : toError(error);
  }
};

/** The signal of a call, if it has one. */
export function givenUp(call: CallOptions | undefined): { signal: AbortSignal } | undefined {
  const signal = call?.signal ?? undefined;
  if (signal !== undefined && typeof signal.addEventListener !== 'function') {
    refused('signal is no AbortSignal');
  }
  return signal && { signal };
}

/** What a call that was given up rejects with: the reason of the signal, where the engine has one. */
export function abortReason(signal: AbortSignal | undefined): unknown {
  return (signal as { reason?: unknown } | undefined)?.reason ?? new core.UniffiInternalError.AbortError();
}

// ── What the app is called for

/** JavaScript throws anything: nothing, a text, an object without a prototype. What reads it expects an error. */
function thrown(what: unknown): unknown {
  const { message, toString } = (what ?? {}) as Partial<Error>;
  if (typeof message === 'string' && typeof toString === 'function') {
    return what;
  }
  let text = 'something that is no text';
  try {
    text = String(what);
  } catch {
    // An object that cannot be a text.
  }
  return new Error(`the app has thrown ${text}`);
}

type LowerText = (text: string, alloc: RustBufferAllocator) => UniffiByteArray;

/** For texts that come from errors: a half character must not hide the error. */
const wellFormed = (lower: LowerText): LowerText => (text, alloc) => lower(text.replace(HALVES, '\uFFFD'), alloc);

function call<T>(app: () => T): T {
  try {
    return app();
  } catch (error) {
    throw thrown(error);
  }
}

export const uniffiTraitInterfaceCall: typeof core.uniffiTraitInterfaceCall = (app, success, failure, lowerText, alloc) =>
  core.uniffiTraitInterfaceCall(() => call(app), success, failure, wellFormed(lowerText), alloc);

export const uniffiTraitInterfaceCallWithError: typeof core.uniffiTraitInterfaceCallWithError = (
  app, success, failure, isKnown, lower, lowerText, alloc,
) => core.uniffiTraitInterfaceCallWithError(() => call(app), success, failure, isKnown, lower, wellFormed(lowerText), alloc);

/** The runtime expects that an answer can be written. One that cannot would be an unhandled rejection, and the library would wait. */
export const uniffiTraitInterfaceCallAsyncWithError: typeof core.uniffiTraitInterfaceCallAsyncWithError = (
  app, success, failure, isKnown, lower, lowerText, alloc,
) => {
  const writeText = wellFormed(lowerText);
  return core.uniffiTraitInterfaceCallAsyncWithError(
    async (signal) => {
      try {
        return await app(signal);
      } catch (error) {
        throw thrown(error);
      }
    },
    (answer) => {
      try {
        success(answer);
      } catch (error) {
        failure(core.CALL_UNEXPECTED_ERROR, writeText(`the app has answered wrongly: ${(error as Error).message}`, alloc));
      }
    },
    failure, isKnown, lower, writeText, alloc,
  );
};

// ── Arguments

/** Writes an argument of several parts. */
function lower<T>(converter: FfiConverter<UniffiByteArray, T>, value: T, alloc: RustBufferAllocator): UniffiByteArray {
  let view: Uint8Array | undefined;
  try {
    const size = converter.allocationSize(value);
    view = alloc(size);
    const cursor = core.Cursor.fromUint8Array(view);
    converter.writeIntoCursor(value, cursor);
    // A value that an enum does not have is not written at all.
    if (cursor.remaining() !== 0) {
      refused('a value is missing, or is none of its type');
    }
  } catch (error) {
    if (view !== undefined) {
      library.free?.(view);
    }
    if (error instanceof InvalidArgumentError) {
      throw error;
    }
    refused(`an argument is of a wrong type: ${error instanceof Error ? error.message : String(error)}`);
  }
  const written = view;
  undo?.push(() => library.free?.(written));
  return written;
}

export abstract class AbstractFfiConverterByteArray<T> extends core.AbstractFfiConverterByteArray<T> {
  override lower(value: T, alloc: RustBufferAllocator): UniffiByteArray {
    return lower(this, value, alloc);
  }
}

export class FfiConverterOptional<T> extends core.FfiConverterOptional<T> {
  override lower(value: T | undefined, alloc: RustBufferAllocator): UniffiByteArray {
    return lower(this, value, alloc);
  }
  override writeIntoCursor(value: T | undefined, cursor: Cursor): void {
    super.writeIntoCursor(value ?? undefined, cursor);
  }
  override allocationSize(value: T | undefined): number {
    return super.allocationSize(value ?? undefined);
  }
}

export class FfiConverterArray<T> extends core.FfiConverterArray<T> {
  override lower(value: T[], alloc: RustBufferAllocator): UniffiByteArray {
    return lower(this, value, alloc);
  }
  override allocationSize(value: T[]): number {
    return Array.isArray(value) ? super.allocationSize(value) : refused(`${named(value)} where a list belongs`);
  }
}

const NO_CALLBACKS = 'a worker thread has no watches, tokens, keychain or log: the library calls only the main thread';

/**
 * Handles that no other instance of this package has given out in this process. After a reload of the JavaScript, the library still
 * has handles of the instance before: they must not name a callback of this one.
 */
function freshHandles<T>(): core.UniffiHandleMap<T> {
  const handles = new core.UniffiHandleMap<T>();
  // Odd, as all handles that do not come from the library.
  Object.assign(handles, { currentHandle: (BigInt(Date.now()) << 20n) + (BigInt(Math.floor(Math.random() * 2 ** 19)) << 1n) + 1n });
  return handles;
}

/** A callback of the app. */
export class FfiConverterCallback<T> extends core.FfiConverterCallback<T> {
  constructor() {
    super(freshHandles<T>());
  }

  override lower(value: T, alloc: RustBufferAllocator): bigint {
    this.check(value);
    const handle = super.lower(value, alloc);
    undo?.push(() => this.drop(handle));
    return handle;
  }

  override writeIntoCursor(value: T, cursor: Cursor): void {
    cursor.writeU64(this.lower(value, undefined as never));
  }

  private check(value: T): void {
    if (typeof value !== 'object' || value === null) {
      refused(`${named(value)} where an object with methods belongs`);
    }
    if (!library.callbacks) {
      throw new InvalidArgumentError({ kind: 'NotPossible', retry: NEVER, reason: NO_CALLBACKS });
    }
  }
}

/** A converter that checks a value before it is written. */
function checked<F, T, C extends FfiConverter<F, T>>(converter: C, check: (value: T) => void): C {
  return Object.assign(Object.create(converter) as C, {
    lower(value: T, alloc: RustBufferAllocator): F {
      check(value);
      return converter.lower(value, alloc);
    },
    writeIntoCursor(value: T, cursor: Cursor): void {
      check(value);
      converter.writeIntoCursor(value, cursor);
    },
    allocationSize(value: T): number {
      check(value);
      return converter.allocationSize(value);
    },
  });
}

function whole(least: number, most: number): (value: unknown) => void {
  return (value) => {
    if (!Number.isInteger(value)) {
      refused(`${named(value)} where a whole number belongs`);
    }
    if ((value as number) < least || (value as number) > most) {
      refused(`${String(value)} is not between ${least} and ${most}`);
    }
  };
}

export const FfiConverterUInt8 = checked(core.FfiConverterUInt8, whole(0, 255));
export const FfiConverterUInt32 = checked(core.FfiConverterUInt32, whole(0, 4_294_967_295));
export const FfiConverterInt32 = checked(core.FfiConverterInt32, whole(-2_147_483_648, 2_147_483_647));

export const FfiConverterFloat64 = checked(core.FfiConverterFloat64, (value) => {
  if (typeof value !== 'number') {
    refused(`${named(value)} where a number belongs`);
  }
});

export const FfiConverterBool = checked(core.FfiConverterBool, (value) => {
  if (typeof value !== 'boolean') {
    refused(`${named(value)} where true or false belongs`);
  }
});

function exact(number: bigint): number {
  const value = Number(number);
  if (!Number.isSafeInteger(value)) {
    throw new core.UniffiInternalError.NumberOverflow();
  }
  return value;
}

const checkSafe = whole(0, Number.MAX_SAFE_INTEGER);

/** A number of 64 bits as a `number`. */
export const FfiConverterUInt64: FfiConverter<bigint, number> = {
  lift: exact,
  lower(value) {
    checkSafe(value);
    return BigInt(value);
  },
  readFromCursor: (cursor) => exact(cursor.readU64()),
  writeIntoCursor(value, cursor) {
    checkSafe(value);
    cursor.writeU64(BigInt(value));
  },
  allocationSize(value) {
    checkSafe(value);
    return 8;
  },
};

export const FfiConverterTimestamp = checked(core.FfiConverterTimestamp, (value) => {
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) {
    refused(`${named(value)} where a valid Date belongs`);
  }
});

export const FfiConverterDuration = checked(core.FfiConverterDuration, (value) => {
  if (typeof value !== 'number' || !(value >= 0) || value > Number.MAX_SAFE_INTEGER) {
    refused('a duration is a number of milliseconds, from 0 on');
  }
});

export const FfiConverterUint8Array = checked(core.FfiConverterUint8Array, (value) => {
  if (!ArrayBuffer.isView(value) || Object.prototype.toString.call(value) !== '[object Uint8Array]') {
    refused(`${named(value)} where a Uint8Array belongs`);
  }
});

function checkText(value: unknown): void {
  if (typeof value !== 'string') {
    refused(`${named(value)} where a text belongs`);
  }
  // Newer engines know it without a search.
  const known = (value as string & { isWellFormed?(): boolean }).isWellFormed;
  if (known === undefined ? HALF.test(value as string) : !known.call(value)) {
    refused('the text has half a character (a lone surrogate)');
  }
}

export const uniffiCreateFfiConverterString: typeof core.uniffiCreateFfiConverterString = (converter) =>
  checked(core.uniffiCreateFfiConverterString(converter), checkText);
