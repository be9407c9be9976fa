import { MarketDataError } from '@aipx/market-model';
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
} from '../event-log.js';
import { Partitioner } from '../partitioner.js';
import { checkConsumeOptions, checkLimits } from '../read-limits.js';
import { ReadTurns } from '../read-turns.js';
import { Cluster } from './cluster.js';
import { codecFor, expectWorking } from './codecs/compression.js';
import { consume } from './consume.js';
import { checkedOptions, producerOf, type KafkaEventLogOptions, type KafkaSettings } from './kafka-options.js';
import { openTopics } from './open-topics.js';
import { PartitionReader } from './partition-reader.js';
import { LeaderRequests } from './leader-requests.js';
import { PartitionWriter } from './partition-writer.js';
import { Publisher } from './publisher.js';

/** The log on a Kafka cluster (2.4 or later). */
export class KafkaEventLog implements EventLog {
  readonly id: string;
  readonly keepsProgress = false;
  readonly #settings: KafkaSettings;
  /** Publishing and reading have connections of their own: the one ends at once, the other winds up. */
  readonly #publishing: Cluster;
  readonly #reading: Cluster;
  /** By the number of the producer. */
  readonly #requests = new Map<number, LeaderRequests>();
  readonly #writers: ReadonlyMap<string, readonly PartitionWriter[]>;
  readonly #partitioner = new Partitioner();
  readonly #publisher: Publisher;
  readonly #reader: PartitionReader;
  readonly #turns = new ReadTurns();
  readonly #closing = new AbortController();
  readonly #consumers = new Set<Promise<void>>();
  #consumersSoFar = 0;
  #closed: Promise<void> | undefined;

  private constructor(settings: KafkaSettings, publishing: Cluster, partitions: ReadonlyMap<string, number>) {
    this.id = publishing.id;
    this.#settings = settings;
    this.#publishing = publishing;
    this.#reading = new Cluster({ ...clusterOptions(settings), id: publishing.id });
    this.#writers = new Map([...partitions].map(([topic, count]) => [topic, this.#newWriters(topic, count)]));
    this.#publisher = new Publisher(({ topic, key }) => this.#writerFor(topic, key));
    this.#reader = new PartitionReader(this.#reading, this.#closing.signal);
  }

  /**
   * Opens the log: waits until the cluster answers and every partition has a leader, and creates the topics that are
   * missing, unless `createTopics` says no. What it waits for is told to `onFault`.
   *
   * @throws {MarketDataError} `CONFIG_INVALID` for settings, addresses and topics that cannot be, such as more replicas
   * than brokers; or the signal's reason when it aborts
   */
  static async open(options: KafkaEventLogOptions): Promise<KafkaEventLog> {
    const settings = checkedOptions(options);
    expectWorking(settings.compression);
    const publishing = new Cluster(clusterOptions(settings));
    try {
      const partitions = await openTopics(publishing, settings, settings);
      return new KafkaEventLog(settings, publishing, partitions);
    } catch (cause) {
      publishing.close(closedError());
      throw cause;
    }
  }

  get topics(): readonly string[] {
    return [...this.#writers.keys()];
  }

  async partitionsOf(topic: string): Promise<readonly TopicPartition[]> {
    return this.#partitions(topic);
  }

  partitionFor(topic: string, key: string): TopicPartition {
    return this.#writerFor(topic, key).partition;
  }

  /** @throws {MarketDataError} `STORE_UNAVAILABLE` (retryable) when no broker answers for a request timeout */
  async range(partition: TopicPartition, options?: WaitOptions): Promise<OffsetRange> {
    this.#checkOpen();
    return await this.#reader.range(this.#known(partition), options);
  }

  /**
   * All or none of each partition. The order in which partitions are written is open.
   *
   * @throws {MarketDataError} `PUBLISH_FAILED`, naming topic, partition and broker; retryable as `EventLog.append` says.
   * `PUBLISH_TOO_LARGE` for more than the broker takes in one batch: fewer at a time may pass. `CONFIG_INVALID` for
   * progress, which this log does not keep
   */
  async append(entries: readonly LogEntry[], { progress, signal }: AppendOptions = {}): Promise<void> {
    this.#checkOpen();
    if (progress !== undefined) throw noProgress();
    await this.#publisher.append(entries, signal);
  }

  /** @throws {MarketDataError} `CONFIG_INVALID`: this log keeps none */
  async progressOf(): Promise<number> {
    throw noProgress();
  }

  /** @throws {MarketDataError} as `EventLog.read` says, `STORE_DAMAGED`, and as `range` does */
  async read(
    partition: TopicPartition,
    from: bigint,
    limits: ReadLimits,
    options?: ReadOptions,
  ): Promise<readonly LogRecord[]> {
    this.#checkOpen();
    checkLimits(limits);
    return await this.#reader.read(this.#known(partition), from, limits, options);
  }

  /**
   * Takes part in the consumer group `options.group`, so that several processes share the partitions. Brokers that are
   * away are waited out and told to `onFault`.
   *
   * A partition whose next offset is not in the log any more is revoked and assigned again with the range it has now:
   * retention has overtaken the handler, or the topic was deleted and perhaps made anew.
   *
   * @throws {MarketDataError} `STORE_REFUSED` when a partition is to begin outside of its range, when the group refuses
   * this member, or when the log is closed meanwhile; `STORE_DAMAGED`, also for offsets that are missing between others;
   * and whatever the handler throws
   */
  async consume(options: ConsumeOptions, handler: PartitionHandler, signal: AbortSignal): Promise<void> {
    this.#checkOpen();
    checkConsumeOptions(options);
    const topics = [...new Set(options.topics)];
    for (const topic of topics) this.#partitions(topic);
    const consuming = consume(
      {
        cluster: this.#reading,
        name: String((this.#consumersSoFar += 1)),
        sessionTimeoutMs: this.#settings.sessionTimeoutMs,
        metadataMaxAgeMs: this.#settings.metadataMaxAgeMs,
        rangeOf: (partition, waiting) => this.#reader.range(partition, { signal: waiting }),
        turns: this.#turns,
        onFault: this.#settings.onFault,
      },
      { ...options, topics },
      handler,
      AbortSignal.any([signal, this.#closing.signal]),
    );
    this.#consumers.add(consuming);
    try {
      await consuming;
    } finally {
      this.#consumers.delete(consuming);
    }
    if (!signal.aborted) throw refused(`the log was closed while group ${options.group} consumed it`);
  }

  /** Ends what consumes, rejects appends that wait, and lets all connections go. To be called from outside of a handler. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort(closedError());
    this.#publishing.close(closedError());
    await Promise.allSettled(this.#consumers);
    this.#reading.close(closedError());
  }

  #newWriters(topic: string, count: number): readonly PartitionWriter[] {
    const { compression, now, onFault, producers } = this.#settings;
    const options = {
      cluster: this.#publishing,
      requests: this.#requestsOf(producerOf(topic, producers)),
      codec: codecFor(compression),
      now,
      onFault,
      closing: this.#closing.signal,
    };
    return Array.from(
      { length: count },
      (_, partition) => new PartitionWriter(Object.freeze({ topic, partition }), options),
    );
  }

  #requestsOf(producer: number): LeaderRequests {
    const known = this.#requests.get(producer);
    if (known !== undefined) return known;
    const requests = new LeaderRequests({
      cluster: this.#publishing,
      purpose: `producer-${producer}`,
      acks: this.#settings.acks === 'all' ? -1 : 1,
    });
    this.#requests.set(producer, requests);
    return requests;
  }

  #writerFor(topic: string, key: string): PartitionWriter {
    const writers = this.#writers.get(topic);
    const writer = writers?.[this.#partitioner.partitionOf(key, writers.length)];
    if (writer !== undefined) return writer;
    throw new MarketDataError('PUBLISH_FAILED', this.#unknownTopic(topic), { context: { topic } });
  }

  #partitions(topic: string): readonly TopicPartition[] {
    const writers = this.#writers.get(topic);
    if (writers === undefined) throw refused(this.#unknownTopic(topic));
    // Those that were added since the log was opened are read, but not written to.
    const added = Math.max((this.#reading.partitionCount(topic) ?? 0) - writers.length, 0);
    return [
      ...writers.map(({ partition }) => partition),
      ...Array.from({ length: added }, (_, index) => ({ topic, partition: writers.length + index })),
    ];
  }

  #known({ topic, partition }: TopicPartition): TopicPartition {
    const partitions = this.#partitions(topic);
    const found = partitions[partition];
    if (found === undefined) throw refused(`${topic} has ${partitions.length} partitions, so none is ${partition}`);
    return found;
  }

  #unknownTopic(topic: string): string {
    return `this log has no topic ${topic}; it has ${this.topics.join(', ')}`;
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw refused(`the log on Kafka cluster ${this.id} is closed`);
  }
}

function clusterOptions(settings: KafkaSettings): ConstructorParameters<typeof Cluster>[0] {
  return { ...settings, topics: Object.keys(settings.topics) };
}

/** Retryable: what was sent and not answered may be in the log. */
function closedError(): MarketDataError {
  return new MarketDataError('CONNECTION_LOST', 'the log was closed', { retryable: true });
}

function noProgress(): MarketDataError {
  return new MarketDataError(
    'CONFIG_INVALID',
    'a log on Kafka keeps no progress of a replay, since an append is no transaction; use the embedded log for it',
  );
}

function refused(message: string): MarketDataError {
  return new MarketDataError('STORE_REFUSED', message);
}
