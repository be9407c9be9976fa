import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
} from '@aws-sdk/client-s3';
import { MarketDataError } from '@aipx/market-model';
import type { S3Bucket } from './s3-bucket.js';
import { failureOf } from './s3-errors.js';

export interface Creation {
  readonly key: string;
  readonly body: Uint8Array;
  /** Whether the store is asked to create the object only if there is none. */
  readonly onlyIfAbsent: boolean;
  readonly signal?: AbortSignal | undefined;
}

export type Outcome = 'created' | 'exists';

/** Parts of one object on their way at the same time. */
const LANES = 3;
const MOST_PARTS = 10_000;

/** Of the whole object, which the store's own checksum of an object in parts is not. */
export function checksumOf(body: Uint8Array): string {
  return crc32(body).toString(16).padStart(8, '0');
}

/** Creates an object by one request. The store refuses a body that does not match its checksum. */
export async function createWhole(bucket: S3Bucket, creation: Creation): Promise<Outcome> {
  const { key, body, signal } = creation;
  const create = new PutObjectCommand({
    Bucket: bucket.name,
    Key: key,
    Body: body,
    ...described(body),
    ...condition(creation),
  });
  return bucket.ask('PutObject', key, (client, options) => unlessExists(client.send(create, options)), signal);
}

/**
 * Creates an object in parts, of which nobody sees anything before the last request. An upload that fails is aborted
 * where that is possible; what is not is left to the clean-up.
 */
export async function createInParts(bucket: S3Bucket, creation: Creation, partBytes: number): Promise<Outcome> {
  const uploadId = await beginUpload(bucket, creation);
  try {
    const parts = await uploadParts(bucket, creation, uploadId, partBytes);
    const outcome = await completeUpload(bucket, creation, uploadId, parts);
    if (outcome === 'exists') await abortUpload(bucket, creation.key, uploadId, creation.signal).catch(() => undefined);
    return outcome;
  } catch (error) {
    await abortUpload(bucket, creation.key, uploadId, creation.signal).catch(() => undefined);
    throw error;
  }
}

/** @throws {MarketDataError} when the store cannot be asked; an upload that is gone is no error */
export async function abortUpload(
  bucket: S3Bucket,
  key: string,
  uploadId: string,
  signal?: AbortSignal,
): Promise<void> {
  const abort = new AbortMultipartUploadCommand({ Bucket: bucket.name, Key: key, UploadId: uploadId });
  await bucket.ask(
    'AbortMultipartUpload',
    key,
    (client, options) =>
      client.send(abort, options).catch((cause: unknown) => {
        if (failureOf(cause).code !== 'NoSuchUpload') throw cause;
      }),
    signal,
  );
}

async function beginUpload(bucket: S3Bucket, { key, body, signal }: Creation): Promise<string> {
  const begin = new CreateMultipartUploadCommand({
    ...{ Bucket: bucket.name, Key: key, ChecksumAlgorithm: 'CRC32' },
    ...described(body),
  });
  return bucket.ask(
    'CreateMultipartUpload',
    key,
    async (client, options) => {
      const { UploadId } = await client.send(begin, options);
      if (UploadId === undefined) throw strange('an upload without an id');
      return UploadId;
    },
    signal,
  );
}

async function uploadParts(
  bucket: S3Bucket,
  { key, body, signal }: Creation,
  uploadId: string,
  partBytes: number,
): Promise<readonly CompletedPart[]> {
  const failed = new AbortController();
  const stop = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const done: CompletedPart[] = [];
  const waiting = partsOf(body, Math.max(partBytes, Math.ceil(body.byteLength / MOST_PARTS)));
  const lane = async () => {
    for (const { number, bytes } of waiting) {
      const part = new UploadPartCommand({
        ...{ Bucket: bucket.name, Key: key, UploadId: uploadId, PartNumber: number },
        ...{ Body: bytes, ChecksumAlgorithm: 'CRC32' },
      });
      const { ETag, ChecksumCRC32 } = await bucket.ask(
        `UploadPart ${number}`,
        key,
        (client, options) => client.send(part, options),
        stop,
      );
      done[number - 1] = { PartNumber: number, ETag, ChecksumCRC32 };
    }
  };
  const lanes = Array.from({ length: LANES }, () =>
    lane().catch((error: unknown) => {
      failed.abort(error);
    }),
  );
  await Promise.all(lanes);
  stop.throwIfAborted();
  return done;
}

async function completeUpload(
  bucket: S3Bucket,
  creation: Creation,
  uploadId: string,
  parts: readonly CompletedPart[],
): Promise<Outcome> {
  const { key, signal } = creation;
  const complete = new CompleteMultipartUploadCommand({
    ...{ Bucket: bucket.name, Key: key, UploadId: uploadId, MultipartUpload: { Parts: [...parts] } },
    ...condition(creation),
  });
  return bucket.ask(
    'CompleteMultipartUpload',
    key,
    (client, options) => unlessExists(client.send(complete, options)),
    signal,
  );
}

/** Views of the body, not copies. Shared by the lanes. */
function* partsOf(
  body: Uint8Array,
  partBytes: number,
): Generator<{ readonly number: number; readonly bytes: Uint8Array }> {
  for (let number = 1, at = 0; at < body.byteLength; number += 1, at += partBytes) {
    yield { number, bytes: body.subarray(at, at + partBytes) };
  }
}

async function unlessExists(sent: Promise<{ readonly ETag?: string | undefined }>): Promise<Outcome> {
  try {
    const { ETag } = await sent;
    if (ETag === undefined) throw strange('a success without an ETag');
    return 'created';
  } catch (cause) {
    const { code, status } = failureOf(cause);
    if (code === 'PreconditionFailed' || status === 412) return 'exists';
    throw cause;
  }
}

/** Not of an S3 server: something stands between. */
export function strange(what: string): MarketDataError {
  return new MarketDataError(
    'STORE_UNAVAILABLE',
    `the store answered ${what}; is S3_ENDPOINT the address of an S3 store?`,
    {
      retryable: true,
    },
  );
}

function described(body: Uint8Array) {
  return { Metadata: { crc32: checksumOf(body) } };
}

function condition({ onlyIfAbsent }: Creation) {
  return onlyIfAbsent ? { IfNoneMatch: '*' } : {};
}
