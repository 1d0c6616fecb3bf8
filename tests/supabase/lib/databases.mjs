// Databases that come and go while the cluster runs.
import { setTimeout as sleep } from "node:timers/promises";

// An autovacuum worker may be at work there. It is the superuser's, so the owner may not end it; it ends by itself soon.
const BUSY = new Set(["42501", "55006"]);

/** Drops a database, with whoever is connected to it. */
export async function dropDatabase(sql, name) {
  for (let left = 50; ; left--) {
    try {
      return await sql.unsafe(`drop database if exists ${name} with (force)`);
    } catch (error) {
      if (!BUSY.has(error.code) || left === 0) throw error;
      await sleep(200);
    }
  }
}
