import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MarketDataError, Nanoseconds } from '@aipx/market-model';
import type { Subscription } from '@aipx/venue';
import { LISTENED_UNTIL_FILE } from './spill/recovery.js';
import { errnoOf, fileFault } from './spill/spill-error.js';

/**
 * Keeps on the disk until when each stream was listened to, by a process that ended in order. A stream's last record does not
 * tell: it may be hours old, and nothing is missing. An old time is never wrong, only less of use: a process that ends
 * otherwise leaves the one before.
 */
export class ListenedUntil {
  readonly #path: string;
  readonly #onFault: (error: MarketDataError) => void;
  readonly #times: Map<string, Nanoseconds>;

  /** @param folder of the spill queue */
  constructor(folder: string, onFault: (error: MarketDataError) => void) {
    this.#path = join(folder, LISTENED_UNTIL_FILE);
    this.#onFault = onFault;
    this.#times = readTimes(this.#path);
  }

  of(venue: string, subscription: Subscription): Nanoseconds | undefined {
    return this.#times.get(streamName(venue, subscription));
  }

  /** Nothing of these streams was missed until then. Those that are not named keep their time. */
  save(streams: Iterable<readonly [venue: string, subscription: Subscription]>, at: Nanoseconds): void {
    for (const [venue, subscription] of streams) this.#times.set(streamName(venue, subscription), at);
    try {
      const times = [...this.#times].map(([name, time]) => [name, String(time)]);
      writeFileSync(`${this.#path}.new`, JSON.stringify(Object.fromEntries(times)));
      renameSync(`${this.#path}.new`, this.#path);
    } catch (cause) {
      this.#onFault(fileFault(cause, this.#path) as MarketDataError);
    }
  }
}

function readTimes(path: string): Map<string, Nanoseconds> {
  try {
    const times = JSON.parse(readFileSync(path, 'utf8')) as Readonly<Record<string, string>>;
    return new Map(Object.entries(times).map(([name, time]) => [name, BigInt(time)]));
  } catch (cause) {
    if (errnoOf(cause) === undefined || errnoOf(cause) === 'ENOENT') return new Map(); // cut by a loss of power, or not there
    throw fileFault(cause, path);
  }
}

function streamName(venue: string, { channel, symbol }: Subscription): string {
  return `${venue} ${channel} ${symbol}`;
}
