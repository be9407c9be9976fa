import { chmodSync, closeSync, mkdirSync, openSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { MarketDataError } from '@aipx/market-model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { entry, readWhole, textOf, TOPICS } from '../src/contract/entries.js';
import { EmbeddedEventLog } from '../src/embedded/embedded-event-log.js';
import { tempFolder } from './temp-log.js';

describe('the file of an embedded log', () => {
  let folder: ReturnType<typeof tempFolder>;
  let path: string;

  beforeEach(() => {
    folder = tempFolder();
    path = join(folder.path, 'events.db');
  });

  afterEach(() => folder.remove());

  const open = (options: { readonly maxBytes?: number } = {}) =>
    EmbeddedEventLog.open({ path, topics: TOPICS, ...options });

  /** The error of opening, which must be one of ours with no word of the database inside. */
  async function refusal(): Promise<MarketDataError> {
    const error: unknown = await open().then(
      (log) => log.close(),
      (cause: unknown) => cause,
    );
    if (!(error instanceof MarketDataError)) throw new Error('the file was opened');
    expect(error.message).not.toMatch(/sql|database|pragma|malformed/i);
    expect(error.message).toContain(path);
    return error;
  }

  it('is made with its folder', async () => {
    path = join(folder.path, 'a', 'b', 'events.db');
    await (await open()).close();
    expect(statSync(path).isFile()).toBe(true);
  });

  it('is refused to a second opener while it is open, and free afterwards', async () => {
    const log = await open();
    expect((await refusal()).code).toBe('CONFIG_DATA_DIR_IN_USE');
    await log.append([entry('KRW-BTC', 'still works')]);
    await log.close();
    const again = await open();
    expect((await readWhole(again)).map(textOf)).toEqual(['still works']);
    await again.close();
  });

  it('is not opened when the signal has aborted', async () => {
    await expect(EmbeddedEventLog.open({ path, topics: TOPICS, signal: AbortSignal.abort() })).rejects.toThrow(
      /abort/i,
    );
    expect(() => statSync(path)).toThrow(/ENOENT/);
  });

  it('is refused when it is no event log, and left as it was', async () => {
    writeFileSync(path, 'a diary, not a log\n'.repeat(1_000));
    expect((await refusal()).code).toBe('STORE_DAMAGED');
    const foreign = join(folder.path, 'foreign.db');
    path = foreign;
    const database = new DatabaseSync(foreign);
    database.exec('CREATE TABLE somebody_elses (n INTEGER)');
    database.close();
    const before = statSync(foreign);
    const error = await refusal();
    expect(error.code).toBe('STORE_REFUSED');
    expect(error.message).toContain('is no event log');
    expect(statSync(foreign).mtimeMs).toBe(before.mtimeMs);
  });

  it('is refused when another version of the format made it, naming both', async () => {
    await (await open()).close();
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 7');
    database.close();
    const error = await refusal();
    expect(error.code).toBe('STORE_REFUSED');
    expect(error.message).toMatch(/has format 7; this version reads format 1/);
  });

  it('is refused when it lacks what a log has', async () => {
    await (await open()).close();
    const database = new DatabaseSync(path);
    database.exec('DROP TABLE topic');
    database.close();
    expect((await refusal()).code).toBe('STORE_DAMAGED');
  });

  it('is made anew when its making was cut short before anything was in it', async () => {
    writeFileSync(path, '');
    await (await open()).close();
    await (await open()).close();
  });

  it.each([
    ['its beginning', 0],
    ['its first page', 100],
  ])('is refused when %s is overwritten', async (_, position) => {
    await fill(200);
    overwrite(position, 400);
    expect((await refusal()).code).toBe('STORE_DAMAGED');
  });

  it('tells of damage in the middle at the latest when that is read, and never gives wrong records', async () => {
    await fill(5_000);
    const { size } = statSync(path);
    overwrite(Math.floor(size / 2), Math.floor(size / 4));
    await expect(
      open().then(async (log) => {
        try {
          return await readWhole(log);
        } finally {
          await log.close();
        }
      }),
    ).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
  });

  it('tells of records that are gone from the middle', async () => {
    await fill(100);
    const database = new DatabaseSync(path);
    const table = database
      .prepare(`SELECT name FROM sqlite_schema WHERE name LIKE 'record_1_%' ORDER BY rootpage`)
      .all();
    for (const row of table) database.exec(`DELETE FROM ${String(row['name'])} WHERE "offset" = 5`);
    database.close();
    const log = await open();
    await expect(readWhole(log)).rejects.toThrow(/has lost records at or behind offset 4/);
    await log.close();
  });

  it('is refused with other partitions than it has, naming both counts', async () => {
    await (await open()).close();
    const other = EmbeddedEventLog.open({ path, topics: { 'market.tick': 12 } });
    await expect(other).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/market\.tick has 4 partitions .* cannot have 12/) as string,
    });
    await (await open()).close();
  });

  it.each([0, -1, 1.5, 5_000, Number.NaN])('is refused with %d partitions', async (partitions) => {
    await expect(EmbeddedEventLog.open({ path, topics: { a: 1, t: partitions } })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
    await (await open()).close();
  });

  it('says that there is no room when it is full, undoes that append, and goes on when there is', async () => {
    await (await open()).close();
    const log = await open({ maxBytes: statSync(path).size + 200_000 });
    const batch = Array.from({ length: 100 }, (_, n) => entry(`K${n % 7}`, 'x'.repeat(300)));
    let appended = 0;
    const appendUntilFull = async () => {
      for (;;) {
        await log.append(batch, { progress: { source: 'file', frames: appended + 1 } });
        appended += 1;
      }
    };
    await expect(appendUntilFull()).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      retryable: true,
      message: expect.stringMatching(/no room left/) as string,
    });
    expect(appended).toBeGreaterThan(1);
    expect(await readWhole(log)).toHaveLength(appended * 100);
    expect(await log.progressOf('file')).toBe(appended);
    await log.close();
    const again = await open();
    await again.append(batch);
    expect(await readWhole(again)).toHaveLength(appended * 100 + 100);
    await again.close();
  });

  it('is refused in a folder that cannot be written, and where a folder or no folder is', async () => {
    const locked = join(folder.path, 'locked');
    mkdirSync(locked);
    chmodSync(folder.path, 0o755);
    chmodSync(locked, 0o555);
    path = join(locked, 'events.db');
    expect((await asOrdinaryUser(refusal)).code).toBe('STORE_REFUSED');
    path = locked;
    expect((await refusal()).code).toBe('STORE_REFUSED');
    writeFileSync(join(folder.path, 'file'), '');
    path = join(folder.path, 'file', 'events.db');
    expect((await refusal()).code).toBe('STORE_REFUSED');
  });

  it('is refused when the file itself cannot be written', async () => {
    await fill(1);
    chmodSync(folder.path, 0o755);
    chmodSync(path, 0o444);
    expect((await asOrdinaryUser(refusal)).code).toBe('STORE_REFUSED');
  });

  async function fill(records: number): Promise<void> {
    const log = await open();
    await log.append(Array.from({ length: records }, (_, n) => entry(`K${n % 3}`, `${n} `.repeat(20))));
    await log.close();
  }

  function overwrite(position: number, length: number): void {
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.alloc(length, 0xa5), 0, length, position);
    closeSync(file);
  }
});

/** Permissions do not bind root, so as root the work is done under another effective user. */
async function asOrdinaryUser<Result>(work: () => Promise<Result>): Promise<Result> {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}
