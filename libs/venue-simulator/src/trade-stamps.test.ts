import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

let folder: string;
let markFile: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stamps-'));
  markFile = join(folder, 'mark');
});
afterEach(() => rm(folder, { recursive: true }));

/** The class as a new process sees it: the module's own memory begins anew. */
function newProcess() {
  vi.resetModules();
  return import('./trade-stamps.js');
}

describe('TradeStamps', () => {
  it('are a time and a counter, and never twice the same whatever the clock does', async () => {
    const { TradeStamps } = await newProcess();
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1_700_000_000_000, max: 1_700_000_000_020 }), { maxLength: 200 }),
        (times) => {
          let at = 0;
          const stamps = new TradeStamps({ now: () => times[at++] ?? 0 });
          const seen = times.map(() => stamps.next());
          expect(new Set(seen.map(({ millis, counter }) => `${millis}-${counter}`)).size).toBe(times.length);
        },
      ),
    );
  });

  it('go to the next ms when ten thousand were given out within one', async () => {
    const { TradeStamps } = await newProcess();
    const stamps = new TradeStamps({ now: () => 1_700_000_000_000 });
    for (let count = 0; count < 10_000; count += 1) stamps.next();
    expect(stamps.next()).toEqual({ millis: 1_700_000_000_001, counter: 0 });
  });

  it.each([
    ['after a clean stop', true],
    ['after a kill', false],
  ])('never repeat across runs %s, within the same ms and with the clock stepped back', async (_, clean) => {
    const seen = new Set<string>();
    let given = 0;
    for (const now of [1_700_000_000_000, 1_700_000_000_000, 1_699_000_000_000]) {
      const { TradeStamps } = await newProcess();
      const stamps = new TradeStamps({ now: () => now, markFile });
      for (let count = 0; count < 25_000; count += 1, given += 1) {
        const { millis, counter } = stamps.next();
        seen.add(`${millis}-${counter}`);
      }
      if (clean) stamps.close();
    }
    expect(seen.size).toBe(given);
  });

  it('stay near the clock after a clean stop', async () => {
    const first = new (await newProcess()).TradeStamps({ now: () => 1_700_000_000_000, markFile });
    first.next();
    first.close();
    expect(await readFile(markFile, 'utf8')).toBe('1700000000001\n');
  });

  it('refuse a mark that is none', async () => {
    const { TradeStamps } = await newProcess();
    await writeFile(markFile, 'yesterday');
    expect(() => new TradeStamps({ now: Date.now, markFile })).toThrow('holds "yesterday"; expected milliseconds');
  });
});
