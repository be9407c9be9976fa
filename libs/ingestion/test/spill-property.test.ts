import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SpillQueue } from '../src/spill/spill-queue.js';
import { ALL, numberOf, numbersOf, range, sequencesOf, spillEntry, SpillFixture } from './spill-fixture.js';
import { storedFiles, storedMark, type StoredFile } from './spill-format.js';

/** Files of a few records each. */
const SMALL = { segmentBytes: 1_500 };

type Action =
  | { readonly do: 'write'; readonly paddings: readonly number[]; readonly handedOut: boolean }
  | { readonly do: 'read'; readonly maxRecords: number }
  | { readonly do: 'acknowledge'; readonly picks: readonly number[] }
  | { readonly do: 'acknowledgeAll' }
  | { readonly do: 'reopen' }
  | { readonly do: 'kill' };

const padding = fc.oneof({ weight: 6, arbitrary: fc.nat(300) }, { weight: 1, arbitrary: fc.nat(3_000) });
const write = fc.record({
  do: fc.constant('write' as const),
  paddings: fc.array(padding, { minLength: 1, maxLength: 8 }),
  handedOut: fc.boolean(),
});
const anyAction: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: write },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('read' as const), maxRecords: fc.integer({ min: 1, max: 12 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('acknowledge' as const), picks: fc.array(fc.nat(), { maxLength: 12 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'acknowledgeAll' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'reopen' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'kill' as const }) },
);

interface Modelled {
  readonly number: number;
  readonly sequence: bigint;
  isOut: boolean;
  isDone: boolean;
}

/** The queue beside a plain list that says what it should do. */
class Pair {
  readonly fixture: SpillFixture;
  folder: string;
  queue: SpillQueue;
  entries: Modelled[] = [];
  #written = 0;

  constructor(fixture: SpillFixture) {
    this.fixture = fixture;
    this.folder = fixture.folder;
    this.queue = fixture.open({ ...SMALL, folder: this.folder });
  }

  run(action: Action): void {
    switch (action.do) {
      case 'write':
        return this.#write(action.paddings, action.handedOut);
      case 'read':
        return this.#read(action.maxRecords);
      case 'acknowledge': {
        const out = this.entries.filter(({ isOut, isDone }) => isOut && !isDone);
        return this.#acknowledge(out.length === 0 ? [] : action.picks.flatMap((pick) => out[pick % out.length] ?? []));
      }
      case 'acknowledgeAll':
        return this.#acknowledge(this.entries.filter(({ isOut }) => isOut).reverse());
      case 'reopen':
        this.queue.close();
        return this.openAgain();
      case 'kill':
        this.folder = this.fixture.copy(this.folder);
        return this.openAgain();
    }
  }

  /** A new process knows the unbroken prefix of what was acknowledged, and nothing of what was handed out. */
  openAgain(): void {
    this.queue = this.fixture.open({ ...SMALL, folder: this.folder });
    const firstOpen = this.entries.findIndex(({ isDone }) => !isDone);
    this.entries = firstOpen < 0 ? [] : this.entries.slice(firstOpen);
    for (const entry of this.entries) Object.assign(entry, { isOut: false, isDone: false });
  }

  check(): void {
    const open = this.entries.filter(({ isDone }) => !isDone);
    expect(this.queue.waiting).toBe(open.length);
    expect(this.queue.isEmpty).toBe(open.length === 0);
    expect(numbersOf(this.queue.entries())).toEqual(open.map(({ number }) => number));
    expect(this.queue.bytes).toBe(storedFiles(this.folder).reduce((sum, { bytes }) => sum + bytes, 0));
    if (open.length === 0) expect(this.queue.bytes).toBe(0);
    expect(this.fixture.told).toEqual([]);
  }

  #write(paddings: readonly number[], handedOut: boolean): void {
    const numbers = range(this.#written, this.#written + paddings.length);
    this.#written += paddings.length;
    const sequences = this.queue.write(
      numbers.map((number, index) => spillEntry(number, paddings[index])),
      { handedOut },
    );
    for (const [index, number] of numbers.entries()) {
      this.entries.push({ number, sequence: sequences[index] ?? -1n, isOut: handedOut, isDone: false });
    }
  }

  #read(maxRecords: number): void {
    const expected = this.entries.filter(({ isOut, isDone }) => !isOut && !isDone).slice(0, maxRecords);
    const read = this.queue.read({ ...ALL, maxRecords });
    expect(read.map(({ sequence, entry }) => [sequence, numberOf(entry.value)])).toEqual(
      expected.map(({ sequence, number }) => [sequence, number]),
    );
    for (const entry of expected) entry.isOut = true;
  }

  #acknowledge(entries: readonly Modelled[]): void {
    this.queue.acknowledge(entries.map(({ sequence }) => sequence));
    for (const entry of entries) entry.isDone = true;
  }
}

describe('a spill queue under any order of calls', { timeout: 120_000 }, () => {
  let fixture: SpillFixture;
  beforeEach(() => {
    fixture = new SpillFixture();
  });
  afterEach(() => fixture.dispose());

  /** Each run has a fixture of its own. */
  function run(body: () => void): void {
    fixture.dispose();
    fixture = new SpillFixture();
    body();
  }

  it('does what a plain list does, through closes and kills', () => {
    fc.assert(
      fc.property(fc.array(anyAction, { maxLength: 60 }), (actions) =>
        run(() => {
          const pair = new Pair(fixture);
          for (const action of actions) {
            pair.run(action);
            pair.check();
          }
        }),
      ),
      { numRuns: 100 },
    );
  });

  /** A folder of files with records before and behind the mark, and where everything lies in it. */
  function folderAfter(actions: readonly Action[]): {
    folder: string;
    expected: number[];
    files: readonly StoredFile[];
  } {
    const pair = new Pair(fixture);
    for (const action of actions) pair.run(action);
    const mark = storedMark(pair.folder) ?? 0;
    const files = storedFiles(pair.folder);
    const records = files.flatMap((file) => file.records).filter(({ sequence }) => sequence >= mark);
    return { folder: fixture.copy(pair.folder), expected: records.map(({ value }) => numberOf(value)), files };
  }

  /** Whatever was found, the queue works and can be drained. */
  function checkUsable(folder: string, queue: SpillQueue): number[] {
    const found = numbersOf(queue.entries());
    expect(queue.waiting).toBe(found.length);
    const written = queue.write([spillEntry(1_000_000), spillEntry(1_000_001, 2_000)]);
    const read = queue.read(ALL);
    expect(numbersOf(read)).toEqual([...found, 1_000_000, 1_000_001]);
    expect(sequencesOf(read).slice(-2)).toEqual(written);
    const again = fixture.open({ ...SMALL, folder: fixture.copy(folder), onDamage: () => undefined });
    expect(numbersOf(again.read(ALL))).toEqual([...found, 1_000_000, 1_000_001]);
    queue.acknowledge(sequencesOf(read));
    expect(queue.isEmpty).toBe(true);
    expect(readdirSync(folder).filter((name) => name.endsWith('.spill'))).toEqual([]);
    return found;
  }

  const aFilledFolder = fc.tuple(
    fc.array(write, { minLength: 3, maxLength: 15 }),
    fc.array(anyAction, { maxLength: 20 }),
    write,
  );

  it('loses at most the record in which a bit was flipped, says so once, and keeps all others', () => {
    fc.assert(
      fc.property(aFilledFolder, fc.nat(), fc.nat(), fc.nat(7), ([before, actions, after], filePick, bytePick, bit) =>
        run(() => {
          const { folder, expected, files } = folderAfter([...before, ...actions, after]);
          const mark = storedMark(folder) ?? 0;
          const file = files[filePick % files.length];
          if (file === undefined) throw new Error('there is always a file');
          const path = join(folder, file.name);
          const content = readFileSync(path);
          const byte = bytePick % content.length;
          content.writeUInt8((content[byte] ?? 0) ^ (1 << bit), byte);
          writeFileSync(path, content);

          const hit = file.records.find(({ position, bytes }) => byte >= position && byte < position + bytes);
          const lost = hit !== undefined && hit.sequence >= mark ? numberOf(hit.value) : undefined;
          const queue = fixture.open({ ...SMALL, folder });
          const kept = expected.filter((number) => number !== lost);
          if (lost !== undefined || (hit === undefined && (file.records[0]?.sequence ?? 0) >= mark)) {
            expect(fixture.told).toHaveLength(1);
            const isLast = file === files.at(-1) && hit === file.records.at(-1) && hit !== undefined;
            expect(fixture.told[0]).toMatchObject({
              code: 'STORE_DAMAGED',
              context: {
                path,
                position: hit?.position ?? 0,
                bytes: hit?.bytes ?? 20,
                ...(!isLast && { records: hit === undefined ? 0 : 1 }),
              },
            });
          } else if (hit !== undefined) {
            // It is in the log already: only what stands right behind it may have made it worth a word.
            expect(fixture.told.length).toBeLessThanOrEqual(1);
          }
          expect(checkUsable(folder, queue)).toEqual(kept);
        }),
      ),
      { numRuns: 50 },
    );
  });

  it('keeps every record before a cut; at the end of the last file it is the mark of a kill, elsewhere it is told', () => {
    fc.assert(
      fc.property(aFilledFolder, fc.nat(), fc.nat(), ([before, actions, after], filePick, bytePick) =>
        run(() => {
          const { folder, expected, files } = folderAfter([...before, ...actions, after]);
          const mark = storedMark(folder) ?? 0;
          const file = files[filePick % files.length];
          if (file === undefined) throw new Error('there is always a file');
          const size = bytePick % file.bytes;
          truncateSync(join(folder, file.name), size);

          const isGone = ({ position, bytes }: { position: number; bytes: number }) => position + bytes > size;
          const lost = file.records.filter((record) => record.sequence >= mark && isGone(record));
          const queue = fixture.open({ ...SMALL, folder });
          const kept = expected.filter((number) => !lost.some(({ value }) => numberOf(value) === number));
          if (file === files.at(-1)) expect(fixture.told).toEqual([]);
          else if (lost.length > 0) {
            expect(fixture.told).toHaveLength(1);
            expect(fixture.told[0]).toMatchObject({ code: 'STORE_DAMAGED', context: { records: lost.length } });
          }
          expect(checkUsable(folder, queue)).toEqual(kept);
        }),
      ),
      { numRuns: 50 },
    );
  });

  it('gives at most acknowledged records again, and loses none, when the mark file is damaged', () => {
    fc.assert(
      fc.property(aFilledFolder, fc.option(fc.tuple(fc.nat(), fc.nat(7))), ([before, actions, after], flip) =>
        run(() => {
          const { folder, expected, files } = folderAfter([...before, ...actions, after]);
          const all = files.flatMap(({ records }) => records).map(({ value }) => numberOf(value));
          const path = join(folder, 'mark');
          if (flip === null) rmSync(path);
          else {
            const content = readFileSync(path);
            const byte = flip[0] % content.length;
            content.writeUInt8((content[byte] ?? 0) ^ (1 << flip[1]), byte);
            writeFileSync(path, content);
          }
          const queue = fixture.open({ ...SMALL, folder });
          if (flip === null) expect(fixture.told).toMatchObject([{ code: 'STORE_DAMAGED', context: { path } }]);
          const found = checkUsable(folder, queue);
          expect(all.slice(-found.length)).toEqual(found);
          expect(found.slice(found.length - expected.length)).toEqual(expected);
        }),
      ),
      { numRuns: 50 },
    );
  });

  it('names the missing records when a whole file is gone, and gives all others', () => {
    fc.assert(
      fc.property(aFilledFolder, fc.nat(), ([before, actions, after], pick) =>
        run(() => {
          const { folder, expected, files } = folderAfter([...before, ...actions, after]);
          const mark = storedMark(folder) ?? 0;
          const inner = files.slice(0, -1);
          fc.pre(inner.length > 0);
          const file = inner[pick % inner.length];
          if (file === undefined) throw new Error('there is one');
          const gone = join(fixture.path, 'gone.spill');
          cpSync(join(folder, file.name), gone);
          rmSync(join(folder, file.name));
          const lost = file.records.filter(({ sequence }) => sequence >= mark).map(({ value }) => numberOf(value));
          const queue = fixture.open({ ...SMALL, folder });
          expect(fixture.told).toMatchObject([{ code: 'STORE_DAMAGED', context: { records: lost.length } }]);
          expect(checkUsable(folder, queue)).toEqual(expected.filter((number) => !lost.includes(number)));
        }),
      ),
      { numRuns: 40 },
    );
  });
});
