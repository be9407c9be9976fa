import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { migrationStatus } from '../src/migrations/migration-status.js';
import { useMigrationClient } from '../src/migrations/migration-client.js';
import { emptyDatabase } from '../src/testing/index.js';
import { faultProxy, type FaultProxy } from './support/fault-proxy.js';

const signal = new AbortController().signal;
describe('a database that goes away while it is migrated', () => {
  it.each([
    ['its connection is cut', (_: Client, proxy: FaultProxy) => proxy.cut()],
    ['the server ends it', (client: Client) => client.query('SELECT pg_terminate_backend(pg_backend_pid())')],
  ])('is not taken for one that refuses: %s', async (_, end) => {
    const { address } = await emptyDatabase();
    const proxy = await faultProxy(address);
    const migrating = useMigrationClient(proxy.address, signal, async (client) => {
      await end(client, proxy);
      await client.query('SELECT 1');
    });
    await expect(migrating).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
  });

  it('is left although it does not answer the goodbye', async () => {
    const { address } = await emptyDatabase();
    const proxy = await faultProxy(address);
    await useMigrationClient(proxy.address, signal, async (client) => {
      await client.query('SELECT 1');
      proxy.swallow(true);
    });
  });

  it('is left at once by whoever is told to while it takes the connection and says nothing', async () => {
    const taken = Promise.withResolvers<Socket>();
    const server = createServer(taken.resolve).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { address } = await emptyDatabase();
    const stop = new AbortController();
    const silent = { ...address, port: (server.address() as AddressInfo).port };
    const asking = expect(migrationStatus(silent, { signal: stop.signal })).rejects.toThrow('told to stop');
    const socket = await taken.promise;
    const left = once(socket, 'close');
    socket.resume();
    stop.abort(new Error('told to stop'));
    await asking;
    await left;
  });
});
