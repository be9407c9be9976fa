import { MarketDataError } from '@aipx/market-model';
import { entryOf } from '@aipx/market-proto/testing';
import { describe, expect, it } from 'vitest';
import type { StoreFault } from '../src/object-store/patience.js';
import { audit } from './support/audit.js';
import { ticks } from './support/events.js';
import { FaultyObjectStore, outageOf, type Moment } from './support/faulty-object-store.js';
import { InThreadEncoder } from './support/in-thread-encoder.js';
import { MemoryLog } from './support/memory-log.js';
import { MemoryObjectStore } from './support/memory-object-store.js';
import { feed, newRecorder, recordAll, TICKS } from './support/record-all.js';

const encoder = new InThreadEncoder();

async function logOf(rows: number): Promise<MemoryLog> {
  const log = new MemoryLog();
  await log.append(ticks(rows).map(entryOf));
  return log;
}

describe('an outage of the object store', () => {
  it.each<[string, Moment]>([
    ['ENOSPC', 'before'],
    ['EIO', 'after'],
    ['EACCES', 'before'],
  ])('%s %s each call is waited out, reported, and loses nothing', async (code, moment) => {
    const objects = new MemoryObjectStore();
    const failures = new Map<string, number>();
    const faulty = new FaultyObjectStore(objects, ({ operation, key }, at) => {
      const call = `${operation} ${key}`;
      const failed = failures.get(call) ?? 0;
      if (at !== moment || failed === 2) return;
      failures.set(call, failed + 1);
      throw outageOf(code);
    });
    const faults: StoreFault[] = [];
    let recoveries = 0;
    const log = await logOf(12);
    const { counts } = await recordAll({
      objects: faulty,
      log,
      encoder,
      onFault: (fault) => faults.push(fault),
      onRecovered: () => (recoveries += 1),
    });
    expect(await audit(objects, TICKS)).toEqual(Array(12).fill('file'));
    expect(counts).toMatchObject({ rows: 12, recovered: 12, files: 4 });
    expect(faults).toHaveLength(2 * failures.size);
    expect(recoveries).toBe(failures.size);
    expect(faults[0]).toMatchObject({ operation: 'list', attempt: 1, error: { code: 'STORE_UNAVAILABLE' } });
  });

  it('ends with the signal: what was begun is finished by the next owner', async () => {
    const objects = new MemoryObjectStore();
    const log = await logOf(5);
    const stop = new AbortController();
    const reported = Promise.withResolvers<StoreFault>();
    const down = new FaultyObjectStore(objects, ({ operation }) => {
      if (operation === 'putIfAbsent') throw outageOf('ENOSPC');
    });
    const recorder = newRecorder({
      objects: down,
      log,
      encoder,
      signal: stop.signal,
      onFault: reported.resolve,
      backoff: { floorMs: 60_000, capMs: 60_000 },
    });
    await feed(recorder, log, TICKS);
    const flushed = recorder.flush(new AbortController().signal);
    expect(await reported.promise).toMatchObject({ operation: 'putIfAbsent', attempt: 1 });
    stop.abort(new Error('stopping'));
    await expect(flushed).rejects.toThrow('stopping');
    await recorder.onRevoked(TICKS);
    expect(objects.objects.size).toBe(0);
    await recordAll({ objects, log, encoder });
    expect(await audit(objects, TICKS)).toEqual(Array(5).fill('file'));
  });

  it('does not hold a flush beyond the flush’s own signal', async () => {
    const log = await logOf(5);
    const down = new FaultyObjectStore(new MemoryObjectStore(), ({ operation }) => {
      if (operation === 'putIfAbsent') throw outageOf('EIO');
    });
    const recorder = newRecorder({ objects: down, log, encoder });
    await feed(recorder, log, TICKS);
    await expect(recorder.flush(AbortSignal.timeout(20))).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(recorder.storedTo(TICKS)).toBe(0n);
    await recorder.onRevoked(TICKS);
  });

  it('is not made of what waiting cannot mend: that ends the recorder at once', async () => {
    const log = await logOf(5);
    const refused = new FaultyObjectStore(new MemoryObjectStore(), ({ operation }) => {
      if (operation === 'putIfAbsent') throw new MarketDataError('STORE_REFUSED', 'the name is too long');
    });
    const recorder = newRecorder({ objects: refused, log, encoder });
    const failed = new Promise((resolve) => recorder.failure.addEventListener('abort', resolve));
    await feed(recorder, log, TICKS);
    await failed;
    await expect(recorder.flush(new AbortController().signal)).rejects.toMatchObject({ code: 'STORE_REFUSED' });
    await expect(recorder.onRecords(TICKS, [])).rejects.toMatchObject({ code: 'STORE_REFUSED' });
  });
});
