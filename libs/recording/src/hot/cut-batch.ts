import type { PartitionQueue, QueueHead } from './partition-queue.js';

/**
 * Takes the heads for one batch of at most `rows`, from the partitions that nobody is writing: those first that have
 * waited longest. Ascending by topic and partition, as the store wants them.
 */
export function cutBatch(queues: Iterable<PartitionQueue>, rows: number): readonly QueueHead[] {
  const waiting = [...queues].filter(({ state, length }) => state === 'waiting' && length > 0);
  const heads: QueueHead[] = [];
  let room = rows;
  for (const queue of waiting.sort(longestWaitingFirst)) {
    const head = room > 0 ? queue.head(room) : undefined;
    if (head === undefined) break;
    queue.step('cut');
    heads.push(head);
    room -= head.items.length;
  }
  return heads.sort(byPartition);
}

function longestWaitingFirst(a: PartitionQueue, b: PartitionQueue): number {
  return Number((a.waitingSince ?? 0n) - (b.waitingSince ?? 0n));
}

function byPartition({ move: a }: QueueHead, { move: b }: QueueHead): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1;
  return a.partition - b.partition;
}
