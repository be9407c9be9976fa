import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '@aipx/embedded-postgres';
import { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { PASS, type Deed, type HotMoment } from '../src/moment.ts';
import { PostgresProxy } from '../src/proxy/postgres-proxy.ts';

let folder: string;
let postgres: EmbeddedPostgres;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aipx-faults-proxy-'));
  postgres = await startEmbeddedPostgres({ dataDir: folder, signal: AbortSignal.timeout(60_000) });
  await onServer((client) => client.query('CREATE TABLE stored (value integer)'));
});
afterAll(async () => {
  await postgres.stop();
  await rm(folder, { recursive: true });
});
beforeEach(() => onServer((client) => client.query('TRUNCATE stored')));

async function onServer<Result>(action: (client: Client) => Promise<Result>, port = postgres.port): Promise<Result> {
  const { host, user, password, database } = postgres;
  const client = new Client({ host, port, user, password, database });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await action(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function stored(): Promise<number> {
  const { rows } = await onServer((client) => client.query<{ n: string }>('SELECT count(*) AS n FROM stored'));
  return Number(rows[0]?.n);
}

/** Copies ten rows in one transaction through a proxy. */
async function copyThrough(judge: (moment: HotMoment) => Deed): Promise<void> {
  const proxy = await PostgresProxy.open({ port: postgres.port, judge });
  onTestFinished(() => proxy.close());
  await onServer(async (client) => {
    await client.query('BEGIN');
    await pipeline(Readable.from(['1\n'.repeat(10)]), client.query(copyFrom('COPY stored FROM STDIN')));
    await client.query('COMMIT');
  }, proxy.port);
}

function only(at: HotMoment['at'], deed: Deed): (moment: HotMoment) => Deed {
  return (moment) => (moment.at === at ? deed : PASS);
}

describe('the wire to the database', () => {
  it('tells of COPY, COMMIT and its answer, in their order, and changes nothing', async () => {
    const seen: string[] = [];
    await copyThrough(({ at }) => {
      seen.push(at);
      return PASS;
    });
    expect(seen).toEqual(['copy', 'commit', 'committed']);
    expect(await stored()).toBe(10);
  });

  it('tells of no transaction that copied nothing', async () => {
    const seen: string[] = [];
    const judge = ({ at }: HotMoment) => {
      seen.push(at);
      return PASS;
    };
    const proxy = await PostgresProxy.open({ port: postgres.port, judge });
    onTestFinished(() => proxy.close());
    await onServer(async (client) => {
      for (const text of ['BEGIN', 'INSERT INTO stored VALUES (1)', 'COMMIT']) await client.query(text);
    }, proxy.port);
    expect(seen).toEqual([]);
    expect(await stored()).toBe(1);
  });

  it('loses a COMMIT before the server: nothing is stored', async () => {
    await expect(copyThrough(only('commit', { does: 'reset' }))).rejects.toThrow();
    expect(await stored()).toBe(0);
  });

  it('loses the answer of a COMMIT that worked: everything is stored', async () => {
    await expect(copyThrough(only('committed', { does: 'reset' }))).rejects.toThrow();
    expect(await stored()).toBe(10);
  });

  it('withholds an answer until it may end, and resets then', async () => {
    const until = Promise.withResolvers<undefined>();
    const copying = copyThrough(only('committed', { does: 'withhold', until: until.promise }));
    const outcome = copying.then(
      () => 'answered',
      () => 'reset',
    );
    expect(await Promise.race([outcome, stored().then(() => 'still waiting')])).toBe('still waiting');
    until.resolve(undefined);
    expect(await outcome).toBe('reset');
  });

  it('breaks off inside of COPY: the server has begun and stores nothing', async () => {
    await expect(copyThrough(only('copy', { does: 'reset' }))).rejects.toThrow();
    expect(await stored()).toBe(0);
  });

  it('tells the client an error with an SQLSTATE', async () => {
    const copying = copyThrough(only('copy', { does: 'refuse', status: '53100' }));
    await expect(copying).rejects.toMatchObject({ code: '53100' });
  });

  it('calls back when the answer has left', async () => {
    const called = Promise.withResolvers<string>();
    await copyThrough(only('committed', { does: 'pass', afterwards: () => called.resolve('called') }));
    expect(await called.promise).toBe('called');
  });
});
