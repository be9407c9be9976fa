import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startS3, versitygwUnavailable, type S3Server } from '@aipx/stack';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { S3ObjectStore, type S3Options } from '../../src/object-store/s3-object-store.js';
import { S3Proxy } from './s3-proxy.js';

export const BUCKET = 'lake';
export const PREFIX = 'market-data';
/** Why no S3 server with conditional writes can run here. */
export const NO_S3 = versitygwUnavailable();

/** One S3 server for the tests of a file, before the first of them. */
export function useS3(conditionalWrites: boolean): () => S3Server & { readonly folder: string } {
  let server: S3Server | undefined;
  let folder = '';
  beforeAll(async () => {
    if (conditionalWrites && NO_S3 !== undefined) return;
    folder = await mkdtemp(join(tmpdir(), 'aipx-lake-s3-'));
    server = await startS3({ folder, conditionalWrites, signal: AbortSignal.timeout(300_000) });
  }, 320_000);
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return () => {
    if (server === undefined) throw new Error('there is no S3 server');
    return Object.assign(server, { folder });
  };
}

let buckets = 0;

/** A bucket of the test's own, behind a proxy. */
export async function newBucket(server: S3Server): Promise<{ readonly bucket: string; readonly proxy: S3Proxy }> {
  const bucket = `${BUCKET}-${process.pid}-${(buckets += 1)}`;
  await server.createBucket(bucket);
  const proxy = await S3Proxy.before(server.endpoint);
  onTestFinished(() => proxy.close());
  return { bucket, proxy };
}

export function optionsFor(server: S3Server, more: Partial<S3Options> & Pick<S3Options, 'bucket'>): S3Options {
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  return {
    ...{ endpoint, region, credentials: { accessKeyId, secretAccessKey }, prefix: PREFIX, singleWriter: false },
    signal: new AbortController().signal,
    partBytes: 5 * 1024 * 1024,
    requestTimeoutMs: 5_000,
    backoff: { floorMs: 1, capMs: 4 },
    ...more,
  };
}

/** A store that is closed when the test ends. */
export async function openS3(
  server: S3Server,
  more: Partial<S3Options> & Pick<S3Options, 'bucket'>,
): Promise<S3ObjectStore> {
  const store = await S3ObjectStore.open(optionsFor(server, more));
  onTestFinished(() => store.close());
  return store;
}

export async function keysOf(store: S3ObjectStore, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of store.list(prefix)) keys.push(key);
  return keys;
}
