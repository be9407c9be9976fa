import type { TopicPartition } from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';
import type { HotBatch, StoredPosition } from '@aipx/recording';
import type { Session } from './session.js';

/** Waits for whoever is about to move one of them. Every writer locks in this order, so none waits for another. */
const LOCK = `
  SELECT p.topic, p.partition, p.log_id, p.next_offset, p.last_hash
  FROM log_position p JOIN unnest($2::text[], $3::integer[]) AS wanted (topic, partition) USING (topic, partition)
  WHERE p.sink = $1 ORDER BY p.topic, p.partition FOR UPDATE OF p`;

const CREATE = `
  INSERT INTO log_position (sink, topic, partition, log_id, next_offset) VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT DO NOTHING`;

const MOVE = `
  UPDATE log_position p SET next_offset = moved.next_offset, last_hash = moved.last_hash
  FROM unnest($2::text[], $3::integer[], $4::bigint[], $5::text[]) AS moved (topic, partition, next_offset, last_hash)
  WHERE p.sink = $1 AND p.topic = moved.topic AND p.partition = moved.partition`;

/** The positions in the order asked for, locked for the rest of the transaction if there is one. */
export async function lockPositions(
  session: Session,
  sink: string,
  partitions: readonly TopicPartition[],
): Promise<(StoredPosition | undefined)[]> {
  const { rows } = await session.query(LOCK, [
    sink,
    partitions.map(({ topic }) => topic),
    partitions.map(({ partition }) => partition),
  ]);
  const found = new Map(rows.map((row) => [`${String(row['topic'])}/${String(row['partition'])}`, positionOf(row)]));
  return partitions.map(({ topic, partition }) => found.get(`${topic}/${partition}`));
}

export async function createPosition(
  session: Session,
  sink: string,
  { topic, partition }: TopicPartition,
  logId: string,
  beginning: bigint,
): Promise<void> {
  await session.query(CREATE, [sink, topic, partition, logId, String(beginning)]);
}

/**
 * Compares every position with where the batch begins, and moves it.
 *
 * @throws {MarketDataError} `STORE_POSITION_MOVED` when one is elsewhere
 */
export async function movePositions(session: Session, sink: string, { logId, moves }: HotBatch): Promise<void> {
  const positions = await lockPositions(session, sink, moves);
  for (const [index, { topic, partition, from }] of moves.entries()) {
    const position = positions[index];
    if (position?.logId === logId && position.nextOffset === from) continue;
    const found = position === undefined ? 'no position' : `${position.nextOffset} of log ${position.logId}`;
    throw new MarketDataError(
      'STORE_POSITION_MOVED',
      `${topic}/${partition} stands at ${found}, expected ${from} of log ${logId}: another writer was here`,
      { context: { topic, partition }, retryable: true },
    );
  }
  await session.query(MOVE, [
    sink,
    moves.map(({ topic }) => topic),
    moves.map(({ partition }) => partition),
    moves.map(({ to }) => String(to)),
    moves.map(({ lastHash }) => lastHash ?? null),
  ]);
}

function positionOf(row: Record<string, unknown>): StoredPosition {
  const lastHash = row['last_hash'];
  return {
    logId: String(row['log_id']),
    nextOffset: BigInt(String(row['next_offset'])),
    lastHash: typeof lastHash === 'string' ? lastHash : undefined,
  };
}
