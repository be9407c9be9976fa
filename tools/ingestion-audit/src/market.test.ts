import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { Market } from './market.ts';

async function openMarket(): Promise<Market> {
  const folder = await mkdtemp(join(tmpdir(), 'aipx-market-'));
  const ending = new AbortController();
  onTestFinished(async () => {
    ending.abort();
    await rm(folder, { recursive: true, force: true });
  });
  const journal = join(folder, 'journal.jsonl');
  return await Market.open({ symbols: ['KRW-BTC'], seed: 1, rate: 100, journal, signal: ending.signal });
}

async function subscribe(market: Market): Promise<WebSocket> {
  const since = market.now;
  const socket = new WebSocket(market.websocketUrl);
  socket.addEventListener('open', () => {
    socket.send('[{"ticket":"t"},{"type":"trade","codes":["KRW-BTC"]},{"format":"SIMPLE"}]');
  });
  await market.subscribed(since);
  return socket;
}

it('knows whether the service still listens, also to the second connection after the first', async () => {
  const market = await openMarket();
  expect(await market.stands()).toBe(false);
  const first = await subscribe(market);
  expect(await market.stands()).toBe(true);
  const since = market.now;
  first.close();
  await market.ended(since);
  expect(await market.stands()).toBe(false);
  const second = await subscribe(market);
  expect(await market.stands()).toBe(true);
  second.close();
});
