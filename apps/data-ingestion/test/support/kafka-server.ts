import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kafkaUnavailable, startKafka } from '@aipx/stack';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the broker that all test files share; absent where none can run. */
    broker: string | undefined;
  }
}

export default async function startKafkaForTests(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (kafkaUnavailable() !== undefined) {
    project.provide('broker', undefined);
    return undefined;
  }
  const folder = await mkdtemp(join(tmpdir(), 'aipx-kafka-'));
  const kafka = await startKafka({ folder, signal: AbortSignal.timeout(180_000) });
  project.provide('broker', kafka.brokers[0]);
  return async () => {
    await kafka.stop();
    await rm(folder, { recursive: true, force: true });
  };
}
