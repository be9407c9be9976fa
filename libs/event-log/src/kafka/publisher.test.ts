import { describe, expect, it } from 'vitest';
import { MarketDataError } from '@aipx/market-model';
import { entry, TICKS } from '../contract/entries.js';
import type { LogEntry } from '../event-log.js';
import { Publisher, type Writer } from './publisher.js';

const BATCH = [entry('KRW-BTC', 'one')];

/** Stores what it is sent when its leader answers. */
class FakeWriter implements Writer {
  readonly partition;
  latest: Promise<unknown> = Promise.resolve();
  readonly stored: LogEntry[] = [];
  answer: Promise<unknown> = Promise.resolve();

  constructor(partition: number) {
    this.partition = { topic: TICKS, partition };
  }

  async send(entries: readonly LogEntry[]): Promise<void> {
    await this.answer;
    this.stored.push(...entries);
  }
}

/** Lets so many microtasks pass. */
async function ticks(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await Promise.resolve();
}

describe('An append that is interrupted', () => {
  it.each(Array.from({ length: 13 }, (_, n) => n))(
    'is stored once, %i microtasks behind the answer: it resolves, or its repetition finds it',
    async (count) => {
      const writer = new FakeWriter(0);
      const publisher = new Publisher(() => writer);
      const { promise, resolve } = Promise.withResolvers<undefined>();
      writer.answer = promise;
      const stop = new AbortController();
      const outcome = publisher.append(BATCH, stop.signal).then(
        () => undefined,
        (error: MarketDataError) => error,
      );
      await ticks(20);
      resolve(undefined);
      await ticks(count);
      stop.abort();
      const error = await outcome;
      if (error !== undefined) {
        expect(error).toMatchObject({ code: 'PUBLISH_FAILED', retryable: true });
        await publisher.append(BATCH, undefined);
      }
      expect(writer.stored).toEqual(BATCH);
    },
  );

  it('is open before the answer, and known when that has come', async () => {
    const outcomeAfter = async (count: number): Promise<string> => {
      const writer = new FakeWriter(0);
      const { promise, resolve } = Promise.withResolvers<undefined>();
      writer.answer = promise;
      const stop = new AbortController();
      const outcome = new Publisher(() => writer).append(BATCH, stop.signal).then(
        () => 'stored',
        () => 'open',
      );
      await ticks(20);
      resolve(undefined);
      await ticks(count);
      stop.abort();
      return await outcome;
    };
    expect([await outcomeAfter(0), await outcomeAfter(100)]).toEqual(['open', 'stored']);
  });
});

describe('An append to two partitions of which one refuses', () => {
  const batch = [entry('KRW-BTC', 'one'), entry('KRW-ETH', 'two')];
  const refusal = new MarketDataError('PUBLISH_TOO_LARGE', 'too large', { context: { topic: TICKS, partition: 1 } });

  const newPublisher = () => {
    const writers = [new FakeWriter(0), new FakeWriter(1)] as const;
    return { writers, publisher: new Publisher(({ key }) => writers[key === 'KRW-BTC' ? 0 : 1]) };
  };

  it('rejects with the partition that has stored its part, so that nobody appends that again', async () => {
    const { writers, publisher } = newPublisher();
    writers[1].answer = Promise.reject(refusal);
    await expect(publisher.append(batch, undefined)).rejects.toMatchObject({
      code: 'PUBLISH_TOO_LARGE',
      retryable: false,
      message: expect.stringContaining(`${TICKS}/0`) as string,
      context: { topic: TICKS, partition: 1, storedPartitions: `${TICKS}/0` },
      cause: refusal,
    });
    expect(writers.map(({ stored }) => stored)).toEqual([[batch[0]], []]);
  });

  it('rejects with the refusal as it is when no partition has stored its part', async () => {
    const { writers, publisher } = newPublisher();
    for (const writer of writers) writer.answer = Promise.reject(refusal);
    await expect(publisher.append(batch, undefined)).rejects.toBe(refusal);
  });

  it('stores nothing twice when it was interrupted before the answers and is repeated', async () => {
    const { writers, publisher } = newPublisher();
    const { promise, reject } = Promise.withResolvers<undefined>();
    writers[1].answer = promise;
    const stop = new AbortController();
    const interrupted = publisher.append(batch, stop.signal);
    await ticks(20);
    stop.abort();
    await expect(interrupted).rejects.toMatchObject({ retryable: true });
    reject(refusal);
    await expect(publisher.append(batch, undefined)).rejects.toMatchObject({
      context: { storedPartitions: `${TICKS}/0` },
    });
    expect(writers.map(({ stored }) => stored)).toEqual([[batch[0]], []]);
  });
});
