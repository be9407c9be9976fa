import { setImmediate as nextTurn } from 'node:timers/promises';
import { addressText } from './broker-address.js';
import type { Cluster, Host } from './cluster.js';
import { PRODUCE, type ProducedBatch, type ProducedPartition } from './wire/produce.js';

export interface LeaderRequestsOptions {
  readonly cluster: Pick<Cluster, 'ask' | 'requestTimeoutMs'>;
  /** Which connection they go by. */
  readonly purpose: string;
  /** -1 all in-sync replicas, 1 the leader. */
  readonly acks: -1 | 1;
}

/** How a batch fared. */
export interface BatchOutcome {
  /** It was written to the broker, wholly or in part. */
  readonly isSent: boolean;
  /** What the leader says of its partition; absent when it said nothing. */
  readonly errorCode?: number;
  /** Why there is no answer; absent when there is one that does not name the partition. */
  readonly failure?: unknown;
}

interface Waiting {
  readonly batch: ProducedBatch;
  readonly resolve: (outcome: BatchOutcome) => void;
}

/** Of its replicas' lateness an answer is better than none: the leader waits this share of the request timeout. */
const REPLICAS_SHARE = 0.9;
/** Most bytes of one request, unless a single batch has more; brokers by default take 100 MiB. */
const MAX_REQUEST_BYTES = 16 * 1024 * 1024;

/**
 * Carries batches to the leaders of their partitions, one request at a time to each broker. The broker answers one request
 * of a connection after the other anyway, so what comes meanwhile goes together in the next one: a request costs both sides
 * more than a small batch.
 */
export class LeaderRequests {
  readonly #options: LeaderRequestsOptions;
  /** By the broker's address: what waits, of each partition one batch at most. There while somebody works on it. */
  readonly #queues = new Map<string, Waiting[]>();
  /** Brokers whose last request failed: what is too large for one gets through alone. */
  readonly #inTrouble = new Set<string>();

  constructor(options: LeaderRequestsOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async send(host: Host, batch: ProducedBatch): Promise<BatchOutcome> {
    return await new Promise((resolve) => {
      const address = addressText(host.address);
      const queue = this.#queues.get(address);
      if (queue !== undefined) {
        queue.push({ batch, resolve });
        return;
      }
      const begun = [{ batch, resolve }];
      this.#queues.set(address, begun);
      void this.#work(host, begun);
    });
  }

  async #work(host: Host, queue: Waiting[]): Promise<void> {
    const address = addressText(host.address);
    await nextTurn(); // batches of one moment come one after the other
    while (queue.length > 0) {
      const together = takeFitting(queue, this.#inTrouble.has(address) ? 0 : MAX_REQUEST_BYTES);
      const failure = await this.#request(host, together);
      if (failure === undefined) {
        this.#inTrouble.delete(address);
        continue;
      }
      this.#inTrouble.add(address);
      // What waits behind a connection that failed asks for its leader anew, as if it had been sent.
      for (const { resolve } of queue.splice(0)) resolve({ isSent: false, failure });
    }
    this.#queues.delete(address);
  }

  /** @returns why there is no answer */
  async #request(host: Host, together: readonly Waiting[]): Promise<unknown> {
    const { cluster, purpose, acks } = this.#options;
    const timeoutMs = Math.ceil(cluster.requestTimeoutMs * REPLICAS_SHARE);
    let isSent = false;
    const api: typeof PRODUCE = {
      ...PRODUCE,
      // Called when there is a connection, right before the request is written to it.
      encode: (body) => {
        isSent = true;
        return PRODUCE.encode(body);
      },
    };
    const body = { acks, timeoutMs, batches: together.map(({ batch }) => batch) };
    let answer: readonly ProducedPartition[];
    try {
      answer = await cluster.ask(host, purpose, api, body);
    } catch (failure) {
      for (const { resolve } of together) resolve({ isSent, failure });
      return failure;
    }
    for (const { batch, resolve } of together) {
      const own = answer.find(({ topic, partition }) => topic === batch.topic && partition === batch.partition);
      resolve(own === undefined ? { isSent } : { isSent, errorCode: own.errorCode });
    }
    return undefined;
  }
}

/** The first ones, at least one, within so many bytes. */
function takeFitting(queue: Waiting[], maxBytes: number): readonly Waiting[] {
  let count = 0;
  let bytes = 0;
  for (const { batch } of queue) {
    bytes += batch.batch.length;
    if (count > 0 && bytes > maxBytes) break;
    count += 1;
  }
  return queue.splice(0, count);
}
