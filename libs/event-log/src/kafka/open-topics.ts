import { MarketDataError } from '@aipx/market-model';
import type { TopicPartition } from '../event-log.js';
import { CONTROL, type Cluster } from './cluster.js';
import { patiently, type Patience } from './waiting.js';
import { READ_COMMITTED } from './wire/fetch.js';
import { kafkaError } from './wire/protocol.js';
import { CREATE_TOPICS, LATEST, LIST_OFFSETS, type NewTopic } from './wire/requests.js';

export interface TopicSettings {
  /** Partitions by topic. */
  readonly topics: Readonly<Record<string, number>>;
  /** Brokers that keep each record. */
  readonly replication: number;
  /** Whether absent topics are made; else they are refused. */
  readonly createTopics: boolean;
}

/**
 * What a batch of 1 MiB of keys and values can become with its headers, uncompressed. Kafka's own default has no room
 * for the headers.
 */
const LARGEST_BATCH_BYTES = 4 * 1024 * 1024;
/** From so many on, one broker may be away while two must have what is acknowledged. */
const REPLICAS_TO_SPARE_ONE = 3;
const CREATE_TIMEOUT_MS = 3_000;
/** A topic just made has no leader for a moment, ms. */
const QUIET_MS = 2_000;

/**
 * Waits until the cluster answers, creates the topics that it lacks if it may, and waits until the leader of each partition
 * can be reached. Returns the partitions of each topic as they are: one that exists with another number is used as it is.
 *
 * @throws {MarketDataError} `CONFIG_INVALID` for topics that cannot be had, or the signal's reason when it aborts
 */
export async function openTopics(
  cluster: Cluster,
  settings: TopicSettings,
  patience: Patience,
): Promise<ReadonlyMap<string, number>> {
  const names = Object.keys(settings.topics);
  await patiently(() => expectPresent(cluster, settings), patience);
  await patiently(() => expectLeaders(cluster, names), { ...patience, quietMs: QUIET_MS });
  return new Map(names.map((name) => [name, partitionsOf(cluster, name, settings, patience)]));
}

function partitionsOf(cluster: Cluster, name: string, settings: TopicSettings, { onFault }: Patience): number {
  const present = cluster.topic(name)?.partitionMetadata.length ?? 0;
  const wanted = settings.topics[name];
  if (settings.createTopics && present !== wanted) {
    onFault(
      new MarketDataError(
        'CONFIG_INVALID',
        `topic ${name} has ${present} partitions in the cluster, not the ${wanted} of the settings; it is used as it is`,
        { context: { topic: name, partitions: present } },
      ),
    );
  }
  return present;
}

async function expectPresent(cluster: Cluster, { topics, replication, createTopics }: TopicSettings): Promise<void> {
  await cluster.refresh();
  const missing = Object.entries(topics).filter(([name]) => isMissing(cluster, name));
  if (missing.length === 0) return;
  if (!createTopics) throw absent(missing.map(([name]) => name));
  const { topicErrors } = await cluster.askAny(CREATE_TOPICS, {
    topics: missing.map(([name, partitions]) => newTopic(name, partitions, replication)),
    timeout: CREATE_TIMEOUT_MS,
  });
  for (const { topic, errorCode, errorMessage } of topicErrors) {
    const error = creationError(topic, errorCode, errorMessage, replication, cluster.size);
    if (error !== undefined) throw error;
  }
}

function newTopic(topic: string, numPartitions: number, replicationFactor: number): NewTopic {
  const configEntries = [{ name: 'max.message.bytes', value: String(LARGEST_BATCH_BYTES) }];
  if (replicationFactor >= REPLICAS_TO_SPARE_ONE) configEntries.push({ name: 'min.insync.replicas', value: '2' });
  return { topic, numPartitions, replicationFactor, configEntries };
}

/** @throws {MarketDataError} `CONFIG_INVALID` for one that is refused to us */
function isMissing(cluster: Cluster, topic: string): boolean {
  switch (cluster.topicError(topic)) {
    case undefined:
    case 'LEADER_NOT_AVAILABLE':
      return false;
    case 'UNKNOWN_TOPIC_OR_PARTITION':
      return true;
    case 'TOPIC_AUTHORIZATION_FAILED':
      throw unusable(topic, 'this client may not see it: grant it DESCRIBE, READ and WRITE');
    case 'INVALID_TOPIC_EXCEPTION':
      throw unusable(topic, 'Kafka allows letters, digits, dot, underscore and dash in a name, 249 at most');
    default:
      throw notYet(topic, cluster.topicError(topic) ?? '');
  }
}

function creationError(
  topic: string,
  code: number,
  said: string | null,
  replication: number,
  brokers: number,
): MarketDataError | undefined {
  const error = kafkaError(code);
  if (error === undefined || error.type === 'TOPIC_ALREADY_EXISTS') return undefined;
  if (error.type === 'INVALID_REPLICATION_FACTOR') {
    return unusable(
      topic,
      `it is to be kept by ${replication} brokers, and ${brokers} are up: start more, or set a replication of ${brokers}`,
    );
  }
  if (error.retriable) return notYet(topic, error.type);
  return unusable(topic, `the cluster refuses to create it: ${said ?? error.message} (${error.type})`);
}

/** Every partition has a leader that can be reached and knows of it: that takes a topic just made some moments. */
async function expectLeaders(cluster: Cluster, names: readonly string[]): Promise<void> {
  await cluster.refresh();
  const partitions = names.flatMap((topic) => partitionsKnown(cluster, topic));
  const byNode = Map.groupBy(partitions, (partition) => cluster.leaderOf(partition)?.node);
  await Promise.all([...byNode].map(([node, led]) => expectToLead(cluster, node, led)));
}

function partitionsKnown(cluster: Cluster, topic: string): readonly TopicPartition[] {
  const known = cluster.topic(topic)?.partitionMetadata ?? [];
  if (known.length === 0) throw notYet(topic, 'it has no partitions yet');
  return known.map(({ partitionId }) => ({ topic, partition: partitionId }));
}

async function expectToLead(cluster: Cluster, node: number | undefined, led: readonly TopicPartition[]): Promise<void> {
  const host = node === undefined ? undefined : cluster.host(node);
  const [{ topic, partition } = { topic: '', partition: 0 }] = led;
  if (host === undefined) throw notYet(topic, `no broker leads partition ${partition}`);
  const { responses } = await cluster.ask(host, CONTROL, LIST_OFFSETS, {
    isolationLevel: READ_COMMITTED,
    topics: led.map((each) => ({ topic: each.topic, partitions: [{ partition: each.partition, timestamp: LATEST }] })),
  });
  for (const answer of responses) {
    for (const { partition, errorCode } of answer.partitions) {
      const error = kafkaError(errorCode);
      if (error === undefined) continue;
      if (error.retriable) throw notYet(answer.topic, `the leader of partition ${partition} says ${error.type}`);
      throw unusable(answer.topic, `${error.message} (${error.type})`);
    }
  }
}

function unusable(topic: string, why: string): MarketDataError {
  return new MarketDataError('CONFIG_INVALID', `topic ${topic} cannot be used: ${why}`, { context: { topic } });
}

function absent(topics: readonly string[]): MarketDataError {
  const names = topics.join(', ');
  return new MarketDataError(
    'CONFIG_INVALID',
    `the cluster has no topic ${names}, and who only reads makes none: nothing was published there yet, or these are not its brokers`,
    { context: { topics: names } },
  );
}

function notYet(topic: string, why: string): MarketDataError {
  return new MarketDataError('CONNECTION_FAILED', `topic ${topic} is not ready: ${why}; are all its brokers up?`, {
    context: { topic },
    retryable: true,
  });
}
