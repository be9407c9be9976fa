import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import type { OffsetRange, TopicPartition } from '../event-log.js';
import type { Cluster, Host } from './cluster.js';
import type { PartitionFeed } from './partition-feed.js';
import { outsideOfRange, readError } from './read-error.js';
import { abortable, aborted, Backoff } from './waiting.js';
import { FETCH, READ_UNCOMMITTED, type FetchBody, type FetchedPartition } from './wire/fetch.js';
import { kafkaError } from './wire/protocol.js';

export interface FetchOptions {
  readonly cluster: Cluster;
  /** Which connections it uses; none but these loops'. */
  readonly purpose: string;
  readonly feeds: readonly PartitionFeed[];
  readonly rangeOf: (of: TopicPartition) => Promise<OffsetRange>;
  readonly onFault: (error: MarketDataError) => void;
  readonly over: AbortSignal;
}

/** How long a broker that has nothing new waits with its answer, ms. */
const LONG_POLL_MS = 500;
/** The same while a partition is left out because its handler is busy: it is to be asked for soon. */
const SHORT_POLL_MS = 20;
/** Of compressed batches. */
const PARTITION_BYTES = 512 * 1024;
const ANSWER_BYTES = 8 * 1024 * 1024;
/** Trouble after so long, ms, is new trouble. */
const CALM_MS = 10_000;

/**
 * Fetches for all partitions until `over` aborts: of each broker one request at a time, for all partitions it leads that
 * want more. A broker serves one request of a connection at a time, so a long poll for each partition would make them
 * wait for each other.
 */
export class FetchLoops {
  readonly #options: FetchOptions;
  #hungry = Promise.withResolvers<undefined>();
  #turn = 0;

  constructor(options: FetchOptions) {
    this.#options = options;
  }

  /** A partition wants more. */
  wake(): void {
    this.#hungry.resolve(undefined);
    this.#hungry = Promise.withResolvers();
  }

  /**
   * @throws {MarketDataError} `STORE_REFUSED` for an offset outside of its partition's range, and what else no retry can
   * mend
   */
  async run(): Promise<void> {
    const { cluster, purpose, over } = this.#options;
    const why = new MarketDataError('CONNECTION_LOST', 'these partitions are fetched no longer', { retryable: true });
    const cut = () => cluster.end(purpose, why);
    over.addEventListener('abort', cut, { once: true });
    try {
      const backoff = new Backoff();
      // A member may be left without a share: there are more members than partitions.
      if (this.#options.feeds.length === 0) await aborted(over);
      while (!over.aborted) await this.#round(backoff);
    } finally {
      over.removeEventListener('abort', cut);
      cut();
    }
  }

  /** Polls every leader until one of them is in trouble, and while the leaders are then looked up anew. */
  async #round(backoff: Backoff): Promise<void> {
    const round = new AbortController();
    const stop = AbortSignal.any([this.#options.over, round.signal]);
    const startedAt = performance.now();
    const polls = [...this.#byLeader()].map(([host, feeds]) => this.#poll(host, feeds, stop));
    try {
      await Promise.race(polls);
      if (performance.now() - startedAt > CALM_MS) backoff.reset();
      await this.#findLeaders(backoff);
    } finally {
      round.abort();
      await Promise.allSettled(polls);
    }
  }

  #byLeader(): ReadonlyMap<Host | undefined, readonly PartitionFeed[]> {
    const { cluster, feeds } = this.#options;
    const byNode = Map.groupBy(feeds, ({ partition }) => cluster.leaderOf(partition)?.node);
    return new Map([...byNode].map(([node, led]) => [node === undefined ? undefined : cluster.host(node), led]));
  }

  async #findLeaders(backoff: Backoff): Promise<void> {
    const { cluster, onFault, over } = this.#options;
    while (!over.aborted) {
      try {
        await backoff.wait(over);
        await cluster.refresh();
        return;
      } catch (cause) {
        if (!over.aborted) onFault(asMarketDataError(cause, 'CONNECTION_FAILED', { retryable: true }));
      }
    }
  }

  /** Resolves when it is stopped, or when the broker is in trouble or leads one of these no longer. */
  async #poll(host: Host | undefined, feeds: readonly PartitionFeed[], stop: AbortSignal): Promise<void> {
    while (host !== undefined && !stop.aborted) {
      const hungry = this.#inTurn(feeds.filter(({ isHungry }) => isHungry));
      if (hungry.length === 0) {
        await abortable(this.#hungry.promise, stop).catch(() => undefined);
      } else {
        const pollMs = hungry.length === feeds.length ? LONG_POLL_MS : SHORT_POLL_MS;
        if (!(await this.#fetch(host, hungry, pollMs))) return;
      }
    }
  }

  /** An answer has room for the first ones: each time they are others. */
  #inTurn(feeds: readonly PartitionFeed[]): readonly PartitionFeed[] {
    this.#turn += 1;
    const from = this.#turn % Math.max(feeds.length, 1);
    return [...feeds.slice(from), ...feeds.slice(0, from)];
  }

  /** Whether the broker answered for all of them. */
  async #fetch(host: Host, feeds: readonly PartitionFeed[], pollMs: number): Promise<boolean> {
    const { cluster, purpose, onFault, over } = this.#options;
    let answered: readonly FetchedPartition[];
    try {
      const timeoutMs = pollMs + cluster.requestTimeoutMs;
      answered = (await cluster.ask(host, purpose, FETCH, requestFor(feeds, pollMs), timeoutMs)).partitions;
    } catch (cause) {
      if (!over.aborted) onFault(asMarketDataError(cause, 'CONNECTION_LOST'));
      return false;
    }
    const faults = await Promise.all(feeds.map((feed) => this.#deliver(feed, answered)));
    for (const fault of faults) if (fault !== undefined) onFault(fault);
    return faults.every((fault) => fault === undefined);
  }

  /** What passes is returned, what no retry can mend is thrown. */
  async #deliver(feed: PartitionFeed, answered: readonly FetchedPartition[]): Promise<MarketDataError | undefined> {
    const { topic, partition } = feed.partition;
    const answer = answered.find((each) => each.topic === topic && each.partition === partition);
    if (answer === undefined) return undefined;
    const error = kafkaError(answer.errorCode);
    if (error === undefined) {
      if (answer.bytes.length > 0) feed.add(answer.bytes);
      return undefined;
    }
    if (error.type === 'OFFSET_OUT_OF_RANGE') {
      throw outsideOfRange(feed.partition, feed.next, await this.#options.rangeOf(feed.partition));
    }
    const fault = readError(feed.partition, error);
    if (fault.retryable) return fault;
    throw fault;
  }
}

function requestFor(feeds: readonly PartitionFeed[], pollMs: number): FetchBody {
  return {
    maxWaitTime: pollMs,
    minBytes: 1,
    maxBytes: ANSWER_BYTES,
    isolationLevel: READ_UNCOMMITTED,
    topics: feeds.map(({ partition: { topic, partition }, next }) => ({
      topic,
      partitions: [{ partition, fetchOffset: String(next), maxBytes: PARTITION_BYTES }],
    })),
  };
}
