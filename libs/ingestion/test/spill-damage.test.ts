import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ALL, numbersOf, range, sequencesOf, spillEntries, spillEntry, SpillFixture } from './spill-fixture.js';
import { storedFiles } from './spill-format.js';

/** Three records a file. */
const SMALL = { segmentBytes: 400 };

describe('damage to the files of a spill queue', () => {
  let fixture: SpillFixture;
  beforeEach(() => {
    fixture = new SpillFixture();
  });
  afterEach(() => fixture.dispose());

  function fill(records: number): void {
    const queue = fixture.open(SMALL);
    for (const number of range(0, records)) queue.write([spillEntry(number)]);
    queue.close();
  }

  function pathOf(index: number): string {
    return join(fixture.folder, storedFiles(fixture.folder)[index]?.name ?? '');
  }

  it('is told in a sentence with file, position, bytes and records', () => {
    fill(9);
    const [first] = storedFiles(fixture.folder);
    const record = first?.records[1];
    const path = pathOf(0);
    const content = readFileSync(path);
    content.fill(0, record?.position, (record?.position ?? 0) + 30);
    writeFileSync(path, content);
    const queue = fixture.open(SMALL);
    expect(fixture.told.map(({ message }) => message)).toEqual([
      `${path} is damaged: ${record?.bytes} bytes from byte ${record?.position} cannot be read; records lost: 1; the rest is kept`,
    ]);
    expect(numbersOf(queue.read(ALL))).toEqual([0, ...range(2, 9)]);
  });

  it('is told once: not again while reading, and the file is set aside, not deleted, when the rest of it is sent', () => {
    fill(9);
    const name = storedFiles(fixture.folder)[1]?.name ?? '';
    truncateSync(join(fixture.folder, name), 60);
    const queue = fixture.open(SMALL);
    const read = queue.read(ALL);
    expect([...queue.entries()]).toHaveLength(read.length);
    queue.acknowledge(sequencesOf(read));
    expect(fixture.told).toHaveLength(1);
    expect(readdirSync(fixture.folder).sort()).toEqual([`${name}.damaged`, 'lock']);
    expect([queue.isEmpty, queue.bytes]).toEqual([true, 60]);
    queue.close();
    expect(fixture.open(SMALL).bytes).toBe(60);
    expect(fixture.told).toHaveLength(1);
  });

  it('never takes for a record what a venue sent that looks like one', () => {
    const queue = fixture.open(SMALL);
    queue.write([spillEntry(0)]);
    const stored = readFileSync(pathOf(0)).subarray(20);
    const forged = Buffer.from(stored);
    // A record of another file: whole in itself, its sequence a later one.
    forged.writeUInt32LE(7, 16);
    forged.writeUInt32LE(crc32(forged.subarray(16)), 12);
    queue.write([{ ...spillEntry(1), value: Buffer.concat([forged, stored, Buffer.from('AXSR'.repeat(9))]) }]);
    queue.write([spillEntry(2)]);
    queue.close();
    const records = storedFiles(fixture.folder).flatMap((file) =>
      file.records.map((record) => ({ ...record, ...file })),
    );
    const hit = records.find(({ sequence }) => sequence === 1);
    const path = join(fixture.folder, hit?.name ?? '');
    const content = readFileSync(path);
    content.writeUInt8(0, hit?.position);
    writeFileSync(path, content);
    expect(numbersOf(fixture.open(SMALL).read(ALL))).toEqual([0, 2]);
    expect(fixture.told).toMatchObject([{ context: { records: 1 } }]);
  });

  it('never gives a record twice that stands twice in a file', () => {
    fill(6);
    const [file] = storedFiles(fixture.folder);
    const [one, other] = file?.records ?? [];
    const path = pathOf(0);
    const content = readFileSync(path);
    expect(one?.bytes).toBe(other?.bytes);
    content.copyWithin(other?.position ?? 0, one?.position ?? 0, (one?.position ?? 0) + (one?.bytes ?? 0));
    writeFileSync(path, content);
    expect(numbersOf(fixture.open(SMALL).read(ALL))).toEqual([0, ...range(2, 6)]);
    expect(fixture.told).toMatchObject([{ context: { position: other?.position, records: 1 } }]);
  });

  it('in what is in the log already is none: a kill before its files were removed goes unnoticed', () => {
    const queue = fixture.open(SMALL);
    for (const number of range(0, 9)) queue.write([spillEntry(number)]);
    const copy = fixture.copy(fixture.folder);
    queue.acknowledge(sequencesOf(queue.read({ ...ALL, maxRecords: 6 })));
    cpSync(join(fixture.folder, 'mark'), join(copy, 'mark'));
    for (const { name } of storedFiles(copy).slice(0, 2)) truncateSync(join(copy, name), 30);
    const again = fixture.open({ ...SMALL, folder: copy });
    expect(storedFiles(copy)).toHaveLength(1);
    expect(numbersOf(again.read(ALL))).toEqual([6, 7, 8]);
    expect(fixture.told).toEqual([]);
  });

  it('that cuts the files below the mark never makes a number come twice', () => {
    const queue = fixture.open();
    queue.write(spillEntries(0, 9));
    queue.acknowledge(sequencesOf(queue.read({ ...ALL, maxRecords: 7 })));
    queue.close();
    truncateSync(pathOf(0), storedFiles(fixture.folder)[0]?.records[4]?.position);
    expect(fixture.open().write([spillEntry(9)])).toEqual([7n]);
  });

  it('is stepped over up to the next record, wherever that begins', () => {
    // Around the size in which files are read.
    for (const padding of range(16_270, 16_300)) {
      const queue = fixture.open({ folder: join(fixture.path, String(padding)) });
      queue.write([spillEntry(0, padding), spillEntry(1), spillEntry(2, 40_000), spillEntry(3)]);
      const folder = fixture.copy(join(fixture.path, String(padding)));
      const [file] = storedFiles(folder);
      const content = readFileSync(join(folder, file?.name ?? ''));
      for (const at of [0, 2]) content.writeUInt8(0, file?.records[at]?.position);
      writeFileSync(join(folder, file?.name ?? ''), content);
      expect(numbersOf(fixture.open({ folder }).read(ALL))).toEqual([1, 3]);
    }
    expect(fixture.told).toHaveLength(60);
  });

  it('names files that do not belong there, and leaves them alone', () => {
    fill(3);
    const names = ['notes.txt', '1.spill', '99999999999999999999.spill'];
    for (const name of names) writeFileSync(join(fixture.folder, name), 'mine');
    mkdirSync(join(fixture.folder, '00000000000000000099.spill'));
    const queue = fixture.open(SMALL);
    expect(fixture.told.map(({ code, context }) => [code, context['path']]).sort()).toEqual(
      ['00000000000000000099.spill', ...names].map((name) => ['STORE_DAMAGED', join(fixture.folder, name)]).sort(),
    );
    queue.acknowledge(sequencesOf(queue.read(ALL)));
    for (const name of names) expect(readFileSync(join(fixture.folder, name), 'utf8')).toBe('mine');
  });

  it('sets a file aside that has a good name and nothing readable in it, and does not write over it', () => {
    fill(3);
    writeFileSync(join(fixture.folder, '00000000000000000003.spill'), 'something else entirely');
    const queue = fixture.open(SMALL);
    expect(fixture.told).toMatchObject([{ code: 'STORE_DAMAGED', context: { position: 0, bytes: 23 } }]);
    expect(queue.write([spillEntry(3)])).toEqual([4n]);
    const read = queue.read(ALL);
    expect(numbersOf(read)).toEqual([0, 1, 2, 3]);
    queue.acknowledge(sequencesOf(read));
    expect(readFileSync(join(fixture.folder, '00000000000000000003.spill.damaged'), 'utf8')).toContain('entirely');
  });

  it('refuses files of another format version, whose records are fine, and frees the folder again', () => {
    fill(3);
    const path = pathOf(0);
    const content = readFileSync(path);
    content.writeUInt8(2, 7);
    content.writeUInt32LE(crc32(content.subarray(0, 16)), 16);
    writeFileSync(path, content);
    for (let tries = 0; tries < 2; tries += 1) {
      expect(() => fixture.open(SMALL)).toThrow(
        expect.objectContaining({ code: 'STORE_REFUSED', message: expect.stringContaining('format 2') as string }),
      );
    }
    expect(readFileSync(path)).toEqual(content);
  });

  it('that happens while the queue is open is told when it is met, and stops nobody', () => {
    const queue = fixture.open(SMALL);
    for (const number of range(0, 12)) queue.write([spillEntry(number)]);
    const files = storedFiles(fixture.folder);
    expect(files).toHaveLength(4);
    rmSync(pathOf(1));
    truncateSync(join(fixture.folder, files[2]?.name ?? ''), (files[2]?.records[1]?.position ?? 0) + 5);
    const read = queue.read(ALL);
    expect(numbersOf(read)).toEqual([...range(0, 3), 6, ...range(9, 12)]);
    expect(fixture.told).toMatchObject([
      { code: 'STORE_DAMAGED', context: { records: 3 } },
      { code: 'STORE_DAMAGED', context: { records: 2 } },
    ]);
    expect(queue.waiting).toBe(7);
    queue.acknowledge(sequencesOf(read));
    expect(queue.isEmpty).toBe(true);
    expect(fixture.told).toHaveLength(2);
    queue.write(spillEntries(12, 14));
    expect(numbersOf(queue.read(ALL))).toEqual([12, 13]);
  });

  it('that leaves nothing to read empties the queue', () => {
    const queue = fixture.open(SMALL);
    for (const number of range(0, 6)) queue.write([spillEntry(number)]);
    for (const { name } of storedFiles(fixture.folder)) rmSync(join(fixture.folder, name));
    expect(queue.read(ALL)).toEqual([]);
    expect([queue.isEmpty, queue.bytes, fixture.told.length]).toEqual([true, 0, 2]);
  });

  it('of the mark written last leaves the one before it', () => {
    let queue = fixture.open();
    queue.write(spillEntries(0, 9));
    queue.acknowledge(sequencesOf(queue.read({ ...ALL, maxRecords: 2 })));
    queue.close();
    queue = fixture.open();
    for (const maxRecords of [1, 2]) queue.acknowledge(sequencesOf(queue.read({ ...ALL, maxRecords })));
    queue.close();
    const path = join(fixture.folder, 'mark');
    const content = readFileSync(path);
    const newer = [0, 512].find((at) => content.readBigUInt64LE(at + 8) === 5n) ?? -8;
    content.writeUInt8(7, newer + 8);
    writeFileSync(path, content);
    expect(numbersOf(fixture.open().read(ALL))).toEqual(range(3, 9));
    expect(fixture.told).toMatchObject([{ code: 'STORE_DAMAGED', context: { path } }]);
  });

  it('does not take from its caller what the caller sends itself', () => {
    const queue = fixture.open(SMALL);
    const inFlight = queue.write(spillEntries(0, 3), { handedOut: true });
    queue.write([spillEntry(3)]);
    rmSync(pathOf(0));
    expect(numbersOf(queue.read(ALL))).toEqual([3]);
    expect([queue.waiting, fixture.told.length]).toEqual([4, 0]);
    queue.acknowledge(inFlight);
    expect(queue.waiting).toBe(1);
  });
});
