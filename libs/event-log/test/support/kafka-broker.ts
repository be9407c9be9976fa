import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { kafkaUnavailable, startKafka } from '@aipx/stack';

declare module 'vitest' {
  interface ProvidedContext {
    /** The one broker that test files share which do it no harm; `missing` says what a machine without it needs. */
    kafka: { readonly brokers: readonly string[]; readonly missing?: string };
  }
}

export default async function startBrokerForTests(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const missing = kafkaUnavailable();
  if (missing !== undefined) {
    project.provide('kafka', { brokers: [], missing });
    return undefined;
  }
  const folder = await mkdtemp(join(tmpdir(), 'aipx-event-log-'));
  const kafka = await startKafka({ folder, signal: AbortSignal.timeout(120_000) });
  project.provide('kafka', { brokers: kafka.brokers });
  return async () => {
    await kafka.stop();
    await rm(folder, { recursive: true, force: true });
  };
}
