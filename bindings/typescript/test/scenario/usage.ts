/** Threads and memory of this process. */

import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';

export interface Usage {
  threads: number;
  kib: number;
}

/** After a collection: it needs `node --expose-gc`. */
export async function usage(): Promise<Usage> {
  const { gc } = globalThis;
  if (gc === undefined) {
    throw new Error('start node with --expose-gc');
  }
  // What the collector finds unused is freed by the library when the event loop comes to it.
  for (let round = 0; round < 3; round += 1) {
    gc();
    await setImmediate();
  }
  const lines = new Map(
    readFileSync('/proc/self/status', 'utf8')
      .split('\n')
      .map((line) => line.split(':') as [string, string]),
  );
  return { threads: Number(lines.get('Threads')), kib: Number.parseInt(lines.get('VmRSS') ?? '0', 10) - unusedKib() };
}

/**
 * The engine keeps memory for objects that come and go, up to 48 MB, and how much depends on when it collects. Of its memory counts what is
 * in use; the rest of the process counts in full.
 */
function unusedKib(): number {
  const { total_physical_size, used_heap_size } = getHeapStatistics();
  return Math.floor((total_physical_size - used_heap_size) / 1024);
}

export async function grownSince(before: Usage): Promise<{ threads_grown: number; memory_grown_kib: number }> {
  const now = await usage();
  return { threads_grown: now.threads - before.threads, memory_grown_kib: now.kib - before.kib };
}
