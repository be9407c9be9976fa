import type { EventLog } from '@aipx/event-log';
import { hotDatabase, type TestDatabase, testLog } from '../../src/testing/index.js';
import { hotStore, record } from './recording.js';

export type Recorded = TestDatabase & ReturnType<typeof record> & { readonly log: EventLog; drained(): Promise<void> };

/** A log, a database, and the pipeline between them. */
export async function recordedLog(
  options: Parameters<typeof record>[2] = {},
  given?: EventLog,
  constraint?: string,
): Promise<Recorded> {
  const database = await hotDatabase();
  if (constraint !== undefined) await database.sql(`ALTER TABLE tick_data ADD ${constraint}`);
  const log = given ?? (await testLog());
  const recording = record(log, hotStore(database.address), options);
  await recording.pipeline.ready(AbortSignal.timeout(10_000));
  return { ...database, ...recording, log, drained: recording.drain };
}
