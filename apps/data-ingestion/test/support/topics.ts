import { DEAD_LETTER_TOPIC } from '@aipx/event-log/dead-letter';
import { KafkaEventLog } from '@aipx/event-log/kafka';
import type { MarketEvent } from '@aipx/market-model';
import { decodeEvent, EVENT_TOPICS } from '@aipx/market-proto';
import { onTestFinished } from 'vitest';

const LIMITS = { maxRecords: 10_000, maxBytes: 16 * 1024 * 1024 };

/** What the topics hold, from the moment of opening: all tests write to the same ones. */
export class Topics {
  readonly #log: KafkaEventLog;
  readonly #begin: ReadonlyMap<string, bigint>;

  private constructor(log: KafkaEventLog, begin: ReadonlyMap<string, bigint>) {
    this.#log = log;
    this.#begin = begin;
  }

  static async open(broker: string): Promise<Topics> {
    const topics = [...Object.values(EVENT_TOPICS), DEAD_LETTER_TOPIC];
    const log = await KafkaEventLog.open({
      brokers: [broker],
      clientId: 'test',
      topics: Object.fromEntries(topics.map((topic) => [topic, 6])),
      replication: 1,
      compression: 'zstd',
      acks: 'all',
      requestTimeoutMs: 10_000,
      signal: AbortSignal.timeout(60_000),
    });
    onTestFinished(() => log.close());
    const begin = new Map<string, bigint>();
    for (const topic of topics) {
      for (const partition of await log.partitionsOf(topic)) {
        begin.set(`${topic}/${partition.partition}`, (await log.range(partition)).end);
      }
    }
    return new Topics(log, begin);
  }

  /** Every event of a venue since then, those of one symbol in order. */
  async eventsOf(exchange: string, kind: MarketEvent['kind']): Promise<readonly MarketEvent[]> {
    const topic = EVENT_TOPICS[kind];
    const events: MarketEvent[] = [];
    for (const partition of await this.#log.partitionsOf(topic)) {
      const { end } = await this.#log.range(partition);
      for (let next = this.#begin.get(`${topic}/${partition.partition}`) ?? 0n; next < end;) {
        const records = await this.#log.read(partition, next, LIMITS, { until: end });
        const last = records.at(-1);
        if (last === undefined) break;
        next = last.offset + 1n;
        events.push(...records.map(({ value }) => decodeEvent(kind, value)));
      }
    }
    return events.filter((event) => event.exchange === exchange);
  }
}
