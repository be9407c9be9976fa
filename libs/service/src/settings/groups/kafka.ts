import type { SettingsGroup } from '../schema.js';
import { address, choice, duration, integer, list, text } from '../value-types.js';

/** What several apps are told of Kafka, said once. Each takes what it needs into its group, and says its own `clientId`. */
export const sharedKafka = {
  brokers: {
    env: 'KAFKA_BROKERS',
    type: list(address('localhost:9092')),
    default: 'localhost:9092',
    describe: 'Brokers to ask first; they name the others',
    flag: '--kafka-brokers <addresses>',
  },
  clientId: {
    env: 'KAFKA_CLIENT_ID',
    type: text('a name of letters, digits, dots, hyphens and underscores', /^[\w.-]+$/),
    describe: 'Name of this client in the logs and quotas of the brokers',
  },
  compression: {
    env: 'KAFKA_COMPRESSION',
    type: choice('zstd', 'lz4', 'snappy', 'gzip', 'none'),
    default: 'zstd',
    describe: 'How batches are compressed',
  },
  requestTimeout: {
    env: 'KAFKA_REQUEST_TIMEOUT',
    type: duration({ min: '1s', max: '10m' }),
    default: '30s',
    describe: 'Longest wait for the answer to a request before it is sent again',
  },
  topicPartitions: {
    env: 'KAFKA_TOPIC_PARTITIONS',
    type: integer({ min: 1, max: 1_000 }),
    default: '6',
    describe: 'Partitions of a topic that does not exist yet',
  },
  topicReplication: {
    env: 'KAFKA_TOPIC_REPLICATION',
    type: integer({ min: 1, max: 9 }),
    default: '1',
    describe: 'Copies of a topic that does not exist yet; at most as many as there are brokers',
  },
} as const satisfies SettingsGroup;
