import { MarketDataError } from '@aipx/market-model';
import type { LogEntry, TopicPartition } from '../event-log.js';
import { addressText } from './broker-address.js';
import type { Cluster, Host } from './cluster.js';
import type { Codec } from './codecs/codec.js';
import type { LeaderRequests } from './leader-requests.js';
import { mayBeStoredDespite, noIdentity, refusedByBroker, unanswered, verdictOn } from './publish-error.js';
import { Backoff } from './waiting.js';
import { encodeBatch, sequenceAfter, stampBatch } from './wire/encode-batch.js';
import { kafkaError } from './wire/protocol.js';
import { INIT_PRODUCER_ID } from './wire/requests.js';

export interface WriterOptions {
  readonly cluster: Cluster;
  readonly requests: LeaderRequests;
  readonly codec: Codec | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told when a batch may come to stand twice. */
  readonly onFault: (error: MarketDataError) => void;
  readonly closing: AbortSignal;
}

/** By it and its count of records the leader knows a batch again. */
interface Identity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/** A leader that has moved is found within it; anything longer is the caller's to wait for. */
const QUICK_RETRIES_MS = 1_000;
const UNUSED_TRANSACTION_TIMEOUT_MS = 60_000;

/**
 * The way to one partition: one batch at a time, which stays the same, byte for byte, until its leader has answered for
 * it. The leader then knows a batch that it has already, and never takes another one for it.
 */
export class PartitionWriter {
  readonly partition: TopicPartition;
  /** Settled when the latest append to this partition is. Never rejects. */
  latest: Promise<unknown> = Promise.resolve();
  readonly #options: WriterOptions;
  #identity: Identity | undefined;
  #sequence = 0;
  /** What is sent and not answered. */
  #batch: Buffer | undefined;
  /** A try of the batch has left it open. */
  #mayBeStored = false;
  #isLeaderDoubted = false;

  constructor(partition: TopicPartition, options: WriterOptions) {
    this.partition = partition;
    this.#options = options;
  }

  /**
   * Sends the entries. After a retryable failure the next call must be for the same ones.
   *
   * @throws {MarketDataError} `PUBLISH_FAILED`, `PUBLISH_TOO_LARGE`; if not retryable, they are not in the log
   */
  async send(entries: readonly LogEntry[]): Promise<void> {
    const giveUpAt = performance.now() + QUICK_RETRIES_MS;
    const backoff = new Backoff();
    for (;;) {
      try {
        return await this.#sendOnce(entries);
      } catch (error) {
        const isOver = performance.now() > giveUpAt || this.#options.closing.aborted;
        if (isOver || !(error instanceof MarketDataError) || !error.retryable) throw error;
      }
      await backoff.wait(this.#options.closing).catch(() => undefined);
    }
  }

  async #sendOnce(entries: readonly LogEntry[]): Promise<void> {
    const { now, codec, onFault } = this.#options;
    this.#batch ??= encodeBatch(entries, BigInt(now()), codec);
    const sent = { partition: this.partition, records: entries.length };
    let host: Host | undefined;
    let errorCode: number;
    try {
      stampBatch(this.#batch, { ...(await this.#identify()), baseSequence: this.#sequence });
      host = await this.#options.cluster.findLeader(this.partition, this.#isLeaderDoubted);
      this.#isLeaderDoubted = false;
      errorCode = await this.#ask(host, this.#batch);
    } catch (cause) {
      this.#isLeaderDoubted = true;
      const broker = host && addressText(host.address);
      const error = unanswered({ ...sent, broker, mayBeStored: this.#mayBeStored }, cause);
      if (!error.retryable) this.#forget();
      throw error;
    }
    const error = kafkaError(errorCode);
    const verdict = verdictOn(error);
    if (error === undefined || verdict === 'stored') return this.#stored(entries.length);
    this.#mayBeStored = this.#mayBeStored || mayBeStoredDespite(error);
    const broker = addressText(host.address);
    const refusal = refusedByBroker({ ...sent, broker, mayBeStored: this.#mayBeStored }, error);
    if (verdict === 'try-again') this.#isLeaderDoubted = true;
    if (verdict === 'new-identity') {
      this.#dropIdentity();
      onFault(refusal);
    }
    if (!refusal.retryable) this.#forget();
    throw refusal;
  }

  #stored(records: number): void {
    this.#batch = undefined;
    this.#mayBeStored = false;
    this.#sequence = sequenceAfter(this.#sequence, records);
  }

  /** The next batch is another one: with an identity of its own nobody can take it for this one. */
  #forget(): void {
    this.#batch = undefined;
    this.#mayBeStored = false;
    this.#dropIdentity();
  }

  #dropIdentity(): void {
    this.#identity = undefined;
    this.#sequence = 0;
  }

  async #ask(host: Host, batch: Buffer): Promise<number> {
    const { isSent, errorCode, failure } = await this.#options.requests.send(host, { ...this.partition, batch });
    if (errorCode !== undefined) return errorCode;
    this.#mayBeStored = this.#mayBeStored || isSent;
    if (failure !== undefined) throw failure as Error;
    const message = `the answer of ${addressText(host.address)} does not name the partition`;
    throw new MarketDataError('PUBLISH_FAILED', message, { retryable: true });
  }

  async #identify(): Promise<Identity> {
    if (this.#identity !== undefined) return this.#identity;
    const { errorCode, producerId, producerEpoch } = await this.#options.cluster.askAny(INIT_PRODUCER_ID, {
      transactionTimeout: UNUSED_TRANSACTION_TIMEOUT_MS,
    });
    const error = kafkaError(errorCode);
    if (error !== undefined) throw noIdentity(error);
    this.#identity = { producerId: BigInt(producerId), producerEpoch };
    return this.#identity;
  }
}
