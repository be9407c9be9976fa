import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '@aipx/embedded-postgres';
import type { DatabaseAddress } from '../database-address.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The server that all test files share; each test makes a database of its own in it. */
    server: DatabaseAddress;
  }
}

/** For `globalSetup` in the configuration of vitest. */
export default async function startServerForTests(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'aipx-postgres-'));
  const postgres = await startEmbeddedPostgres({ dataDir, signal: AbortSignal.timeout(60_000) });
  const { host, port, user, password, database } = postgres;
  project.provide('server', { host, port, user, password, database });
  return async () => {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
}
