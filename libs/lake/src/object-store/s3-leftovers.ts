import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import type { S3Bucket } from './s3-bucket.js';
import { abortUpload } from './s3-create.js';

/** Of 1,000 uploads each. More than that is left to the next time. */
const MOST_PAGES = 10;

/**
 * Aborts the uploads below the prefix that were begun that long ago: a crash left them, and they cost as much as objects
 * do. An owner that still is at one begins anew.
 */
export async function abortLeftovers(bucket: S3Bucket, prefix: string, olderThanMs: number): Promise<void> {
  const begunBefore = Date.now() - olderThanMs;
  for await (const { Key, UploadId, Initiated } of uploadsBelow(bucket, prefix)) {
    if (Key === undefined || UploadId === undefined || Initiated === undefined) continue;
    // Not every store keeps to the prefix.
    if (Key.startsWith(prefix) && Initiated.getTime() < begunBefore) await abortUpload(bucket, Key, UploadId);
  }
}

async function* uploadsBelow(bucket: S3Bucket, prefix: string) {
  let marker = {};
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const list = new ListMultipartUploadsCommand({ Bucket: bucket.name, Prefix: prefix, ...marker });
    const page = await bucket.ask('ListMultipartUploads', prefix, (client, options) => client.send(list, options));
    yield* page.Uploads ?? [];
    if (page.IsTruncated !== true) return;
    marker = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
  }
}
