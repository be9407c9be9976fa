import { setTimeout as sleep } from 'node:timers/promises';
import { spreadOf } from '../measure.ts';
import { startPair, type Setting } from './load.ts';

/** One minute of a long run. */
export interface Minute {
  readonly minute: number;
  /** Median of its samples. */
  readonly residentMb: number;
  /** Lowest of its samples: what is left when garbage has been collected. */
  readonly heapMb: number;
}

/** How much memory grows, from the second half of the run. */
export interface Slope {
  readonly residentMbAMinute: number;
  readonly heapMbAMinute: number;
}

const SAMPLES_A_MINUTE = 12;
const MINUTE_MS = 60_000;
const BYTES_A_MB = 1e6;

/** Keeps one service under load and looks at its memory. */
export async function measureFlat(
  setting: Setting,
  { rate, minutes }: { readonly rate: number; readonly minutes: number },
  onMinute: (minute: Minute) => void,
): Promise<{ readonly minutes: readonly Minute[]; readonly slope: Slope }> {
  await using pair = await startPair(setting, rate);
  const done: Minute[] = [];
  while (done.length < minutes) {
    const [resident, heap]: [number[], number[]] = [[], []];
    for (let sample = 0; sample < SAMPLES_A_MINUTE; sample += 1) {
      await sleep(MINUTE_MS / SAMPLES_A_MINUTE, undefined, { signal: setting.signal });
      const metrics = await pair.service.metrics();
      resident.push(metrics.sum('process_resident_memory_bytes') / BYTES_A_MB);
      heap.push(metrics.sum('nodejs_heap_size_used_bytes') / BYTES_A_MB);
    }
    const minute = { minute: done.length + 1, residentMb: spreadOf(resident).median, heapMb: spreadOf(heap).min };
    done.push(minute);
    onMinute(minute);
  }
  await pair.venue.finish();
  await pair.service.stop();
  const second = done.slice(Math.floor(done.length / 2));
  const slope = {
    residentMbAMinute: slopeOf(second.map(({ minute, residentMb }) => [minute, residentMb])),
    heapMbAMinute: slopeOf(second.map(({ minute, heapMb }) => [minute, heapMb])),
  };
  return { minutes: done, slope };
}

/** Of the line that fits best: least squares. 0 for a single point. */
export function slopeOf(points: readonly (readonly [number, number])[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return spread === 0 ? 0 : points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
}
