import { entryOf } from '@aipx/market-proto/testing';
import { describe, expect, it } from 'vitest';
import { audit } from './support/audit.js';
import { ticks } from './support/events.js';
import { InThreadEncoder } from './support/in-thread-encoder.js';
import { MemoryLog } from './support/memory-log.js';
import { MemoryObjectStore } from './support/memory-object-store.js';
import { newRecorder, recordAll, TICKS } from './support/record-all.js';

const encoder = new InThreadEncoder();

/** Six records, with markers behind the second and the fifth. */
async function logWithMarkers(): Promise<MemoryLog> {
  const log = new MemoryLog();
  const entries = ticks(6).map(entryOf);
  await log.append(entries.slice(0, 2));
  log.mark(TICKS.topic);
  await log.append(entries.slice(2, 5));
  log.mark(TICKS.topic);
  await log.append(entries.slice(5));
  return log;
}

describe('offsets that hold no record', () => {
  it('are not called missing, at the edge of a batch or inside', async () => {
    const objects = new MemoryObjectStore();
    const { counts } = await recordAll({ objects, log: await logWithMarkers(), encoder, batchRows: 5 });
    expect(counts).toMatchObject({ rows: 6, missing: 0 });
    expect(await audit(objects, TICKS)).toEqual(['file', 'file', 'unused', 'file', 'file', 'file', 'unused', 'file']);
  });

  it('are told from records that retention took', async () => {
    const [objects, log] = [new MemoryObjectStore(), await logWithMarkers()];
    log.forget(TICKS.topic, 4);
    const { counts } = await recordAll({ objects, log, encoder, batchRows: 9 });
    expect(counts).toMatchObject({ rows: 3, missing: 4 });
    expect((await audit(objects, TICKS)).slice(4)).toEqual(['file', 'file', 'unused', 'file']);
  });

  it('between records that were handed over are known without the log, which may have lost those since', async () => {
    const [objects, log] = [new MemoryObjectStore(), await logWithMarkers()];
    const recorder = newRecorder({ objects, log, encoder, batchRows: 100 });
    await recorder.onAssigned(TICKS, await log.range(TICKS));
    await recorder.onRecords(TICKS, await log.read(TICKS, 0n, { maxRecords: 100, maxBytes: 1024 * 1024 }));
    log.forget(TICKS.topic, 7);
    await recorder.flush(new AbortController().signal);
    expect(recorder.counts).toMatchObject({ rows: 6, missing: 0 });
    expect(await audit(objects, TICKS)).toEqual(['file', 'file', 'unused', 'file', 'file', 'file', 'unused', 'file']);
  });
});
