import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DatabaseAddress } from '../src/database-address.js';
import { databaseSsl } from '../src/database-ssl.js';
import { migrate } from '../src/migrations/migrate.js';
import { HotReader } from '../src/read/hot-reader.js';
import { TimescaleStore } from '../src/timescale-store.js';
import { startTlsServer, tlsUnavailable, type TlsServer } from './support/tls-server.js';

const missing = await tlsUnavailable();
const why = missing === undefined ? '' : ` (${missing})`;
const PARTITION = { topic: 'market.tick', partition: 0 };
const soon = () => AbortSignal.timeout(20_000);

/** Each way that this library connects, and what comes of it. */
const ASKS: Readonly<Record<string, (address: DatabaseAddress) => Promise<unknown>>> = {
  'the reader': async (address) => {
    await using reader = await HotReader.open(address, soon());
    const { rows } = await reader.query('SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
    return rows[0];
  },
  'the migrations': (address) => migrate(address, { signal: soon() }),
  'the store': async (address) => {
    const store = new TimescaleStore(address);
    try {
      return await store.openPosition(PARTITION, 'log', 0n, soon());
    } finally {
      await store.close();
    }
  },
};

describe.skipIf(missing !== undefined)(`a PostgreSQL that demands encryption${why}`, () => {
  let server: TlsServer;

  beforeAll(async () => {
    server = await startTlsServer(AbortSignal.timeout(50_000));
    await migrate(verified(), { signal: soon() });
  });

  afterAll(() => server.stop());

  const verified = () => ({ ...server.address, ssl: databaseSsl('verify', server.certificate) });

  it('is verified by the authority that signed its certificate', async () => {
    expect(await ASKS['the reader']?.(verified())).toEqual(['t', expect.stringMatching(/^TLSv1\.[23]$/)]);
  });

  it('is encrypted and not verified with require', async () => {
    const address = { ...server.address, ssl: databaseSsl('require') };
    expect(await ASKS['the reader']?.(address)).toEqual(['t', expect.stringMatching(/^TLSv1/)]);
  });

  describe.each(Object.entries(ASKS))('asked by %s', (_, ask) => {
    it('answers one who verifies it', async () => {
      await expect(ask(verified())).resolves.toBeDefined();
    });

    it('is refused when no authority vouches for it, with the setting that names one', async () => {
      await expect(ask({ ...server.address, ssl: databaseSsl('verify') })).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        message: expect.stringMatching(
          /self-signed certificate.*: TIMESCALEDB_SSL_CA must name the authority that signed its certificate$/,
        ) as string,
      });
    });

    it('is refused under a name that its certificate does not have, with the setting that says the name', async () => {
      await expect(ask({ ...verified(), host: 'localhost' })).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        message: expect.stringMatching(/TIMESCALEDB_HOST must be a name that its certificate has$/) as string,
      });
    });

    it('refuses a connection in the clear, and the setting that mends it is named', async () => {
      await expect(ask(server.address)).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        message: expect.stringMatching(
          /no encryption: it takes encrypted connections only, set TIMESCALEDB_SSL to verify$/,
        ) as string,
      });
    });
  });
});
