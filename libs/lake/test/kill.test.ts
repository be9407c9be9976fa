import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { EmbeddedEventLog } from '@aipx/event-log';
import { entryOf } from '@aipx/market-proto/testing';
import { describe, expect, it } from 'vitest';
import { FolderObjectStore } from '../src/object-store/folder-object-store.js';
import { audit } from './support/audit.js';
import { allOf, query } from './support/duckdb.js';
import { book, NEARLY_TWO, SECOND, tick } from './support/events.js';
import { tempFolder } from './support/temp-folder.js';

const SYMBOLS = ['KRW-BTC', 'KRW-ETH', 'KRW-XRP'];
const TOPICS = { 'market.tick': 2, 'market.orderbook': 2 };

/** Runs the recorder as a process of its own. `true` when it was killed, right after that many calls to the store. */
async function killedAfter(folder: string, calls: number): Promise<boolean> {
  const child = fork(join(import.meta.dirname, 'support/record-loop.ts'), [folder], {
    execArgv: ['--import', join(import.meta.dirname, 'support/source-hooks.mjs')],
  });
  let done = 0;
  child.on('message', (message) => {
    if (message !== 'done') done += 1;
    if (done === calls) child.kill('SIGKILL');
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  if (signal === null) expect(code).toBe(0);
  return signal === 'SIGKILL';
}

describe('the cold recorder as a process', () => {
  it('holds every record once after being killed again and again', async () => {
    const folder = await tempFolder();
    const log = await EmbeddedEventLog.open({ path: join(folder, 'log.db'), topics: TOPICS });
    const events = Array.from({ length: 300 }, (_, index) => {
      const fields = { symbol: SYMBOLS[index % 3] ?? '', timestamp: NEARLY_TWO + (BigInt(index) * SECOND) / 10n };
      return index % 2 === 0 ? tick({ ...fields, tradeId: String(index) }) : book(fields);
    });
    await log.append(events.map(entryOf));
    await log.close();

    let kills = 0;
    while (await killedAfter(folder, 9 + kills * 5)) kills += 1;
    expect(kills).toBeGreaterThan(3);

    const objects = await FolderObjectStore.open(join(folder, 'lake'));
    let offsets = 0;
    for (const [topic, count] of Object.entries(TOPICS)) {
      for (let partition = 0; partition < count; partition += 1) {
        const whereabouts = await audit(objects, { topic, partition });
        expect(new Set(whereabouts)).toEqual(new Set(whereabouts.length > 0 ? ['file'] : []));
        offsets += whereabouts.length;
      }
    }
    expect(offsets).toBe(300);
    const trades = await query(`SELECT trade_id FROM ${allOf(join(folder, 'lake'), 'tick')} ORDER BY trade_id::INT`);
    expect(trades.map((row) => Number(row['trade_id']))).toEqual(Array.from({ length: 150 }, (_, index) => index * 2));
  }, 120_000);
});
