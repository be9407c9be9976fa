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
      brokers: [],
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

describe('a log that does not answer', () => {
  const sinks = [{ name: 's3', positions: [at('market.tick', 0, 0n)] }] as const;

  /** A meter on a log that is asked in vain, and what it tells first. */
  async function firstFault(told: readonly MarketDataError[]): Promise<MarketDataError> {
    const stop = new AbortController();
    const fault = Promise.withResolvers<MarketDataError>();
    const meter = new LagMeter({
      log: {
        range: (_, { signal } = {}) =>
          new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error))),
      },
      brokers: ['kafka-1:9092', 'kafka-2:9092'],
      sinks: () => sinks,
      onFault: fault.resolve,
      everyMs: 5,
    });
    for (const error of told) meter.tell(error);
    expect(meter.fault).toBe(told.find(({ code }) => code === 'CONNECTION_FAILED'));
    const running = meter.run(stop.signal);
    const first = await fault.promise;
    expect(meter.fault).toBe(first);
    stop.abort();
    await running;
    return first;
  }

  it('is named by its brokers', async () => {
    expect(await firstFault([])).toMatchObject({
      code: 'CONNECTION_FAILED',
      message: 'no answer from kafka-1:9092, kafka-2:9092 (5 ms)',
    });
  });

  it('has the fault at once that a reader met, and keeps it while nothing else is known', async () => {
    const refused = new MarketDataError('CONNECTION_FAILED', 'Kafka broker kafka-1:9092: nothing listens there');
    expect(await firstFault([refused, AWAY])).toBe(refused);
  });
});
