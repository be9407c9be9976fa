import type {
  AppendOptions,
  ConsumeOptions,
  EventLog,
  LogEntry,
  LogRecord,
  PartitionHandler,
  ReadLimits,
  TopicPartition,
} from '@aipx/event-log';
import type { MarketEvent } from '@aipx/market-model';
import { decodeEvent, EVENT_TOPICS } from '@aipx/market-proto';

type Kind = MarketEvent['kind'];

/** A log that tells what is in it as soon as it is, and whose appends can be made to wait. */
export class WatchedLog implements EventLog {
  /** Awaited before each append. */
  beforeAppend: (entries: readonly LogEntry[]) => Promise<void> = async () => undefined;
  /** Awaited before each read. */
  beforeRead: () => Promise<void> = async () => undefined;
  /** Awaited before it tells where a partition begins and ends. */
  beforeRange: () => Promise<void> = async () => undefined;
  readonly #log: EventLog;
  #triesSoFar = 0;
  #tried = Promise.withResolvers<undefined>();
  #appended = Promise.withResolvers<undefined>();

  constructor(log: EventLog) {
    this.#log = log;
  }

  get id(): string {
    return this.#log.id;
  }

  get topics(): readonly string[] {
    return this.#log.topics;
  }

  get keepsProgress(): boolean {
    return this.#log.keepsProgress;
  }

  async append(entries: readonly LogEntry[], options?: AppendOptions): Promise<void> {
    this.#triesSoFar += 1;
    this.#tried.resolve(undefined);
    this.#tried = Promise.withResolvers();
    await this.beforeAppend(entries);
    await this.#log.append(entries, options);
    this.#appended.resolve(undefined);
    this.#appended = Promise.withResolvers();
  }

  /** All events of a kind, in the order of the log. */
  async events<K extends Kind>(kind: K): Promise<readonly Extract<MarketEvent, { kind: K }>[]> {
    const events: MarketEvent[] = [];
    for (const partition of await this.partitionsOf(EVENT_TOPICS[kind])) {
      const { begin, end } = await this.range(partition);
      for (let next = begin; next < end;) {
        const records = await this.read(partition, next, { maxRecords: 10_000, maxBytes: 1 << 24 });
        events.push(...records.map(({ value }) => decodeEvent(kind, value)));
        next += BigInt(records.length);
      }
    }
    return events as Extract<MarketEvent, { kind: K }>[];
  }

  /** The events of a kind once there are `count`. */
  async holds<K extends Kind>(kind: K, count: number): Promise<readonly Extract<MarketEvent, { kind: K }>[]> {
    for (;;) {
      const appended = this.#appended.promise;
      const events = await this.events(kind);
      if (events.length >= count) return events;
      await appended;
    }
  }

  partitionFor(topic: string, key: string): TopicPartition {
    return this.#log.partitionFor(topic, key);
  }

  partitionsOf(topic: string): Promise<readonly TopicPartition[]> {
    return this.#log.partitionsOf(topic);
  }

  async range(partition: TopicPartition): ReturnType<EventLog['range']> {
    await this.beforeRange();
    return await this.#log.range(partition);
  }

  progressOf(source: string): Promise<number> {
    return this.#log.progressOf(source);
  }

  /** Resolves once so many appends were tried, whatever came of them. */
  async tries(count: number): Promise<void> {
    while (this.#triesSoFar < count) await this.#tried.promise;
  }

  async read(partition: TopicPartition, from: bigint, limits: ReadLimits): Promise<readonly LogRecord[]> {
    await this.beforeRead();
    return await this.#log.read(partition, from, limits);
  }

  consume(options: ConsumeOptions, handler: PartitionHandler, signal: AbortSignal): Promise<void> {
    return this.#log.consume(options, handler, signal);
  }

  close(): Promise<void> {
    return this.#log.close();
  }
}
