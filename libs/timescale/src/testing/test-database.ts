import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { inject, onTestFinished } from 'vitest';
import type { DatabaseAddress } from '../database-address.js';
import { migrate } from '../migrations/migrate.js';

type Row = Readonly<Record<string, unknown>>;

/** A database of one test, dropped when the test is over. */
export interface TestDatabase {
  readonly address: DatabaseAddress;
  /** Runs SQL beside the code under test, and returns the rows. */
  sql(text: string, values?: unknown[]): Promise<Row[]>;
}

/** The server that all test files share. */
export function testServer(): DatabaseAddress {
  return inject('server');
}

export async function emptyDatabase(): Promise<TestDatabase> {
  const server = testServer();
  const address = { ...server, database: `test_${randomBytes(6).toString('hex')}` };
  const admin = await connected(server);
  await admin.query(`CREATE DATABASE ${address.database}`);
  const client = await connected(address);
  onTestFinished(async () => {
    await client.end();
    await admin.query(`DROP DATABASE ${address.database} WITH (FORCE)`);
    await admin.end();
  });
  return { address, sql: async (text, values) => (await client.query<Row>(text, values)).rows };
}

/** The database that an address names, with the schema of the hot store. */
export async function databaseOn(address: DatabaseAddress): Promise<TestDatabase> {
  await migrate(address, { signal: AbortSignal.timeout(30_000) });
  const client = await connected(address);
  onTestFinished(() => client.end());
  return { address, sql: async (text, values) => (await client.query<Row>(text, values)).rows };
}

/** A database with the schema of the hot store. */
export async function hotDatabase(): Promise<TestDatabase> {
  const database = await emptyDatabase();
  await migrate(database.address, { signal: AbortSignal.timeout(30_000) });
  return database;
}

async function connected(address: DatabaseAddress): Promise<Client> {
  const client = new Client({ ...address });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
