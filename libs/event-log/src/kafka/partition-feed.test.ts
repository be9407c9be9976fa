import { describe, expect, it } from 'vitest';
import { MarketDataError } from '@aipx/market-model';
import { AMPLE, entry, TICKS } from '../contract/entries.js';
import { RecordingHandler } from '../contract/recording-handler.js';
import { ReadTurns } from '../read-turns.js';
import { Slots } from '../slots.js';
import { PartitionFeed } from './partition-feed.js';
import { encodeBatch, stampBatch } from './wire/encode-batch.js';

const PARTITION = { topic: TICKS, partition: 0 };

function bytesOf(...texts: readonly string[]): Buffer {
  const bytes = encodeBatch(
    texts.map((text) => entry('KRW-BTC', text)),
    0n,
    undefined,
  );
  stampBatch(bytes, { producerId: 1n, producerEpoch: 0, baseSequence: 0 });
  return bytes;
}

describe('a call of the handler that is under way', () => {
  const startOne = async () => {
    const handler = new RecordingHandler();
    const isWaiting = Promise.withResolvers<AbortSignal>();
    const isOver = Promise.withResolvers<undefined>();
    handler.onBatch = async (_, __, signal) => {
      isWaiting.resolve(signal);
      signal.addEventListener('abort', () => isOver.reject(signal.reason), { once: true });
      await isOver.promise;
    };
    const ended = new AbortController();
    const feed = new PartitionFeed(PARTITION, 0n, {
      handler,
      limits: AMPLE,
      turns: new ReadTurns(),
      slots: new Slots(1),
      onHungry: () => undefined,
    });
    feed.add({ bytes: bytesOf('one', 'two'), aborted: [] });
    const running = feed.run(ended.signal);
    return { feed, handler, ended, running, finish: () => isOver.resolve(undefined), signal: await isWaiting.promise };
  };

  it('goes on when the place is lost: what it has, nobody else can read any more', async () => {
    const { feed, handler, running, finish, signal } = await startOne();
    const lost = new MarketDataError('STORE_REFUSED', 'retention took it', { retryable: true });
    feed.lose(lost);
    expect(signal.aborted).toBe(false);
    finish();
    expect(await running).toBe(lost);
    expect(handler.calls).toEqual([`records ${TICKS}/0`, `done ${TICKS}/0`]);
  });

  it('hears at once when the partition is to be handed back, and that is no failure', async () => {
    const { ended, handler, running, signal } = await startOne();
    ended.abort(new Error('the group shares its partitions out anew'));
    expect(signal.aborted).toBe(true);
    expect(await running).toBeUndefined();
    expect(handler.calls).toEqual([`records ${TICKS}/0`]);
  });
});
