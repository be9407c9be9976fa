import { MarketDataError } from '@aipx/market-model';
import type { TopicPartition } from '../event-log.js';
import { addressText, parseAddress, type BrokerAddress } from './broker-address.js';
import { ConnectionPool, type PoolOptions } from './connection-pool.js';
import { firstAnswer } from './first-answer.js';
import { kafkaError, type Api } from './wire/protocol.js';
import { METADATA, type MetadataAnswer, type TopicMetadata } from './wire/requests.js';

export interface ClusterOptions extends PoolOptions {
  /** `host:port` of some brokers; the others are learned from them. */
  readonly brokers: readonly string[];
  readonly topics: readonly string[];
  readonly requestTimeoutMs: number;
  /** The cluster's id, where it is known: another cluster is refused. */
  readonly id?: string;
}

/** A broker that hosts something: where to send what is about it. */
export interface Host {
  readonly node: number;
  readonly address: BrokerAddress;
}

/** Questions about the cluster itself, which every broker answers at once. */
export const CONTROL = 'control';
const LONGEST_METADATA_MS = 5_000;

/** The brokers, which of them leads which partition, and the way to each. Asks again only when told to. */
export class Cluster {
  readonly #options: ClusterOptions;
  readonly #bootstrap: readonly BrokerAddress[];
  readonly #pool: ConnectionPool;
  readonly #names: Set<string>;
  #nodes: ReadonlyMap<number, BrokerAddress> = new Map();
  #topics: ReadonlyMap<string, TopicMetadata> = new Map();
  #id: string | undefined;
  #refreshing: Promise<void> | undefined;
  #turn = 0;

  /** @throws {MarketDataError} `CONFIG_INVALID` for addresses that are none */
  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#bootstrap = options.brokers.map(parseAddress);
    if (this.#bootstrap.length === 0) {
      throw new MarketDataError('CONFIG_INVALID', 'no address of a Kafka broker is given; expected host:port');
    }
    this.#pool = new ConnectionPool(options);
    this.#names = new Set(options.topics);
    this.#id = options.id;
  }

  /** Kafka's own id of the cluster; empty before the first answer. */
  get id(): string {
    return this.#id ?? '';
  }

  get requestTimeoutMs(): number {
    return this.#options.requestTimeoutMs;
  }

  /** Brokers that are up, by what was heard last. */
  get size(): number {
    return this.#nodes.size;
  }

  /** What was heard last of a topic; `undefined` if nobody has asked yet. */
  topic(name: string): TopicMetadata | undefined {
    return this.#topics.get(name);
  }

  /** Who leads the partition by what was heard last; `undefined` while nobody does. */
  leaderOf({ topic, partition }: TopicPartition): Host | undefined {
    const leader = this.#topics
      .get(topic)
      ?.partitionMetadata.find(({ partitionId }) => partitionId === partition)?.leader;
    return leader === undefined ? undefined : this.host(leader);
  }

  /**
   * Who leads the partition, asked anew if nobody is known or the one known is doubted.
   *
   * @throws {MarketDataError} `CONNECTION_FAILED` (retryable) while nobody does, and as `refresh` does
   */
  async findLeader(partition: TopicPartition, isDoubted: boolean): Promise<Host> {
    const known = isDoubted ? undefined : this.leaderOf(partition);
    if (known !== undefined) return known;
    await this.refresh();
    const leader = this.leaderOf(partition);
    if (leader !== undefined) return leader;
    throw this.noLeader(partition);
  }

  /** Why a partition that nobody leads must wait, by what was heard last. */
  noLeader({ topic, partition }: TopicPartition): MarketDataError {
    const why =
      this.topicError(topic) === 'UNKNOWN_TOPIC_OR_PARTITION'
        ? `the cluster has no topic ${topic}: was it deleted?`
        : `no broker leads partition ${partition} of ${topic}: are the brokers that keep it up?`;
    return new MarketDataError('CONNECTION_FAILED', why, { context: { topic, partition }, retryable: true });
  }

  /** Kafka's name for what keeps the topic from being used; `undefined` when nothing does. */
  topicError(name: string): string | undefined {
    const topic = this.#topics.get(name);
    return topic === undefined ? undefined : kafkaError(topic.topicErrorCode)?.type;
  }

  /** How many partitions a topic has by what was heard last; `undefined` while it is not known to be there. */
  partitionCount(topic: string): number | undefined {
    const count = this.#topics.get(topic)?.partitionMetadata.length ?? 0;
    return count === 0 ? undefined : count;
  }

  host(node: number): Host | undefined {
    const address = this.#nodes.get(node);
    return address === undefined ? undefined : { node, address };
  }

  /** @throws {MarketDataError} as `BrokerConnection.ask` does */
  async ask<Body, Answer>(
    host: Host,
    purpose: string,
    api: Api<Body, Answer>,
    body: Body,
    timeoutMs = this.#options.requestTimeoutMs,
  ): Promise<Answer> {
    return await this.#pool.get(host.address, purpose).ask(api, body, timeoutMs);
  }

  /**
   * Asks one broker, and the next one too when that fails or hesitates, until one answers: 5 s at most, whatever hangs.
   *
   * @throws {MarketDataError} `CONNECTION_FAILED` (retryable) with what each address says, or what is not retryable
   */
  async askAny<Body, Answer>(api: Api<Body, Answer>, body: Body): Promise<Answer> {
    const timeoutMs = Math.min(LONGEST_METADATA_MS, this.#options.requestTimeoutMs);
    const brokers = this.#candidates().map((address) => ({
      name: addressText(address),
      ask: () => this.#pool.get(address, CONTROL).ask(api, body, timeoutMs),
    }));
    return await firstAnswer(brokers, timeoutMs);
  }

  /** Asks for these topics too from the next `refresh` on. */
  follow(topics: Iterable<string>): void {
    for (const topic of topics) this.#names.add(topic);
  }

  /**
   * Learns anew who the brokers are and who leads what. Callers share the question that is under way.
   *
   * @throws {MarketDataError} as `askAny` does, and `STORE_LOG_MISMATCH` when another cluster answers
   */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  /** Ends the connections of a purpose; what waits on them rejects with the error. */
  end(purpose: string, error: MarketDataError): void {
    this.#pool.end(purpose, error);
  }

  /** Ends everything with this error. */
  close(error: MarketDataError): void {
    this.#pool.close(error);
  }

  async #refresh(): Promise<void> {
    const answer = await this.askAny(METADATA, { topics: [...this.#names], allowAutoTopicCreation: false });
    this.#checkCluster(answer);
    this.#nodes = new Map(answer.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    this.#topics = new Map(answer.topicMetadata.map((topic) => [topic.topic, topic]));
  }

  #checkCluster({ clusterId }: MetadataAnswer): void {
    const id = clusterId ?? '';
    this.#id ??= id;
    if (this.#id === id) return;
    const brokers = this.#options.brokers.join(',');
    throw new MarketDataError(
      'STORE_LOG_MISMATCH',
      `${brokers} lead to Kafka cluster ${id} now; this log is that of cluster ${this.#id}`,
      { context: { brokers, clusterId: id } },
    );
  }

  /**
   * Known brokers, each time beginning with the next one, so that one that is cut off and knows only old news is not the
   * only one to be asked; then the addresses given at the start.
   */
  #candidates(): readonly BrokerAddress[] {
    const known = [...this.#nodes.values()];
    this.#turn += 1;
    const from = known.length === 0 ? 0 : this.#turn % known.length;
    const all = [...known.slice(from), ...known.slice(0, from), ...this.#bootstrap];
    return [...new Map(all.map((address) => [addressText(address), address])).values()];
  }
}
