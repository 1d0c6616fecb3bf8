/** What every call can be given. */

/** A call that can be given up. What it has begun to write is written all the same. */
export interface CallOptions {
  /** Gives the call up: it rejects with the reason of the signal. */
  signal?: AbortSignal | undefined;
}
