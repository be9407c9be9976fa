import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { MarketDataError } from '@aipx/market-model';
import type { TradeStamp } from '@aipx/venue/simulation';

const PER_MILLI = 10_000;
/** How far ahead a mark on disk reserves stamps; a killed run wastes at most this much. */
const RESERVED_MS = 2_000;

/** Shared by all simulators of this process, so that no two of them give out the same stamp. */
let last: TradeStamp = { millis: 0, counter: 0 };

/**
 * Stamps for trade ids: the wall clock and a counter, never the same twice in one process, not even when the clock
 * steps back. With a `markFile` the same holds across runs, killed ones included: the file says up to which ms stamps
 * may have been given out, and is moved before any of them is. One process at a time per file.
 */
export class TradeStamps {
  readonly #now: () => number;
  readonly #markFile: string | undefined;
  #reservedUntil = 0;

  /** @throws {MarketDataError} `CONFIG_INVALID` when the mark file holds something else or cannot be read */
  constructor({ now, markFile }: { readonly now: () => number; readonly markFile?: string | undefined }) {
    this.#now = now;
    this.#markFile = markFile;
    if (markFile !== undefined) {
      const mark = readMark(markFile);
      if (mark > last.millis) last = { millis: mark, counter: -1 };
      this.#reservedUntil = mark;
    }
  }

  next(): TradeStamp {
    const now = this.#now();
    if (now > last.millis) last = { millis: now, counter: 0 };
    else if (last.counter + 1 < PER_MILLI) last = { millis: last.millis, counter: last.counter + 1 };
    else last = { millis: last.millis + 1, counter: 0 };
    if (this.#markFile !== undefined && last.millis >= this.#reservedUntil) this.#mark(last.millis + RESERVED_MS);
    return last;
  }

  /** Gives back what was reserved but not used. */
  close(): void {
    if (this.#markFile !== undefined && this.#reservedUntil > last.millis + 1) this.#mark(last.millis + 1);
  }

  /** By rename, so that a crash leaves the old mark or the new one. */
  #mark(until: number): void {
    if (this.#markFile === undefined) return;
    try {
      writeFileSync(`${this.#markFile}.new`, `${until}\n`);
      renameSync(`${this.#markFile}.new`, this.#markFile);
    } catch (cause) {
      const message = `the simulator's id mark ${this.#markFile} cannot be written`;
      throw new MarketDataError('STORE_UNAVAILABLE', message, { cause });
    }
    this.#reservedUntil = until;
  }
}

function readMark(path: string): number {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw new MarketDataError('CONFIG_INVALID', `the simulator's id mark ${path} cannot be read`, { cause });
  }
  if (!/^\d{1,13}\n?$/.test(text)) {
    throw new MarketDataError(
      'CONFIG_INVALID',
      `the simulator's id mark ${path} holds ${JSON.stringify(text.slice(0, 40))}; expected milliseconds since 1970`,
    );
  }
  return Number(text);
}
