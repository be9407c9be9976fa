import { entryOf } from '@aipx/market-proto/testing';
import { describe, expect, it } from 'vitest';
import { audit } from './support/audit.js';
import { ticks } from './support/events.js';
import { InThreadEncoder } from './support/in-thread-encoder.js';
import { MemoryLog } from './support/memory-log.js';
import { recordAll, TICKS } from './support/record-all.js';
import { newBucket, openS3, useS3 } from './support/s3-lake.js';
import type { S3Fate } from './support/s3-proxy.js';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('a store that ignores If-None-Match', () => {
  const server = useS3(false);

  it('is refused, with the way out', async () => {
    const { bucket } = await newBucket(server());
    await expect(openS3(server(), { bucket })).rejects.toMatchObject({
      code: 'STORE_NO_CONDITIONAL_WRITES',
      message: expect.stringMatching(/ignores If-None-Match on PutObject.*S3_SINGLE_WRITER=true/) as string,
    });
    // Also at the next start, which finds the object of the first.
    await expect(openS3(server(), { bucket })).rejects.toMatchObject({ code: 'STORE_NO_CONDITIONAL_WRITES' });
  });

  it('is refused when it only refuses the condition as unknown', async () => {
    const { bucket, proxy } = await newBucket(server());
    const unknown: S3Fate = { status: 501, code: 'NotImplemented' };
    proxy.fate = ({ operation }) => (operation === 'putObject' ? unknown : 'passes');
    await expect(openS3(server(), { bucket, endpoint: proxy.endpoint })).rejects.toMatchObject({
      code: 'STORE_NO_CONDITIONAL_WRITES',
    });
  });

  it('is refused when it keeps to the condition for whole objects only', async () => {
    const { bucket, proxy } = await newBucket(server());
    const keeps: S3Fate = { status: 412, code: 'PreconditionFailed' };
    proxy.fate = ({ operation }) => (operation === 'putObject' ? keeps : 'passes');
    await expect(openS3(server(), { bucket, endpoint: proxy.endpoint })).rejects.toMatchObject({
      code: 'STORE_NO_CONDITIONAL_WRITES',
      message: expect.stringContaining('CompleteMultipartUpload') as string,
    });
  });

  it('records for a single writer, which looks before it writes', async () => {
    const { bucket, proxy } = await newBucket(server());
    const objects = await openS3(server(), { bucket, endpoint: proxy.endpoint, singleWriter: true });
    expect(objects.conditionalWrites).toBe(false);
    expect(await objects.putIfAbsent('market-data/a', bytes('first'))).toBe('created');
    expect(await objects.putIfAbsent('market-data/a', bytes('second'))).toBe('exists');
    expect(await objects.get('market-data/a')).toEqual(bytes('first'));
    const large = new Uint8Array(6 * 1024 * 1024).fill(7);
    expect(await objects.putIfAbsent('market-data/b', large)).toBe('created');
    expect(Buffer.compare((await objects.get('market-data/b')) ?? expect.fail(), large)).toBe(0);

    const log = new MemoryLog();
    await log.append(ticks(12).map(entryOf));
    const lost = new Set<string>();
    proxy.fate = ({ operation, key }) => {
      if (operation !== 'putObject' || lost.has(key)) return 'passes';
      lost.add(key);
      return 'lost';
    };
    const { counts } = await recordAll({ objects, log, encoder: new InThreadEncoder() });
    expect(counts).toMatchObject({ rows: 12, missing: 0 });
    expect(lost.size).toBeGreaterThan(8);
    expect(await audit(objects, TICKS)).toEqual(Array(12).fill('file'));
    // The next start meets more objects than it asks for.
    await expect(openS3(server(), { bucket, singleWriter: true })).resolves.toMatchObject({ conditionalWrites: false });
  });
});
