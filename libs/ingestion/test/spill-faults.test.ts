import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  ALL,
  numberOf,
  numbersOf,
  range,
  sequencesOf,
  spillEntries,
  spillEntry,
  SpillFixture,
} from './spill-fixture.js';
import { storedFiles } from './spill-format.js';

type Call = 'writeSync' | 'ftruncateSync' | 'rmSync' | 'readSync';
/** What fails, and how many bytes of a write still reach the disk. */
const faults = vi.hoisted(() => ({ failing: new Set<string>(), bytes: 0 }));

vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof fs>();
  const failing = (name: Call) => {
    if (faults.failing.has(name)) throw Object.assign(new Error(`EIO: i/o error, ${name}`), { code: 'EIO' });
  };
  return {
    ...real,
    writeSync: (descriptor: number, bytes: Buffer, from: number, length: number, position: number) => {
      if (!faults.failing.has('writeSync') || faults.bytes > 0) {
        const most = faults.failing.has('writeSync') ? Math.min(length, faults.bytes) : length;
        faults.bytes -= faults.failing.has('writeSync') ? most : 0;
        return real.writeSync(descriptor, bytes, from, most, position);
      }
      return failing('writeSync');
    },
    ftruncateSync: (descriptor: number, length: number) => {
      failing('ftruncateSync');
      real.ftruncateSync(descriptor, length);
    },
    rmSync: (path: string, options: object) => {
      failing('rmSync');
      real.rmSync(path, options);
    },
    readSync: (descriptor: number, bytes: Buffer, from: number, length: number, position: number) => {
      failing('readSync');
      return real.readSync(descriptor, bytes, from, length, position);
    },
  };
});

describe('a spill queue on a failing disk', () => {
  let fixture: SpillFixture;
  beforeEach(() => {
    fixture = new SpillFixture();
  });
  afterEach(() => {
    works();
    fixture.dispose();
  });

  function fails(...calls: Call[]): void {
    for (const call of calls) faults.failing.add(call);
  }

  function works(): void {
    faults.failing.clear();
    faults.bytes = 0;
  }

  const unavailable = expect.objectContaining({ code: 'STORE_UNAVAILABLE', retryable: true }) as Error;

  it('cuts off what a failed write left, at the latest before the next one', () => {
    const queue = fixture.open();
    queue.write(spillEntries(0, 3));
    fails('writeSync', 'ftruncateSync');
    faults.bytes = 250;
    expect(() => queue.write(spillEntries(3, 6))).toThrow(unavailable);
    expect([queue.waiting, storedFiles(fixture.folder)[0]?.records.length]).toEqual([3, 5]);
    expect(numbersOf(queue.entries())).toEqual([0, 1, 2]);
    faults.failing.delete('writeSync');
    expect(() => queue.write(spillEntries(6, 7))).toThrow(unavailable);
    works();
    queue.write(spillEntries(7, 8));
    expect(storedFiles(fixture.folder)[0]?.records.map(({ value }) => numberOf(value))).toEqual([0, 1, 2, 7]);
    expect(numbersOf(queue.read(ALL))).toEqual([0, 1, 2, 7]);
  });

  it('tells once that its mark stands still, keeps its files meanwhile, and catches up when the disk works', () => {
    const queue = fixture.open({ segmentBytes: 300 });
    for (const number of range(0, 10)) queue.write([spillEntry(number)]);
    const files = storedFiles(fixture.folder).length;
    const sequences = sequencesOf(queue.read(ALL));
    fails('writeSync');
    queue.acknowledge(sequences.slice(0, 5));
    queue.acknowledge(sequences.slice(5, 8));
    expect(fixture.told).toEqual([unavailable]);
    expect([queue.waiting, storedFiles(fixture.folder).length]).toEqual([2, files]);
    works();
    queue.acknowledge(sequences.slice(8));
    expect([queue.isEmpty, queue.bytes, storedFiles(fixture.folder)]).toEqual([true, 0, []]);
  });

  it('tells once that a file cannot be removed, and removes it later', () => {
    const queue = fixture.open({ segmentBytes: 300 });
    for (const number of range(0, 10)) queue.write([spillEntry(number)]);
    const sequences = sequencesOf(queue.read(ALL));
    fails('rmSync');
    queue.acknowledge(sequences.slice(0, 5));
    queue.acknowledge(sequences.slice(5));
    expect(fixture.told).toEqual([unavailable]);
    expect(queue.bytes).toBe(storedFiles(fixture.folder).reduce((sum, { bytes }) => sum + bytes, 0));
    queue.write([spillEntry(10)]);
    works();
    const again = fixture.open({ folder: fixture.copy(fixture.folder) });
    expect(numbersOf(again.read(ALL))).toEqual([10]);
    queue.acknowledge(sequencesOf(queue.read(ALL)));
    expect(fs.readdirSync(fixture.folder)).toEqual(['lock']);
  });

  it('skips nothing when the disk does not give it: the same entries come when it does', () => {
    const queue = fixture.open({ segmentBytes: 300 });
    for (const number of range(0, 10)) queue.write([spillEntry(number)]);
    fails('readSync');
    expect(() => queue.read(ALL)).toThrow(unavailable);
    expect(() => [...queue.entries()]).toThrow(unavailable);
    works();
    expect(numbersOf(queue.entries())).toEqual(range(0, 10));
    expect(numbersOf(queue.read(ALL))).toEqual(range(0, 10));
    expect(fixture.told).toEqual([]);
  });

  it('frees the folder when it cannot be opened', () => {
    fixture.open().write([spillEntry(0)]);
    const folder = fixture.copy(fixture.folder);
    fails('readSync');
    expect(() => fixture.open({ folder })).toThrow(unavailable);
    works();
    expect(fixture.open({ folder }).waiting).toBe(1);
    expect(fs.existsSync(join(folder, 'lock'))).toBe(true);
  });
});
