import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import type { Cluster, Host } from './cluster.js';
import type { PartitionFeed } from './partition-feed.js';
import { OpenTransactions } from './open-transactions.js';
import { readError } from './read-error.js';
import { abortable, Backoff } from './waiting.js';
import { FETCH, READ_COMMITTED, type FetchAnswer, type FetchBody, type FetchedPartition } from './wire/fetch.js';
import { kafkaError, type KafkaError } from './wire/protocol.js';

export interface FetchOptions {
  readonly cluster: Cluster;
  /** Which connections it uses; none but these loops'. */
  readonly purpose: string;
  readonly onFault: (error: MarketDataError) => void;
  readonly over: AbortSignal;
}

interface Asked {
  readonly feed: PartitionFeed;
  readonly from: bigint;
}

/** How long a broker that has nothing new waits with its answer, ms. */
const LONG_POLL_MS = 500;
/** The same while a partition is left out because its handler is busy: it is to be asked for soon. */
const SHORT_POLL_MS = 20;
/** After so long behind its time, ms, an answer is no longer only waited for: another broker may lead by then. */
const OVERDUE_MS = 3_000;
/** Of compressed batches. */
const PARTITION_BYTES = 512 * 1024;
const ANSWER_BYTES = 8 * 1024 * 1024;
/** Trouble after so long, ms, is new trouble. */
const CALM_MS = 10_000;
/** The place that is read from is not in the log any more: retention took it, or the topic was deleted, or made anew. */
const LOST_PLACE: ReadonlySet<string> = new Set(['OFFSET_OUT_OF_RANGE', 'UNKNOWN_TOPIC_OR_PARTITION']);
const UNNAMED: KafkaError = { type: 'NO_ANSWER', retriable: true, message: 'the answer to a fetch does not name it' };

/**
 * Fetches for all partitions until `over` aborts: of each broker one request at a time, for all partitions it leads that
 * want more. A broker serves one request of a connection at a time, so a long poll for each partition would make them
 * wait for each other. Brokers do not wait for each other: a partition in trouble is left out until its leader has been
 * looked up anew.
 */
export class FetchLoops {
  readonly #options: FetchOptions;
  readonly #feeds = new Set<PartitionFeed>();
  readonly #openTransactions = new OpenTransactions();
  /** Not fetched for until their leaders were looked up. */
  readonly #doubted = new Set<PartitionFeed>();
  /** By node. */
  readonly #polls = new Map<number, Promise<void>>();
  readonly #failed = Promise.withResolvers<never>();
  #news = Promise.withResolvers<undefined>();
  #isOverdue = false;
  #turn = 0;

  constructor(options: FetchOptions) {
    this.#options = options;
    this.#failed.promise.catch(() => undefined); // nobody may be waiting any more
  }

  add(feed: PartitionFeed): void {
    this.#feeds.add(feed);
    this.#startPolls();
    this.wake();
  }

  delete(feed: PartitionFeed): void {
    this.#feeds.delete(feed);
    this.#doubted.delete(feed);
  }

  /** Something has changed: a partition wants more, or has another leader. */
  wake(): void {
    this.#news.resolve(undefined);
    this.#news = Promise.withResolvers();
  }

  /** @throws {MarketDataError} what no retry can mend */
  async run(): Promise<void> {
    const { cluster, purpose, over } = this.#options;
    const why = new MarketDataError('CONNECTION_LOST', 'these partitions are fetched no longer', { retryable: true });
    const cut = () => cluster.end(purpose, why);
    over.addEventListener('abort', cut, { once: true });
    try {
      await abortable(Promise.race([this.#keepPolling(), this.#failed.promise]), over);
    } finally {
      over.removeEventListener('abort', cut);
      cut();
      await Promise.all(this.#polls.values());
    }
  }

  async #keepPolling(): Promise<void> {
    const { over } = this.#options;
    const backoff = new Backoff(CALM_MS);
    while (!over.aborted) {
      const { promise } = this.#news;
      this.#startPolls();
      if (this.#doubted.size === 0 && !this.#isOverdue) await abortable(promise, over);
      else await this.#findLeaders(backoff);
    }
  }

  /** A poll for each broker that leads one of the partitions and has none. */
  #startPolls(): void {
    if (this.#options.over.aborted) return;
    for (const feed of this.#feeds) {
      const host = this.#leaderOf(feed);
      if (host === undefined) this.#doubted.add(feed);
      else if (!this.#doubted.has(feed) && !this.#polls.has(host.node)) this.#startPoll(host);
    }
  }

  #startPoll(host: Host): void {
    const poll = this.#poll(host)
      .catch((cause: unknown) => this.#failed.reject(cause))
      .finally(() => {
        this.#polls.delete(host.node);
        this.#startPolls();
        this.wake();
      });
    this.#polls.set(host.node, poll);
  }

  async #findLeaders(backoff: Backoff): Promise<void> {
    const { cluster, onFault, over } = this.#options;
    await backoff.wait(over);
    // Doubts that come up from here on are about newer answers.
    const doubted = [...this.#doubted];
    this.#isOverdue = false;
    try {
      await abortable(cluster.refresh(), over);
    } catch (cause) {
      over.throwIfAborted();
      const error = asMarketDataError(cause, 'CONNECTION_FAILED', { retryable: true });
      if (!error.retryable) throw error;
      return onFault(error);
    }
    for (const feed of doubted) this.#doubted.delete(feed);
    for (const feed of this.#feeds) {
      const { topic } = feed.partition;
      if (cluster.topicError(topic) === 'UNKNOWN_TOPIC_OR_PARTITION') feed.lose(lostPlace(feed, 'the topic is gone'));
      else if (this.#leaderOf(feed) === undefined) onFault(cluster.noLeader(feed.partition));
    }
    this.wake();
  }

  /** Resolves when the broker is in trouble or leads none of the partitions any longer. */
  async #poll(host: Host): Promise<void> {
    const { over } = this.#options;
    while (!over.aborted) {
      const { promise } = this.#news;
      const led = this.#ledBy(host);
      if (led.length === 0) return;
      const hungry = this.#inTurn(led.filter(({ isHungry }) => isHungry));
      if (hungry.length === 0) await abortable(promise, over).catch(() => undefined);
      else if (!(await this.#fetch(host, hungry, hungry.length === led.length ? LONG_POLL_MS : SHORT_POLL_MS))) return;
    }
  }

  /** Whether the broker answered. */
  async #fetch(host: Host, feeds: readonly PartitionFeed[], pollMs: number): Promise<boolean> {
    const { onFault, over } = this.#options;
    const asked = feeds.map((feed) => ({ feed, from: feed.next }));
    let answered: FetchAnswer;
    try {
      answered = await this.#ask(host, asked, pollMs);
    } catch (cause) {
      if (!over.aborted) onFault(asMarketDataError(cause, 'CONNECTION_LOST'));
      for (const feed of this.#ledBy(host)) this.#doubt(feed);
      return false;
    }
    const isHeldBack = answered.throttledMs > 0 && answered.partitions.length === 0;
    if (!isHeldBack) for (const each of asked) this.#deliver(each, answered.partitions);
    return true;
  }

  async #ask(host: Host, asked: readonly Asked[], pollMs: number): Promise<FetchAnswer> {
    const { cluster, purpose } = this.#options;
    const overdue = setInterval(() => this.#lookUp(), pollMs + OVERDUE_MS);
    try {
      const timeoutMs = pollMs + cluster.requestTimeoutMs;
      const answer = await cluster.ask(host, purpose, FETCH, requestFor(asked, pollMs), timeoutMs);
      const error = kafkaError(answer.errorCode);
      if (error === undefined) return answer;
      throw new MarketDataError(
        'CONNECTION_LOST',
        `node ${host.node} refuses a fetch: ${error.message} (${error.type})`,
        { retryable: true },
      );
    } finally {
      clearInterval(overdue);
    }
  }

  /** What passes is told, what no retry can mend is thrown. */
  #deliver({ feed, from }: Asked, answered: readonly FetchedPartition[]): void {
    // It was late, and another broker has served the partition meanwhile.
    if (!this.#feeds.has(feed) || feed.next !== from) return;
    const { topic, partition } = feed.partition;
    const answer = answered.find((each) => each.topic === topic && each.partition === partition);
    const error = answer === undefined ? UNNAMED : kafkaError(answer.errorCode);
    if (error === undefined) {
      if (answer !== undefined) this.#take(feed, answer);
    } else if (LOST_PLACE.has(error.type)) {
      feed.lose(lostPlace(feed, error.type));
    } else {
      const fault = readError(feed.partition, error);
      if (!fault.retryable) throw fault;
      this.#options.onFault(fault);
      this.#doubt(feed);
    }
  }

  #take(feed: PartitionFeed, answer: FetchedPartition): void {
    if (answer.bytes.length > 0) feed.add(answer);
    const heldUp = this.#openTransactions.note(answer, feed.next);
    if (heldUp !== undefined) this.#options.onFault(heldUp);
  }

  #doubt(feed: PartitionFeed): void {
    if (!this.#feeds.has(feed)) return;
    this.#doubted.add(feed);
    this.wake();
  }

  #lookUp(): void {
    this.#isOverdue = true;
    this.wake();
  }

  #ledBy(host: Host): readonly PartitionFeed[] {
    return [...this.#feeds].filter((feed) => !this.#doubted.has(feed) && this.#leaderOf(feed)?.node === host.node);
  }

  #leaderOf({ partition }: PartitionFeed): Host | undefined {
    return this.#options.cluster.leaderOf(partition);
  }

  /** An answer has room for the first ones: each time they are others. */
  #inTurn(feeds: readonly PartitionFeed[]): readonly PartitionFeed[] {
    this.#turn += 1;
    const from = this.#turn % Math.max(feeds.length, 1);
    return [...feeds.slice(from), ...feeds.slice(0, from)];
  }
}

function requestFor(asked: readonly Asked[], pollMs: number): FetchBody {
  return {
    maxWaitTime: pollMs,
    minBytes: 1,
    maxBytes: ANSWER_BYTES,
    isolationLevel: READ_COMMITTED,
    topics: asked.map(({ feed: { partition: of }, from }) => ({
      topic: of.topic,
      partitions: [{ partition: of.partition, fetchOffset: String(from), maxBytes: PARTITION_BYTES }],
    })),
  };
}

function lostPlace({ partition: { topic, partition }, next }: PartitionFeed, why: string): MarketDataError {
  return new MarketDataError(
    'STORE_REFUSED',
    `partition ${partition} of ${topic} has nothing to read at offset ${next} any more (${why}): it is assigned again`,
    { context: { topic, partition, offset: String(next) }, retryable: true },
  );
}
