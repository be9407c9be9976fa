import { randomBytes } from 'node:crypto';
import { migrate, type DatabaseAddress } from '@aipx/timescale';
import { Client } from 'pg';
import { inject, onTestFinished } from 'vitest';

type Row = Readonly<Record<string, unknown>>;

/** A database of one test, dropped when the test is over. */
export interface TestDatabase {
  readonly address: DatabaseAddress;
  /** What leads a recorder there. */
  readonly settings: Readonly<Record<string, string>>;
  sql(text: string, values?: unknown[]): Promise<Row[]>;
}

export async function migratedDatabase(): Promise<TestDatabase> {
  const database = await emptyDatabase();
  await migrate(database.address, { signal: AbortSignal.timeout(30_000) });
  return database;
}

export async function emptyDatabase(): Promise<TestDatabase> {
  const server = inject('postgres');
  const address = { ...server, database: `test_${randomBytes(6).toString('hex')}` };
  const admin = await connected(server);
  await admin.query(`CREATE DATABASE ${address.database}`);
  const client = await connected(address);
  onTestFinished(async () => {
    await client.end();
    await admin.query(`DROP DATABASE ${address.database} WITH (FORCE)`);
    await admin.end();
  });
  return {
    address,
    settings: databaseSettings(address),
    sql: async (text, values) => (await client.query<Row>(text, values)).rows,
  };
}

export function databaseSettings(address: DatabaseAddress): Readonly<Record<string, string>> {
  return {
    TIMESCALEDB_HOST: address.host,
    TIMESCALEDB_PORT: String(address.port),
    TIMESCALEDB_USER: address.user,
    TIMESCALEDB_PASSWORD: address.password,
    TIMESCALEDB_DB: address.database,
  };
}

async function connected(address: DatabaseAddress): Promise<Client> {
  const client = new Client({ ...address });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
