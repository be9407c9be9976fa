import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { CommittedOffset } from '@aipx/event-log';
import { entryOf, undecodable } from '@aipx/market-proto/testing';
import { describe, expect, it } from 'vitest';
import { audit } from './support/audit.js';
import { allOf, query } from './support/duckdb.js';
import { gap, ticks } from './support/events.js';
import { FaultyObjectStore, Killed } from './support/faulty-object-store.js';
import { InThreadEncoder } from './support/in-thread-encoder.js';
import { MemoryLog } from './support/memory-log.js';
import { recordAll, TICKS } from './support/record-all.js';
import { newBucket, NO_S3, openS3, useS3 } from './support/s3-lake.js';
import type { S3Asked, S3Fate } from './support/s3-proxy.js';

const MIB = 1024 * 1024;
const GAPS = { topic: 'market.gap', partition: 0 };
const REFUSALS: readonly S3Fate[] = [
  { status: 500, code: 'InternalError' },
  { status: 503, code: 'SlowDown' },
  { status: 403, code: 'AccessDenied' },
];
const encoder = new InThreadEncoder();

/** Of 3 MiB that do not compress: two of them make a file that is sent in parts. */
const largeGap = () => entryOf(gap({ detail: randomBytes((9 * MIB) / 4).toString('base64') }));

describe.skipIf(NO_S3 !== undefined)(`the cold recorder on S3${NO_S3 === undefined ? '' : ` (${NO_S3})`}`, () => {
  const server = useS3(true);

  /** What lies in a bucket by the server's own files, read by DuckDB. */
  async function offsetsOnDisk(bucket: string, kind: string): Promise<number[]> {
    const folder = join(server().folder, 'versitygw', bucket);
    const rows = await query(`SELECT log_offset FROM ${allOf(folder, kind)} ORDER BY log_offset`);
    return rows.map((row) => Number(row['log_offset']));
  }

  it.each<[string, (index: number) => S3Fate]>([
    ['is answered with 500, 503 or 403', (index) => REFUSALS[index % REFUSALS.length] ?? 'passes'],
    ['is reset', () => 'reset'],
    ['hangs', () => 'hangs'],
    ['is done, but its answer is lost', () => 'lost'],
    ['has half an answer', () => 'torn'],
  ])('loses and doubles nothing when each call %s at its first time', async (_, fate) => {
    const { bucket, proxy } = await newBucket(server());
    const log = new MemoryLog();
    await log.append([largeGap(), largeGap(), entryOf(gap())]);
    const objects = await openS3(server(), { bucket, endpoint: proxy.endpoint, requestTimeoutMs: 800 });
    const disturbed = new Map<string, S3Asked>();
    proxy.fate = (asked) => {
      const { operation, key, query } = asked;
      const spoiled = fate(disturbed.size);
      // To wait for each that hangs would take long.
      const call = spoiled === 'hangs' ? operation : `${operation} ${key} ${query.get('partNumber') ?? ''}`;
      if (disturbed.has(call)) return 'passes';
      disturbed.set(call, asked);
      return spoiled;
    };
    const first = await recordAll({ objects, log, encoder, batchRows: 2 }, GAPS);
    expect(first.counts).toMatchObject({ gap: 3, missing: 0 });
    const { counts } = await recordAll({ objects, log, encoder, committed: { offset: 3n, metadata: '2' } }, GAPS);
    expect(counts).toMatchObject({ gap: 0, recoveredGap: 0 });
    const operations = new Set([...disturbed.values()].map(({ operation }) => operation));
    const all = ['list', 'putObject', 'createUpload', 'uploadPart', 'completeUpload', 'getObject', 'abortUpload'];
    for (const operation of all) expect(operations).toContain(operation);

    expect(await offsetsOnDisk(bucket, 'gap')).toEqual([0, 1, 2]);
    expect(await audit(await openS3(server(), { bucket }), GAPS)).toEqual(Array(3).fill('file'));
  });

  it('holds each row once when it is killed again and again, each time a call later', async () => {
    const { bucket } = await newBucket(server());
    const log = new MemoryLog();
    const events = ticks(10).map(entryOf);
    await log.append([...events.slice(0, 4), undecodable('market.tick'), ...events.slice(4)]);
    const store = await openS3(server(), { bucket });
    let lives = 0;
    let committed: CommittedOffset | undefined;
    for (let alive = true; alive; lives += 1) {
      const at = lives;
      const objects = new FaultyObjectStore(store, ({ index }, moment) => {
        if (index === at && moment === (at % 2 === 0 ? 'before' : 'after')) throw new Killed();
      });
      try {
        ({ committed } = await recordAll({ objects, log, encoder, committed }));
        alive = false;
      } catch (error) {
        if (!(error instanceof Error && (error instanceof Killed || error.cause instanceof Killed))) throw error;
      }
    }
    expect(lives).toBeGreaterThan(8);
    expect(await offsetsOnDisk(bucket, 'tick')).toEqual([0, 1, 2, 3, 5, 6, 7, 8, 9, 10]);
    expect((await audit(store, TICKS))[4]).toBe('undecodable');
  });

  it('makes one chain with others that work at the same time with different cuts', async () => {
    const { bucket } = await newBucket(server());
    const log = new MemoryLog();
    await log.append(ticks(40).map(entryOf));
    const owners = [3, 4, 7].map(async (batchRows, index) =>
      recordAll({ objects: await openS3(server(), { bucket }), log, encoder, batchRows, records: index + 2 }),
    );
    const recorders = await Promise.all(owners);
    for (const { counts } of recorders) expect(counts.rows).toBe(counts.recovered);
    expect(await offsetsOnDisk(bucket, 'tick')).toEqual(Array.from({ length: 40 }, (_, index) => index));
    expect(await audit(await openS3(server(), { bucket }), TICKS)).toEqual(Array(40).fill('file'));
  });
});
