import type {
  ConsumeOptions,
  EventLog,
  LogEntry,
  LogRecord,
  OffsetRange,
  ReadLimits,
  TopicPartition,
} from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';

/** A log of one partition a topic that forgets like Kafka does: the retention that the embedded log does not have. */
export class MemoryLog implements EventLog {
  readonly #records = new Map<string, (LogRecord | undefined)[]>();
  readonly #begins = new Map<string, number>();

  readonly keepsProgress = false;

  constructor(readonly id = 'log-1') {}

  get topics(): readonly string[] {
    return [...this.#records.keys()];
  }

  partitionFor(topic: string): TopicPartition {
    return { topic, partition: 0 };
  }

  async partitionsOf(topic: string): Promise<readonly TopicPartition[]> {
    return [{ topic, partition: 0 }];
  }

  async range({ topic }: TopicPartition): Promise<OffsetRange> {
    return { begin: BigInt(this.#begins.get(topic) ?? 0), end: BigInt(this.#of(topic).length) };
  }

  async append(entries: readonly LogEntry[]): Promise<void> {
    for (const entry of entries) {
      const records = this.#of(entry.topic);
      records.push({
        ...entry,
        partition: 0,
        offset: BigInt(records.length),
        appendedAt: BigInt(records.length) * 1_000_000n,
      });
    }
  }

  async read({ topic }: TopicPartition, from: bigint, { maxRecords }: ReadLimits): Promise<readonly LogRecord[]> {
    const first = Number(from);
    if (first < (this.#begins.get(topic) ?? 0)) {
      throw new MarketDataError('STORE_REFUSED', `offset ${from} is gone`, { retryable: true });
    }
    const records = this.#of(topic).slice(first);
    return records.filter((record) => record !== undefined).slice(0, maxRecords);
  }

  /** What a transaction leaves behind: an offset that holds no record. */
  mark(topic: string): void {
    this.#of(topic).push(undefined);
  }

  /** What retention does: nothing before `begin` can be read any more. */
  forget(topic: string, begin: number): void {
    this.#begins.set(topic, Math.max(begin, this.#begins.get(topic) ?? 0));
  }

  async progressOf(): Promise<number> {
    return 0;
  }

  consume(options: ConsumeOptions): Promise<void> {
    return Promise.reject(new Error(`tests hand ${options.topics.join()} over themselves`));
  }

  async close(): Promise<void> {
    this.#records.clear();
  }

  #of(topic: string): (LogRecord | undefined)[] {
    const records = this.#records.get(topic) ?? [];
    this.#records.set(topic, records);
    return records;
  }
}
