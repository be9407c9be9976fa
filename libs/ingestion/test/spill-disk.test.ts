import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SpillQueue } from '../src/spill/spill-queue.js';
import { ALL, numberOf, numbersOf, range, sequencesOf, spillEntries, SpillFixture } from './spill-fixture.js';
import { storedFiles } from './spill-format.js';

const DISK_BYTES = 256 * 1024;

function canMount(): boolean {
  const place = mkdtempSync(join(tmpdir(), 'spill-mount-'));
  try {
    mount(place);
    unmount(place);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function mount(place: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', place], { stdio: 'ignore' });
}

function unmount(place: string): void {
  execFileSync('umount', [place], { stdio: 'ignore' });
}

describe.skipIf(!canMount())('a spill queue on a full disk (runs as root that may mount a tmpfs)', () => {
  let fixture: SpillFixture;
  let disk: string;
  let folder: string;
  let ballast: string;

  beforeEach(() => {
    fixture = new SpillFixture();
    disk = join(fixture.path, 'disk');
    folder = join(disk, 'spill');
    ballast = join(disk, 'ballast');
    mkdirSync(disk);
    mount(disk);
  });

  afterEach(() => {
    fixture.closeAll();
    unmount(disk);
    fixture.dispose();
  });

  /** Takes what is left of the disk but `left` bytes. */
  function fillDisk(left: number): void {
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(ballast, Buffer.alloc(bavail * bsize - left));
  }

  function writeUntilFull(queue: SpillQueue, from: number): number {
    let number = from;
    for (;;) {
      try {
        queue.write(spillEntries(number, number + 10, 100));
      } catch (error) {
        expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
        expect(String(error)).toMatch(/no room left \(ENOSPC\)/);
        return number;
      }
      number += 10;
    }
  }

  it('refuses a write as a whole, stays what it was, and goes on when there is room again', () => {
    const queue = fixture.open({ folder });
    fillDisk(64 * 1024);
    const written = writeUntilFull(queue, 0);
    expect(written).toBeGreaterThan(100);
    expect(queue.waiting).toBe(written);
    const files = storedFiles(folder);
    expect(files.flatMap(({ records }) => records).map(({ value }) => numberOf(value))).toEqual(range(0, written));
    expect(files.every(({ torn }) => torn === 0)).toBe(true);
    expect(queue.bytes).toBe(files.reduce((sum, { bytes }) => sum + bytes, 0));

    rmSync(ballast);
    queue.write(spillEntries(written, written + 10));
    expect(numbersOf(queue.read(ALL))).toEqual(range(0, written + 10));
  });

  it('is drained on a full disk, which makes room', () => {
    const queue = fixture.open({ folder, segmentBytes: 20_000 });
    fillDisk(64 * 1024);
    const written = writeUntilFull(queue, 0);
    queue.acknowledge(sequencesOf(queue.read({ ...ALL, maxRecords: 150 })));
    expect(writeUntilFull(queue, written)).toBeGreaterThan(written);
    expect(fixture.told).toEqual([]);
  });

  it('is opened with what waits on it, and takes new records when there is room', () => {
    const before = fixture.open({ folder });
    before.write(spillEntries(0, 100));
    before.close();
    fillDisk(0);
    const queue = fixture.open({ folder });
    expect(writeUntilFull(queue, 100)).toBe(100);
    rmSync(ballast);
    queue.write(spillEntries(100, 110));
    expect(numbersOf(queue.read(ALL))).toEqual(range(0, 110));
  });

  it('leaves nothing behind of a first write that failed', () => {
    const queue = fixture.open({ folder });
    fillDisk(0);
    expect(writeUntilFull(queue, 0)).toBe(0);
    expect([queue.isEmpty, queue.bytes]).toEqual([true, 0]);
    rmSync(ballast);
    queue.write(spillEntries(0, 10));
    expect(numbersOf(queue.read(ALL))).toEqual(range(0, 10));
  });
});
