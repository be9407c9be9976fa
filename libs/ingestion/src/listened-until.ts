import { join } from 'node:path';
import type { MarketDataError, Nanoseconds } from '@aipx/market-model';
import type { Subscription } from '@aipx/venue';
import { LISTENED_UNTIL_FILE } from './spill/recovery.js';
import { fileFault } from './spill/spill-error.js';
import { streamName } from './stream-name.js';
import { readTimes, writeTimes } from './times-file.js';

/**
 * Keeps on the disk until when each stream was listened to, by a process that ended in order, or behind a session's end.
 * A stream's last record does not tell: it may be hours old, and nothing is missing. An old time is never wrong, only less
 * of use: a process that ends otherwise leaves the one before.
 */
export class ListenedUntil {
  readonly #path: string;
  readonly #onFault: (error: MarketDataError) => void;
  /** By processes before this one. */
  readonly #found: ReadonlyMap<string, Nanoseconds>;
  readonly #times: Map<string, Nanoseconds>;

  /** @param folder of the spill queue */
  constructor(folder: string, onFault: (error: MarketDataError) => void) {
    this.#path = join(folder, LISTENED_UNTIL_FILE);
    this.#onFault = onFault;
    this.#found = readTimes(this.#path);
    this.#times = new Map(this.#found);
  }

  /** As a process before this one has left it. What this one saves says nothing of the time before it. */
  of(venue: string, subscription: Subscription): Nanoseconds | undefined {
    return this.#found.get(`${venue} ${streamName(subscription)}`);
  }

  /** Nothing of these streams was missed until then. Those that are not named keep their time. */
  save(streams: Iterable<readonly [venue: string, subscription: Subscription]>, at: Nanoseconds): void {
    for (const [venue, subscription] of streams) {
      this.#times.set(`${venue} ${streamName(subscription)}`, at);
    }
    try {
      writeTimes(this.#path, this.#times);
    } catch (cause) {
      this.#onFault(fileFault(cause, this.#path) as MarketDataError);
    }
  }
}
