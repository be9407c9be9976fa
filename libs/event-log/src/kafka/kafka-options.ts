import { MarketDataError } from '@aipx/market-model';
import type { BrokerAddress } from './broker-address.js';
import { COMPRESSIONS, type Compression } from './codecs/compression.js';

export interface KafkaEventLogOptions {
  /** `host:port` of some brokers of the cluster, PLAINTEXT listeners; the others are learned from them. */
  readonly brokers: readonly string[];
  /** What the brokers call this client in their logs and quotas. */
  readonly clientId: string;
  /** Partitions by topic. Topics are made if absent; one that exists is used with the partitions it has. */
  readonly topics: Readonly<Record<string, number>>;
  /**
   * Whether topics are made. Who only reads says no: an absent topic is then refused, and `replication` and the numbers of
   * partitions have no effect.
   *
   * @default true
   */
  readonly createTopics?: boolean;
  /** Brokers that keep each record of a topic that is made. */
  readonly replication: number;
  readonly compression: Compression;
  /** Who has a record before it counts as appended: all brokers that are in sync, or its leader alone. */
  readonly acks: 'all' | 'leader';
  /** How long a broker may take for an answer, ms. */
  readonly requestTimeoutMs: number;
  /**
   * Topics that share a connection to each broker; those in none share one too. A broker takes one append of a connection
   * at a time.
   *
   * @default one group of all topics
   */
  readonly producers?: readonly (readonly string[])[];
  /** Ends the opening. */
  readonly signal: AbortSignal;
  /**
   * Told of what is waited out, such as a broker that is away while the log is opened or consumed, and of what is put up
   * with. Appends and reads reject instead.
   */
  readonly onFault?: (error: MarketDataError) => void;
  /** How long a broker may take to be reached, ms. @default 10000 */
  readonly connectTimeoutMs?: number;
  /** After so long without a sign of life, ms, a consumer group goes on without this member. @default 30000 */
  readonly sessionTimeoutMs?: number;
  /**
   * After so long, ms, a consumer looks again who leads what, and whether partitions were added.
   *
   * @default 60000
   */
  readonly metadataMaxAgeMs?: number;
  /**
   * Where to connect for an address that the cluster gives: through a tunnel, or from outside of the network it names.
   *
   * @default there
   */
  readonly route?: (address: BrokerAddress) => BrokerAddress;
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
}

export type KafkaSettings = Required<KafkaEventLogOptions>;

const CONNECT_TIMEOUT_MS = 10_000;
const SESSION_TIMEOUT_MS = 30_000;
const METADATA_MAX_AGE_MS = 60_000;

/** @throws {MarketDataError} `CONFIG_INVALID` with the value and what is right */
export function checkedOptions(options: KafkaEventLogOptions): KafkaSettings {
  const settings: KafkaSettings = {
    createTopics: true,
    producers: [],
    onFault: () => undefined,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    metadataMaxAgeMs: METADATA_MAX_AGE_MS,
    route: (address) => address,
    now: Date.now,
    ...options,
  };
  if (Object.keys(settings.topics).length === 0) throw invalid('no topic is given; expected one at least');
  for (const [topic, partitions] of Object.entries(settings.topics)) {
    expectCount(partitions, `partitions for ${topic}`);
  }
  expectCount(settings.replication, 'brokers to keep each record');
  expectCount(settings.requestTimeoutMs, 'ms as request timeout');
  expectCount(settings.connectTimeoutMs, 'ms as connect timeout');
  expectCount(settings.sessionTimeoutMs, 'ms as session timeout');
  expectCount(settings.metadataMaxAgeMs, 'ms as age of metadata');
  if (!COMPRESSIONS.includes(settings.compression)) {
    throw invalid(`compression ${settings.compression} is not known; expected one of ${COMPRESSIONS.join(', ')}`);
  }
  expectProducers(settings);
  return settings;
}

/** The group of `producers` that each topic is in; topics in none have the number behind the last. */
export function producerOf(topic: string, producers: KafkaSettings['producers']): number {
  const index = producers.findIndex((group) => group.includes(topic));
  return index < 0 ? producers.length : index;
}

function expectProducers({ producers, topics }: KafkaSettings): void {
  const named = producers.flat();
  const unknown = named.find((topic) => !(topic in topics));
  if (unknown !== undefined) {
    throw invalid(`the producers name topic ${unknown}; expected one of ${Object.keys(topics).join(', ')}`);
  }
  const twice = named.find((topic, index) => named.indexOf(topic) !== index);
  if (twice !== undefined) throw invalid(`topic ${twice} is named twice among the producers; expected once at most`);
}

function expectCount(value: number, what: string): void {
  if (!Number.isSafeInteger(value) || value < 1) throw invalid(`${value} ${what}; expected a whole number from 1 on`);
}

function invalid(message: string): MarketDataError {
  return new MarketDataError('CONFIG_INVALID', message);
}
