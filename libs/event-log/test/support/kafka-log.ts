import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import type { LogHarness } from '../../src/contract/index.js';
import { KafkaEventLog, type KafkaEventLogOptions } from '../../src/kafka/index.js';
import { RenamedLog } from './renamed-log.js';

const { brokers, missing } = inject('kafka');

/** For `describe.skipIf`, and for the title of what is skipped. */
export const noKafka = missing !== undefined;
export const ON_KAFKA = noKafka ? `Kafka (${missing})` : 'Kafka';

/** A log on the shared broker, or on those of `options`. */
export function openKafkaLog(options: Partial<KafkaEventLogOptions>): Promise<KafkaEventLog> {
  return KafkaEventLog.open({
    brokers,
    clientId: 'event-log-test',
    topics: {},
    replication: 1,
    compression: 'zstd',
    acks: 'all',
    requestTimeoutMs: 10_000,
    signal: AbortSignal.timeout(30_000),
    ...options,
  });
}

/** A name that nobody else on the shared broker has. */
export function ownName(name: string): string {
  return `${randomUUID().slice(0, 8)}.${name}`;
}

/** A log apart from all others of the shared broker: its topics and groups have names of their own there. */
export async function kafkaHarness(options: Partial<KafkaEventLogOptions> = {}): Promise<LogHarness> {
  const prefix = ownName('');
  return {
    open: async (topics) => {
      const renamed = Object.fromEntries(Object.entries(topics).map(([name, count]) => [`${prefix}${name}`, count]));
      return new RenamedLog(await openKafkaLog({ ...options, topics: renamed }), prefix);
    },
    // The broker and its topics go with the test run.
    dispose: async () => undefined,
  };
}
