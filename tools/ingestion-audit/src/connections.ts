import type { Arrival } from './align.ts';
import type { SentFrame } from './records.ts';

/** One of the simulator's connections, as far as frames show it. */
export interface Connection {
  readonly name: string;
  readonly firstSentAt: bigint;
  readonly lastSentAt: bigint;
  /** Something that was sent on it is in Kafka. */
  readonly wasHeard: boolean;
  /** Longest time, ns, from sending to receiving of what is in Kafka. */
  readonly slowest: bigint;
}

/** A loss of the connection, or of the whole service: frames came before it and came again after it. */
export interface Cut {
  readonly before: Connection;
  readonly after: Connection;
}

/** In the order in which they were opened. */
export function connectionsOf(sent: readonly SentFrame[], arrived: readonly Arrival[]): readonly Connection[] {
  const slowest = new Map<string, bigint>();
  for (const { frame, record, isUnique } of arrived) {
    const took = isUnique ? record.receivedAt - frame.sentAt : 0n;
    const known = slowest.get(frame.connection);
    if (known === undefined || took > known) slowest.set(frame.connection, took);
  }
  const frames = Map.groupBy(sent, ({ connection }) => connection);
  return [...frames].map(([name, own]) => ({
    name,
    firstSentAt: own[0]?.sentAt ?? 0n,
    lastSentAt: own.at(-1)?.sentAt ?? 0n,
    wasHeard: slowest.has(name),
    slowest: slowest.get(name) ?? 0n,
  }));
}

/** A connection of which nothing was heard makes no cut of its own: the loss goes on through it. */
export function cutsBetween(connections: readonly Connection[]): readonly Cut[] {
  const heard = connections.filter(({ wasHeard }) => wasHeard);
  return heard.slice(1).flatMap((after, index) => {
    const before = heard[index];
    return before === undefined ? [] : [{ before, after }];
  });
}
