import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { MarketDataError } from '@aipx/market-model';
import type { MarketCounters } from '@aipx/venue/simulation';

/** How far ahead of a counter its mark is set at first, and how long, ms, a mark should do. */
const FIRST_RESERVE = 1_000;
const MARK_LASTS_MS = 2_000;

interface Counter {
  value: number;
  /** What the file says: no value above it was ever shown. */
  mark: number;
  reserve: number;
  markedAt: number;
}

/**
 * Counters that outlive the process. The file says how far each may have come, and is moved before any comes further: a
 * clean end leaves the exact values, and after a killed run the counters go on from their marks, a little ahead. One
 * process at a time per file.
 */
export class KeptCounters implements MarketCounters {
  readonly #path: string;
  readonly #counters = new Map<string, Counter>();
  #period = '';

  /** @throws {MarketDataError} `CONFIG_INVALID` when the file holds something else or cannot be read */
  constructor(path: string) {
    this.#path = path;
    const { period, counters } = readKept(path);
    this.#period = period;
    for (const [name, mark] of Object.entries(counters)) this.#counters.set(name, counterAt(mark));
  }

  reached(period: string, name: string): number {
    this.#enter(period);
    return (period === this.#period && this.#counters.get(name)?.mark) || 0;
  }

  /** @throws {MarketDataError} `STORE_UNAVAILABLE` when the file cannot be written */
  raise(period: string, name: string, value: number): void {
    this.#enter(period);
    if (period !== this.#period) return; // the clock was set back by a day
    let counter = this.#counters.get(name);
    if (counter === undefined) this.#counters.set(name, (counter = counterAt(0)));
    counter.value = value;
    if (value <= counter.mark) return;
    const now = performance.now();
    if (now - counter.markedAt < MARK_LASTS_MS) counter.reserve *= 2;
    counter.markedAt = now;
    counter.mark = value + counter.reserve;
    this.#write();
  }

  /** Gives back what was reserved but not reached. */
  close(): void {
    if (this.#counters.size === 0) return;
    for (const counter of this.#counters.values()) counter.mark = counter.value;
    this.#write();
  }

  #enter(period: string): void {
    if (period <= this.#period) return;
    this.#period = period;
    this.#counters.clear();
  }

  /** By rename, so that a crash leaves the old file or the new one. */
  #write(): void {
    const marks = [...this.#counters].map(([name, { mark }]) => [name, mark]);
    try {
      writeFileSync(
        `${this.#path}.new`,
        `${JSON.stringify({ period: this.#period, counters: Object.fromEntries(marks) as Marks })}\n`,
      );
      renameSync(`${this.#path}.new`, this.#path);
    } catch (cause) {
      throw new MarketDataError('STORE_UNAVAILABLE', `the simulator's counters ${this.#path} cannot be written`, {
        cause,
      });
    }
  }
}

type Marks = Readonly<Record<string, number>>;

function counterAt(mark: number): Counter {
  return { value: mark, mark, reserve: FIRST_RESERVE, markedAt: Number.NEGATIVE_INFINITY };
}

function readKept(path: string): { readonly period: string; readonly counters: Marks } {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { period: '', counters: {} };
    throw new MarketDataError('CONFIG_INVALID', `the simulator's counters ${path} cannot be read`, { cause });
  }
  try {
    const kept = JSON.parse(text) as { period?: unknown; counters?: unknown };
    const counters = Object.entries(kept.counters ?? {}) as [string, unknown][];
    if (typeof kept.period === 'string' && counters.every(([, mark]) => Number.isSafeInteger(mark)))
      return { period: kept.period, counters: Object.fromEntries(counters) as Marks };
  } catch {
    // said below
  }
  throw new MarketDataError(
    'CONFIG_INVALID',
    `the simulator's counters ${path} hold ${JSON.stringify(text.slice(0, 40))}; expected a period and whole numbers by name`,
  );
}
