import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEAD_LETTER_TOPIC, EmbeddedEventLog, type EventLog } from '@aipx/event-log';
import { EVENT_TOPICS } from '@aipx/market-proto';
import { onTestFinished } from 'vitest';

export const TOPICS = Object.values(EVENT_TOPICS);

/** A log of one test, with a few partitions a topic. */
export async function testLog(partitions = 3): Promise<EventLog> {
  const folder = await mkdtemp(join(tmpdir(), 'aipx-log-'));
  const topics = Object.fromEntries([...TOPICS, DEAD_LETTER_TOPIC].map((topic) => [topic, partitions]));
  const log = await EmbeddedEventLog.open({ path: join(folder, 'log.db'), topics });
  onTestFinished(async () => {
    await log.close();
    await rm(folder, { recursive: true, force: true });
  });
  return log;
}
