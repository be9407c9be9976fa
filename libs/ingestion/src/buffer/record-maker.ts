import { deadLetterEntry } from '@aipx/event-log/dead-letter';
import type { DeadLetter, LogEntry } from '@aipx/event-log';
import type { Gap, MarketEvent, Nanoseconds } from '@aipx/market-model';
import { EVENT_TOPICS } from '@aipx/market-proto';
import { eventEntry } from '../frame-unit.js';
import type { SpilledEntry } from '../spill/spill-queue.js';
import { recordBytes, type RecordKind, type Stream, type WaitingRecord } from './waiting-record.js';

export interface MakerClocks {
  /** Wall clock, ns, as `received_timestamp` carries it. */
  readonly wall: () => Nanoseconds;
  /** Monotonic, ms. */
  readonly now: () => number;
}

const KIND_OF_TOPIC: Readonly<Record<string, RecordKind>> = Object.fromEntries(
  Object.entries(EVENT_TOPICS).map(([kind, topic]) => [topic, kind as RecordKind]),
);

/** Makes what waits out of events, dead letters and what comes back from the disk. */
export class RecordMaker {
  readonly #clocks: MakerClocks;
  /** By exchange, then symbol. */
  readonly #streams = {
    tick: new Map<string, Map<string, Stream>>(),
    orderbook: new Map<string, Map<string, Stream>>(),
  };

  constructor(clocks: MakerClocks) {
    this.#clocks = clocks;
  }

  event(event: MarketEvent): WaitingRecord {
    if (event.kind === 'gap') return this.gap(event);
    const { kind, exchange, symbol, receivedTimestamp } = event;
    const stream = this.#stream(kind, exchange, symbol);
    const after = stream.lastAt;
    stream.lastAt = receivedTimestamp;
    const replaceKey = kind === 'orderbook' ? stream : undefined;
    return this.#record(kind, exchange, eventEntry(event), receivedTimestamp, { stream, after, replaceKey });
  }

  gap(gap: Gap): WaitingRecord {
    const { cause, exchange, channel, symbol } = gap;
    const replaceKey = `${cause} ${exchange} ${channel} ${symbol}`;
    return this.#record('gap', exchange, eventEntry(gap), gap.to, { replaceKey, gap });
  }

  deadLetter(letter: DeadLetter): WaitingRecord {
    return this.#record('deadLetter', letter.exchange ?? '', deadLetterEntry(letter), this.#clocks.wall(), {});
  }

  /** What a record on the disk was before it went there. */
  spilled({ sequence, entry }: SpilledEntry): WaitingRecord {
    const kind = KIND_OF_TOPIC[entry.topic] ?? 'deadLetter';
    const exchange = entry.headers['exchange'] ?? '';
    const stream = kind === 'tick' || kind === 'orderbook' ? this.#stream(kind, exchange, entry.key) : undefined;
    const record = this.#record(kind, exchange, entry, entry.receivedAt, { stream });
    record.spilledAs = sequence;
    return record;
  }

  /** Symbols come from subscriptions and from what was written to the disk for them: a bounded set. */
  #stream(kind: Stream['kind'], exchange: string, symbol: string): Stream {
    const ofKind = this.#streams[kind];
    let ofExchange = ofKind.get(exchange);
    if (ofExchange === undefined) ofKind.set(exchange, (ofExchange = new Map()));
    let stream = ofExchange.get(symbol);
    if (stream === undefined) ofExchange.set(symbol, (stream = { kind, exchange, symbol, lastAt: undefined }));
    return stream;
  }

  #record(
    kind: RecordKind,
    exchange: string,
    entry: LogEntry,
    receivedAt: Nanoseconds,
    rest: Partial<Pick<WaitingRecord, 'stream' | 'after' | 'replaceKey' | 'gap'>>,
  ): WaitingRecord {
    return {
      kind,
      exchange,
      stream: rest.stream,
      replaceKey: rest.replaceKey,
      entry,
      gap: rest.gap,
      receivedAt,
      after: rest.after,
      waitingSince: this.#clocks.now(),
      bytes: recordBytes(entry),
      spilledAs: undefined,
    };
  }
}
