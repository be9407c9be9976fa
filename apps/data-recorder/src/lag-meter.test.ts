import type { TopicPartition } from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';
import { describe, expect, it } from 'vitest';
import { LagMeter } from './lag-meter.js';

const AWAY = new MarketDataError('STORE_UNAVAILABLE', 'no broker answers', { retryable: true });

/** A log whose ends are what the test says. */
class Ends {
  readonly asked: string[] = [];
  end: bigint | MarketDataError = 0n;
  #looked = Promise.withResolvers<undefined>();

  /** Resolves when somebody has asked from now on. */
  look(): Promise<undefined> {
    this.#looked = Promise.withResolvers();
    return this.#looked.promise;
  }

  async range({ topic, partition }: TopicPartition): Promise<{ begin: bigint; end: bigint }> {
    this.asked.push(`${topic}/${partition}`);
    this.#looked.resolve(undefined);
    if (this.end instanceof MarketDataError) throw this.end;
    return { begin: 0n, end: this.end };
  }
}

const at = (topic: string, partition: number, storedTo: bigint) => ({ topic, partition, storedTo });

describe('the lag of the sinks', () => {
  it('is what lies between their positions and the ends that the log had at the last look', async () => {
    const log = new Ends();
    const hot = [at('market.tick', 0, 7n), at('market.tick', 1, 10n)];
    const cold = [at('market.tick', 0, 0n), at('market.gap', 0, 12n)];
    const sinks = [
      { name: 'timescaledb', positions: hot },
      { name: 's3', positions: cold },
    ] as const;
    const stop = new AbortController();
    const faults: MarketDataError[] = [];
    const fault = Promise.withResolvers<undefined>();
    const meter = new LagMeter({
      log,
      sinks: () => sinks,
      onFault: (error) => {
        faults.push(error);
        fault.resolve(undefined);
      },
      everyMs: 5,
    });
    expect([...meter.lagOf('timescaledb')]).toEqual([]);
    log.end = 10n;
    const running = meter.run(stop.signal);
    await log.look();
    await log.look(); // the first look is over when the second begins
    expect([...meter.lagOf('timescaledb')]).toEqual([['market.tick', 3]]);
    expect([...meter.lagOf('s3')]).toEqual([
      ['market.tick', 10],
      ['market.gap', 0],
    ]);
    expect(log.asked.slice(0, 3)).toEqual(['market.tick/0', 'market.tick/1', 'market.gap/0']);

    log.end = AWAY;
    await fault.promise;
    expect([meter.fault, faults[0]]).toEqual([AWAY, AWAY]);
    expect([...meter.lagOf('timescaledb')]).toEqual([['market.tick', 3]]);
    log.end = 20n;
    await log.look();
    await log.look();
    expect(meter.fault).toBeUndefined();
    expect([...meter.lagOf('timescaledb')]).toEqual([['market.tick', 23]]);
    stop.abort();
    await running;
  });
});
