import type { MarketDataError } from '@aipx/market-model';
import type { ConsumeOptions, OffsetRange, PartitionHandler, TopicPartition } from '../event-log.js';
import type { ReadTurns } from '../read-turns.js';
import type { Cluster } from './cluster.js';
import { FetchLoops } from './fetch-loops.js';
import { GroupMember } from './group-member.js';
import { PartitionFeed } from './partition-feed.js';
import { outsideOfRange } from './read-error.js';
import { patiently } from './waiting.js';

export interface ConsumerParts {
  readonly cluster: Cluster;
  /** Differs from any other consumer's of this process. */
  readonly name: string;
  readonly sessionTimeoutMs: number;
  readonly rangeOf: (of: TopicPartition) => Promise<OffsetRange>;
  readonly turns: ReadTurns;
  readonly onFault: (error: MarketDataError) => void;
}

/** A group has no coordinator for a moment when it is the first of a cluster, or while members come and go. */
const QUIET_TRIES = 6;

/**
 * Takes part in the group until `stop` aborts: what it is given is assigned to the handler and fed to it; when the group
 * rebalances, or goes on without this member, that is revoked before anything else is assigned.
 */
export async function consume(
  parts: ConsumerParts,
  options: ConsumeOptions,
  handler: PartitionHandler,
  stop: AbortSignal,
): Promise<void> {
  const member = new GroupMember({ ...parts, ...options, purpose: `member-${parts.name}` });
  try {
    while (!stop.aborted) {
      const patience = { signal: stop, onFault: parts.onFault, quietTries: QUIET_TRIES };
      const assigned = await patiently(() => member.join(), patience);
      await holding(member, (over) => feed(parts, assigned, options, handler, AbortSignal.any([stop, over])));
    }
  } catch (cause) {
    if (!stop.aborted || cause !== stop.reason) throw cause;
  } finally {
    await member.leave();
  }
}

/** Does the work with heartbeats beside it, and aborts it when what the member was given is its own no longer. */
async function holding(member: GroupMember, work: (over: AbortSignal) => Promise<void>): Promise<void> {
  const over = new AbortController();
  const done = new AbortController();
  const beating = member.beat(done.signal, () => over.abort());
  try {
    await work(over.signal);
  } finally {
    done.abort();
    await beating;
  }
}

/**
 * Assigns the partitions, feeds the handler until `over` aborts, lets running calls of it end, and revokes what was
 * assigned. The first failure ends everything and is thrown once all is revoked.
 */
async function feed(
  parts: ConsumerParts,
  assigned: readonly TopicPartition[],
  { limits }: ConsumeOptions,
  handler: PartitionHandler,
  over: AbortSignal,
): Promise<void> {
  const failed = new AbortController();
  const ended = AbortSignal.any([over, failed.signal]);
  const failures: unknown[] = [];
  const guard = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (cause) {
      if (over.aborted && cause === over.reason) return;
      failures.push(cause);
      failed.abort();
    }
  };

  const begins = new Map<TopicPartition, bigint>();
  for (const partition of assigned) {
    if (ended.aborted) break;
    await guard(async () => {
      const range = await patiently(() => parts.rangeOf(partition), { signal: ended, onFault: parts.onFault });
      const begin = await handler.onAssigned(partition, range);
      begins.set(partition, begin);
      if (begin < range.begin || begin > range.end) throw outsideOfRange(partition, begin, range);
    });
  }
  const feeds = [...begins].map(([partition, begin]) => new PartitionFeed(partition, begin, () => loops.wake()));
  const loops: FetchLoops = new FetchLoops({ ...parts, purpose: `fetch-${parts.name}`, feeds, over: ended });
  await Promise.all([
    ...feeds.map((each) => guard(() => each.run(handler, limits, parts.turns, ended))),
    guard(() => loops.run()),
  ]);
  for (const partition of begins.keys()) await guard(() => handler.onRevoked(partition));
  if (failures.length > 0) throw failures[0];
}
