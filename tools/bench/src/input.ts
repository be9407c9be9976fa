import type { LogEntry } from '@aipx/event-log';
import type { Channel, MarketEvent, Nanoseconds } from '@aipx/market-model';
import { encodeEvent, EVENT_SCHEMAS, EVENT_TOPICS, PROTOBUF_CONTENT_TYPE } from '@aipx/market-proto';
import type { VenueSession } from '@aipx/venue';
import { seededRandom, type SimulatedConnection, type SimulatedMarket } from '@aipx/venue/simulation';
import { upbitDriver } from '@aipx/venue-upbit';
import { upbitSimulator } from '@aipx/venue-upbit/simulator';

const SEED = 1;
const BOOK_DEPTH = 15;
const FIRST_MILLIS = Date.UTC(2026, 0, 5);
/** The books of most BTC markets are thinner than what is asked for. */
const SYMBOLS = upbitSimulator.symbols.filter((symbol) => !symbol.startsWith('BTC-'));

/**
 * An endless input that is the same in every run: the frames that the simulated Upbit sends to the driver's own
 * subscription of its KRW and USDT markets. One event a millisecond, about what all of Upbit sends at its busiest.
 */
export class SimulatedInput {
  readonly session: VenueSession;
  readonly #connection: SimulatedConnection;
  readonly #market: SimulatedMarket;
  readonly #random = seededRandom(SEED, 'symbols');
  #millis = FIRST_MILLIS;

  constructor() {
    const subscriptions = SYMBOLS.flatMap((symbol) => [
      { symbol, channel: 'tick' as const },
      { symbol, channel: 'orderbook' as const },
    ]);
    this.session = upbitDriver.openSession({ subscriptions, bookDepth: BOOK_DEPTH, connectionId: 'bench' });
    const client = {
      control: ignored,
      later: ignored,
      close: (code: number) => {
        throw new Error(`the simulated venue closed the connection with ${code}`);
      },
    };
    this.#connection = upbitSimulator.accept(client, new Set(SYMBOLS));
    for (const text of this.session.opening) this.#connection.onText(text);
    this.#market = upbitSimulator.market({
      seed: SEED,
      now: () => this.#millis,
      nextStamp: () => ({ millis: this.#millis, counter: 0 }),
    });
  }

  /** Our clock: when the last frame was received. */
  get receivedAt(): Nanoseconds {
    return BigInt(this.#millis + 5) * 1_000_000n;
  }

  /** The next frames of a channel, no two alike. */
  frames(channel: Channel, count: number): readonly Uint8Array[] {
    return Array.from({ length: count }, () => this.#nextFrame(channel));
  }

  events(channel: Channel, count: number): readonly MarketEvent[] {
    return Array.from({ length: count }, () => this.#nextEvent(channel));
  }

  entries(channel: Channel, count: number): readonly LogEntry[] {
    return Array.from({ length: count }, () => entryOf(this.#nextEvent(channel)));
  }

  #nextFrame(channel: Channel): Uint8Array {
    this.#millis += 1;
    const symbol = SYMBOLS[Math.floor(this.#random() * SYMBOLS.length)] ?? '';
    const event = this.#market.next({ symbol, channel });
    const frame = event && this.#connection.frame(event);
    if (frame === undefined) throw new Error(`the simulated venue does not send ${channel} of ${symbol}`);
    return frame;
  }

  #nextEvent(channel: Channel): MarketEvent {
    const reading = this.session.read(this.#nextFrame(channel), this.receivedAt);
    const record = reading.kind === 'data' ? reading.records[0] : undefined;
    if (record?.outcome !== 'event')
      throw new Error(`the driver reads a ${channel} frame as ${JSON.stringify(reading)}`);
    return record.event;
  }
}

/** As the ingestion writes it. */
export function entryOf(event: MarketEvent): LogEntry {
  return {
    topic: EVENT_TOPICS[event.kind],
    key: event.symbol,
    value: encodeEvent(event),
    headers: HEADERS[event.kind],
  };
}

const HEADERS = { tick: headersOf('tick'), orderbook: headersOf('orderbook'), gap: headersOf('gap') };

function headersOf(kind: MarketEvent['kind']): Readonly<Record<string, string>> {
  return { exchange: upbitDriver.id, schema: EVENT_SCHEMAS[kind], 'content-type': PROTOBUF_CONTENT_TYPE };
}

function ignored(): void {
  // Heartbeats and their timers: the input needs neither.
}
