/**
 * Objects by key, each created once and never changed or removed. The lake needs nothing else of S3 or of a folder, and
 * everything it promises rests on `putIfAbsent`.
 *
 * Keys are relative, with `/` between their parts. Every method throws a `MarketDataError`: `STORE_UNAVAILABLE`,
 * retryable, for what may mend itself (no space, no network, no access), `STORE_REFUSED` for what cannot. A signal ends
 * the waits of a call, where there are any: the call then rejects with its reason.
 */
export interface ObjectStore {
  /**
   * Creates the object unless there is one: of any number of callers exactly one gets `created`. When this resolves the
   * object survives a crash; it is there whole or not at all. After an error it may be there all the same.
   */
  putIfAbsent(key: string, body: Uint8Array, signal?: AbortSignal): Promise<'created' | 'exists'>;
  /** The object's content, `undefined` if there is none. */
  get(key: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** The keys that begin with `prefix`, ascending. */
  list(prefix: string, signal?: AbortSignal): AsyncIterable<string>;
}
