import type {
  AppendOptions,
  ConsumeOptions,
  EventLog,
  LogEntry,
  LogRecord,
  OffsetRange,
  PartitionHandler,
  ReadLimits,
  TopicPartition,
  ReadOptions,
  WaitOptions,
} from '../../src/index.js';

/** A log whose topics and groups have a prefix before their names in the log below. */
export class RenamedLog implements EventLog {
  readonly #log: EventLog;
  readonly #prefix: string;
  /** A repeated append must carry the same objects. */
  readonly #entries = new WeakMap<LogEntry, LogEntry>();

  constructor(log: EventLog, prefix: string) {
    this.#log = log;
    this.#prefix = prefix;
  }

  get id(): string {
    return this.#log.id;
  }

  get keepsProgress(): boolean {
    return this.#log.keepsProgress;
  }

  get topics(): readonly string[] {
    return this.#log.topics.map((topic) => topic.slice(this.#prefix.length));
  }

  async partitionsOf(topic: string): Promise<readonly TopicPartition[]> {
    return (await this.#log.partitionsOf(this.#below(topic))).map((each) => this.#above(each));
  }

  partitionFor(topic: string, key: string): TopicPartition {
    return this.#above(this.#log.partitionFor(this.#below(topic), key));
  }

  range({ topic, partition }: TopicPartition, options?: WaitOptions): Promise<OffsetRange> {
    return this.#log.range({ topic: this.#below(topic), partition }, options);
  }

  append(entries: readonly LogEntry[], options?: AppendOptions): Promise<void> {
    return this.#log.append(
      entries.map((entry) => this.#entryBelow(entry)),
      options,
    );
  }

  progressOf(source: string): Promise<number> {
    return this.#log.progressOf(source);
  }

  async read(
    { topic, partition }: TopicPartition,
    from: bigint,
    limits: ReadLimits,
    options?: ReadOptions,
  ): Promise<readonly LogRecord[]> {
    const records = await this.#log.read({ topic: this.#below(topic), partition }, from, limits, options);
    return records.map((record) => this.#above(record));
  }

  consume(options: ConsumeOptions, handler: PartitionHandler, signal: AbortSignal): Promise<void> {
    const below = {
      ...options,
      group: this.#below(options.group),
      topics: options.topics.map((topic) => this.#below(topic)),
    };
    return this.#log.consume(
      below,
      {
        onAssigned: (partition, range, committed, signal) =>
          handler.onAssigned(this.#above(partition), range, committed, signal),
        onRecords: (partition, records, signal) =>
          handler.onRecords(
            this.#above(partition),
            records.map((record) => this.#above(record)),
            signal,
          ),
        onRevoked: (partition) => handler.onRevoked(this.#above(partition)),
        position: (partition) => handler.position?.(this.#above(partition)),
      },
      signal,
    );
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  #below(name: string): string {
    return `${this.#prefix}${name}`;
  }

  #above<Named extends TopicPartition>(named: Named): Named {
    return { ...named, topic: named.topic.slice(this.#prefix.length) };
  }

  #entryBelow(entry: LogEntry): LogEntry {
    let below = this.#entries.get(entry);
    if (below === undefined) this.#entries.set(entry, (below = { ...entry, topic: this.#below(entry.topic) }));
    return below;
  }
}
