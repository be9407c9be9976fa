import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedEventLog } from '@aipx/event-log';
import { expect, it, onTestFinished } from 'vitest';
import { foundText } from './found.js';

const NOTHING_LEFT = {
  hot: { recovered: 0, recoveredGap: 0 },
  cold: { recovered: 0, recoveredGap: 0 },
} as unknown as Parameters<typeof foundText>[0]['counts'];

it('says what earlier runs left: how many records, of when, and what the stores lack of them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'aipx-found-'));
  let now = Date.parse('2026-11-21T09:00:00Z');
  const log = await EmbeddedEventLog.open({
    path: join(folder, 'log'),
    topics: { 'market.tick': 1, 'market.orderbook': 1, 'market.gap': 1, 'market.dlq': 1 },
    now: () => now,
  });
  onTestFinished(async () => {
    await log.close();
    rmSync(folder, { recursive: true });
  });
  const append = async (topic: string, count: number) => {
    const entry = { topic, key: 'upbit:KRW-BTC', value: new Uint8Array([1, 2, 3]), headers: {} };
    await log.append(Array.from({ length: count }, () => entry));
    now += 60_000;
  };

  await append('market.dlq', 1);
  expect(await foundText({ log, counts: NOTHING_LEFT })).toBeUndefined();
  await append('market.orderbook', 1_200);
  await append('market.tick', 3);
  await append('market.orderbook', 1);
  await append('market.dlq', 1);
  const found =
    'found 1,204 records, taken from 2026-11-21T09:01:00Z to 2026-11-21T09:03:00Z; this run goes on behind them';
  expect(await foundText({ log, counts: NOTHING_LEFT })).toBe(found);
  const { hot, cold } = NOTHING_LEFT;
  const counts = { hot: { ...hot, recovered: 4, recoveredGap: 1 }, cold: { ...cold, recovered: 1_203 } };
  expect(await foundText({ log, counts })).toBe(
    `${found}, after it has brought 5 of them to the database and 1,203 of them to the lake`,
  );
});
