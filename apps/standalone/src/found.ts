import type { EventLog } from '@aipx/event-log';
import { toIsoText, type Nanoseconds } from '@aipx/market-model';
import { EVENT_TOPICS } from '@aipx/market-proto';
import type { EmbeddedStores } from './embedded-stores.js';

/** One record is all that is looked at. */
const ONE = { maxRecords: 1, maxBytes: 1 };

/**
 * One sentence on what earlier runs left in the log, whether they ended in good order or were killed. Asked before
 * anything new is appended. `undefined` for a log without records.
 */
export async function foundText({ log, counts }: Pick<EmbeddedStores, 'log' | 'counts'>): Promise<string | undefined> {
  const parts = (await Promise.all(Object.values(EVENT_TOPICS).map((topic) => contentsOf(log, topic)))).flat();
  const times = parts.flatMap(({ first, last }) => [first, last]).sort((one, other) => (one < other ? -1 : 1));
  const [from, to] = [times[0], times.at(-1)];
  if (from === undefined || to === undefined) return undefined;
  const records = parts.reduce((sum, part) => sum + part.records, 0);
  const { hot, cold } = counts;
  const left = [
    [hot.recovered + hot.recoveredGap, 'the database'],
    [cold.recovered + cold.recoveredGap, 'the lake'],
  ] as const;
  const missing = left.flatMap(([count, store]) => (count === 0 ? [] : [`${number(count)} of them to ${store}`]));
  const stores = missing.length === 0 ? '' : `, after it has brought ${missing.join(' and ')}`;
  return `found ${number(records)} records, taken from ${toIsoText(from)} to ${toIsoText(to)}; this run goes on behind them${stores}`;
}

interface Contents {
  readonly records: number;
  /** When the log took the first and the last. */
  readonly first: Nanoseconds;
  readonly last: Nanoseconds;
}

async function contentsOf(log: EventLog, topic: string): Promise<readonly Contents[]> {
  const contents: Contents[] = [];
  for (const partition of await log.partitionsOf(topic)) {
    const { begin, end } = await log.range(partition);
    if (begin === end) continue;
    const [first] = await log.read(partition, begin, ONE);
    const [last] = await log.read(partition, end - 1n, ONE);
    if (first === undefined || last === undefined) continue;
    contents.push({ records: Number(end - begin), first: first.appendedAt, last: last.appendedAt });
  }
  return contents;
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}
