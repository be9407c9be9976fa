import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import type { ObjectStore } from './object-store.js';
import { DEFAULT_BACKOFF, persist, type Backoff, type StoreFault } from './patience.js';
import { S3Bucket, type S3BucketOptions } from './s3-bucket.js';
import { checksumOf, createInParts, createWhole, strange } from './s3-create.js';
import { failureOf } from './s3-errors.js';
import { abortLeftovers } from './s3-leftovers.js';
import { findUnconditional, noConditionalWrites } from './s3-probe.js';

export interface S3Options extends S3BucketOptions {
  /** Of every key that the store will be asked for. */
  readonly prefix: string;
  /** Use a store without conditional writes all the same: there is never more than one recorder. */
  readonly singleWriter: boolean;
  /** Ends every wait, also after `open`. */
  readonly signal: AbortSignal;
  /** Something has failed and is tried again: `open`, or the clean-up of uploads. */
  readonly onFault?: (fault: StoreFault) => void;
  /** Larger objects are sent in parts of this size, in bytes. At least 5 MiB, as S3 has it. @default 5 MiB */
  readonly partBytes?: number;
  /** Age from which an upload counts as left over, in ms. Looked for 24 times in that time. @default 24 h */
  readonly leftoverAfterMs?: number;
  /** Between the tries of `open`. @default 200 ms doubling to 30 s */
  readonly backoff?: Backoff;
}

const MIB = 1024 * 1024;
const LEAST_PART_BYTES = 5 * MIB;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Objects in an S3 bucket or one of a compatible store. Every call is one try; whoever is to wait is `PatientObjectStore`.
 */
export class S3ObjectStore implements ObjectStore {
  /** Whether the store itself creates only what is absent. If not, only one recorder may use it. */
  readonly conditionalWrites: boolean;
  readonly #bucket: S3Bucket;
  readonly #partBytes: number;
  readonly #closed: AbortController;

  private constructor(bucket: S3Bucket, conditionalWrites: boolean, partBytes: number, closed: AbortController) {
    this.#bucket = bucket;
    this.conditionalWrites = conditionalWrites;
    this.#partBytes = partBytes;
    this.#closed = closed;
  }

  /**
   * Waits until the bucket answers, and proves that it creates objects only if they are absent.
   *
   * @throws {MarketDataError} `STORE_REFUSED` when bucket, region or keys are not right, `STORE_NO_CONDITIONAL_WRITES`,
   * `CONFIG_INVALID` for options that cannot be
   */
  static async open(options: S3Options): Promise<S3ObjectStore> {
    const { signal, prefix, singleWriter, partBytes = LEAST_PART_BYTES, backoff = DEFAULT_BACKOFF } = options;
    const { onFault = () => undefined, leftoverAfterMs = DAY_MS } = options;
    if (!(partBytes >= LEAST_PART_BYTES)) {
      throw new MarketDataError('CONFIG_INVALID', `partBytes is ${partBytes}; expected at least ${LEAST_PART_BYTES}`);
    }
    const closed = new AbortController();
    const ending = AbortSignal.any([signal, closed.signal]);
    const bucket = new S3Bucket(options, ending);
    try {
      const patience = { signal, onFault, onRecovered: () => undefined, backoff };
      const ignoring = await persist(patience, 'open', prefix, () => findUnconditional(bucket, prefix));
      if (ignoring !== undefined && !singleWriter) throw noConditionalWrites(bucket, ignoring);
      bucket.access = 'awaited';
      const store = new S3ObjectStore(bucket, ignoring === undefined, partBytes, closed);
      void keepClean(bucket, prefix, leftoverAfterMs, ending, onFault);
      return store;
    } catch (error) {
      bucket.close();
      throw error;
    }
  }

  async putIfAbsent(key: string, body: Uint8Array, signal?: AbortSignal): Promise<'created' | 'exists'> {
    if (!this.conditionalWrites && (await this.#isThere(key, signal))) return 'exists';
    const creation = { key, body, onlyIfAbsent: this.conditionalWrites, signal };
    return body.byteLength > this.#partBytes
      ? createInParts(this.#bucket, creation, this.#partBytes)
      : createWhole(this.#bucket, creation);
  }

  get(key: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const get = new GetObjectCommand({ Bucket: this.#bucket.name, Key: key, ChecksumMode: 'ENABLED' });
    return this.#bucket.ask(
      'GetObject',
      key,
      async (client, options) => {
        try {
          const { Body, Metadata } = await client.send(get, options);
          const bytes = new Uint8Array((await Body?.transformToByteArray()) ?? []);
          const checksum = Metadata?.['crc32'];
          if (checksum !== undefined && checksum !== checksumOf(bytes)) throw spoiled(key);
          return bytes;
        } catch (cause) {
          if (failureOf(cause).code === 'NoSuchKey') return undefined;
          throw cause;
        }
      },
      signal,
    );
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<string> {
    let token: string | undefined;
    let previous = '';
    do {
      const list = new ListObjectsV2Command({ Bucket: this.#bucket.name, Prefix: prefix, ContinuationToken: token });
      const page = await this.#bucket.ask(
        'ListObjectsV2',
        prefix,
        async (client, options) => {
          const answer = await client.send(list, options);
          // Whatever else answers must not look like an empty lake.
          if (answer.Name === undefined) throw strange('no listing');
          return answer;
        },
        signal,
      );
      for (const { Key: key = '' } of page.Contents ?? []) {
        if (Buffer.compare(Buffer.from(previous), Buffer.from(key)) >= 0) throw unordered(this.#bucket, previous, key);
        previous = key;
        yield key;
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  /** Ends what is under way, with its connections. */
  close(): void {
    this.#closed.abort(new MarketDataError('STORE_UNAVAILABLE', `the store of bucket ${this.#bucket.name} was closed`));
    this.#bucket.close();
  }

  #isThere(key: string, signal: AbortSignal | undefined): Promise<boolean> {
    const head = new HeadObjectCommand({ Bucket: this.#bucket.name, Key: key });
    return this.#bucket.ask(
      'HeadObject',
      key,
      async (client, options) => {
        try {
          await client.send(head, options);
          return true;
        } catch (cause) {
          if (failureOf(cause).status === 404) return false;
          throw cause;
        }
      },
      signal,
    );
  }
}

async function keepClean(
  bucket: S3Bucket,
  prefix: string,
  leftoverAfterMs: number,
  signal: AbortSignal,
  onFault: (fault: StoreFault) => void,
): Promise<void> {
  const retryInMs = Math.min(leftoverAfterMs / 24, DAY_MS);
  for (let failed = 0; !signal.aborted;) {
    try {
      await abortLeftovers(bucket, `${prefix}/`, leftoverAfterMs);
      failed = 0;
    } catch (cause) {
      if (signal.aborted) return;
      failed += 1;
      const error = asMarketDataError(cause, 'STORE_UNAVAILABLE');
      onFault({ operation: 'cleanUp', key: prefix, error, attempt: failed, retryInMs });
    }
    await sleep(retryInMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

function spoiled(key: string): MarketDataError {
  return new MarketDataError(
    'STORE_UNAVAILABLE',
    `${key} does not match its checksum: it was spoiled on its way here, or lies damaged in the store`,
    { context: { key }, retryable: true },
  );
}

function unordered(bucket: S3Bucket, before: string, after: string): MarketDataError {
  return new MarketDataError(
    'STORE_REFUSED',
    `the store of bucket ${bucket.name} lists ${after} behind ${before}: the lake needs listings in the order of the keys. ` +
      'Directory buckets (S3 Express) do not have it; use a general purpose bucket',
  );
}
