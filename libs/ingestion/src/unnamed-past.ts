import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Gap, MarketDataError, Nanoseconds } from '@aipx/market-model';
import type { Subscription } from '@aipx/venue';
import type { VenueHours } from './absences.js';
import { UNNAMED_PAST_FILE } from './spill/recovery.js';
import { fileFault } from './spill/spill-error.js';
import { streamName } from './stream-name.js';
import { readTimes, writeTimes } from './times-file.js';

/** A stream whose gap is not in the log yet. */
interface UnnamedStream {
  /** When the past ended: with this process' beginning, or with that of one before it. */
  readonly endedAt: Nanoseconds;
  /** When this process began to follow it; absent before. */
  readonly begunAt?: Nanoseconds;
}

export interface PastVenue {
  readonly subscriptions: readonly Subscription[];
  readonly hours: VenueHours;
}

export interface UnnamedPastOptions {
  /** Of the spill queue. */
  readonly folder: string;
  readonly venues: ReadonlyMap<string, PastVenue>;
  /** The file cannot be written: a kill before the gaps are in the log leaves the stretch unnamed. */
  readonly onFault: (error: MarketDataError) => void;
}

/**
 * Keeps on the disk where each venue's past ended, from when a process begins to follow it until the log has the gaps that name the
 * time in between. A process that is killed before that has sent records already; the next one would take them for the end
 * of the past, and nobody would name the earlier stretch.
 */
export class UnnamedPast {
  readonly #path: string;
  readonly #options: UnnamedPastOptions;
  /** When each venue's past ended that an earlier process did not name. */
  readonly #earlier: ReadonlyMap<string, Nanoseconds>;
  readonly #venues: ReadonlyMap<string, Map<string, UnnamedStream>>;

  constructor(options: UnnamedPastOptions) {
    const { folder, venues } = options;
    this.#options = options;
    this.#path = join(folder, UNNAMED_PAST_FILE);
    this.#earlier = readTimes(this.#path);
    this.#venues = new Map([...venues].map(([venue, { subscriptions }]) => [venue, this.#left(venue, subscriptions)]));
    this.#save();
  }

  /** What comes of these streams is this process' own from now on. */
  begins(venue: string, subscriptions: readonly Subscription[], at: Nanoseconds): void {
    const endedAt = this.#earlier.get(venue) ?? at;
    for (const stream of subscriptions) this.#venues.get(venue)?.set(streamName(stream), { endedAt, begunAt: at });
    this.#save();
  }

  /** What was received from then on says nothing of the venue's past. Absent where earlier processes left nothing unnamed. */
  endOf(venue: string): Nanoseconds | undefined {
    return this.#earlier.get(venue);
  }

  /** The log has this gap. */
  stored({ cause, exchange, channel, symbol, from, to }: Gap): void {
    if (cause !== 'RECONNECT' || channel === undefined) return;
    const past = this.#venues.get(exchange)?.get(streamName({ channel, symbol }));
    if (past?.begunAt === undefined) return;
    const namesThePast = from <= past.endedAt && to >= this.#lastPossible(exchange, past.begunAt);
    if (namesThePast) this.forgetStream(exchange, { channel, symbol });
  }

  /** There is nothing to be named of what was followed, or what names it is on the disk. */
  forget(venue: string): void {
    const streams = this.#venues.get(venue) ?? new Map<string, UnnamedStream>();
    for (const [name, { begunAt }] of streams) if (begunAt !== undefined) streams.delete(name);
    this.#save();
  }

  /** There is nothing to be named of this stream. */
  forgetStream(venue: string, stream: Subscription): void {
    const streams = this.#venues.get(venue);
    if (streams?.delete(streamName(stream)) && streams.size === 0) this.#save();
  }

  #left(venue: string, subscriptions: readonly Subscription[]): Map<string, UnnamedStream> {
    const endedAt = this.#earlier.get(venue);
    if (endedAt === undefined) return new Map();
    return new Map(subscriptions.map((stream) => [streamName(stream), { endedAt }]));
  }

  /** Up to then the past is to be named: nothing was sent from there until this process began. */
  #lastPossible(venue: string, begunAt: Nanoseconds): Nanoseconds {
    return this.#options.venues.get(venue)?.hours.mayHaveSent?.({ from: 0n, to: begunAt })?.to ?? begunAt;
  }

  #save(): void {
    const open = [...this.#venues].filter(([, streams]) => streams.size > 0);
    try {
      if (open.length === 0) return rmSync(this.#path, { force: true });
      writeTimes(
        this.#path,
        open.map(([venue, streams]) => [venue, earliest(streams.values())] as const),
      );
    } catch (cause) {
      this.#options.onFault(fileFault(cause, this.#path) as MarketDataError);
    }
  }
}

function earliest(streams: Iterable<UnnamedStream>): Nanoseconds {
  return [...streams].map(({ endedAt }) => endedAt).reduce((first, each) => (each < first ? each : first));
}
