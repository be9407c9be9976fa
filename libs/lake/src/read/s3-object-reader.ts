import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { DEFAULT_BACKOFF, persist, type StoreFault } from '../object-store/patience.js';
import { S3Bucket, type S3BucketOptions } from '../object-store/s3-bucket.js';
import { strange } from '../object-store/s3-create.js';
import { failureOf } from '../object-store/s3-errors.js';
import type { StoredObjects } from './lake-catalog.js';

export interface S3ObjectReaderOptions extends S3BucketOptions {
  readonly signal: AbortSignal;
}

/** How long one call is tried. Whoever reads by hand wants an answer, not an endless wait. */
const PATIENCE_MS = 30_000;

/** Objects of an S3 bucket for one who only reads: it writes nothing, not even a probe, and needs no right to. */
export class S3ObjectReader implements StoredObjects {
  readonly #bucket: S3Bucket;
  readonly #signal: AbortSignal;

  /** @throws {MarketDataError} `CONFIG_INVALID` for an endpoint that is none */
  constructor(options: S3ObjectReaderOptions) {
    this.#bucket = new S3Bucket(options, options.signal);
    this.#signal = options.signal;
  }

  async get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const get = new GetObjectCommand({ Bucket: this.#bucket.name, Key: key });
    return await this.#patiently('get', key, () =>
      this.#bucket.ask('GetObject', key, async (client, options) => {
        try {
          const { Body } = await client.send(get, options);
          return new Uint8Array((await Body?.transformToByteArray()) ?? []);
        } catch (cause) {
          if (failureOf(cause).code === 'NoSuchKey') return undefined;
          throw cause;
        }
      }),
    );
  }

  async *list(prefix: string): AsyncGenerator<string> {
    let token: string | undefined;
    do {
      const list = new ListObjectsV2Command({ Bucket: this.#bucket.name, Prefix: prefix, ContinuationToken: token });
      const page = await this.#patiently('list', prefix, () =>
        this.#bucket.ask('ListObjectsV2', prefix, async (client, options) => {
          const answer = await client.send(list, options);
          // Whatever else answers must not look like an empty lake.
          if (answer.Name === undefined) throw strange('no listing');
          return answer;
        }),
      );
      for (const { Key: key = '' } of page.Contents ?? []) yield key;
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  /** Ends what is under way, with its connections. */
  close(): void {
    this.#bucket.close();
  }

  /** Fails with what the store said last, not with the end of the patience. */
  async #patiently<T>(operation: StoreFault['operation'], key: string, call: () => Promise<T>): Promise<T> {
    let last: unknown;
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(PATIENCE_MS)]);
    const onFault = ({ error }: StoreFault) => {
      last = error;
    };
    try {
      return await persist(
        { signal, onFault, onRecovered: () => undefined, backoff: DEFAULT_BACKOFF },
        operation,
        key,
        call,
      );
    } catch (cause) {
      this.#signal.throwIfAborted();
      throw signal.aborted && last !== undefined ? last : cause;
    }
  }
}
