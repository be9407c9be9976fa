import { EVENT_TOPICS } from '@aipx/market-proto';
import { choice, duration, list, sharedKafka, text, type SettingsGroup, type SettingsOf } from '@aipx/service';

/** What the service needs of the event log. Times in ms. */
export interface KafkaSettings {
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Of the dead letters, the only records that the recorder writes. */
  readonly compression: 'zstd' | 'lz4' | 'snappy' | 'gzip' | 'none';
  readonly requestTimeoutMs: number;
  /** The consumer groups are called so, with `-hot` and `-cold` behind it. */
  readonly groupId: string;
  /** What is recorded, each topic once. */
  readonly topics: readonly string[];
  readonly topicPartitions: number;
  readonly topicReplication: number;
  readonly sessionTimeoutMs: number;
}

const TOPICS = Object.values(EVENT_TOPICS) as [string, ...string[]];

const { brokers, clientId, compression, requestTimeout, topicPartitions, topicReplication } = sharedKafka;

export const kafkaGroup = {
  brokers,
  clientId: { ...clientId, default: 'data-recorder' },
  groupId: {
    env: 'KAFKA_GROUP_ID',
    type: text('a name of letters, digits, dots, hyphens and underscores', /^[\w.-]+$/),
    default: 'data-recorder-group',
    describe:
      'What the two consumer groups are called, with -hot and -cold behind it; all recorders that share the work have the same',
  },
  topics: {
    env: 'KAFKA_TOPICS',
    type: list(choice(...TOPICS)),
    default: TOPICS.join(','),
    describe: 'What is recorded',
  },
  sessionTimeout: {
    env: 'KAFKA_SESSION_TIMEOUT',
    type: duration({ min: '6s', max: '30m' }),
    default: '30s',
    describe: 'Silence after which the brokers give the partitions of a recorder to the others',
  },
  compression: {
    ...compression,
    describe: 'How dead letters are compressed; what is read may be compressed in any of these ways',
  },
  requestTimeout,
  topicPartitions,
  topicReplication,
} as const satisfies SettingsGroup;

/** Names of the same prefix that other apps read. */
export const KAFKA_OF_OTHER_APPS = ['KAFKA_LINGER', 'KAFKA_ACKS', 'KAFKA_MAX_CONSECUTIVE_ERRORS'];

export function kafkaSettings(values: SettingsOf<{ readonly kafka: typeof kafkaGroup }>['kafka']): KafkaSettings {
  const { topics, requestTimeout, sessionTimeout, ...rest } = values;
  return {
    ...rest,
    topics: [...new Set(topics)],
    requestTimeoutMs: requestTimeout,
    sessionTimeoutMs: sessionTimeout,
  };
}
