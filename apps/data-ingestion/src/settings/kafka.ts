import { address, choice, duration, integer, list, text, type SettingsGroup, type SettingsOf } from '@aipx/service';

/** What the service needs of the event log. Times in ms. */
export interface KafkaSettings {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly compression: 'zstd' | 'lz4' | 'snappy' | 'gzip' | 'none';
  readonly lingerMs: number;
  readonly acks: 'all' | 'leader';
  readonly requestTimeoutMs: number;
  /** 0 = never. */
  readonly maxConsecutiveErrors: number;
  readonly topicPartitions: number;
  readonly topicReplication: number;
}

export const kafkaGroup = {
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
    default: 'data-ingestion-connector',
    describe: 'Name of this client in the logs and quotas of the brokers',
  },
  compression: {
    env: 'KAFKA_COMPRESSION',
    type: choice('zstd', 'lz4', 'snappy', 'gzip', 'none'),
    default: 'zstd',
    describe: 'How batches are compressed',
  },
  linger: {
    env: 'KAFKA_LINGER',
    type: duration({ min: '0ms', max: '1s' }),
    default: '5ms',
    describe: 'How long a first record waits for others to share a batch',
  },
  acks: {
    env: 'KAFKA_ACKS',
    type: choice('all', 'leader'),
    default: 'all',
    describe: 'Who must have a record before it counts as published; leader can lose records when a broker dies',
  },
  requestTimeout: {
    env: 'KAFKA_REQUEST_TIMEOUT',
    type: duration({ min: '1s', max: '10m' }),
    default: '30s',
    describe: 'Longest wait for the answer to a request before it is sent again',
  },
  maxConsecutiveErrors: {
    env: 'KAFKA_MAX_CONSECUTIVE_ERRORS',
    type: integer({ min: 1, max: 1_000_000, zero: 'never' }),
    default: '10',
    describe: 'Failed sends in a row that no retry can mend before the service ends',
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

/** Names of the same prefix that other apps read. */
export const KAFKA_OF_OTHER_APPS = ['KAFKA_GROUP_ID', 'KAFKA_TOPICS', 'KAFKA_SESSION_TIMEOUT'];

export function kafkaSettings(values: SettingsOf<{ readonly kafka: typeof kafkaGroup }>['kafka']): KafkaSettings {
  const { linger, requestTimeout, ...rest } = values;
  return { ...rest, lingerMs: linger, requestTimeoutMs: requestTimeout };
}
