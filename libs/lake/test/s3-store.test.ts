import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { inspect } from 'node:util';
import type { AddressInfo } from 'node:net';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { StoreFault } from '../src/object-store/patience.js';
import { S3ObjectStore } from '../src/object-store/s3-object-store.js';
import { keysOf, newBucket, NO_S3, openS3, optionsFor, PREFIX, useS3 } from './support/s3-lake.js';
import type { S3Fate, S3Operation, S3Proxy } from './support/s3-proxy.js';

const MIB = 1024 * 1024;
const PROBE = 'market-data/_probe/create-only';
const KEY = 'market-data/tick/file.parquet';
const random = (bytes: number) => new Uint8Array(randomBytes(bytes));

function pageOf(keys: readonly string[], next?: string): string {
  const contents = keys.map((key) => `<Contents><Key>${key}</Key></Contents>`).join('');
  const more = next === undefined ? '' : `<NextContinuationToken>${next}</NextContinuationToken>`;
  return `<ListBucketResult><Name>lake</Name><IsTruncated>${next !== undefined}</IsTruncated>${contents}${more}</ListBucketResult>`;
}

describe.skipIf(NO_S3 !== undefined)(`S3ObjectStore${NO_S3 === undefined ? '' : ` (${NO_S3})`}`, () => {
  const server = useS3(true);
  let bucket: string;
  let proxy: S3Proxy;
  let store: S3ObjectStore;

  beforeEach(async () => {
    ({ bucket, proxy } = await newBucket(server()));
    const cleaning = Promise.withResolvers<undefined>();
    proxy.fate = ({ operation }) => {
      if (operation === 'listUploads') cleaning.resolve(undefined);
      return 'passes';
    };
    store = await openS3(server(), { bucket, endpoint: proxy.endpoint });
    await cleaning.promise;
  });

  it.each([
    ['an empty object', 0],
    ['a small one', 1000],
    ['one that needs two parts', 6 * MIB],
  ])('creates %s once and leaves it as it was', async (_, bytes) => {
    const first = random(bytes);
    expect(await store.putIfAbsent(KEY, first)).toBe('created');
    expect(await store.putIfAbsent(KEY, random(bytes))).toBe('exists');
    expect(Buffer.compare((await store.get(KEY)) ?? expect.fail(), first)).toBe(0);
    expect(await store.get('market-data/none')).toBeUndefined();
  });

  it.each([
    ['whole', 100],
    ['in parts', 6 * MIB],
  ])('lets exactly one of many callers create an object, %s', async (_, bytes) => {
    const bodies = Array.from({ length: 3 }, () => random(bytes));
    const outcomes = await Promise.all(bodies.map((body) => store.putIfAbsent(KEY, body)));
    expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
    const winner = bodies[outcomes.indexOf('created')] ?? expect.fail();
    expect(Buffer.compare((await store.get(KEY)) ?? expect.fail(), winner)).toBe(0);
  });

  it('lists all keys below a prefix in their order', async () => {
    const keys = ['a-1', 'a.', 'a/b', 'a0', 'b/c/d'].map((key) => `market-data/_plan/${key}`);
    await Promise.all(keys.toReversed().map((key) => store.putIfAbsent(key, new Uint8Array())));
    expect(await keysOf(store, 'market-data/_plan/')).toEqual(keys);
    expect(await keysOf(store, 'market-data/_plan/a')).toEqual(keys.slice(0, 4));
    expect(await keysOf(store, 'nowhere/')).toEqual([]);
  });

  it('lists page by page', async () => {
    const pages: Record<string, string> = { '': pageOf(['m/a', 'm/b'], 'second'), second: pageOf(['m/c']) };
    proxy.fate = ({ query }) => ({ body: pages[query.get('continuation-token') ?? ''] ?? '' });
    expect(await keysOf(store, 'm/')).toEqual(['m/a', 'm/b', 'm/c']);
  });

  it('refuses a store that does not list in the order of the keys', async () => {
    proxy.fate = () => ({ body: pageOf(['m/b', 'm/a']) });
    await expect(keysOf(store, 'm/')).rejects.toMatchObject({ code: 'STORE_REFUSED', retryable: false });
  });

  it('is not fooled by the object of an earlier probe, and leaves no other', async () => {
    await openS3(server(), { bucket });
    const third = await openS3(server(), { bucket });
    expect(third.conditionalWrites).toBe(true);
    expect(await keysOf(third, '')).toEqual([PROBE]);
    expect(await uploadsIn(bucket)).toBe(0);
  });

  it('never shows half an object, and aborts the upload of one that failed', async () => {
    let failing = true;
    proxy.fate = ({ operation }) =>
      failing && operation === 'completeUpload' ? { status: 500, code: 'InternalError' } : 'passes';
    await expect(store.putIfAbsent(KEY, random(6 * MIB))).rejects.toMatchObject({ retryable: true });
    expect(await keysOf(store, 'market-data/tick/')).toEqual([]);
    expect(proxy.seen.at(-2)?.operation).toBe('abortUpload');
    failing = false;
    expect(await store.putIfAbsent(KEY, random(6 * MIB))).toBe('created');
    expect(await uploadsIn(bucket)).toBe(0);
  });

  it('takes an error that comes with status 200 for an error', async () => {
    proxy.fate = ({ operation }) =>
      operation === 'completeUpload' ? { status: 200, code: 'InternalError' } : 'passes';
    await expect(store.putIfAbsent(KEY, random(6 * MIB))).rejects.toMatchObject({ retryable: true });
    expect(await keysOf(store, 'market-data/tick/')).toEqual([]);
  });

  it.each<[S3Operation, number]>([
    ['putObject', 100],
    ['uploadPart', 6 * MIB],
  ])('has a body that was spoiled or cut on its way refused: %s', async (operation, bytes) => {
    for (const fate of ['spoiled', 'cut'] as const) {
      proxy.fate = (asked) => (asked.operation === operation ? fate : 'passes');
      await expect(store.putIfAbsent(KEY, random(bytes))).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        retryable: true,
      });
      expect(await keysOf(store, 'market-data/tick/')).toEqual([]);
    }
  });

  it.each([100, 6 * MIB])('notices an answer that was spoiled or torn: %i bytes', async (bytes) => {
    const body = random(bytes);
    await store.putIfAbsent(KEY, body);
    for (const fate of ['spoiledAnswer', 'torn'] as const) {
      proxy.fate = () => fate;
      await expect(store.get(KEY)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
    }
    proxy.fate = () => 'passes';
    expect(Buffer.compare((await store.get(KEY)) ?? expect.fail(), body)).toBe(0);
  });

  it('begins anew when its upload was aborted as left over', async () => {
    const cleaner = await newCleaner();
    proxy.fate = async ({ operation }): Promise<S3Fate> => {
      if (operation === 'uploadPart') await cleaner.aborted;
      return 'passes';
    };
    await expect(store.putIfAbsent(KEY, random(6 * MIB))).rejects.toMatchObject({
      retryable: true,
      message: expect.stringContaining('NoSuchUpload') as string,
    });
    expect(await store.putIfAbsent(KEY, random(6 * MIB))).toBe('created');
    expect(await uploadsIn(bucket)).toBe(0);
  });

  it('leaves uploads alone that are not old enough', async () => {
    proxy.fate = ({ operation }) =>
      operation === 'completeUpload' || operation === 'abortUpload' ? 'reset' : 'passes';
    await expect(store.putIfAbsent(KEY, random(6 * MIB))).rejects.toMatchObject({ retryable: true });
    const [listed, other] = [Promise.withResolvers<undefined>(), await newBucket(server())];
    other.proxy.fate = ({ operation }) => {
      if (operation === 'listUploads') listed.resolve(undefined);
      return 'passes';
    };
    await openS3(server(), { bucket, endpoint: other.proxy.endpoint });
    await listed.promise;
    expect(await uploadsIn(bucket)).toBe(1);
  });

  it('tells of a clean-up that fails, and goes on without it', async () => {
    const told = Promise.withResolvers<StoreFault>();
    proxy.fate = ({ operation }) => (operation === 'listUploads' ? { status: 403, code: 'AccessDenied' } : 'passes');
    const other = await openS3(server(), { bucket, endpoint: proxy.endpoint, onFault: told.resolve });
    expect(await told.promise).toMatchObject({ operation: 'cleanUp', key: PREFIX, attempt: 1, retryInMs: 3_600_000 });
    expect(await other.putIfAbsent(KEY, random(10))).toBe('created');
  });

  it('waits at its start until the store answers, and tells what it waits for', async () => {
    const fates: S3Fate[] = ['reset', { status: 503, code: 'SlowDown' }, 'hangs', 'lost'];
    const faults: StoreFault[] = [];
    const { proxy: between } = await newBucket(server());
    between.fate = () => fates.shift() ?? 'passes';
    await openS3(server(), {
      bucket,
      endpoint: between.endpoint,
      requestTimeoutMs: 200,
      onFault: (f) => faults.push(f),
    });
    expect(faults.map(({ operation, attempt }) => [operation, attempt])).toEqual([1, 2, 3, 4].map((n) => ['open', n]));
  });

  it('ends with its signal, a request that hangs included', async () => {
    const stop = new AbortController();
    const hanging = Promise.withResolvers<undefined>();
    proxy.fate = () => {
      hanging.resolve(undefined);
      return 'hangs';
    };
    const opening = S3ObjectStore.open(optionsFor(server(), { bucket, endpoint: proxy.endpoint, signal: stop.signal }));
    await hanging.promise;
    stop.abort(new Error('stopping'));
    await expect(opening).rejects.toThrow('stopping');
    const put = store.putIfAbsent(KEY, random(6 * MIB), stop.signal);
    await expect(put).rejects.toThrow('stopping');
    const get = store.get(KEY);
    store.close();
    await expect(get).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it.each<[string, Partial<Parameters<typeof optionsFor>[1]>, string, RegExp]>([
    [
      'a missing bucket',
      { bucket: 'no-such-lake' },
      'STORE_REFUSED',
      /NoSuchBucket.*create the bucket no-such-lake, or set S3_BUCKET/,
    ],
    [
      'a wrong secret',
      { credentials: { accessKeyId: 'aipx', secretAccessKey: 'QUITE-SECRET' } },
      'STORE_REFUSED',
      /AWS_SECRET_ACCESS_KEY/,
    ],
    [
      'an unknown key',
      { credentials: { accessKeyId: 'nobody', secretAccessKey: 'QUITE-SECRET' } },
      'STORE_REFUSED',
      /access key ID/,
    ],
    ['another region', { region: 'eu-central-1' }, 'STORE_REFUSED', /S3_REGION is eu-central-1/],
    [
      'a password in the endpoint',
      { endpoint: 'http://me:QUITE-SECRET@127.0.0.1:1' },
      'CONFIG_INVALID',
      /^S3_ENDPOINT is not an address/,
    ],
    ['parts that S3 does not take', { partBytes: MIB }, 'CONFIG_INVALID', /partBytes is 1048576/],
  ])('refuses %s at its start, and tells no secret', async (_, wrong, code, message) => {
    const error: unknown = await openS3(server(), { bucket, ...wrong }).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code, retryable: false, message: expect.stringMatching(message) as string });
    const shown = inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error);
    expect(shown).not.toContain('QUITE-SECRET');
    expect(shown).not.toMatch(/Signature=|Credential=/);
  });

  it('does not take what is no S3 store for an empty one', async () => {
    const page = createServer((_, answer) => void answer.end('<html><body>Please log in</body></html>'));
    page.listen(0, '127.0.0.1');
    await once(page, 'listening');
    onTestFinished(() => void page.close());
    const told = Promise.withResolvers<StoreFault>();
    const stop = new AbortController();
    const endpoint = `http://127.0.0.1:${(page.address() as AddressInfo).port}`;
    const opening = openS3(server(), { bucket, endpoint, signal: stop.signal, onFault: told.resolve });
    expect((await told.promise).error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
    stop.abort();
    await expect(opening).rejects.toThrow();
  });

  /** Uploads that nobody has completed or aborted, as the server lists them. */
  async function uploadsIn(name: string): Promise<number> {
    const { ListMultipartUploadsCommand, S3Client } = await import('@aws-sdk/client-s3');
    const { endpoint, region, credentials } = optionsFor(server(), { bucket: name });
    const client = new S3Client({
      endpoint: endpoint ?? '',
      region,
      forcePathStyle: true,
      ...(credentials && { credentials }),
    });
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: name }));
    client.destroy();
    return Uploads.length;
  }

  /** Another recorder, to which every upload is old until it has aborted one. */
  async function newCleaner(): Promise<{ readonly aborted: Promise<unknown> }> {
    const { proxy: between } = await newBucket(server());
    const aborted = Promise.withResolvers<undefined>();
    between.fate = ({ operation }) => {
      if (operation === 'listUploads' && between.count('abortUpload') > 1) {
        cleaner.close();
        aborted.resolve(undefined);
      }
      return 'passes';
    };
    const cleaner = await openS3(server(), { bucket, endpoint: between.endpoint, leftoverAfterMs: 24 });
    return { aborted: aborted.promise };
  }
});
