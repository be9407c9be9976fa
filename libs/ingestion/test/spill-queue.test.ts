import { existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SpillQueue } from '../src/spill/spill-queue.js';
import { ALL, numbersOf, range, sequencesOf, spillEntries, spillEntry, SpillFixture } from './spill-fixture.js';
import { storedFiles, storedMark } from './spill-format.js';

describe('a spill queue', () => {
  let fixture: SpillFixture;
  beforeEach(() => {
    fixture = new SpillFixture();
  });
  afterEach(() => fixture.dispose());

  it('gives back what was written, in order, every part of it unchanged', () => {
    const queue = fixture.open();
    const entries = [
      spillEntry(1),
      { ...spillEntry(2), key: '', value: Buffer.alloc(0), headers: {} },
      {
        ...spillEntry(3),
        topic: 'market.dlq',
        key: '삼성전자 €',
        headers: { reason: 'nicht gültig "x"', __proto__x: '' },
      },
      { ...spillEntry(4), value: Buffer.alloc(700_000, 'AXSR'), receivedAt: -1n },
    ];
    const sequences = queue.write(entries);
    expect(sequences).toEqual([0n, 1n, 2n, 3n]);
    const read = queue.read(ALL);
    expect(sequencesOf(read)).toEqual(sequences);
    for (const [index, { entry }] of read.entries()) {
      const { value = Buffer.alloc(0), ...written } = entries[index] ?? {};
      expect({ ...entry, value: undefined }).toEqual({ ...written, value: undefined });
      expect(Buffer.compare(entry.value, value)).toBe(0);
    }
  });

  it('gives each entry out once, within both bounds, and at least one', () => {
    const queue = fixture.open();
    queue.write(spillEntries(0, 10, 100));
    expect(numbersOf(queue.read({ maxRecords: 3, maxBytes: 1_000_000 }))).toEqual([0, 1, 2]);
    expect(numbersOf(queue.read({ maxRecords: 100, maxBytes: 500 }))).toEqual([3, 4]);
    expect(numbersOf(queue.read({ maxRecords: 100, maxBytes: 1 }))).toEqual([5]);
    expect(queue.read({ maxRecords: 0, maxBytes: 1_000 })).toEqual([]);
    expect(numbersOf(queue.read(ALL))).toEqual([6, 7, 8, 9]);
    expect(queue.read(ALL)).toEqual([]);
    queue.write(spillEntries(10, 12));
    expect(numbersOf(queue.read(ALL))).toEqual([10, 11]);
  });

  it('does not give out what its writer sends already, but gives it to the next process until it is acknowledged', () => {
    const queue = fixture.open();
    const inFlight = queue.write(spillEntries(0, 4), { handedOut: true });
    queue.write(spillEntries(4, 6));
    expect(numbersOf(queue.read(ALL))).toEqual([4, 5]);
    expect(queue.waiting).toBe(6);
    queue.acknowledge(inFlight.slice(0, 2));
    expect(numbersOf(queue.entries())).toEqual([2, 3, 4, 5]);
    queue.close();
    expect(numbersOf(fixture.open().read(ALL))).toEqual([2, 3, 4, 5]);
  });

  it('moves its mark over the unbroken prefix of acknowledgements only', () => {
    const queue = fixture.open();
    const sequences = queue.write(spillEntries(0, 6));
    queue.acknowledge([sequences[1] ?? 0n, sequences[2] ?? 0n, sequences[5] ?? 0n]);
    expect([storedMark(fixture.folder), queue.waiting]).toEqual([0, 3]);
    queue.acknowledge([sequences[0] ?? 0n]);
    expect([storedMark(fixture.folder), queue.waiting]).toEqual([3, 2]);
    queue.acknowledge(sequences.slice(0, 3));
    expect(queue.waiting).toBe(2);
    expect(numbersOf(queue.entries())).toEqual([3, 4]);
    queue.close();
    // What was acknowledged out of turn is not remembered.
    expect(numbersOf(fixture.open().read(ALL))).toEqual([3, 4, 5]);
  });

  it('refuses to acknowledge what it never wrote', () => {
    const queue = fixture.open();
    const [first = 0n] = queue.write([spillEntry(0)]);
    expect(() => queue.acknowledge([first, first + 1n])).toThrow(expect.objectContaining({ code: 'STORE_REFUSED' }));
    expect(queue.waiting).toBe(1);
  });

  it('frees the disk file by file while it is drained, and removes all when the last entry is acknowledged', () => {
    const queue = fixture.open({ segmentBytes: 2_000 });
    for (const number of range(0, 40)) queue.write([spillEntry(number, 200)]);
    expect(storedFiles(fixture.folder).length).toBeGreaterThan(5);
    expect(queue.bytes).toBe(storedFiles(fixture.folder).reduce((sum, { bytes }) => sum + bytes, 0));
    let before = queue.bytes;
    for (let part = queue.read({ ...ALL, maxRecords: 10 }); part.length > 0;) {
      queue.acknowledge(sequencesOf(part));
      expect(queue.bytes).toBeLessThan(before);
      expect(queue.bytes).toBe(storedFiles(fixture.folder).reduce((sum, { bytes }) => sum + bytes, 0));
      before = queue.bytes;
      part = queue.read({ ...ALL, maxRecords: 10 });
    }
    expect([queue.bytes, queue.isEmpty]).toEqual([0, true]);
    expect(readdirSync(fixture.folder)).toEqual(['lock']);
    queue.write([spillEntry(40)]);
    expect(numbersOf(queue.read(ALL))).toEqual([40]);
  });

  it.skipIf(!existsSync('/proc/self/fd'))('holds no file open that it has removed (needs /proc to see that)', () => {
    const queue = fixture.open({ segmentBytes: 1_000 });
    for (const number of range(0, 20)) queue.write([spillEntry(number)]);
    queue.acknowledge(sequencesOf(queue.read(ALL)));
    const open = readdirSync('/proc/self/fd')
      .map((name) => join('/proc/self/fd', name))
      // The listing had a descriptor itself.
      .filter((path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined)
      .map((path) => readlinkSync(path))
      .filter((path) => path.startsWith(fixture.folder));
    expect(open).toEqual([join(fixture.folder, 'lock')]);
  });

  it('names each file by its first sequence and keeps one write in one file', () => {
    const queue = fixture.open({ segmentBytes: 1_000 });
    queue.write(spillEntries(0, 3));
    queue.write(spillEntries(3, 30));
    queue.write(spillEntries(30, 32));
    expect(storedFiles(fixture.folder).map(({ name, records }) => [name, records.length])).toEqual([
      ['00000000000000000000.spill', 3],
      ['00000000000000000003.spill', 27],
      ['00000000000000000030.spill', 2],
    ]);
  });

  it('lists everything unacknowledged beside writing, reading and acknowledging, up to where it began', () => {
    const queue = fixture.open({ segmentBytes: 1_000 });
    const sequences = range(0, 30).flatMap((number) => queue.write([spillEntry(number)]));
    queue.read({ ...ALL, maxRecords: 5 });
    const seen: number[] = [];
    for (const each of queue.entries()) {
      seen.push(...numbersOf([each]));
      if (seen.length === 3) queue.acknowledge(sequences.slice(0, 12));
      if (seen.length === 6) queue.write(spillEntries(30, 40));
    }
    expect(seen).toEqual([0, 1, 2, ...range(12, 30)]);
    expect(numbersOf(queue.read(ALL))).toEqual(range(12, 40));
  });

  it('takes no more than its bound, keeps room for what is reserved, and has room again when drained', () => {
    const queue = fixture.open({ maxBytes: 20_000, reservedBytes: 5_000, segmentBytes: 4_000 });
    const batch = spillEntries(0, 5, 200);
    let writes = 0;
    while (queue.hasRoomFor(batch)) {
      queue.write(batch);
      writes += 1;
    }
    const { bytes, waiting } = queue;
    expect(bytes).toBeLessThanOrEqual(15_000);
    expect(waiting).toBe(writes * 5);
    expect(() => queue.write(batch)).toThrow(
      expect.objectContaining({
        code: 'STORE_FULL',
        retryable: true,
        message: expect.stringContaining('SPILL_MAX_BYTES'),
      }),
    );
    expect([queue.bytes, queue.waiting]).toEqual([bytes, waiting]);
    expect(queue.hasRoomFor(batch, true)).toBe(true);
    queue.write(batch, { reserved: true });
    while (queue.hasRoomFor(batch, true)) queue.write(batch, { reserved: true });
    expect(queue.bytes).toBeLessThanOrEqual(20_000);
    expect(() => queue.write(batch, { reserved: true })).toThrow(expect.objectContaining({ code: 'STORE_FULL' }));

    while (!queue.hasRoomFor(batch)) queue.acknowledge(sequencesOf(queue.read({ ...ALL, maxRecords: 10 })));
    queue.write(batch);
    expect(() => queue.write([spillEntry(1, 30_000)])).toThrow(
      expect.objectContaining({ code: 'STORE_FULL', retryable: false }),
    );
  });

  it('goes on after its own close: sequences, order and mark', () => {
    let queue = fixture.open({ segmentBytes: 1_000 });
    queue.write(spillEntries(0, 20));
    queue.acknowledge(sequencesOf(queue.read({ ...ALL, maxRecords: 7 })));
    queue.close();
    queue.close();
    expect(() => queue.write([spillEntry(20)])).toThrow(expect.objectContaining({ code: 'STORE_REFUSED' }));
    expect(() => queue.read(ALL)).toThrow(/closed/);

    queue = fixture.open({ segmentBytes: 1_000 });
    expect(queue.waiting).toBe(13);
    expect(queue.write(spillEntries(20, 22))).toEqual([20n, 21n]);
    const read = queue.read(ALL);
    expect(numbersOf(read)).toEqual(range(7, 22));
    expect(sequencesOf(read)).toEqual(range(7, 22).map(BigInt));
    expect(fixture.told).toEqual([]);
  });

  it('writes nothing for nothing, and makes its folder', () => {
    const queue = fixture.open({ folder: join(fixture.folder, 'a', 'b') });
    expect(queue.write([])).toEqual([]);
    expect([queue.bytes, queue.isEmpty, queue.read(ALL), [...queue.entries()]]).toEqual([0, true, [], []]);
    expect(readdirSync(join(fixture.folder, 'a', 'b'))).toEqual(['lock']);
  });

  it('refuses sizes that cannot work', () => {
    for (const wrong of [
      { maxBytes: 0 },
      { maxBytes: -1 },
      { maxBytes: 1.5 },
      { segmentBytes: -1 },
      { reservedBytes: 64 * 1024 * 1024 },
    ]) {
      expect(() => fixture.open(wrong)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    }
  });

  it('names SPILL_DIR and the folder when there is no folder to be had', () => {
    mkdirSync(fixture.folder);
    writeFileSync(join(fixture.folder, 'file'), '');
    const folder = join(fixture.folder, 'file', 'spill');
    expect(() => fixture.open({ folder })).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining(`SPILL_DIR ${folder} cannot be used`) as string,
      }),
    );
  });

  it('names SPILL_DIR and the folder when it may not write there', () => {
    const isRoot = process.geteuid?.() === 0;
    // The folder above is for its owner only.
    if (isRoot) process.seteuid?.(65_534);
    try {
      const folder = isRoot ? fixture.folder : '/proc/spill';
      expect(() => SpillQueue.open({ folder, maxBytes: 1_000 })).toThrow(
        expect.objectContaining({
          code: 'CONFIG_INVALID',
          message: expect.stringContaining(`SPILL_DIR ${folder} cannot be used`) as string,
        }),
      );
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });
});
