import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConsumeOptions, EventLog } from '../event-log.js';
import { AMPLE, BOOKS, entry, textOf, TICKS, TOPICS, untilAborted } from './entries.js';
import type { LogHarness, NewHarness } from './harness.js';
import { nameOf, RecordingHandler } from './recording-handler.js';

const HOT: ConsumeOptions = { group: 'hot', topics: [TICKS, BOOKS], limits: AMPLE };

export function consumeContract(newHarness: NewHarness): void {
  describe('consume', () => {
    let harness: LogHarness;
    let log: EventLog;
    let stop: AbortController;
    let handler: RecordingHandler;

    beforeEach(async () => {
      harness = await newHarness();
      log = await harness.open(TOPICS);
      stop = new AbortController();
      handler = new RecordingHandler();
    });

    afterEach(async () => {
      stop.abort();
      await log.close();
      await harness.dispose();
    });

    it('assigns every partition with its range, then gives what is there and what comes', async () => {
      await log.append([entry('KRW-BTC', 'one'), entry('KRW-ETH', 'two', BOOKS)]);
      const ranges = new Map<string, bigint>();
      handler.beginAt = (partition, range) => {
        ranges.set(nameOf(partition), range.end - range.begin);
        return range.begin;
      };
      const consuming = log.consume(HOT, handler, stop.signal);
      await handler.until(() => handler.records.length === 2);
      await log.append([entry('KRW-BTC', 'three')]);
      await handler.until(() => handler.records.length === 3);
      stop.abort();
      await consuming;
      expect(handler.records.map(textOf).sort()).toEqual(['one', 'three', 'two']);
      expect(handler.assigned.map(nameOf).sort()).toEqual([...ranges.keys()].sort());
      expect(ranges.size).toBe(7);
      expect([...ranges.values()].reduce((sum, held) => sum + held)).toBe(2n);
    });

    it('begins where onAssigned says', async () => {
      await log.append(['a', 'b', 'c', 'd'].map((text) => entry('KRW-BTC', text)));
      const partition = log.partitionFor(TICKS, 'KRW-BTC');
      handler.beginAt = (assigned, range) => (nameOf(assigned) === nameOf(partition) ? 2n : range.end);
      const consuming = log.consume(HOT, handler, stop.signal);
      await handler.until(() => handler.records.length === 2);
      stop.abort();
      await consuming;
      expect(handler.records.map(textOf)).toEqual(['c', 'd']);
    });

    it('rejects when a partition is to begin outside of its range, and never chooses an offset by itself', async () => {
      handler.beginAt = (_, range) => range.end + 1n;
      await expect(log.consume(HOT, handler, stop.signal)).rejects.toMatchObject({ code: 'STORE_REFUSED' });
      expect(handler.records).toEqual([]);
      expect(handler.revoked.map(nameOf).sort()).toEqual(handler.assigned.map(nameOf).sort());
    });

    it('gives each partition’s records in order, whole and once, while others are appended', async () => {
      const consuming = log.consume({ ...HOT, limits: { maxRecords: 13, maxBytes: 2_000 } }, handler, stop.signal);
      for (let n = 0; n < 100; n += 1) {
        await log.append(Array.from({ length: 10 }, (_, key) => entry(`K${key}`, `${n}`, key % 2 ? TICKS : BOOKS)));
      }
      await handler.until(() => handler.records.length >= 1_000);
      stop.abort();
      await consuming;
      for (const partition of handler.assigned) {
        const records = handler.of(partition);
        expect(records.map((record) => record.offset)).toEqual(records.map((_, index) => BigInt(index)));
        expect(BigInt(records.length)).toBe((await log.range(partition)).end);
      }
    });

    it('keeps to the limits in each call', async () => {
      await log.append(Array.from({ length: 100 }, (_, n) => entry('KRW-BTC', `${n}`)));
      const sizes: number[] = [];
      handler.onBatch = (records) => void sizes.push(records.length);
      const consuming = log.consume({ ...HOT, limits: { maxRecords: 30, maxBytes: 1_000_000 } }, handler, stop.signal);
      await handler.until(() => handler.records.length === 100);
      stop.abort();
      await consuming;
      expect(Math.max(...sizes)).toBeLessThanOrEqual(30);
    });

    it('gives no further records of a partition while its handler is busy, and goes on with the others', async () => {
      await log.append(Array.from({ length: 20 }, (_, n) => entry('KRW-BTC', `${n}`)));
      const busy = log.partitionFor(TICKS, 'KRW-BTC');
      const release = Promise.withResolvers<undefined>();
      handler.onBatch = (_, partition) => (nameOf(partition) === nameOf(busy) ? release.promise : undefined);
      const consuming = log.consume({ ...HOT, limits: { maxRecords: 5, maxBytes: 1_000_000 } }, handler, stop.signal);
      await handler.until(() => handler.of(busy).length > 0);
      for (let n = 0; n < 30; n += 1) await log.append([entry(`OTHER-${n}`, 'x', BOOKS)]);
      await handler.until(() => handler.records.filter((record) => record.topic === BOOKS).length === 30);
      expect(handler.of(busy)).toHaveLength(5);
      release.resolve(undefined);
      await handler.until(() => handler.of(busy).length === 20);
      stop.abort();
      await consuming;
    });

    it('runs the handler for no more partitions at the same time than it is told, and for each in its turn', async () => {
      for (let n = 0; n < 60; n += 1) await log.append([entry(`K${n % 20}`, `${n}`)]);
      let running = 0;
      const most = [0];
      handler.onBatch = async () => {
        most.push((running += 1));
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
      };
      const limits = { maxRecords: 2, maxBytes: 1_000_000 };
      const consuming = log.consume({ ...HOT, limits, concurrency: 2 }, handler, stop.signal);
      await handler.until(() => handler.records.length === 60);
      stop.abort();
      await consuming;
      expect(Math.max(...most)).toBe(2);
    });

    it('refuses a concurrency that would let nothing run', async () => {
      await expect(log.consume({ ...HOT, concurrency: 0 }, handler, stop.signal)).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
      });
    });

    it('lets a running call end when the signal aborts, then revokes each partition once and resolves', async () => {
      await log.append([entry('KRW-BTC', 'one')]);
      const release = Promise.withResolvers<undefined>();
      handler.onBatch = () => release.promise;
      const consuming = log.consume(HOT, handler, stop.signal);
      await handler.until(() => handler.records.length === 1);
      stop.abort();
      await log.append([entry('KRW-BTC', 'too late')]);
      expect(handler.revoked).toEqual([]);
      release.resolve(undefined);
      await consuming;
      expect(handler.records.map(textOf)).toEqual(['one']);
      expect(handler.revoked.map(nameOf).sort()).toEqual(handler.assigned.map(nameOf).sort());
      const doneAt = handler.calls.findIndex((call) => call.startsWith('done'));
      expect(handler.calls.findIndex((call) => call.startsWith('revoked'))).toBeGreaterThan(doneAt);
    });

    it.each(['onAssigned', 'onRecords'] as const)(
      'ends what %s waits for when consuming ends: the signal of the call, whose reason is no failure',
      async (method) => {
        await log.append([entry('KRW-BTC', 'one')]);
        const isWaiting = Promise.withResolvers<undefined>();
        const wait = (signal: AbortSignal) => {
          isWaiting.resolve(undefined);
          return untilAborted(signal);
        };
        if (method === 'onAssigned') handler.beginAt = (_, __, ___, signal) => wait(signal);
        else handler.onBatch = (_, __, signal) => wait(signal);
        const consuming = log.consume(HOT, handler, stop.signal);
        await isWaiting.promise;
        stop.abort();
        await consuming;
        expect(handler.revoked.map(nameOf).sort()).toEqual(handler.assigned.map(nameOf).sort());
        expect(handler.assigned).toHaveLength(method === 'onAssigned' ? 0 : 7);
      },
    );

    it('ends what other partitions wait for when a call fails, and rejects with that failure', async () => {
      const partitions = ['KRW-BTC', 'KRW-ETH'].map((key, index) => log.partitionFor(index === 0 ? TICKS : BOOKS, key));
      const failure = new Error('the sink is broken');
      const isWaiting = Promise.withResolvers<undefined>();
      handler.onBatch = async (_, partition, signal) => {
        if (nameOf(partition) === nameOf(partitions[0] ?? partition)) {
          isWaiting.resolve(undefined);
          return untilAborted(signal);
        }
        await isWaiting.promise;
        throw failure;
      };
      await log.append([entry('KRW-BTC', 'one'), entry('KRW-ETH', 'two', BOOKS)]);
      await expect(log.consume(HOT, handler, stop.signal)).rejects.toBe(failure);
    });

    it('revokes side by side: no partition waits for what a sink has to end of another one', async () => {
      let revoked = 0;
      const all = Promise.withResolvers<undefined>();
      handler.onRevoked = async () => {
        if ((revoked += 1) === 7) all.resolve(undefined);
        await all.promise;
      };
      const consuming = log.consume(HOT, handler, stop.signal);
      await handler.until(() => handler.assigned.length === 7);
      stop.abort();
      await consuming;
      expect(revoked).toBe(7);
    });

    it('assigns nothing when the signal is aborted before', async () => {
      stop.abort();
      await log.consume(HOT, handler, stop.signal);
      expect(handler.calls).toEqual([]);
    });

    it.each(['onAssigned', 'onRecords', 'onRevoked'] as const)(
      'rejects with the very error that %s throws, and revokes what was assigned',
      async (method) => {
        await log.append([entry('KRW-BTC', 'one')]);
        const failure = new Error('the sink is broken');
        const fail = () => Promise.reject(failure);
        let asked = 0;
        if (method === 'onAssigned') handler.beginAt = (_, range) => ((asked += 1) === 3 ? fail() : range.begin);
        if (method === 'onRecords') handler.onBatch = fail;
        if (method === 'onRevoked') handler.onRevoked = fail;
        const consuming = log.consume(HOT, handler, stop.signal);
        if (method === 'onRevoked') void handler.until(() => handler.records.length === 1).then(() => stop.abort());
        await expect(consuming).rejects.toBe(failure);
        if (method !== 'onRevoked') {
          expect(handler.revoked.map(nameOf).sort()).toEqual(handler.assigned.map(nameOf).sort());
        }
      },
    );

    it('feeds groups independently of each other', async () => {
      const cold = new RecordingHandler();
      const release = Promise.withResolvers<undefined>();
      cold.onBatch = () => release.promise;
      const consuming = [
        log.consume(HOT, handler, stop.signal),
        log.consume({ ...HOT, group: 'cold', topics: [TICKS] }, cold, stop.signal),
      ];
      await Promise.all([handler, cold].map((each) => each.until(() => each.assigned.length >= 4)));
      for (let n = 0; n < 10; n += 1) await log.append([entry('KRW-BTC', `${n}`), entry('KRW-BTC', 'b', BOOKS)]);
      await handler.until(() => handler.records.length === 20);
      expect(cold.records.length).toBeLessThanOrEqual(10);
      release.resolve(undefined);
      await cold.until(() => cold.records.length === 10);
      stop.abort();
      await Promise.all(consuming);
      expect(new Set(cold.records.map((record) => record.topic))).toEqual(new Set([TICKS]));
    });

    it('goes on where it is told when a group comes back', async () => {
      await log.append([entry('KRW-BTC', 'one')]);
      const partition = log.partitionFor(TICKS, 'KRW-BTC');
      const first = log.consume(HOT, handler, stop.signal);
      await handler.until(() => handler.records.length === 1);
      stop.abort();
      await first;
      await log.append([entry('KRW-BTC', 'two')]);
      stop = new AbortController();
      const again = new RecordingHandler();
      again.beginAt = (assigned, range) => (nameOf(assigned) === nameOf(partition) ? 1n : range.begin);
      const second = log.consume(HOT, again, stop.signal);
      await again.until(() => again.records.length === 1);
      stop.abort();
      await second;
      expect(again.records.map(textOf)).toEqual(['two']);
    });

    it('refuses a topic that the log does not have', async () => {
      await expect(log.consume({ ...HOT, topics: ['no.such'] }, handler, stop.signal)).rejects.toMatchObject({
        code: 'STORE_REFUSED',
      });
    });
  });
}
