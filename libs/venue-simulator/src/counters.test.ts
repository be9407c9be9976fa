import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeptCounters } from './counters.js';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'counters-'));
  path = join(folder, 'counters');
});
afterEach(() => rm(folder, { recursive: true }));

function raised(name: string, values: readonly number[], period = '20261123'): KeptCounters {
  const counters = new KeptCounters(path);
  for (const value of values) counters.raise(period, name, value);
  return counters;
}

describe('kept counters', () => {
  it('begin at 0, and after a clean end go on exactly where they were', () => {
    expect(new KeptCounters(path).reached('20261123', 'a')).toBe(0);
    raised('a', [10, 5_000]).close();
    expect(new KeptCounters(path).reached('20261123', 'a')).toBe(5_000);
    expect(new KeptCounters(path).reached('20261123', 'b')).toBe(0);
  });

  it('are never behind a value that was shown before a kill, nor far ahead of it', () => {
    const values = Array.from({ length: 20_000 }, (_, at) => at * 7);
    for (const shown of [1, 2, 500, 20_000]) {
      raised(`killed after ${shown}`, values.slice(0, shown));
      const reached = new KeptCounters(path).reached('20261123', `killed after ${shown}`);
      expect(reached).toBeGreaterThanOrEqual((shown - 1) * 7);
      expect(reached).toBeLessThanOrEqual(Math.max(2 * (shown - 1) * 7, 0) + 4_000);
    }
  });

  it('are written rarely: a busy counter reserves more and more', async () => {
    const counters = new KeptCounters(path);
    let written = 0;
    let last = '';
    for (let value = 1; value <= 1_000_000; value += 1_000) {
      counters.raise('20261123', 'a', value);
      const content = await readFile(path, 'utf8');
      if (content !== last) written += 1;
      last = content;
    }
    expect(written).toBeLessThan(20);
  });

  it('begin anew with the next period, and do not go back to an earlier one', () => {
    const counters = raised('a', [9_000]);
    expect(counters.reached('20261124', 'a')).toBe(0);
    counters.raise('20261124', 'a', 3);
    counters.raise('20261123', 'a', 9_001);
    counters.close();
    const next = new KeptCounters(path);
    expect([next.reached('20261124', 'a'), next.reached('20261123', 'a')]).toEqual([3, 0]);
  });

  it('refuse a file that holds something else, and one that cannot be written', async () => {
    for (const content of ['', '5', '{"period":1,"counters":{}}', '{"period":"x","counters":{"a":"b"}}']) {
      await writeFile(path, content);
      expect(() => new KeptCounters(path)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    }
    const nowhere = new KeptCounters(join(folder, 'none', 'counters'));
    expect(() => {
      nowhere.raise('20261123', 'a', 1);
    }).toThrow(expect.objectContaining({ code: 'STORE_UNAVAILABLE' }));
  });
});
