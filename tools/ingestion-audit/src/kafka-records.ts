import type { KafkaMessage } from './kcat.ts';
import { bookText, GAP_CAUSES, tradeText, type Channel, type LoggedGap, type LoggedRecord } from './records.ts';
import { int64Field, messageFields, readWire, textField, uint64Field, type WireMessage } from './wire.ts';
import { digest } from './digest.ts';

/** What the topics hold, and what is wrong with single records. */
export interface KafkaHoldings {
  /** In the order of their offsets within each partition. */
  readonly records: readonly LoggedRecord[];
  readonly gaps: readonly LoggedGap[];
  readonly deadLetters: number;
  /** Wrong keys, headers or contents, in words. */
  readonly faults: readonly string[];
}

export const TOPICS = ['market.tick', 'market.orderbook', 'market.gap', 'market.dlq'] as const;

const SCHEMAS: Readonly<Record<string, string>> = {
  'market.tick': 'aipx.market.v1.TickData',
  'market.orderbook': 'aipx.market.v1.OrderBook',
  'market.gap': 'aipx.market.v1.Gap',
};

const SIDES = ['', 'BUY', 'SELL'];
const CHANNELS: readonly (Channel | undefined)[] = [undefined, 'tick', 'orderbook'];
const SNAPSHOT = 1n;
const REALTIME = 2n;
const NANOS_PER_MILLI = 1_000_000n;

/** Reads what kcat has read by the numbers in design.md, section 4. */
export class KafkaReader implements KafkaHoldings {
  readonly records: LoggedRecord[] = [];
  readonly gaps: LoggedGap[] = [];
  readonly faults: string[] = [];
  deadLetters = 0;
  readonly #exchange: string;

  constructor(exchange: string) {
    this.#exchange = exchange;
  }

  take(message: KafkaMessage): void {
    if (message.topic === 'market.dlq') {
      this.deadLetters += 1;
      return;
    }
    try {
      this.#read(message, readWire(message.value));
    } catch (cause) {
      this.#fault(message, cause instanceof Error ? cause.message : String(cause));
    }
  }

  #read(message: KafkaMessage, value: WireMessage): void {
    const { topic, partition, offset, key } = message;
    const schema = SCHEMAS[topic] ?? '';
    const headers = `exchange=${this.#exchange},schema=${schema},content-type=application/x-protobuf`;
    if (message.headers !== headers) this.#fault(message, `has the headers ${message.headers}; expected ${headers}`);
    const symbol = textField(value, topic === 'market.gap' ? 2 : 1);
    if (key !== symbol) this.#fault(message, `has the key ${key}; its symbol is ${symbol}`);
    const exchange = textField(value, { 'market.tick': 7, 'market.orderbook': 5 }[topic] ?? 1);
    if (exchange !== this.#exchange) this.#fault(message, `is of the exchange ${exchange}; expected ${this.#exchange}`);
    const place = { symbol, partition, offset };
    if (topic === 'market.tick') this.records.push({ ...place, ...tick(value) });
    else if (topic === 'market.orderbook') this.records.push({ ...place, ...book(value) });
    else this.gaps.push({ ...place, ...gap(value) });
  }

  #fault({ topic, partition, offset }: KafkaMessage, says: string): void {
    this.faults.push(`${topic}/${partition}/${offset} ${says}`);
  }
}

function tick(value: WireMessage) {
  const id = textField(value, 9);
  const isSnapshot = isSnapshotType(value, 11);
  const content = tradeText({
    id,
    price: textField(value, 2),
    volume: textField(value, 3),
    change: textField(value, 5),
    side: SIDES[Number(uint64Field(value, 8))] ?? 'unknown',
    time: int64Field(value, 4),
    isSnapshot,
  });
  const rate = textField(value, 6);
  if (rate !== '') throw new Error(`has the change rate ${rate}, which the venue does not print`);
  return {
    channel: 'tick',
    reference: id,
    receivedAt: int64Field(value, 10),
    isSnapshot,
    content: digest(content),
  } as const;
}

function book(value: WireMessage) {
  const isSnapshot = isSnapshotType(value, 7);
  const time = int64Field(value, 4);
  const content = bookText({
    time,
    bids: levels(value, 2),
    asks: levels(value, 3),
    totalBid: textField(value, 8),
    totalAsk: textField(value, 9),
    isSnapshot,
  });
  const reference = String(time / NANOS_PER_MILLI);
  return {
    channel: 'orderbook',
    reference,
    receivedAt: int64Field(value, 6),
    isSnapshot,
    content: digest(content),
  } as const;
}

function gap(value: WireMessage) {
  return {
    channel: CHANNELS[Number(uint64Field(value, 3))],
    from: int64Field(value, 4),
    to: int64Field(value, 5),
    cause: GAP_CAUSES[Number(uint64Field(value, 6))] ?? 'UNSPECIFIED',
    missed: uint64Field(value, 7),
  };
}

function levels(value: WireMessage, field: number): readonly string[] {
  return messageFields(value, field).map((level) => `${textField(level, 1)} ${textField(level, 2)}`);
}

function isSnapshotType(value: WireMessage, field: number): boolean {
  const type = uint64Field(value, field);
  if (type !== SNAPSHOT && type !== REALTIME) throw new Error(`has the stream type ${type}`);
  return type === SNAPSHOT;
}
