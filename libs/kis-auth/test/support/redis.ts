import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { startRedis, type RedisServer } from '@aipx/stack';
import { onTestFinished } from 'vitest';
import type { RedisSettings } from '../../src/index.js';
import { RedisStore } from '../../src/stores/redis-store.js';
import { testFolder } from './folders.js';

const { signal } = new AbortController();

export interface TestRedis {
  readonly server: RedisServer;
  readonly settings: RedisSettings;
  /** Starts it again, after a kill, without anything that it knew. */
  startEmpty(): Promise<void>;
}

export async function testRedis(password?: string): Promise<TestRedis> {
  const folder = await testFolder();
  const server = await startRedis({ folder, signal, ...(password !== undefined && { password }) });
  onTestFinished(() => server.stop());
  return {
    server,
    settings: { host: server.host, port: server.port, password },
    startEmpty: async () => {
      await rm(join(folder, 'appendonlydir'), { recursive: true });
      await server.start();
    },
  };
}

/** A store that has reached its Redis. */
export async function connectedStore({ settings }: TestRedis): Promise<RedisStore> {
  const store = new RedisStore(settings);
  const { promise, resolve } = Promise.withResolvers<undefined>();
  store.onReturn(() => resolve(undefined));
  await promise;
  return store;
}

/** Sends commands as a person would type them, and returns the answers' lines. */
export async function typed({ server }: TestRedis, ...commands: readonly string[]): Promise<readonly string[]> {
  const socket = connect({ host: server.host, port: server.port });
  await once(socket, 'connect');
  socket.end(`${[...commands, 'QUIT'].join('\r\n')}\r\n`);
  return (await text(socket)).split('\r\n').slice(0, -2);
}
