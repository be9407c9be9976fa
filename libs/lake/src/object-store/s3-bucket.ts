import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { MarketDataError } from '@aipx/market-model';
import { s3Error, type Access } from './s3-errors.js';

export interface S3BucketOptions {
  readonly bucket: string;
  readonly region: string;
  /** Of an S3-compatible store, which is then asked by path; AWS itself when absent. */
  readonly endpoint?: string | undefined;
  /** @default what the AWS chain finds: environment, profile, web identity, container, instance */
  readonly credentials?: S3Credentials | undefined;
  /** How long a connection may take to stand, and a request may stand still, in ms. @default 30_000 */
  readonly requestTimeoutMs?: number | undefined;
}

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Sends one request of the client. */
export type S3Call<T> = (client: S3Client, options: { readonly abortSignal: AbortSignal }) => Promise<T>;

/** A bucket and the client that asks it: each call is one try, and its failure is a `MarketDataError`. */
export class S3Bucket {
  readonly name: string;
  /** What a refusal of access means now. */
  access: Access = 'final';
  readonly #region: string;
  readonly #client: S3Client;
  readonly #signal: AbortSignal;

  /** @throws {MarketDataError} `CONFIG_INVALID` for an endpoint that is none */
  constructor(options: S3BucketOptions, signal: AbortSignal) {
    this.name = options.bucket;
    this.#region = options.region;
    this.#client = new S3Client(clientConfig(options));
    this.#signal = signal;
  }

  /**
   * @param key the key, or the prefix of keys, for the message
   * @param signal ends the request, as the bucket's own does; its reason is then thrown
   */
  async ask<T>(operation: string, key: string, call: S3Call<T>, signal?: AbortSignal): Promise<T> {
    const abortSignal = signal === undefined ? this.#signal : AbortSignal.any([this.#signal, signal]);
    abortSignal.throwIfAborted();
    try {
      return await call(this.#client, { abortSignal });
    } catch (cause) {
      abortSignal.throwIfAborted();
      throw s3Error(cause, { operation, bucket: this.name, region: this.#region, key }, this.access);
    }
  }

  close(): void {
    this.#client.destroy();
  }
}

/** Several of each partition that a process can have. */
const MOST_CONNECTIONS = 256;

function clientConfig({ region, endpoint, credentials, requestTimeoutMs = 30_000 }: S3BucketOptions): S3ClientConfig {
  return {
    region,
    ...(endpoint !== undefined && { endpoint: checkedEndpoint(endpoint), forcePathStyle: true }),
    ...(credentials !== undefined && { credentials }),
    maxAttempts: 1, // whoever waits is `persist`, which tells of each try
    requestChecksumCalculation: 'WHEN_SUPPORTED',
    responseChecksumValidation: 'WHEN_SUPPORTED',
    requestHandler: {
      connectionTimeout: requestTimeoutMs,
      socketTimeout: requestTimeoutMs,
      // Waiting for a free connection would count as waiting for the store.
      httpAgent: { keepAlive: true, maxSockets: MOST_CONNECTIONS },
      httpsAgent: { keepAlive: true, maxSockets: MOST_CONNECTIONS },
    },
  };
}

function checkedEndpoint(endpoint: string): string {
  const url = URL.parse(endpoint);
  // The value is not repeated: it may hold a password.
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new MarketDataError(
      'CONFIG_INVALID',
      'S3_ENDPOINT is not an address such as https://s3.example.com:9000, without a user or password in it',
    );
  }
  return endpoint;
}
