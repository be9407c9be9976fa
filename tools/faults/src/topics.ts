import { EVENT_TOPICS } from '@aipx/market-proto';

export const PARTITIONS = 6;
/** Those that both stores keep. */
export const STORED_TOPICS: readonly string[] = Object.values(EVENT_TOPICS);
export const ALL_TOPICS: Readonly<Record<string, number>> = Object.fromEntries(
  [...STORED_TOPICS, 'market.dlq'].map((topic) => [topic, PARTITIONS]),
);

/** `topic/partition`, as messages and tables name it. */
export function placeOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}
