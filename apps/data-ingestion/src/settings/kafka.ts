import { choice, duration, integer, sharedKafka, type SettingsGroup, type SettingsOf } from '@aipx/service';

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

const { brokers, clientId, compression, requestTimeout, topicPartitions, topicReplication } = sharedKafka;

export const kafkaGroup = {
  brokers,
  clientId: { ...clientId, default: 'data-ingestion-connector' },
  compression,
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
  requestTimeout,
  maxConsecutiveErrors: {
    env: 'KAFKA_MAX_CONSECUTIVE_ERRORS',
    type: integer({ min: 1, max: 1_000_000, zero: 'never' }),
    default: '10',
    describe: 'Failed sends in a row that no retry can mend before the service ends',
  },
  topicPartitions,
  topicReplication,
} as const satisfies SettingsGroup;

/** Names of the same prefix that other apps read. */
export const KAFKA_OF_OTHER_APPS = ['KAFKA_GROUP_ID', 'KAFKA_TOPICS', 'KAFKA_SESSION_TIMEOUT'];

export function kafkaSettings(values: SettingsOf<{ readonly kafka: typeof kafkaGroup }>['kafka']): KafkaSettings {
  const { linger, requestTimeout, ...rest } = values;
  return { ...rest, lingerMs: linger, requestTimeoutMs: requestTimeout };
}
