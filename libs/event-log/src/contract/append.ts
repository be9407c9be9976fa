import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventLog, LogEntry, LogRecord } from '../event-log.js';
import { BOOKS, entry, partitionOfKey, readAll, readWhole, textOf, TICKS, TOPICS } from './entries.js';
import type { LogHarness, NewHarness } from './harness.js';

const SOURCE = 'sha256:0f1e2d upbit KRW-BTC,KRW-ETH';

export function appendContract(newHarness: NewHarness): void {
  describe('append', () => {
    let harness: LogHarness;
    let log: EventLog;

    beforeEach(async () => {
      harness = await newHarness();
      log = await harness.open(TOPICS);
    });

    afterEach(async () => {
      await log.close();
      await harness.dispose();
    });

    it('keeps the order of a key, in one partition, over many appends', async () => {
      const keys = Array.from({ length: 20 }, (_, n) => `KRW-${n}`);
      for (let round = 0; round < 10; round += 1) {
        await log.append(keys.flatMap((key) => [entry(key, `${round}a`), entry(key, `${round}b`)]));
      }
      const expected = Array.from({ length: 10 }, (_, round) => [`${round}a`, `${round}b`]).flat();
      const records = await readWhole(log);
      for (const key of keys) {
        const own = records.filter((record) => record.key === key);
        expect(new Set(own.map((record) => record.partition)).size).toBe(1);
        expect(own.map(textOf)).toEqual(expected);
      }
      expect(new Set(records.map((record) => record.partition)).size).toBeGreaterThan(1);
    });

    it('chooses the partition as Kafka’s default partitioner does', async () => {
      // Murmur2 of the key by Kafka's own test vectors, lowest 31 bits, modulo the 4 partitions of the topic.
      const hashes = { '21': -973932308, foobar: -790332482, 'a-little-bit-long-string': -985981536, abc: 479470107 };
      await log.append(Object.keys(hashes).map((key) => entry(key, 'x')));
      for (const [key, hash] of Object.entries(hashes)) {
        expect(await partitionOfKey(log, key)).toEqual({ topic: TICKS, partition: (hash & 0x7fffffff) % 4 });
      }
    });

    it('numbers each partition from 0 without holes', async () => {
      for (let n = 0; n < 30; n += 1) await log.append([entry(`A${n}`, 'x'), entry(`B${n}`, 'y', BOOKS)]);
      for (const topic of log.topics) {
        for (const partition of await log.partitionsOf(topic)) {
          const records = await readAll(log, partition);
          expect(records.map((record) => record.offset)).toEqual(records.map((_, index) => BigInt(index)));
          expect(await log.range(partition)).toEqual({ begin: 0n, end: BigInt(records.length) });
        }
      }
    });

    it('takes nothing when an entry has no place, and names the topic', async () => {
      await log.append([entry('KRW-BTC', 'before')]);
      const doomed = [
        entry('KRW-BTC', 'lost'),
        entry('KRW-ETH', 'lost', BOOKS),
        entry('KRW-BTC', 'x', 'no.such.topic'),
      ];
      await expect(log.append(doomed)).rejects.toMatchObject({
        name: 'MarketDataError',
        code: 'PUBLISH_FAILED',
        message: expect.stringContaining('no.such.topic') as string,
        retryable: false,
      });
      expect((await readWhole(log)).map(textOf)).toEqual(['before']);
      await log.append([entry('KRW-BTC', 'after')]);
      expect((await readWhole(log)).map(({ offset }) => offset)).toEqual([0n, 1n]);
    });

    it('says beforehand where a key’s records go', async () => {
      const keys = Array.from({ length: 20 }, (_, n) => `KRW-${n}`);
      await log.append(keys.map((key) => entry(key, 'x')));
      for (const { topic, partition, key } of await readWhole(log)) {
        expect(log.partitionFor(topic, key)).toEqual({ topic, partition });
      }
      expect(() => log.partitionFor('no.such.topic', 'KRW-BTC')).toThrow(
        expect.objectContaining({ code: 'PUBLISH_FAILED' }) as Error,
      );
    });

    it('moves progress with the entries or not at all, or refuses it', async () => {
      const first = log.append([entry('KRW-BTC', 'before')], { progress: { source: SOURCE, frames: 1 } });
      if (!log.keepsProgress) {
        await expect(first).rejects.toMatchObject({ code: 'CONFIG_INVALID', retryable: false });
        await expect(log.progressOf(SOURCE)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
        expect(await readWhole(log)).toEqual([]);
        return;
      }
      await first;
      const doomed = [entry('KRW-BTC', 'lost'), entry('KRW-BTC', 'x', 'no.such.topic')];
      await expect(log.append(doomed, { progress: { source: SOURCE, frames: 2 } })).rejects.toThrow();
      expect(await log.progressOf(SOURCE)).toBe(1);
      await log.append([entry('KRW-BTC', 'after')], { progress: { source: SOURCE, frames: 2 } });
      expect((await readWhole(log)).map(textOf)).toEqual(['before', 'after']);
      expect(await log.progressOf(SOURCE)).toBe(2);
    });

    it('moves progress without entries and keeps sources apart, or refuses it where the log keeps none', async () => {
      if (!log.keepsProgress) {
        await expect(log.append([], { progress: { source: SOURCE, frames: 17 } })).rejects.toMatchObject({
          code: 'CONFIG_INVALID',
        });
        await expect(log.progressOf(SOURCE)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
        return;
      }
      expect(await log.progressOf(SOURCE)).toBe(0);
      await log.append([], { progress: { source: SOURCE, frames: 17 } });
      await log.append([], { progress: { source: 'another', frames: 3 } });
      expect(await log.progressOf(SOURCE)).toBe(17);
      expect(await log.progressOf('another')).toBe(3);
      expect(await readWhole(log)).toEqual([]);
    });

    it('does nothing for nothing', async () => {
      await log.append([]);
      expect(await readWhole(log)).toEqual([]);
    });

    it('gives back key, headers and value of any entry as they were, with the time the log took it', async () => {
      const before = BigInt(Date.now()) * 1_000_000n;
      await fc.assert(
        fc.asyncProperty(fc.array(anyEntry, { minLength: 1, maxLength: 20 }), async (entries) => {
          const known = (await readWhole(log)).length;
          await log.append(entries);
          const records = await readWhole(log);
          expect(records).toHaveLength(known + entries.length);
          for (const topic of log.topics) {
            for (const { partition } of await log.partitionsOf(topic)) {
              const isHere = (record: LogRecord) => record.topic === topic && record.partition === partition;
              const here = records.filter(isHere);
              const keys = new Set(here.map((record) => record.key));
              const sent = entries.filter((sample) => sample.topic === topic && keys.has(sample.key));
              expect(here.slice(here.length - sent.length).map(contentOf)).toEqual(sent.map(contentOf));
            }
          }
        }),
        { numRuns: 25 },
      );
      const after = BigInt(Date.now()) * 1_000_000n;
      for (const { appendedAt } of await readWhole(log)) {
        expect(appendedAt >= before && appendedAt <= after).toBe(true);
        expect(appendedAt % 1_000_000n).toBe(0n);
      }
    });

    it('keeps everything when it is opened again: id, records, offsets, progress, topics', async () => {
      const { id } = log;
      const options = log.keepsProgress ? { progress: { source: SOURCE, frames: 2 } } : {};
      await log.append([entry('KRW-BTC', 'one'), entry('KRW-ETH', 'two', BOOKS)], options);
      const before = await readWhole(log);
      await log.close();
      log = await harness.open(TOPICS);
      expect(log.id).toBe(id);
      expect([...log.topics].sort()).toEqual([BOOKS, TICKS]);
      expect(await readWhole(log)).toEqual(before);
      if (log.keepsProgress) expect(await log.progressOf(SOURCE)).toBe(2);
      await log.append([entry('KRW-BTC', 'three')]);
      const partition = log.partitionFor(TICKS, 'KRW-BTC');
      expect((await readAll(log, partition)).map((record) => [record.offset, textOf(record)])).toEqual([
        [0n, 'one'],
        [1n, 'three'],
      ]);
    });

    it('gets new topics when it is opened with them, and keeps those it is not asked for', async () => {
      await log.append([entry('KRW-BTC', 'one')]);
      await log.close();
      log = await harness.open({ 'market.gap': 2 });
      expect(log.topics).toContain('market.gap');
      expect(await log.partitionsOf('market.gap')).toEqual([
        { topic: 'market.gap', partition: 0 },
        { topic: 'market.gap', partition: 1 },
      ]);
      await log.close();
      log = await harness.open({ ...TOPICS, 'market.gap': 2 });
      expect([...log.topics].sort()).toEqual(['market.gap', BOOKS, TICKS]);
      expect((await readWhole(log)).map(textOf)).toEqual(['one']);
    });
  });
}

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const anyEntry: fc.Arbitrary<LogEntry> = fc.record({
  topic: fc.constantFrom(TICKS, BOOKS),
  key: text,
  value: fc.uint8Array({ maxLength: 200 }),
  headers: fc.dictionary(fc.stringMatching(/^[a-z-]{1,12}$/), text, { maxKeys: 4 }),
});

function contentOf({ key, headers, value }: LogEntry) {
  return { key, headers: { ...headers }, value: Buffer.from(value).toString('hex') };
}
