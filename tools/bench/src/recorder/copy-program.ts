import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import type { DatabaseAddress } from '@aipx/timescale';
import { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

const run = promisify(execFile);

/** What copies a ready file into a table as fast as PostgreSQL takes it. */
export interface CopyProgram {
  readonly name: string;
  /** @returns how long the COPY took, ms; the program's start is not in it */
  copy(table: string, file: string): Promise<number>;
}

/** `psql` where the machine has one, else the driver. */
export async function findCopyProgram(database: DatabaseAddress): Promise<CopyProgram> {
  try {
    const { stdout } = await run('psql', ['--version']);
    return { name: `\\copy of ${stdout.trim()}`, copy: (table, file) => copyWithPsql(database, table, file) };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    return {
      name: 'COPY by pg-copy-streams from a ready file (no psql here)',
      copy: (table, file) => copyWithDriver(database, table, file),
    };
  }
}

async function copyWithPsql(database: DatabaseAddress, table: string, file: string): Promise<number> {
  const { host, port, user, password, database: name } = database;
  const { stdout } = await run(
    'psql',
    ['-X', '-v', 'ON_ERROR_STOP=1', '-c', '\\timing on', '-c', `\\copy ${table} from '${file}'`],
    {
      env: {
        PATH: process.env['PATH'],
        LC_ALL: 'C',
        PGHOST: host,
        PGPORT: String(port),
        PGUSER: user,
        PGPASSWORD: password,
        PGDATABASE: name,
      },
    },
  );
  const millis = /^Time: ([\d.]+) ms/m.exec(stdout)?.[1];
  if (millis === undefined) throw new Error(`psql did not say how long the copy took: ${stdout}`);
  return Number(millis);
}

async function copyWithDriver(database: DatabaseAddress, table: string, file: string): Promise<number> {
  const client = new Client({ ...database });
  await client.connect();
  try {
    const begunAt = performance.now();
    await pipeline(createReadStream(file), client.query(copyFrom(`COPY ${table} FROM STDIN`)));
    return performance.now() - begunAt;
  } finally {
    await client.end();
  }
}
