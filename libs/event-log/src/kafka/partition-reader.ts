import { MarketDataError } from '@aipx/market-model';
import type { LogRecord, OffsetRange, ReadLimits, ReadOptions, TopicPartition, WaitOptions } from '../event-log.js';
import type { Cluster, Host } from './cluster.js';
import { FetchedRecords } from './fetched-records.js';
import { outsideOfRange, readError, unnamed, unreadable, withheld } from './read-error.js';
import { abortable, Backoff } from './waiting.js';
import { FETCH, READ_COMMITTED, type FetchedPartition } from './wire/fetch.js';
import { kafkaError } from './wire/protocol.js';
import { EARLIEST, LATEST, LIST_OFFSETS } from './wire/requests.js';

const PURPOSE = 'read';
/** A broker gives at least one batch whatever is asked for. */
const LARGEST_FETCH_BYTES = 4 * 1024 * 1024;

/** Reads offsets and records from the leaders, exactly where it is told to, without any consumer group. */
export class PartitionReader {
  readonly #cluster: Cluster;
  readonly #closing: AbortSignal;

  constructor(cluster: Cluster, closing: AbortSignal) {
    this.#cluster = cluster;
    this.#closing = closing;
  }

  /** @throws {MarketDataError} `STORE_UNAVAILABLE` (retryable) when no leader answers for a request timeout, `STORE_REFUSED` */
  async range(of: TopicPartition, { signal = this.#closing }: WaitOptions = {}): Promise<OffsetRange> {
    const [begin, end] = await Promise.all([EARLIEST, LATEST].map((which) => this.#offset(of, which, signal)));
    return { begin: begin ?? 0n, end: end ?? 0n };
  }

  /** @throws {MarketDataError} as `range` does, and as `EventLog.read` says */
  async read(
    of: TopicPartition,
    from: bigint,
    limits: ReadLimits,
    { signal = this.#closing, until = 0n }: ReadOptions = {},
  ): Promise<readonly LogRecord[]> {
    const fetched = new FetchedRecords(of, from);
    for (;;) {
      const answer = await this.#atLeader(of, signal, (host) => this.#fetch(host, of, fetched.next, limits, until));
      fetched.add(answer);
      const records = fetched.take(limits);
      // What holds no records is passed over: markers of transactions, and what those aborted.
      if (records.length > 0 || fetched.next >= later(answer.end, until)) return records;
    }
  }

  async #fetch(
    host: Host,
    of: TopicPartition,
    from: bigint,
    limits: ReadLimits,
    until: bigint,
  ): Promise<FetchedPartition> {
    const maxBytes = Math.min(limits.maxBytes, LARGEST_FETCH_BYTES);
    const { topic, partition } = of;
    const { errorCode, partitions } = await this.#cluster.ask(host, PURPOSE, FETCH, {
      maxWaitTime: 0,
      minBytes: 0,
      maxBytes,
      isolationLevel: READ_COMMITTED,
      topics: [{ topic, partitions: [{ partition, fetchOffset: String(from), maxBytes }] }],
    });
    const answer = partitions.find((each) => each.topic === topic && each.partition === partition);
    const error = kafkaError(answer?.errorCode ?? errorCode);
    if (error?.type === 'OFFSET_OUT_OF_RANGE') throw outsideOfRange(of, from, await this.range(of));
    if (error !== undefined) throw readError(of, error);
    // Brokers that hold a client to its quota answer with no partition at all.
    if (answer === undefined) throw unnamed(of);
    const end = later(answer.end, until);
    if (answer.bytes.length === 0 && from < end) throw withheld(of, from, end);
    return answer;
  }

  async #offset(of: TopicPartition, timestamp: number, signal: AbortSignal): Promise<bigint> {
    return await this.#atLeader(of, signal, async (host) => {
      const { responses } = await this.#cluster.ask(host, PURPOSE, LIST_OFFSETS, {
        isolationLevel: READ_COMMITTED,
        topics: [{ topic: of.topic, partitions: [{ partition: of.partition, timestamp }] }],
      });
      const answer = responses[0]?.partitions[0];
      const error = kafkaError(answer?.errorCode ?? 0);
      if (error !== undefined) throw readError(of, error);
      if (answer === undefined) throw unreadable(of, new Error('the answer does not name the partition'));
      return BigInt(answer.offset);
    });
  }

  /** Does the work at the partition's leader, again if that moves or is away, for one request timeout at most. */
  async #atLeader<Result>(
    of: TopicPartition,
    signal: AbortSignal,
    work: (host: Host) => Promise<Result>,
  ): Promise<Result> {
    const giveUpAt = performance.now() + this.#cluster.requestTimeoutMs;
    const backoff = new Backoff();
    const tryOnce = async (isDoubted: boolean) => await work(await this.#cluster.findLeader(of, isDoubted));
    for (let isDoubted = false; ; isDoubted = true) {
      try {
        return await abortable(tryOnce(isDoubted), signal);
      } catch (cause) {
        if (signal !== this.#closing) signal.throwIfAborted();
        const isFinal = !(cause instanceof MarketDataError) || !cause.retryable || cause.code === 'STORE_REFUSED';
        if (isFinal || this.#closing.aborted || performance.now() > giveUpAt) throw unreadable(of, cause);
      }
      await backoff.wait(signal).catch(() => undefined);
    }
  }
}

function later(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
