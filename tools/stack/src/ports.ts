import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { MarketDataError } from '@aipx/market-model';

export const HOST = '127.0.0.1';

const LOWEST = 15_000;
/** Where Linux begins to take ports for outgoing connections, unless told otherwise. */
const EPHEMERAL_FROM = 32_768;
const TRIES = 200;

/** Whether a server could listen there now. */
export async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  try {
    probe.listen({ port, host: HOST });
    await once(probe, 'listening');
  } catch {
    return false;
  }
  probe.close();
  await once(probe, 'close');
  return true;
}

/**
 * Ports that are free now, each once. They lie below those that the system gives to outgoing connections: a server that
 * is stopped for a while must find its port free again, and a client that knocks at it meanwhile must not reach itself.
 *
 * @throws {MarketDataError} `STORE_UNAVAILABLE` when none can be found
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  const below = await ephemeralFrom();
  const found = new Set<number>();
  for (let tries = 0; tries < TRIES && found.size < count; tries += 1) {
    const port = LOWEST + Math.floor(Math.random() * (below - LOWEST));
    if (!found.has(port) && (await isFree(port))) found.add(port);
  }
  if (found.size === count) return [...found];
  throw new MarketDataError('STORE_UNAVAILABLE', `${HOST} has no ${count} free ports from ${LOWEST} to ${below}`);
}

async function ephemeralFrom(): Promise<number> {
  const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').catch(() => '');
  const from = Number.parseInt(range, 10);
  return from > LOWEST + 1_000 ? from : EPHEMERAL_FROM;
}
