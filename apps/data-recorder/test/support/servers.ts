import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@aipx/embedded-postgres';
import { kafkaUnavailable, startKafka } from '@aipx/stack';
import type { DatabaseAddress } from '@aipx/timescale';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the broker that all test files share; absent where none can run. */
    broker: string | undefined;
    /** Of the PostgreSQL that all test files share; each test makes a database of its own in it. */
    postgres: DatabaseAddress;
  }
}

export default async function startServersForTests(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'aipx-recorder-servers-'));
  const signal = AbortSignal.timeout(180_000);
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), signal });
  const { host, port, user, password, database } = postgres;
  project.provide('postgres', { host, port, user, password, database });
  const canRun = kafkaUnavailable() === undefined;
  const kafka = canRun ? await startKafka({ folder: join(folder, 'kafka'), signal }) : undefined;
  project.provide('broker', kafka?.brokers[0]);
  return async () => {
    await Promise.all([kafka?.stop(), postgres.stop()]);
    await rm(folder, { recursive: true, force: true });
  };
}
