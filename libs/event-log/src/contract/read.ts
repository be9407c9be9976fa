import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventLog, TopicPartition } from '../event-log.js';
import { AMPLE, entry, textOf, TICKS, TOPICS } from './entries.js';
import type { LogHarness, NewHarness } from './harness.js';

const KEY = 'KRW-BTC';

export function readContract(newHarness: NewHarness): void {
  describe('read', () => {
    let harness: LogHarness;
    let log: EventLog;
    let partition: TopicPartition;

    beforeEach(async () => {
      harness = await newHarness();
      log = await harness.open(TOPICS);
      await log.append(Array.from({ length: 3_000 }, (_, n) => entry(KEY, `${n}`.padStart(100, '0'))));
      partition = log.partitionFor(TICKS, KEY);
    });

    afterEach(async () => {
      await log.close();
      await harness.dispose();
    });

    it('gives records from the asked offset on, in order', async () => {
      const records = await log.read(partition, 1_234n, { maxRecords: 50, maxBytes: 1_000_000 });
      expect(records.map((record) => record.offset)).toEqual(Array.from({ length: 50 }, (_, n) => 1_234n + BigInt(n)));
      expect(records.map((record) => Number(textOf(record)))).toEqual(Array.from({ length: 50 }, (_, n) => 1_234 + n));
    });

    it('gives no more records and no more bytes of keys and values than asked', async () => {
      for (const maxRecords of [1, 2, 3, 100, 2_999]) {
        expect(await log.read(partition, 0n, { maxRecords, maxBytes: 10_000_000 })).toHaveLength(maxRecords);
      }
      for (const maxBytes of [107, 500, 10_000, 123_456]) {
        const records = await log.read(partition, 0n, { maxRecords: 3_000, maxBytes });
        expect(records.length).toBeGreaterThan(0);
        expect(records.length * (100 + KEY.length)).toBeLessThanOrEqual(maxBytes);
      }
    });

    it('gives one record even if that is larger than the bytes asked for', async () => {
      const records = await log.read(partition, 0n, { maxRecords: 100, maxBytes: 1 });
      expect(records.map((record) => record.offset)).toEqual([0n]);
    });

    it('gives nothing at the end, at once', async () => {
      expect(await log.read(partition, 3_000n, AMPLE)).toEqual([]);
    });

    it('refuses an offset outside of the range instead of choosing another', async () => {
      for (const offset of [-1n, 3_001n, 10n ** 17n]) {
        const retryable = offset < 0n; // retention may move the begin, and who looks at it again can go on
        await expect(log.read(partition, offset, AMPLE)).rejects.toMatchObject({ code: 'STORE_REFUSED', retryable });
      }
    });

    it('ends the wait for a range or for records with the signal', async () => {
      const signal = AbortSignal.abort(new Error('no longer wanted'));
      await expect(log.range(partition, { signal })).rejects.toBe(signal.reason);
      await expect(log.read(partition, 0n, AMPLE, { signal })).rejects.toBe(signal.reason);
    });

    it('lists the partitions of a topic in ascending order and an empty one as beginning and ending at 0', async () => {
      const partitions = await log.partitionsOf(TICKS);
      expect(partitions).toEqual([0, 1, 2, 3].map((number) => ({ topic: TICKS, partition: number })));
      const empty = partitions.find((other) => other.partition !== partition.partition);
      expect(empty && (await log.range(empty))).toEqual({ begin: 0n, end: 0n });
    });

    it('refuses a topic and a partition that it does not have', async () => {
      await expect(log.partitionsOf('no.such.topic')).rejects.toMatchObject({ code: 'STORE_REFUSED' });
      await expect(log.range({ topic: TICKS, partition: 4 })).rejects.toMatchObject({ code: 'STORE_REFUSED' });
      await expect(log.read({ topic: TICKS, partition: 4 }, 0n, AMPLE)).rejects.toMatchObject({
        code: 'STORE_REFUSED',
      });
    });
  });
}
