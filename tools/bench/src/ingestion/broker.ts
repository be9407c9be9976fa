import { join } from 'node:path';
import { KafkaEventLog } from '@aipx/event-log/kafka';
import { EVENT_TOPICS } from '@aipx/market-proto';
import { startKafka, type KafkaCluster } from '@aipx/stack';
import type { Admin } from 'kafkajs';
import { kafkaClient } from './kafka-client.ts';
import { writeTape } from './tape.ts';

/** Of trades and books; the others carry what goes wrong. */
const DATA_TOPICS = [EVENT_TOPICS.tick, EVENT_TOPICS.orderbook];
const PARTITIONS = 6;
const READ_TIMEOUT_MS = 30_000;

/** One broker of the bench's own, and a client of it that shares nothing with the service. */
export class Broker implements AsyncDisposable {
  readonly #cluster: KafkaCluster;
  readonly #admin: Admin;

  private constructor(cluster: KafkaCluster, admin: Admin) {
    this.#cluster = cluster;
    this.#admin = admin;
  }

  static async start(folder: string, signal: AbortSignal): Promise<Broker> {
    const cluster = await startKafka({ folder: join(folder, 'kafka'), signal });
    try {
      const admin = kafkaClient(cluster.brokers).admin();
      await admin.connect();
      return new Broker(cluster, admin);
    } catch (cause) {
      await cluster.stop();
      throw cause;
    }
  }

  get addresses(): readonly string[] {
    return this.#cluster.brokers;
  }

  get pid(): number {
    const pid = this.#cluster.nodes[0]?.pid;
    if (pid === undefined) throw new Error('the broker does not run');
    return pid;
  }

  /** Trades and books in it. */
  async records(): Promise<number> {
    const offsets = await Promise.all(DATA_TOPICS.map((topic) => this.#admin.fetchTopicOffsets(topic)));
    return offsets.flat().reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
  }

  /** Writes the trades and books in it to a file. */
  async tape(path: string, signal: AbortSignal): Promise<void> {
    const log = await KafkaEventLog.open({
      brokers: this.addresses,
      clientId: 'ingestion-bench-tape',
      topics: Object.fromEntries(DATA_TOPICS.map((topic) => [topic, PARTITIONS])),
      replication: 1,
      compression: 'zstd',
      acks: 'all',
      requestTimeoutMs: READ_TIMEOUT_MS,
      signal,
    });
    try {
      const partitions = await Promise.all(log.topics.map((topic) => log.partitionsOf(topic)));
      await writeTape(path, log, partitions.flat(), signal);
    } finally {
      await log.close();
    }
  }

  /** Makes the topics that a bare producer sends a tape to. */
  async createBareTopics(): Promise<void> {
    const topics = DATA_TOPICS.map((topic) => ({ topic: `bare.${topic}`, numPartitions: PARTITIONS }));
    await this.#admin.createTopics({ topics, waitForLeaders: true });
  }

  /** Deletes every topic: the next service finds no past that it would read back. */
  async clear(): Promise<void> {
    const topics = (await this.#admin.listTopics()).filter((topic) => !topic.startsWith('__'));
    if (topics.length > 0) await this.#admin.deleteTopics({ topics });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#admin.disconnect().catch(() => undefined); // what counts is that the broker goes
    await this.#cluster.stop();
  }
}
