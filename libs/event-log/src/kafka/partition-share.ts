import type { MarketDataError } from '@aipx/market-model';
import type { CommittedOffset, ConsumeOptions, OffsetRange, PartitionHandler, TopicPartition } from '../event-log.js';
import type { ReadTurns } from '../read-turns.js';
import { Slots } from '../slots.js';
import type { Cluster } from './cluster.js';
import { FetchLoops } from './fetch-loops.js';
import type { CommittedOffsets } from './group/committed-offsets.js';
import { PartitionFeed } from './partition-feed.js';
import { outsideOfRange } from './read-error.js';
import { Backoff, patiently } from './waiting.js';

export interface ShareParts {
  readonly cluster: Cluster;
  /** Differs from any other consumer's of this process. */
  readonly name: string;
  readonly rangeOf: (of: TopicPartition, signal: AbortSignal) => Promise<OffsetRange>;
  readonly turns: ReadTurns;
  readonly onFault: (error: MarketDataError) => void;
}

/** Trouble with a partition after so long, ms, is new trouble. */
const CALM_MS = 60_000;
const ASSIGNED_AT_ONCE = 4;

/** The partitions that a member has in one generation of its group: assigned to the handler, fed to it, and revoked. */
export class PartitionShare {
  readonly #parts: ShareParts;
  readonly #options: ConsumeOptions;
  readonly #handler: PartitionHandler;
  readonly #failed = new AbortController();
  readonly #failures: unknown[] = [];
  readonly #ended: AbortSignal;
  readonly #held = new Set<TopicPartition>();
  readonly #loops: FetchLoops;
  readonly #slots: Slots;
  /** A sink may first finish what another owner began: few of those at once bound what it holds meanwhile. */
  readonly #assigning = new Slots(ASSIGNED_AT_ONCE);

  constructor(parts: ShareParts, options: ConsumeOptions, handler: PartitionHandler, over: AbortSignal) {
    this.#parts = parts;
    this.#options = options;
    this.#handler = handler;
    this.#ended = AbortSignal.any([over, this.#failed.signal]);
    this.#loops = new FetchLoops({ ...parts, purpose: `fetch-${parts.name}`, over: this.#ended });
    this.#slots = new Slots(options.concurrency ?? Infinity);
  }

  /** Where the sink says it stands in what it holds. */
  positions(): ReadonlyMap<TopicPartition, CommittedOffset> {
    const known = [...this.#held].flatMap((partition) => {
      const position = this.#handler.position?.(partition);
      return position === undefined ? [] : [[partition, position] as const];
    });
    return new Map(known);
  }

  /**
   * Serves the partitions until `over` aborts, lets running calls of the handler end, and revokes what was assigned. The
   * first failure ends everything and is thrown once all is revoked.
   */
  async serve(partitions: readonly TopicPartition[], offsets: CommittedOffsets): Promise<void> {
    const committed = await offsets.fetch(partitions, this.#ended);
    await Promise.all([
      this.#guard(() => this.#loops.run()),
      this.#guard(() => offsets.keepCommitting(this.#ended)),
      ...byTurns(partitions).map((partition) =>
        this.#guard(() => this.#servePartition(partition, committed.get(partition), offsets)),
      ),
    ]);
    let committing: Promise<void> | undefined;
    await this.#guard(async () => void (committing = offsets.commit(this.positions())));
    // Side by side: a sink may take seconds for each, and the group does not wait for long.
    await Promise.all([...this.#held].map((partition) => this.#guard(() => this.#handler.onRevoked(partition))));
    await committing;
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  /** Assigned again as often as the place that is read from is lost. */
  async #servePartition(
    partition: TopicPartition,
    known: CommittedOffset | undefined,
    offsets: CommittedOffsets,
  ): Promise<void> {
    const { onFault } = this.#parts;
    const backoff = new Backoff(CALM_MS);
    for (let committed = known; ; committed = (await offsets.fetch([partition], this.#ended)).get(partition)) {
      const lost = await this.#feed(partition, committed);
      if (lost === undefined || this.#ended.aborted) return;
      onFault(lost);
      this.#held.delete(partition);
      await this.#handler.onRevoked(partition);
      await backoff.wait(this.#ended);
    }
  }

  /** Resolves with the reason when the place was lost, else with nothing at the end. */
  async #feed(partition: TopicPartition, committed: CommittedOffset | undefined): Promise<MarketDataError | undefined> {
    const begin = await this.#assign(partition, committed);
    if (begin === undefined) return undefined;
    const feed = new PartitionFeed(partition, begin, {
      handler: this.#handler,
      limits: this.#options.limits,
      turns: this.#parts.turns,
      slots: this.#slots,
      onHungry: () => this.#loops.wake(),
    });
    this.#loops.add(feed);
    try {
      return await feed.run(this.#ended);
    } finally {
      this.#loops.delete(feed);
    }
  }

  /** Where to begin, `undefined` at the end. */
  async #assign(partition: TopicPartition, committed: CommittedOffset | undefined): Promise<bigint | undefined> {
    const range = await this.#range(partition);
    const begin = await this.#assigning.use(async () => {
      if (this.#ended.aborted) return undefined;
      const chosen = await this.#handler.onAssigned(partition, range, committed, this.#ended);
      this.#held.add(partition);
      return chosen;
    });
    if (begin === undefined || this.#ended.aborted || isIn(range, begin)) return begin;
    // The one before may have written on until now.
    const now = await this.#range(partition);
    if (isIn(now, begin)) return begin;
    throw outsideOfRange(partition, begin, now);
  }

  async #range(partition: TopicPartition): Promise<OffsetRange> {
    const { onFault, rangeOf } = this.#parts;
    return await patiently(() => rangeOf(partition, this.#ended), { signal: this.#ended, onFault });
  }

  async #guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      if (this.#ended.aborted && cause === this.#ended.reason) return;
      this.#failures.push(cause);
      this.#failed.abort();
    }
  }
}

/** The first of each topic, then the second of each: no topic waits for all of another. */
function byTurns(partitions: readonly TopicPartition[]): readonly TopicPartition[] {
  return [...partitions].sort((one, other) => one.partition - other.partition);
}

function isIn({ begin, end }: OffsetRange, offset: bigint): boolean {
  return begin <= offset && offset <= end;
}
