import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import type { DatabaseAddress } from '../src/database-address.js';
import { Database } from '../src/database.js';

const soon = () => AbortSignal.timeout(10_000);

describe('a lent connection', () => {
  it('fails in a way that is worth another try for what the database says', async () => {
    const database = connections(inject('server'));
    await expect(database.use(soon(), (session) => session.query('SELECT * FROM nowhere'))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      retryable: true,
      context: { sqlstate: '42P01' },
    });
  });

  it('fails in the same way when it is cut off', async () => {
    const database = connections(inject('server'));
    const abort = new AbortController();
    const asleep = database.use(abort.signal, async (session) => {
      const asking = session.query('SELECT pg_sleep(60)');
      abort.abort();
      await asking;
    });
    await expect(asleep).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
  });

  it('throws a mistake of the program as it is: no try would mend it', async () => {
    const database = connections(inject('server'));
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
    const database = connections({ ...inject('server'), host: '127.0.0.1', port });
    await expect(database.use(abort.signal, (session) => session.query('SELECT'))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      // And not because its own time is over.
      message: expect.stringContaining('Connection terminated') as string,
    });
  });
});

/** Rows that come to an end with a mistake. */
function* failing(mistake: Error): Generator<Buffer> {
  yield Buffer.from('one\n');
  throw mistake;
}

function connections(address: DatabaseAddress): Database {
  const database = new Database(address, { applicationName: 'test', statementTimeoutMs: 60_000 });
  onTestFinished(() => database.close());
  return database;
}
