import { describe, expect, it, vi } from 'vitest';
import { ReadTurns } from '../read-turns.js';
import { Slots } from '../slots.js';
import { RecordingHandler } from '../contract/recording-handler.js';
import { AMPLE } from '../contract/entries.js';
import { Cluster } from './cluster.js';
import { FetchLoops } from './fetch-loops.js';
import { PartitionFeed } from './partition-feed.js';

const TICKS = { topic: 'market.tick', partition: 3 };

describe('a partition that is fetched', () => {
  it('is waited for while nobody leads it, and told of each time that this was looked up', async () => {
    const cluster = new Cluster({
      brokers: ['localhost:9092'],
      topics: [TICKS.topic],
      clientId: 'test',
      connectTimeoutMs: 1_000,
      requestTimeoutMs: 1_000,
      route: (address) => address,
    });
    const refresh = vi.spyOn(cluster, 'refresh').mockResolvedValue();
    const over = new AbortController();
    const told: string[] = [];
    const toldTwice = Promise.withResolvers<undefined>();
    const loops = new FetchLoops({
      cluster,
      purpose: 'fetch',
      onFault: ({ message }) => {
        if (told.push(message) === 2) toldTwice.resolve(undefined);
      },
      over: over.signal,
    });
    const [handler, turns, slots] = [new RecordingHandler(), new ReadTurns(), new Slots(1)];
    loops.add(new PartitionFeed(TICKS, 0n, { handler, turns, slots, limits: AMPLE, onHungry: () => loops.wake() }));
    const running = loops.run();
    await toldTwice.promise;
    over.abort(new Error('stopped'));
    await expect(running).rejects.toThrow('stopped');
    expect(told).toEqual(
      Array(refresh.mock.calls.length).fill(
        'no broker leads partition 3 of market.tick: are the brokers that keep it up?',
      ),
    );
  });
});
