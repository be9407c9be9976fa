import { setTimeout as sleep } from 'node:timers/promises';
import { byPlace, type LogRange } from './kafka-admin.ts';
import type { Stage } from './stage.ts';

const PATIENCE_MS = 300_000;
const ASK_EVERY_MS = 500;
const EXAMPLES = 6;

/**
 * Waits until both stores stand at the log's end, by their own positions: rows of the database, entries of the manifest.
 *
 * @throws when they do not within five minutes; the message names who is behind, and by how much
 */
export async function drained(stage: Stage): Promise<readonly LogRange[]> {
  const ranges = await stage.admin.ranges();
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const [hot, cold] = await Promise.all([stage.database.positions(), stage.lake.ends()]);
    const behind = [...laggards('hot', ranges, hot), ...laggards('cold', ranges, cold)];
    if (behind.length === 0) return ranges;
    if (performance.now() > until) {
      const shown = behind.slice(0, EXAMPLES).join(', ');
      throw new Error(
        `not drained after ${PATIENCE_MS / 1_000} s: ${behind.length} partitions are behind, such as ${shown}`,
      );
    }
    await sleep(ASK_EVERY_MS, undefined, { signal: stage.signal });
  }
}

function laggards(store: string, ranges: readonly LogRange[], positions: ReadonlyMap<string, number>): string[] {
  return [...byPlace(ranges)]
    .filter(([place, { end }]) => (positions.get(place) ?? 0) < end)
    .map(([place, { end }]) => `${store} ${place} at ${positions.get(place) ?? 0} of ${end}`);
}
