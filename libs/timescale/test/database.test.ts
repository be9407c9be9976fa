import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { DatabaseAddress } from '../src/database-address.js';
import { databaseSsl } from '../src/database-ssl.js';
import { Database, type PoolOptions } from '../src/database.js';
import type { Session } from '../src/session.js';
import { testServer } from '../src/testing/index.js';

const soon = () => AbortSignal.timeout(10_000);

describe('a lent connection', () => {
  it('fails in a way that is worth another try for what the database says', async () => {
    const database = connections(testServer());
    await expect(database.use(soon(), (session) => session.query('SELECT * FROM nowhere'))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      retryable: true,
      context: { sqlstate: '42P01' },
    });
  });

  it('fails in the same way when it is cut off', async () => {
    const database = connections(testServer());
    const abort = new AbortController();
    const asleep = database.use(abort.signal, async (session) => {
      const asking = session.query('SELECT pg_sleep(60)');
      abort.abort();
      await asking;
    });
    await expect(asleep).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
  });

  it('throws a mistake of the program as it is: no try would mend it', async () => {
    const database = connections(testServer());
    const mistake = new TypeError('undefined is not a row');
    const copying = database.use(soon(), async (session) => {
      await session.query('CREATE TEMPORARY TABLE rows_made (text text)');
      return session.copyIn('COPY rows_made FROM STDIN', failing(mistake));
    });
    await expect(copying).rejects.toBe(mistake);
  });

  it('that does not come about is given up when the signal aborts', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void silent.close());
    await once(silent, 'listening');
    const abort = new AbortController();
    silent.on('connection', (socket) => {
      onTestFinished(() => void socket.destroy());
      abort.abort();
    });
    const { port } = silent.address() as AddressInfo;
    const database = connections({ ...testServer(), host: '127.0.0.1', port });
    await expect(database.use(abort.signal, (session) => session.query('SELECT'))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      // And not because its own time is over.
      message: expect.stringContaining('Connection terminated') as string,
    });
  });
});

describe('the connections', () => {
  it('are never more than the pool has', async () => {
    const database = connections(testServer(), { poolSize: 2 });
    let open = 0;
    let most = 0;
    const using = Array.from({ length: 6 }, () =>
      database.use(soon(), async (session) => {
        most = Math.max(most, (open += 1));
        await session.query('SELECT pg_sleep(0.01)');
        open -= 1;
      }),
    );
    await Promise.all(using);
    expect(most).toBe(2);
  });

  it('are waited for no longer than the signal says', async () => {
    const database = connections(testServer(), { poolSize: 1 });
    const abort = new AbortController();
    await database.use(soon(), async () => {
      const waiting = database.use(abort.signal, (session) => session.query('SELECT'));
      abort.abort();
      await expect(waiting).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
    });
    await expect(database.use(soon(), pidOf)).resolves.toBeGreaterThan(0);
  });

  it('are all new ones after as many failures in a row as are allowed', async () => {
    const database = connections(testServer(), { poolSize: 4, maxRetries: 2 });
    const pids = await Promise.all([0, 1, 2, 3].map(() => database.use(soon(), pidOf)));
    const fail = () => database.use(soon(), (session) => session.query('SELECT * FROM nowhere')).catch(() => undefined);
    await fail();
    expect(pids).toContain(await database.use(soon(), pidOf));
    await fail();
    await fail();
    expect(pids).not.toContain(await database.use(soon(), pidOf));
  });

  it('are cut off at the end when the other side does not take leave', async () => {
    const { host, port } = testServer();
    const between = createServer({ allowHalfOpen: true }, (client) => {
      const server = connect(port, host);
      client.on('data', (bytes) => server.write(bytes));
      server.on('data', (bytes) => client.write(bytes));
      for (const socket of [client, server]) {
        socket.on('error', () => undefined);
        onTestFinished(() => void socket.destroy());
      }
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void between.close());
    await once(between, 'listening');
    const database = connections({
      ...testServer(),
      host: '127.0.0.1',
      port: (between.address() as AddressInfo).port,
    });
    await database.use(soon(), pidOf);
    await database.close();
  });

  it.each(['require', 'verify'] as const)('are not made in the clear when ssl is %s', async (mode) => {
    const database = connections({ ...testServer(), ssl: databaseSsl(mode) });
    await expect(database.use(soon(), pidOf)).rejects.toThrow('The server does not support SSL connections');
  });

  it('have no certificate authority that nothing would check', () => {
    expect(() => databaseSsl('require', 'PEM')).toThrow('only verify checks it');
    expect(databaseSsl('verify', 'PEM')).toEqual({ rejectUnauthorized: true, ca: 'PEM' });
    expect(databaseSsl('off')).toBeUndefined();
  });
});

async function pidOf(session: Session): Promise<number> {
  const { rows } = await session.query('SELECT pg_backend_pid() AS pid');
  return Number(rows[0]?.['pid']);
}

/** Rows that come to an end with a mistake. */
function* failing(mistake: Error): Generator<Buffer> {
  yield Buffer.from('one\n');
  throw mistake;
}

function connections(address: DatabaseAddress, options: Partial<PoolOptions> = {}): Database {
  const database = new Database(address, {
    applicationName: 'test',
    statementTimeoutMs: 60_000,
    poolSize: 2,
    maxRetries: 3,
    ...options,
  });
  onTestFinished(() => database.close());
  return database;
}
