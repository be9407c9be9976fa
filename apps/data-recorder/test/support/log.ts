import { DEAD_LETTER_TOPIC, type LogEntry } from '@aipx/event-log';
import { KafkaEventLog } from '@aipx/event-log/kafka';
import { parseDecimal, type Gap, type MarketEvent, type OrderBook, type Tick } from '@aipx/market-model';
import { encodeEvent, EVENT_TOPICS } from '@aipx/market-proto';
import { inject, onTestFinished } from 'vitest';

const TOPICS = [...Object.values(EVENT_TOPICS), DEAD_LETTER_TOPIC];
/** 2024-05-01T13:59:58Z: two seconds to the next hour. */
const NEARLY_TWO = 1_714_571_998_000_000_000n;
const MILLI = 1_000_000n;
const AT_ONCE = 500;

/** The log as a producer of market data has it. All tests write to the same one. */
export class TestLog {
  readonly log: KafkaEventLog;
  /** Numbers that no other file of tests has used. */
  static #next = (Date.now() % 1e8) * 10;

  private constructor(log: KafkaEventLog) {
    this.log = log;
  }

  static async open(): Promise<TestLog> {
    const log = await KafkaEventLog.open({
      brokers: [inject('broker') ?? ''],
      clientId: 'test',
      topics: Object.fromEntries(TOPICS.map((topic) => [topic, 3])),
      replication: 1,
      compression: 'zstd',
      acks: 'all',
      requestTimeoutMs: 10_000,
      signal: AbortSignal.timeout(60_000),
    });
    onTestFinished(() => log.close());
    return new TestLog(log);
  }

  /** Appends so many events that nobody has appended before, of all kinds. */
  async append(count: number): Promise<void> {
    const entries = Array.from({ length: count }, () => entryOf(eventNumber((TestLog.#next += 1))));
    for (let first = 0; first < count; first += AT_ONCE) await this.log.append(entries.slice(first, first + AT_ONCE));
  }

  async appendUndecodable(): Promise<void> {
    const value = new Uint8Array([0xff, 0xff, 0xff]);
    await this.log.append([{ topic: EVENT_TOPICS.tick, key: 'KRW-BAD', value, headers: { exchange: 'upbit' } }]);
  }

  /** Records that the topics of events hold. */
  async size(): Promise<number> {
    let size = 0n;
    for (const topic of Object.values(EVENT_TOPICS)) {
      for (const partition of await this.log.partitionsOf(topic)) size += (await this.log.range(partition)).end;
    }
    return Number(size);
  }

  /** The dead letters of one bad record. */
  async deadLetters(): Promise<readonly string[]> {
    const keys: string[] = [];
    for (const partition of await this.log.partitionsOf(DEAD_LETTER_TOPIC)) {
      const { begin, end } = await this.log.range(partition);
      if (begin === end) continue;
      const records = await this.log.read(partition, begin, { maxRecords: 1_000, maxBytes: 10_000_000 });
      keys.push(...records.map(({ key }) => key));
    }
    return keys;
  }
}

function entryOf(event: MarketEvent): LogEntry {
  return {
    topic: EVENT_TOPICS[event.kind],
    key: event.symbol,
    value: encodeEvent(event),
    headers: { exchange: event.exchange },
  };
}

/** Everything about it follows from n; every tenth is a gap, every third of the others a book. */
function eventNumber(n: number): MarketEvent {
  if (n % 10 === 0) return gap(n);
  return n % 3 === 0 ? book(n) : tick(n);
}

function common(n: number) {
  const timestamp = NEARLY_TWO + BigInt(n) * MILLI;
  return { exchange: 'upbit', symbol: `KRW-S${n % 7}`, timestamp, receivedTimestamp: timestamp + 1_234_567n } as const;
}

function tick(n: number): Tick {
  return {
    ...common(n),
    kind: 'tick',
    price: parseDecimal(`${100 + n}.00000001`),
    volume: parseDecimal('46.48838371'),
    change: parseDecimal('-4'),
    changeRate: parseDecimal('-0.0191'),
    side: n % 2 === 0 ? 'BUY' : 'SELL',
    tradeId: String(1_618_678_262_000_003n + BigInt(n)),
    streamType: 'REALTIME',
  };
}

function book(n: number): OrderBook {
  const level = (price: number) => ({ price: parseDecimal(String(price)), quantity: parseDecimal('0.5') });
  return {
    ...common(n),
    kind: 'orderbook',
    bids: [level(n), level(n - 1)],
    asks: [level(n + 1)],
    streamType: 'REALTIME',
    totalBidQuantity: parseDecimal('1'),
    totalAskQuantity: undefined,
  };
}

function gap(n: number): Gap {
  const { exchange, symbol, timestamp } = common(n);
  return {
    exchange,
    symbol,
    kind: 'gap',
    channel: 'tick',
    from: timestamp,
    to: timestamp + MILLI,
    cause: 'RECONNECT',
    missed: 0n,
    missedVolume: undefined,
    detail: `socket closed (${n})`,
  };
}
