import type { DatabaseSync } from 'node:sqlite';
import { MarketDataError } from '@aipx/market-model';
import type { HeaderSets } from './header-sets.js';
import { PartitionLog } from './partition-log.js';

const MOST_PARTITIONS = 1_024;

interface TopicRow {
  readonly id: number;
  readonly name: string;
  readonly partitions: number;
}

/**
 * All topics of the file with their partitions, those in `wanted` made if absent. In the order they were made.
 *
 * @throws {MarketDataError} `CONFIG_INVALID` for a count of partitions that cannot be or is not the file's
 */
export function openTopics(
  database: DatabaseSync,
  wanted: Readonly<Record<string, number>>,
  headerSets: HeaderSets,
): ReadonlyMap<string, readonly PartitionLog[]> {
  makeMissing(database, wanted);
  return new Map(
    topicRows(database).map((topic) => [
      topic.name,
      Array.from(
        { length: topic.partitions },
        (_, partition) =>
          new PartitionLog(
            database,
            Object.freeze({ topic: topic.name, partition }),
            tableOf(topic, partition),
            headerSets,
          ),
      ),
    ]),
  );
}

function makeMissing(database: DatabaseSync, wanted: Readonly<Record<string, number>>): void {
  const known = new Map(topicRows(database).map((topic) => [topic.name, topic.partitions]));
  database.exec('BEGIN IMMEDIATE');
  for (const [name, partitions] of Object.entries(wanted)) {
    checkPartitions(name, partitions, known.get(name));
    if (!known.has(name)) makeTopic(database, name, partitions);
  }
  database.exec('COMMIT');
}

function checkPartitions(name: string, wanted: number, present: number | undefined): void {
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > MOST_PARTITIONS) {
    throw new MarketDataError('CONFIG_INVALID', `${wanted} partitions for ${name}; expected 1 to ${MOST_PARTITIONS}`);
  }
  if (present !== undefined && present !== wanted) {
    throw new MarketDataError(
      'CONFIG_INVALID',
      `${name} has ${present} partitions in this log, so it cannot have ${wanted}: keys would change their partition; ` +
        `set ${present}, or choose another data folder`,
    );
  }
}

function makeTopic(database: DatabaseSync, name: string, partitions: number): void {
  const { lastInsertRowid } = database
    .prepare('INSERT INTO topic (name, partitions) VALUES (?, ?)')
    .run(name, partitions);
  const topic = { id: Number(lastInsertRowid), name, partitions };
  for (let partition = 0; partition < partitions; partition += 1) {
    PartitionLog.create(database, tableOf(topic, partition));
  }
}

function topicRows(database: DatabaseSync): readonly TopicRow[] {
  return database
    .prepare('SELECT topic_id, name, partitions FROM topic ORDER BY topic_id')
    .all()
    .map((row) => ({ id: Number(row['topic_id']), name: String(row['name']), partitions: Number(row['partitions']) }));
}

function tableOf(topic: TopicRow, partition: number): string {
  return `record_${topic.id}_${partition}`;
}
