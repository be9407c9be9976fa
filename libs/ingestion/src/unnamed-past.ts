import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Gap, MarketDataError, Nanoseconds } from '@aipx/market-model';
import type { Subscription } from '@aipx/venue';
import { UNNAMED_PAST_FILE } from './spill/recovery.js';
import { errnoOf, fileFault } from './spill/spill-error.js';

/** Of one venue. */
interface VenuePast {
  /** When the process began that no gap names yet: this one, or one before it. */
  readonly endedAt: Nanoseconds;
  /** Streams whose gap is not in the log yet. */
  readonly streams: Set<string>;
}

export interface UnnamedPastOptions {
  /** Of the spill queue. */
  readonly folder: string;
  readonly venues: ReadonlyMap<string, readonly Subscription[]>;
  /** Now. */
  readonly startedAt: Nanoseconds;
  /** The file cannot be written: a kill before the gaps are in the log leaves the stretch unnamed. */
  readonly onFault: (error: MarketDataError) => void;
}

/**
 * Keeps on the disk where each venue's past ended, from the start of a process until the log has the gaps that name the
 * time in between. A process that is killed before that has sent records already; the next one would take them for the end
 * of the past, and nobody would name the earlier stretch.
 */
export class UnnamedPast {
  readonly #path: string;
  readonly #options: UnnamedPastOptions;
  readonly #earlier: ReadonlyMap<string, Nanoseconds>;
  readonly #venues: ReadonlyMap<string, VenuePast>;

  constructor(options: UnnamedPastOptions) {
    const { folder, venues, startedAt } = options;
    this.#options = options;
    this.#path = join(folder, UNNAMED_PAST_FILE);
    this.#earlier = readEnds(this.#path);
    this.#venues = new Map(
      [...venues].map(([venue, subscriptions]) => {
        const streams = subscriptions.map(({ channel, symbol }) => streamName(channel, symbol));
        return [venue, { endedAt: this.#earlier.get(venue) ?? startedAt, streams: new Set(streams) }] as const;
      }),
    );
    this.#save();
  }

  /** What was received from then on says nothing of the venue's past. Absent where earlier processes left nothing unnamed. */
  endOf(venue: string): Nanoseconds | undefined {
    return this.#earlier.get(venue);
  }

  /** The log has this gap. */
  stored({ cause, exchange, channel, symbol, from, to }: Gap): void {
    const past = this.#venues.get(exchange);
    if (past === undefined || cause !== 'RECONNECT' || channel === undefined) return;
    const namesThePast = from <= past.endedAt && to >= this.#options.startedAt;
    if (namesThePast && past.streams.delete(streamName(channel, symbol)) && past.streams.size === 0) this.#save();
  }

  /** There is nothing to be named, or what names it is on the disk. */
  forget(venue: string): void {
    this.#venues.get(venue)?.streams.clear();
    this.#save();
  }

  /** There is nothing to be named of this stream. */
  forgetStream(venue: string, { channel, symbol }: Subscription): void {
    const streams = this.#venues.get(venue)?.streams;
    if (streams?.delete(streamName(channel, symbol)) && streams.size === 0) this.#save();
  }

  #save(): void {
    const open = [...this.#venues].filter(([, { streams }]) => streams.size > 0);
    const ends = Object.fromEntries(open.map(([venue, { endedAt }]) => [venue, String(endedAt)]));
    try {
      if (open.length === 0) return rmSync(this.#path, { force: true });
      writeFileSync(`${this.#path}.new`, JSON.stringify(ends));
      renameSync(`${this.#path}.new`, this.#path);
    } catch (cause) {
      this.#options.onFault(fileFault(cause, this.#path) as MarketDataError);
    }
  }
}

/** When each venue's past ended that an earlier process did not name. */
function readEnds(path: string): ReadonlyMap<string, Nanoseconds> {
  try {
    const ends = JSON.parse(readFileSync(path, 'utf8')) as Readonly<Record<string, string>>;
    return new Map(Object.entries(ends).map(([venue, endedAt]) => [venue, BigInt(endedAt)]));
  } catch (cause) {
    if (errnoOf(cause) === undefined || errnoOf(cause) === 'ENOENT') return new Map(); // cut by a loss of power, or not there
    throw fileFault(cause, path);
  }
}

function streamName(channel: string, symbol: string): string {
  return `${channel} ${symbol}`;
}
