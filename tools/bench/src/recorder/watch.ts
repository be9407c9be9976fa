import { setTimeout as sleep } from 'node:timers/promises';
import { spreadOf } from '../measure.ts';
import type { Metrics } from '../ingestion/metrics-text.ts';
import type { Service } from '../ingestion/service.ts';
import { readUsage } from '../ingestion/usage.ts';

/** One thing that was looked at once a second. */
export interface Series {
  readonly what: string;
  readonly unit: 'MB' | 'records' | 's';
  /** Medians of the halves of the run. */
  readonly firstHalf: number;
  readonly secondHalf: number;
  readonly highest: number;
  /** One a second. */
  readonly samples: readonly number[];
}

export interface Watched {
  readonly series: readonly Series[];
  /** Of one core, 0 to 100 and above. */
  readonly cpuPercent: number;
}

const EVERY_MS = 1_000;
const BYTES_A_MB = 1e6;
const SINKS = { timescaledb: 'database', s3: 'Parquet' } as const;
const TOPICS = ['market.tick', 'market.orderbook'] as const;

/** Looks at the recorder once a second until `work` is done. */
export async function watchWhile(service: Service, work: Promise<unknown>, signal: AbortSignal): Promise<Watched> {
  const samples = new Map<string, { unit: Series['unit']; values: number[] }>();
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  done.catch(() => undefined); // told below
  const [begun, begunAt] = [await readUsage(service.pid), performance.now()];
  let cpuPercent = 0;
  for (;;) {
    await Promise.race([sleep(EVERY_MS, undefined, { signal }), done]);
    if (isDone) break;
    const [usage, metrics] = await Promise.all([readUsage(service.pid), service.metrics()]);
    cpuPercent = (100 * (usage.cpuMs - begun.cpuMs)) / (performance.now() - begunAt);
    for (const [what, unit, value] of looksAt(usage.residentMb, metrics)) {
      const known = samples.get(what) ?? { unit, values: [] };
      samples.set(what, known);
      known.values.push(value);
    }
  }
  await done;
  return { cpuPercent, series: [...samples].map(([what, { unit, values }]) => seriesOf(what, unit, values)) };
}

function looksAt(residentMb: number, metrics: Metrics): readonly (readonly [string, Series['unit'], number])[] {
  const own = (name: string, labels = {}) => metrics.sum(name, labels);
  return [
    ['resident memory', 'MB', residentMb],
    ['heap', 'MB', own('nodejs_heap_size_used_bytes') / BYTES_A_MB],
    ...Object.entries(SINKS).flatMap(([sink, name]) => [
      // The service looks at the ends of the topics every ten seconds; before its first look there is no lag to tell.
      ...(metrics.holds('recorder_consumer_lag_records')
        ? TOPICS.map(
            (topic) =>
              [`${name}, lag of ${topic}`, 'records', own('recorder_consumer_lag_records', { sink, topic })] as const,
          )
        : []),
      [`${name}, oldest record that waits`, 's', own('recorder_oldest_waiting_age_seconds', { sink })] as const,
    ]),
  ];
}

function seriesOf(what: string, unit: Series['unit'], samples: readonly number[]): Series {
  const middle = Math.ceil(samples.length / 2);
  return {
    what,
    unit,
    firstHalf: spreadOf(samples.slice(0, middle)).median,
    secondHalf: spreadOf(samples.slice(middle)).median,
    highest: spreadOf(samples).max,
    samples,
  };
}
