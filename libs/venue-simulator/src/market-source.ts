import type { Subscription } from '@aipx/venue';
import type { Random, SimulatedMarket, SimulatedStream } from '@aipx/venue/simulation';
import type { Audience } from './audience.js';
import type { Delivery } from './delivery.js';
import { Pace } from './pace.js';

export interface MarketSourceOptions {
  readonly market: SimulatedMarket;
  readonly random: Random;
  /** Frames a second over all clients together, snapshots included. */
  readonly rate: number | 'max';
  /** How many of the events are trades, 0 to 1, where both trades and books are subscribed. */
  readonly tradeShare: number;
  readonly audience: Audience;
  readonly delivery: Delivery;
}

/**
 * Plays the market to everybody: an event goes to each client that has subscribed to its stream. A client that does not
 * read slows the market for all.
 */
export class MarketSource {
  readonly #options: MarketSourceOptions;
  #streamsOf: readonly (readonly SimulatedStream[])[] = [];
  #ticks: readonly SimulatedStream[] = [];
  #books: readonly SimulatedStream[] = [];

  constructor(options: MarketSourceOptions) {
    this.#options = options;
  }

  /** Until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { audience, delivery, rate } = this.#options;
    const pace = new Pace(rate);
    while (!signal.aborted) {
      let sent = 0;
      if (!audience.silent) {
        sent = this.#sendSnapshots();
        pace.spend(sent);
        this.#collectStreams();
        const events = this.#sendEvents(pace.due());
        pace.spend(events);
        sent += events;
        await delivery.settle();
      }
      if (audience.silent || this.#ticks.length + this.#books.length === 0) {
        await audience.change(signal);
        pace.restart();
      } else {
        await pace.pause(signal, sent);
      }
    }
  }

  #sendSnapshots(): number {
    const { audience, delivery, market } = this.#options;
    let sent = 0;
    for (const client of audience.clients) {
      for (const stream of client.protocol.takeSnapshotRequests()) {
        const event = market.snapshot(stream);
        const frame = client.protocol.frame(event);
        if (frame !== undefined && delivery.hand(client, frame, event)) sent += 1;
      }
    }
    return sent;
  }

  #sendEvents(frames: number): number {
    const { audience, delivery, market } = this.#options;
    let sent = 0;
    // A client may have lost its subscription in between, so not every event need become a frame.
    for (let tries = 0; tries < frames && sent < frames; tries += 1) {
      const stream = this.#pick();
      if (stream === undefined) break;
      const event = market.next(stream);
      if (event === undefined) continue;
      for (const client of audience.clients) {
        const frame = client.protocol.frame(event);
        if (frame !== undefined && delivery.hand(client, frame, event)) sent += 1;
      }
    }
    return sent;
  }

  #pick(): SimulatedStream | undefined {
    const { random, tradeShare } = this.#options;
    const trade = this.#books.length === 0 || (this.#ticks.length > 0 && random() < tradeShare);
    const streams = trade ? this.#ticks : this.#books;
    return streams[Math.floor(random() * streams.length)];
  }

  /** The streams that anybody wants, sorted, so that the walk does not depend on the order of a request. */
  #collectStreams(): void {
    const streamsOf = [...this.#options.audience.clients].map(({ protocol }) => protocol.streams);
    if (streamsOf.length === this.#streamsOf.length && streamsOf.every((own, at) => own === this.#streamsOf[at]))
      return;
    this.#streamsOf = streamsOf;
    this.#ticks = unionOf(streamsOf, 'tick');
    this.#books = unionOf(streamsOf, 'orderbook');
  }
}

function unionOf(
  streamsOf: readonly (readonly SimulatedStream[])[],
  channel: Subscription['channel'],
): readonly SimulatedStream[] {
  const wanted = streamsOf.flat().filter((stream) => stream.channel === channel);
  const byKey = new Map(wanted.map((stream) => [`${stream.symbol} ${stream.segment ?? ''}`, stream]));
  return [...byKey].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, stream]) => stream);
}
