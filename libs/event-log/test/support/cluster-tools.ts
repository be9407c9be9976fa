import type { TopicPartition } from '../../src/index.js';
import { Cluster } from '../../src/kafka/cluster.js';
import { kafkajsApi } from '../../src/kafka/wire/protocol.js';
import { MarketDataError } from '@aipx/market-model';

const DELETE_TOPICS = kafkajsApi<{ topics: string[]; timeout: number }, { topicErrors: { errorCode: number }[] }>(
  'DeleteTopics',
);
const DELETE_RECORDS = kafkajsApi<
  { topics: { topic: string; partitions: { partition: number; offset: string }[] }[]; timeout: number },
  { topics: { partitions: { errorCode: number }[] }[] }
>('DeleteRecords');
const DESCRIBE_CONFIGS = kafkajsApi<
  { resources: { type: number; name: string; configNames: string[] }[] },
  { resources: { configEntries: { configValue: string; configSource: number }[] }[] }
>('DescribeConfigs');
/** Kafka's numbers for a topic as what has settings, and as where one comes from. */
const TOPIC_RESOURCE = 2;
const TOPIC_SOURCE = 1;
const TIMEOUT_MS = 5_000;

/** What an operator does to a cluster. */
export class ClusterTools {
  readonly #cluster: Cluster;

  constructor(brokers: readonly string[], topics: readonly string[]) {
    this.#cluster = new Cluster({
      brokers,
      topics,
      clientId: 'operator',
      connectTimeoutMs: TIMEOUT_MS,
      requestTimeoutMs: TIMEOUT_MS,
      route: (address) => address,
    });
  }

  async deleteTopic(topic: string): Promise<void> {
    const { topicErrors } = await this.#cluster.askAny(DELETE_TOPICS, { topics: [topic], timeout: TIMEOUT_MS });
    expectNone(topicErrors);
  }

  /** As retention does it. */
  async deleteRecordsBefore({ topic, partition }: TopicPartition, offset: bigint): Promise<void> {
    await this.#cluster.refresh();
    const host = await this.#cluster.findLeader({ topic, partition }, false);
    const { topics } = await this.#cluster.ask(host, 'tools', DELETE_RECORDS, {
      topics: [{ topic, partitions: [{ partition, offset: String(offset) }] }],
      timeout: TIMEOUT_MS,
    });
    expectNone(topics.flatMap(({ partitions }) => partitions));
  }

  /** The node that leads each partition. */
  async leadersOf(topic: string, partitions: number): Promise<readonly number[]> {
    await this.#cluster.refresh();
    const found = Array.from({ length: partitions }, (_, partition) =>
      this.#cluster.findLeader({ topic, partition }, false),
    );
    return (await Promise.all(found)).map(({ node }) => node);
  }

  /** A setting of a topic, and whether the topic itself has it or takes the brokers'. */
  async settingOf(topic: string, name: string): Promise<{ readonly value: string; readonly isOfTopic: boolean }> {
    const { resources } = await this.#cluster.askAny(DESCRIBE_CONFIGS, {
      resources: [{ type: TOPIC_RESOURCE, name: topic, configNames: [name] }],
    });
    const [entry] = resources.flatMap(({ configEntries }) => configEntries);
    if (entry === undefined) throw new Error(`topic ${topic} has no setting ${name}`);
    return { value: entry.configValue, isOfTopic: entry.configSource === TOPIC_SOURCE };
  }

  close(): void {
    this.#cluster.close(new MarketDataError('CONNECTION_LOST', 'the tools are put away'));
  }
}

function expectNone(answers: readonly { errorCode: number }[]): void {
  for (const { errorCode } of answers) if (errorCode !== 0) throw new Error(`Kafka error ${errorCode}`);
}
