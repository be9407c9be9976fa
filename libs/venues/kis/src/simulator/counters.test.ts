import type { MarketCounters, SimulatedRecord } from '@aipx/venue/simulation';
import { expect, it } from 'vitest';
import { createKisSimulator } from './venue.js';

/** Volumes as they outlive a process, by date and name. */
class Kept implements MarketCounters {
  readonly volumes = new Map<string, number>();

  reached(period: string, name: string): number {
    return this.volumes.get(`${period} ${name}`) ?? 0;
  }

  raise(period: string, name: string, value: number): void {
    this.volumes.set(`${period} ${name}`, value);
  }
}

/** The trades of a run that begins at a time of the machine's clock. */
function run(counters: MarketCounters, wall: number): readonly SimulatedRecord[] {
  const venue = createKisSimulator({ wall: () => wall });
  const market = venue.market({ seed: 1, now: () => wall, nextStamp: () => ({ millis: 0, counter: 0 }), counters });
  const stream = { symbol: '005930', channel: 'tick', segment: 'KRX' } as const;
  return Array.from({ length: 50 }, () => market.next(stream)?.records ?? []).flat();
}

it('the volume of a day goes on in the next run, without a share between, and begins anew on the next day', () => {
  const counters = new Kept();
  const noon = Date.UTC(2026, 10, 22, 3);
  const records = [...run(counters, noon), ...run(counters, noon + 60_000)];
  for (const [at, { cumulative, volume }] of records.entries()) {
    const before = records[at - 1];
    if (before !== undefined) expect(cumulative - volume).toBe(before.cumulative);
  }
  expect(counters.reached('20261122', 'KRX 005930')).toBe(records.at(-1)?.cumulative);
  const [first] = run(counters, noon + 86_400_000);
  expect(first?.reference).toMatch(/^KRX-20261123-/);
  expect(first?.cumulative).toBeLessThan(records.at(-1)?.cumulative ?? 0);
});
