import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { MarketDataError } from '@aipx/market-model';
import type { S3Bucket } from './s3-bucket.js';
import { createInParts, createWhole, strange, type Outcome } from './s3-create.js';

/**
 * Finds out whether the store creates objects only if they are absent, by either way that the lake uses. The one object
 * that it needs stays for the next probe: whoever took it away could make two recorders that start at the same time
 * believe that the store ignores the condition.
 *
 * @returns the request that ignores the condition; `undefined` when none does
 * @throws {MarketDataError} `STORE_REFUSED` when the bucket cannot be used as it is set
 */
export async function findUnconditional(bucket: S3Bucket, prefix: string): Promise<string | undefined> {
  await expectBucket(bucket, prefix);
  const body = new TextEncoder().encode(
    'Made at each start to see that the store creates an object only if it is absent.\n',
  );
  const creation = { key: `${prefix}/_probe/create-only`, body, onlyIfAbsent: true };
  // Of two, the second meets the object of the first, if not already the first that of an earlier probe.
  const whole = () => createWhole(bucket, creation);
  if ((await refusedAsUnknown(whole)) !== 'exists' && (await refusedAsUnknown(whole)) !== 'exists') return 'PutObject';
  const inParts = () => createInParts(bucket, creation, body.byteLength);
  return (await refusedAsUnknown(inParts)) === 'exists' ? undefined : 'CompleteMultipartUpload';
}

export function noConditionalWrites(bucket: S3Bucket, ignoring: string): MarketDataError {
  return new MarketDataError(
    'STORE_NO_CONDITIONAL_WRITES',
    `the store of bucket ${bucket.name} ignores If-None-Match on ${ignoring}, so that two recorders could replace each ` +
      "other's objects. Use a store that keeps to it, or, if there never is more than one recorder, set S3_SINGLE_WRITER=true",
    { context: { bucket: bucket.name, operation: ignoring } },
  );
}

/** The cheapest request whose refusal says why: a missing bucket, another region, keys without access. */
async function expectBucket(bucket: S3Bucket, prefix: string): Promise<void> {
  const list = new ListObjectsV2Command({ Bucket: bucket.name, Prefix: `${prefix}/`, MaxKeys: 1 });
  await bucket.ask('ListObjectsV2', `${prefix}/`, async (client, options) => {
    const { Name } = await client.send(list, options);
    if (Name === undefined) throw strange('no listing');
  });
}

/** A store may also refuse the condition as something that it does not know. */
async function refusedAsUnknown(create: () => Promise<Outcome>): Promise<Outcome | 'unknown'> {
  try {
    return await create();
  } catch (error) {
    if (error instanceof MarketDataError && error.context['code'] === 'NotImplemented') return 'unknown';
    throw error;
  }
}
